// SPDX-License-Identifier: GPL-2.0
/*
 * The parts of the short way (fastpath.h) that most packets do not need.
 */
#include "path/fastpath.h"

/**
 * nflb_fast_tunnel_mtu() - the same as fast_tunnel_mtu(), for any route
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
	u8 encap = nflb_conn_forward_id(conn) - NFLB_FORWARD_DSR;
	unsigned int mtu = nflb_encap_mtu(dst, encap, family);

	return mtu >= IPV6_MIN_MTU ? mtu : 0;
}

/**
 * nflb_fast_again() - the short way for a packet that was parsed already
 * @pkt: the packet, all of it set
 * @conn: its connection
 * @dir: its direction
 *
 * For packets whose outer header is of another family, and for those that a
 * connection was just made for.
 *
 * Context, return: as for nflb_fast().
 */
enum nflb_verdict nflb_fast_again(struct nflb_pkt *pkt, struct nflb_conn *conn,
				  enum nflb_dir dir)
{
	u32 now = nflb_now();
	u8 from = pkt->tuple.family, to = nflb_conn_family(conn, dir);
	struct nflb_view v = {
		.skb = pkt->skb,
		.nn = pkt->nn,
		.l4 = pkt->l4,
		.end = pkt->l4 + (pkt->tuple.proto == IPPROTO_TCP ?
				  pkt->tcp_doff : sizeof(struct udphdr)),
		.tcp_flags = pkt->tcp_flags,
		.gso = skb_is_gso(pkt->skb),
	};

	nflb_flow_key(&v.key, &pkt->tuple, from);
	if (!fast_steady(&v, conn) || nflb_ttl(pkt) <= 1)
		return NFLB_CONTINUE;
	if (from == AF_INET)
		return to == AF_INET ?
		       fast_forward(pkt, &v, conn, dir, AF_INET, AF_INET, now) :
		       fast_forward(pkt, &v, conn, dir, AF_INET, AF_INET6, now);
	return to == AF_INET ?
	       fast_forward(pkt, &v, conn, dir, AF_INET6, AF_INET, now) :
	       fast_forward(pkt, &v, conn, dir, AF_INET6, AF_INET6, now);
}

/**
 * nflb_fast_would() - does the short way take a packet?
 * @nn: the namespace
 * @skb: the packet; skb->data is its network header
 * @family: of the packet
 *
 * Context: BH disabled, rcu_read_lock() held. Return: whether it does.
 */
bool nflb_fast_would(struct nflb_net *nn, struct sk_buff *skb, u8 family)
{
	struct nflb_view v = { .skb = skb, .nn = nn, .gso = skb_is_gso(skb) };

	return family == AF_INET ? fast_would(&v, AF_INET) :
				   fast_would(&v, AF_INET6);
}
