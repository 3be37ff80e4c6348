/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mangle.c and the short way (fastpath.h) share: rewriting both ends of a
 * packet, and the checksums. Inline, since the short way knows the family.
 */
#ifndef NFLB_MANGLE_TUPLE_H
#define NFLB_MANGLE_TUPLE_H

#include <net/checksum.h>

#include "datapath/packet.h"

static __always_inline void *header(const struct nflb_pkt *pkt, unsigned int off)
{
	return pkt->skb->data + off;
}

/* The checksum of a transport header; NULL when there is none (RFC 768). */
static __always_inline __sum16 *check_at(const struct nflb_pkt *pkt,
					 unsigned int l4, u8 proto)
{
	struct udphdr *uh;

	if (proto == IPPROTO_TCP)
		return &((struct tcphdr *)header(pkt, l4))->check;
	uh = header(pkt, l4);
	if (!uh->check && pkt->skb->ip_summed != CHECKSUM_PARTIAL)
		return NULL;
	return &uh->check;
}

/* Two addresses in a row, and none of them aligned: 64 bits of their sum. */
static __always_inline u64 addrs_sum(const void *addrs)
{
	const u64 *words = addrs;
	u64 sum = 0, word;
	int i;

	for (i = 0; i < 4; i++) {
		word = get_unaligned(&words[i]);
		sum += word;
		sum += sum < word;
	}
	return sum;
}

/* The difference of two such sums. */
static __always_inline __wsum addrs_diff(u64 new, u64 old)
{
	u64 sum = new + ~old;

	sum += sum < new;
	sum = (sum & U32_MAX) + (sum >> 32);
	return (__force __wsum)((sum & U32_MAX) + (sum >> 32));
}

/*
 * Write both addresses and IPv4's header checksum. Returns what they add to a
 * checksum that covers them.
 */
static __always_inline __wsum addrs_write(struct nflb_pkt *pkt,
					  const union nflb_addr *src,
					  const union nflb_addr *dst, u8 family)
{
	unsigned int l3 = skb_network_offset(pkt->skb);
	__wsum diff;
	u64 old;

	if (family == AF_INET) {
		struct iphdr *iph = header(pkt, l3);

		diff = csum_sub(csum_add((__force __wsum)src->ip,
					 (__force __wsum)dst->ip),
				csum_add((__force __wsum)iph->saddr,
					 (__force __wsum)iph->daddr));
		csum_replace_by_diff(&iph->check, diff);
		iph->saddr = src->ip;
		iph->daddr = dst->ip;
	} else {
		struct ipv6hdr *ip6h = header(pkt, l3);

		old = addrs_sum(&ip6h->saddr);
		ip6h->saddr = src->in6;
		ip6h->daddr = dst->in6;
		diff = addrs_diff(addrs_sum(&ip6h->saddr), old);
	}
	return diff;
}

static_assert(offsetof(struct ipv6hdr, daddr) ==
	      offsetofend(struct ipv6hdr, saddr));

/*
 * Update a transport checksum for what changed in the pseudo header and in what
 * else it covers; CHECKSUM_PARTIAL has the pseudo header only so far.
 */
static __always_inline void check_update(struct nflb_pkt *pkt, __wsum pseudo,
					 __wsum other)
{
	__sum16 *check = check_at(pkt, pkt->l4, pkt->tuple.proto);

	if (!check)
		return;
	if (pkt->skb->ip_summed == CHECKSUM_PARTIAL) {
		*check = ~csum_fold(csum_add(pseudo, csum_unfold(*check)));
		return;
	}
	/* The sum of the whole packet is not kept up to date here. */
	if (pkt->skb->ip_summed == CHECKSUM_COMPLETE)
		pkt->skb->ip_summed = CHECKSUM_NONE;
	csum_replace_by_diff(check, csum_add(pseudo, other));
	if (!*check && pkt->tuple.proto == IPPROTO_UDP)
		*check = CSUM_MANGLED_0;
}

/* nflb_mangle_tuple() for a family that is known */
static __always_inline void mangle_tuple(struct nflb_pkt *pkt,
					 const struct nflb_tuple *to, u8 family)
{
	__be16 *ports = header(pkt, pkt->l4);
	__wsum old = csum_add((__force __wsum)ports[0],
			      (__force __wsum)ports[1]);
	__wsum new = csum_add((__force __wsum)to->dport,
			      (__force __wsum)to->sport);

	ports[0] = to->dport;
	ports[1] = to->sport;
	check_update(pkt, addrs_write(pkt, &to->dst, &to->src, family),
		     csum_sub(new, old));
}

#endif /* NFLB_MANGLE_TUPLE_H */
