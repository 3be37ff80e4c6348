/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From one address family to the other.
 */
#ifndef NFLB_FAMILY_H
#define NFLB_FAMILY_H

#include "packet/packet.h"
#include "conn/conn.h"

static inline unsigned int nflb_l3_len(u8 family)
{
	return family == AF_INET ? sizeof(struct iphdr) :
				   sizeof(struct ipv6hdr);
}

unsigned int nflb_family_mtu(const struct nflb_pkt *pkt, unsigned int mtu);
enum nflb_verdict nflb_family_rewrite(struct nflb_pkt *pkt,
				      const struct nflb_tuple *to);
enum nflb_verdict nflb_family_icmp(struct nflb_pkt *pkt,
				   const struct nflb_conn *conn,
				   enum nflb_dir dir);

#endif /* NFLB_FAMILY_H */
