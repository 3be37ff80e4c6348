// SPDX-License-Identifier: GPL-2.0
/*
 * The part of the short way (fastpath.h) that only tunnels need.
 */
#include "datapath/fastpath.h"

/**
 * nflb_fast_tunnel_mtu() - how long a packet may be that goes into a tunnel
 * @conn: its connection
 * @dst: route from nflb_route_cached()
 * @family: of the outer header
 *
 * Return: bytes; 0 when the tunnel cannot take what every IPv6 link takes, since
 * then it has to fragment, which is for the long way.
 */
unsigned int nflb_fast_tunnel_mtu(const struct nflb_conn *conn,
				  const struct dst_entry *dst, u8 family)
{
	unsigned int mtu = dst_mtu(dst), overhead;

	overhead = nflb_encap_overhead(conn->forward - NFLB_FORWARD_DSR,
				       family);
	return mtu >= IPV6_MIN_MTU + overhead ? mtu - overhead : 0;
}

/**
 * nflb_fast_other() - forward a packet whose outer header is of another family
 * @pkt: the packet
 * @conn: its connection
 * @dir: its direction
 * @family: of the packet
 *
 * Context, return: as for nflb_fast().
 */
enum nflb_verdict nflb_fast_other(struct nflb_pkt *pkt, struct nflb_conn *conn,
				  enum nflb_dir dir, u8 family)
{
	return family == AF_INET ? fast_forward(pkt, conn, dir, AF_INET6) :
				   fast_forward(pkt, conn, dir, AF_INET);
}
