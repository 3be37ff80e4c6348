/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that writes packets' addresses and ports.
 */
#ifndef NFLB_MANGLE_H
#define NFLB_MANGLE_H

#include "packet/packet.h"

/* Which end of a packet is rewritten. */
enum nflb_end {
	NFLB_END_SRC,
	NFLB_END_DST,
};

int nflb_mangle_writable(struct nflb_pkt *pkt);
void nflb_mangle_end(struct nflb_pkt *pkt, enum nflb_end end,
		     const union nflb_addr *addr, __be16 port);
void nflb_mangle_addr(struct nflb_pkt *pkt, enum nflb_end end,
		      const union nflb_addr *addr);
void nflb_mangle_ident(struct nflb_pkt *pkt, const struct nflb_tuple *to);
void nflb_mangle_tuple(struct nflb_pkt *pkt, const struct nflb_tuple *to);
void nflb_mangle_field(struct nflb_pkt *pkt, unsigned int off, __be32 value);
int nflb_mangle_grow(struct nflb_pkt *pkt, unsigned int at, unsigned int len);
void nflb_mangle_added(struct nflb_pkt *pkt, unsigned int at, unsigned int len);
int nflb_mangle_cut(struct nflb_pkt *pkt);
void nflb_mangle_udp_len(struct nflb_pkt *pkt, unsigned int added);
void nflb_mangle_quoted(struct nflb_pkt *pkt, enum nflb_end end,
			const union nflb_addr *addr, __be16 port);
void nflb_mangle_quoted_seq(struct nflb_pkt *pkt, u32 delta);
void nflb_mangle_icmp_checksum(struct nflb_pkt *pkt);

/**
 * nflb_mangle_ttl() - one hop less
 * @pkt: the packet, writable; its TTL or hop limit is more than 1
 */
static inline void nflb_mangle_ttl(struct nflb_pkt *pkt)
{
	if (pkt->tuple.family == AF_INET)
		ip_decrease_ttl(ip_hdr(pkt->skb));
	else
		ipv6_hdr(pkt->skb)->hop_limit--;
}

#endif /* NFLB_MANGLE_H */
