/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by mangle.c and the short way (fastpath.h): rewriting both ends of a
 * packet, and the checksums. Inline, since the short way knows the family.
 */
#ifndef NFLB_MANGLE_TUPLE_H
#define NFLB_MANGLE_TUPLE_H

#include <linux/bitops.h>
#include <net/checksum.h>

#include "packet/packet.h"

/*
 * Is the checksum of this transport header left to the device or to whoever
 * segments the packet, so that it has the pseudo header only so far? It is not
 * when CHECKSUM_PARTIAL is about a packet inside: the one of a tunnel's UDP header
 * is complete then, or none.
 */
static __always_inline bool check_is_partial(const struct sk_buff *skb,
					     const void *l4)
{
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return false;
	return likely(skb->csum_start == (u16)(l4 - (void *)skb->head)) ||
	       (skb_is_gso(skb) &&
		skb_shinfo(skb)->gso_type & SKB_GSO_UDP_TUNNEL_CSUM);
}

/* The checksum of a transport header; NULL when there is none (RFC 768). */
static __always_inline __sum16 *check_field(void *l4, u8 proto, bool partial)
{
	struct udphdr *uh = l4;

	if (proto == IPPROTO_TCP)
		return &((struct tcphdr *)l4)->check;
	return uh->check || partial ? &uh->check : NULL;
}

/* The same within an skb */
static __always_inline __sum16 *check_at(const struct sk_buff *skb, void *l4,
					 u8 proto)
{
	return check_field(l4, proto, check_is_partial(skb, l4));
}

/* The words of an address, added up. */
static __always_inline u64 addr_sum(const __be32 *words, u8 family)
{
	u64 sum = (__force u32)words[0];

	if (family == AF_INET6)
		sum += (u64)(__force u32)words[1] + (__force u32)words[2] +
		       (__force u32)words[3];
	return sum;
}

/* Such a sum of less than 2^63 as a checksum of 32 bits. */
static __always_inline __wsum sum_fold(u64 sum)
{
	return csum_add((__force __wsum)(u32)sum,
			(__force __wsum)(u32)(sum >> 32));
}

/* A hop less, of IPv4: the sum of the header without its checksum sinks. */
#define HOP_SUM ((u16)~(__force u16)htons(1 << 8))

/*
 * Write both addresses and, if @hop, one hop less; and IPv4's header checksum,
 * where @more is added to the sum for what was written besides.
 * Returns the effect of the addresses on a checksum that covers them.
 */
static __always_inline u64 addrs_write(void *l3, const union nflb_addr *src,
				       const union nflb_addr *dst, u8 family,
				       bool hop, u32 more)
{
	/* Eight words at most are subtracted: U32_MAX is a zero here. */
	u64 diff = 8ULL * U32_MAX + addr_sum(src->all, family) +
		   addr_sum(dst->all, family);

	if (family == AF_INET) {
		struct iphdr *iph = l3;
		u64 sum;

		diff -= addr_sum(&iph->saddr, family) +
			addr_sum(&iph->daddr, family);
		sum = diff + (u16)~(__force u16)iph->check + more;
		if (hop) {
			sum += HOP_SUM;
			iph->ttl--;
		}
		iph->check = csum_fold(sum_fold(sum));
		iph->saddr = src->ip;
		iph->daddr = dst->ip;
	} else {
		struct ipv6hdr *ip6h = l3;

		diff -= addr_sum(ip6h->saddr.s6_addr32, family) +
			addr_sum(ip6h->daddr.s6_addr32, family);
		ip6h->hop_limit -= hop;
		ip6h->saddr = src->in6;
		ip6h->daddr = dst->in6;
	}
	return diff;
}

/*
 * Update a transport checksum for what changed in the pseudo header and in what
 * else it covers.
 */
static __always_inline void check_update(void *l4, u8 proto, bool partial,
					 __wsum pseudo, __wsum other)
{
	__sum16 *check = check_field(l4, proto, partial);

	if (!check)
		return;
	if (partial) {
		*check = ~csum_fold(csum_add(pseudo, csum_unfold(*check)));
		return;
	}
	csum_replace_by_diff(check, csum_add(pseudo, other));
	if (!*check && proto == IPPROTO_UDP)
		*check = CSUM_MANGLED_0;
}

/* Functions that change headers do not update the sum of a whole packet. */
static __always_inline void sum_forget(struct sk_buff *skb)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
}

static_assert(offsetof(struct nflb_tuple, dport) ==
	      offsetofend(struct nflb_tuple, sport));

/**
 * mangle_tuple() - rewrite both ends of a packet, whatever buffer it is in
 * @l3: its network header
 * @l4: its transport header
 * @proto: TCP or UDP
 * @partial: check_is_partial()
 * @to: the tuple that the answers to it have
 * @family: of the packet
 * @hop: it goes one hop, too
 * @more: what else is to be added to the sum of IPv4's header
 *
 * Of an skb, sum_forget() has to follow.
 */
static __always_inline void mangle_tuple(void *l3, void *l4, u8 proto,
					 bool partial,
					 const struct nflb_tuple *to, u8 family,
					 bool hop, u32 more)
{
	u32 *ports = l4, old = get_unaligned(ports);
	/* In a sum it does not matter which of the two ports comes first. */
	u32 new = *(const u32 *)&to->sport;

	put_unaligned(rol32(new, 16), ports);
	check_update(l4, proto, partial,
		     sum_fold(addrs_write(l3, &to->dst, &to->src, family, hop,
					  more)),
		     csum_sub((__force __wsum)new, (__force __wsum)old));
}

#endif /* NFLB_MANGLE_TUPLE_H */
