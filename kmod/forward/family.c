// SPDX-License-Identifier: GPL-2.0
/*
 * From one address family to the other: the network header of the packets of
 * connections between a VIP and a backend of different families. The rules are
 * those of SIIT (RFC 7915), as far as they are about headers; addresses are the
 * connection's.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>

#include "packet/mangle_tuple.h"
#include "packet/mtu.h"
#include "forward/family.h"
#include "netns.h"

/* RFC 7915, 5.1: packets that may need fragmentation after the translation. */
#define DF_MIN (IPV6_MIN_MTU - (sizeof(struct ipv6hdr) - sizeof(struct iphdr)))

/**
 * nflb_family_mtu() - how long a packet may be before its family changes
 * @pkt: the packet
 * @mtu: how long it may be then
 *
 * No sender has to split what every link carries; behind the translation such
 * packets may be fragmented.
 *
 * Return: how long the packet may be as it is.
 */
unsigned int nflb_family_mtu(const struct nflb_pkt *pkt, unsigned int mtu)
{
	u8 family = pkt->tuple.family;

	mtu = nflb_mtu_less(mtu + pkt->l4,
			    nflb_l3_len(family == AF_INET ? AF_INET6 : AF_INET));
	return nflb_mtu_floor(mtu, family);
}
NFLB_EXPORT_KUNIT(nflb_family_mtu);

/* The fields that both network headers have */
struct common {
	u8	tos;
	u8	ttl;
	bool	df;
};

static struct common common_of(const struct nflb_pkt *pkt)
{
	struct common c;

	if (pkt->tuple.family == AF_INET) {
		const struct iphdr *iph = ip_hdr(pkt->skb);

		c.tos = iph->tos;
		c.ttl = iph->ttl;
		c.df = iph->frag_off & htons(IP_DF);
	} else {
		const struct ipv6hdr *ip6h = ipv6_hdr(pkt->skb);

		c.tos = ipv6_get_dsfield(ip6h);
		c.ttl = ip6h->hop_limit;
		/* A packet that arrived in fragments may leave in fragments. */
		c.df = !IP6CB(pkt->skb)->frag_max_size &&
		       pkt->skb->len - pkt->l4 + sizeof(struct iphdr) > DF_MIN;
	}
	return c;
}

static void write_v4(struct nflb_pkt *pkt, const struct common *c,
		     const struct nflb_tuple *to, u8 proto)
{
	struct iphdr *iph = ip_hdr(pkt->skb);

	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = c->tos;
	iph->tot_len = htons(pkt->skb->len);
	iph->frag_off = c->df ? htons(IP_DF) : 0;
	iph->ttl = c->ttl;
	iph->protocol = proto;
	iph->saddr = to->dst.ip;
	iph->daddr = to->src.ip;
	if (!c->df)
		__ip_select_ident(pkt->nn->net, iph,
				  max_t(int, skb_shinfo(pkt->skb)->gso_segs, 1));
	iph->check = ip_fast_csum(iph, iph->ihl);
}

static void write_v6(struct nflb_pkt *pkt, const struct common *c,
		     const struct nflb_tuple *to, u8 proto)
{
	struct ipv6hdr *ip6h = ipv6_hdr(pkt->skb);

	ip6_flow_hdr(ip6h, c->tos, 0);
	ip6h->payload_len = htons(pkt->skb->len - sizeof(*ip6h));
	ip6h->nexthdr = proto;
	ip6h->hop_limit = c->ttl;
	ip6h->saddr = to->dst.in6;
	ip6h->daddr = to->src.in6;
}

/* The sum of the addresses in the pseudo header; the rest of it is the same. */
static __wsum addrs_sum(const union nflb_addr *src, const union nflb_addr *dst)
{
	return csum_partial(src, sizeof(*src), csum_partial(dst, sizeof(*dst),
							    0));
}

/* Segments are to be cut as the new family has it. */
static void switch_gso(struct sk_buff *skb, u8 family)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	if (!skb_is_gso(skb))
		return;
	if (family == AF_INET && shinfo->gso_type & SKB_GSO_TCPV6) {
		shinfo->gso_type &= ~SKB_GSO_TCPV6;
		shinfo->gso_type |= SKB_GSO_TCPV4;
	} else if (family == AF_INET6 && shinfo->gso_type & SKB_GSO_TCPV4) {
		shinfo->gso_type &= ~(SKB_GSO_TCPV4 | SKB_GSO_TCP_FIXEDID);
		shinfo->gso_type |= SKB_GSO_TCPV6;
	}
}

/*
 * Put a header of @family in the place of the network header; what it says is
 * still to be written. Returns 0 or -ENOMEM.
 */
static int replace_header(struct nflb_pkt *pkt, u8 family)
{
	unsigned int len = nflb_l3_len(family);
	struct sk_buff *skb = pkt->skb;

	if (len > pkt->l4) {
		if (skb_cow_head(skb, len - pkt->l4))
			return -ENOMEM;
		skb_push(skb, len - pkt->l4);
	} else {
		__skb_pull(skb, pkt->l4 - len);
	}
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, len);
	skb_unset_mac_header(skb);
	skb->mac_len = 0;
	skb->protocol = family == AF_INET ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	switch_gso(skb, family);
	/* Each family keeps its own there. */
	memset(skb->cb, 0, sizeof(skb->cb));
	pkt->l4 = len;
	return 0;
}

/*
 * The new header's checksum may have to be made over the whole, so a checksum
 * inside that is left to the device is made first. Returns 0 or -ENOMEM.
 */
static int finish_inner(struct nflb_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;

	if (likely(skb->ip_summed != CHECKSUM_PARTIAL ||
		   check_is_partial(skb, skb->data + pkt->l4)))
		return 0;
	return skb_checksum_help(skb) ? -ENOMEM : 0;
}

static __sum16 *check_of(struct nflb_pkt *pkt)
{
	void *l4 = pkt->skb->data + pkt->l4;

	return pkt->tuple.proto == IPPROTO_TCP ?
	       &((struct tcphdr *)l4)->check : &((struct udphdr *)l4)->check;
}

/* IPv6 knows no datagram without a checksum (RFC 7915, 4.5). */
static void make_udp_checksum(struct nflb_pkt *pkt, const struct nflb_tuple *to)
{
	struct udphdr *uh = (struct udphdr *)(pkt->skb->data + pkt->l4);
	unsigned int len = pkt->skb->len - pkt->l4;

	uh->check = csum_ipv6_magic(&to->dst.in6, &to->src.in6, len,
				    IPPROTO_UDP,
				    skb_checksum(pkt->skb, pkt->l4, len, 0));
	if (!uh->check)
		uh->check = CSUM_MANGLED_0;
}

static void rewrite_l4(struct nflb_pkt *pkt, const struct nflb_tuple *to,
		       __wsum before)
{
	__be16 *ports = (__be16 *)(pkt->skb->data + pkt->l4);
	bool partial = check_is_partial(pkt->skb, ports);
	bool udp = pkt->tuple.proto == IPPROTO_UDP;
	__sum16 *check = check_of(pkt);
	__wsum diff, pdiff;

	diff = csum_sub(addrs_sum(&to->dst, &to->src), before);
	pdiff = csum_sub(csum_add((__force __wsum)to->dport,
				  (__force __wsum)to->sport),
			 csum_add((__force __wsum)ports[0],
				  (__force __wsum)ports[1]));
	ports[0] = to->dport;
	ports[1] = to->sport;
	if (partial) {
		*check = ~csum_fold(csum_add(diff, csum_unfold(*check)));
		return;
	}
	if (pkt->skb->ip_summed == CHECKSUM_COMPLETE)
		pkt->skb->ip_summed = CHECKSUM_NONE;
	if (udp && !*check) {
		if (to->family == AF_INET6)
			make_udp_checksum(pkt, to);
		return;
	}
	csum_replace_by_diff(check, csum_add(diff, pdiff));
	if (udp && !*check)
		*check = CSUM_MANGLED_0;
}

/**
 * nflb_family_rewrite() - give a packet a header of the other family, and both
 *	ends
 * @pkt: a TCP or UDP packet, writable; it fits (nflb_family_mtu())
 * @to: the tuple that the answers to it have; of the other family
 *
 * Options and extension headers are left out. From then on @pkt->tuple is the
 * packet's new one. Warning: may move the skb's head.
 *
 * Return: NFLB_CONTINUE, or NFLB_DROP when there is no memory.
 */
enum nflb_verdict nflb_family_rewrite(struct nflb_pkt *pkt,
				      const struct nflb_tuple *to)
{
	__wsum before = addrs_sum(&pkt->tuple.src, &pkt->tuple.dst);
	struct common c = common_of(pkt);

	/* IPv6's length does not count its own header. */
	if (pkt->skb->len - pkt->l4 + (to->family == AF_INET ?
				       sizeof(struct iphdr) : 0) > U16_MAX)
		return nflb_drop(pkt, NFLB_REASON_UNTRANSLATABLE);
	if (finish_inner(pkt) || replace_header(pkt, to->family))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	/* A packet that may be fragmented here may be fragmented later. */
	if (!c.df)
		pkt->skb->ignore_df = 1;
	if (to->family == AF_INET)
		write_v4(pkt, &c, to, to->proto);
	else
		write_v6(pkt, &c, to, to->proto);
	rewrite_l4(pkt, to, before);
	nflb_tuple_invert(&pkt->tuple, to);
	return NFLB_CONTINUE;
}
NFLB_EXPORT_KUNIT(nflb_family_rewrite);
