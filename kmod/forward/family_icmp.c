// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about a connection between a VIP and a backend of different
 * families: the error is made anew in its receiver's family, with what it
 * quotes translated too (RFC 7915, 4.2 to 4.5 and 5.2 to 5.5).
 *
 * It comes from the VIP or from the local address: a router's address has no
 * counterpart in the other family.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>

#include "conn/conn_seq.h"
#include "forward/family.h"

/* How much of the quoted packet's transport part is passed on. */
#define QUOTE_MAX 256
/* The least that an error has to quote of it (RFC 792). */
#define QUOTE_MIN 8

/* Type, code, and the field after them: an MTU where there is one. */
struct error {
	u8	type;
	u8	code;
	u32	info;
};

static bool unreach_to_v6(struct error *e)
{
	switch (e->code) {
	case ICMP_FRAG_NEEDED:
		e->type = ICMPV6_PKT_TOOBIG;
		e->code = 0;
		/* RFC 1191, 5: a router that does not say. */
		e->info = max_t(u32, (e->info & 0xffff ?: 576) + 20,
				IPV6_MIN_MTU);
		return true;
	case ICMP_PROT_UNREACH:
		return false;
	case ICMP_PORT_UNREACH:
		e->code = ICMPV6_PORT_UNREACH;
		break;
	case ICMP_NET_ANO:
	case ICMP_HOST_ANO:
	case ICMP_PKT_FILTERED:
	case ICMP_PREC_CUTOFF:
		e->code = ICMPV6_ADM_PROHIBITED;
		break;
	case ICMP_PREC_VIOLATION:
		return false;
	default:
		e->code = ICMPV6_NOROUTE;
	}
	e->type = ICMPV6_DEST_UNREACH;
	e->info = 0;
	return true;
}

static bool to_v6(struct error *e)
{
	switch (e->type) {
	case ICMP_DEST_UNREACH:
		return unreach_to_v6(e);
	case ICMP_TIME_EXCEEDED:
		e->type = ICMPV6_TIME_EXCEED;
		e->info = 0;
		return true;
	default:
		return false;
	}
}

static bool unreach_to_v4(struct error *e)
{
	switch (e->code) {
	case ICMPV6_ADM_PROHIBITED:
		e->code = ICMP_HOST_ANO;
		break;
	case ICMPV6_PORT_UNREACH:
		e->code = ICMP_PORT_UNREACH;
		break;
	default:
		e->code = ICMP_HOST_UNREACH;
	}
	e->type = ICMP_DEST_UNREACH;
	e->info = 0;
	return true;
}

static bool to_v4(struct error *e)
{
	switch (e->type) {
	case ICMPV6_DEST_UNREACH:
		return unreach_to_v4(e);
	case ICMPV6_PKT_TOOBIG:
		if (e->info < IPV6_MIN_MTU)
			return false;
		e->type = ICMP_DEST_UNREACH;
		e->code = ICMP_FRAG_NEEDED;
		e->info = min_t(u32, e->info - 20, U16_MAX);
		return true;
	case ICMPV6_TIME_EXCEED:
		e->type = ICMP_TIME_EXCEEDED;
		e->info = 0;
		return true;
	default:
		return false;
	}
}

/* Both families' headers begin alike: type, code, checksum, 32 bits. */
static bool translate(const struct nflb_pkt *pkt, u8 family, struct error *e)
{
	const struct icmphdr *icmph;

	icmph = (const struct icmphdr *)(pkt->skb->data + pkt->l4);
	e->type = icmph->type;
	e->code = icmph->code;
	e->info = ntohl(icmph->un.gateway);
	return family == AF_INET6 ? to_v6(e) : to_v4(e);
}

/* A network header of @family at @at, for @len bytes behind it. */
static void write_l3(void *at, u8 family, const union nflb_addr *src,
		     const union nflb_addr *dst, u8 proto, u8 ttl,
		     unsigned int len)
{
	if (family == AF_INET) {
		struct iphdr *iph = at;

		memset(iph, 0, sizeof(*iph));
		iph->version = 4;
		iph->ihl = sizeof(*iph) / 4;
		iph->tot_len = htons(len + sizeof(*iph));
		iph->frag_off = htons(IP_DF);
		iph->ttl = ttl;
		iph->protocol = proto;
		iph->saddr = src->ip;
		iph->daddr = dst->ip;
		iph->check = ip_fast_csum(iph, iph->ihl);
	} else {
		struct ipv6hdr *ip6h = at;

		ip6_flow_hdr(ip6h, 0, 0);
		ip6h->payload_len = htons(len);
		ip6h->nexthdr = proto;
		ip6h->hop_limit = ttl;
		ip6h->saddr = src->in6;
		ip6h->daddr = dst->in6;
	}
}

static unsigned int quoted_len(const struct nflb_pkt *pkt)
{
	const void *l3 = pkt->skb->data + pkt->inner;
	const struct ipv6hdr *ip6h = l3;
	const struct iphdr *iph = l3;

	if (pkt->tuple.family == AF_INET)
		return ntohs(iph->tot_len) - iph->ihl * 4;
	return ntohs(ip6h->payload_len) + pkt->inner + sizeof(*ip6h) -
	       pkt->inner_l4;
}

/* The transport part of the quoted packet, as its sender knows it. */
static void rewrite_quote(u8 *l4, unsigned int len, const struct nflb_conn *conn,
			  const struct nflb_tuple *sent, enum nflb_dir dir)
{
	struct tcphdr *th = (struct tcphdr *)l4;

	memcpy(l4, &sent->sport, sizeof(sent->sport));
	memcpy(l4 + 2, &sent->dport, sizeof(sent->dport));
	/* To the client it quotes a segment of the client. */
	if (sent->proto == IPPROTO_TCP && dir == NFLB_DIR_OUT && len >= 8)
		th->seq = htonl(ntohl(th->seq) - nflb_conn_seq_delta(conn));
}

static void finish(struct sk_buff *skb, const struct nflb_tuple *sent,
		   const struct error *e, unsigned int l3)
{
	struct icmphdr *icmph = (struct icmphdr *)(skb->data + l3);
	unsigned int len = skb->len - l3;
	__wsum sum;

	icmph->type = e->type;
	icmph->code = e->code;
	icmph->checksum = 0;
	icmph->un.gateway = htonl(e->info);
	sum = skb_checksum(skb, l3, len, 0);
	icmph->checksum = sent->family == AF_INET ? csum_fold(sum) :
		csum_ipv6_magic(&sent->dst.in6, &sent->src.in6, len,
				IPPROTO_ICMPV6, sum);
	skb->ip_summed = CHECKSUM_NONE;
}

/**
 * nflb_family_icmp() - translate an error for its receiver
 * @pkt: the error, writable; passed nflb_icmp_check()
 * @conn: its connection, with NFLB_HOW_FAMILY
 * @dir: direction of the error
 *
 * Return: NFLB_CONTINUE; or NFLB_DROP when the other family has no such error,
 * or there is no memory.
 */
enum nflb_verdict nflb_family_icmp(struct nflb_pkt *pkt,
				   const struct nflb_conn *conn,
				   enum nflb_dir dir)
{
	/* The receiver of the error sent this. */
	const struct nflb_tuple *sent = nflb_conn_answer(conn, dir);
	unsigned int l3 = nflb_l3_len(sent->family), len, head;
	struct sk_buff *skb = pkt->skb;
	u8 quote[QUOTE_MAX];
	struct error e;
	u8 proto;

	len = min_t(unsigned int, skb->len - pkt->inner_l4, QUOTE_MAX);
	if (len < QUOTE_MIN || !translate(pkt, sent->family, &e))
		return nflb_drop(pkt, NFLB_REASON_UNTRANSLATABLE);
	memcpy(quote, skb->data + pkt->inner_l4, len);
	rewrite_quote(quote, len, conn, sent, dir);
	proto = sent->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	head = quoted_len(pkt);
	if (pskb_trim(skb, 0) ||
	    pskb_expand_head(skb, 0, max_t(int, 2 * l3 + 8 + len -
					   skb_tailroom(skb), 0), GFP_ATOMIC))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	skb_put(skb, 2 * l3 + sizeof(struct icmphdr) + len);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, l3);
	skb_unset_mac_header(skb);
	skb->mac_len = 0;
	skb->protocol = sent->family == AF_INET ? htons(ETH_P_IP) :
						  htons(ETH_P_IPV6);
	memset(skb->cb, 0, sizeof(skb->cb));
	write_l3(skb->data, sent->family, &sent->dst, &sent->src, proto, 64,
		 skb->len - l3);
	write_l3(skb->data + l3 + sizeof(struct icmphdr), sent->family,
		 &sent->src, &sent->dst, sent->proto, 1, head);
	memcpy(skb->data + skb->len - len, quote, len);
	finish(skb, sent, &e, l3);
	pkt->l4 = l3;
	nflb_tuple_invert(&pkt->tuple, sent);
	return NFLB_CONTINUE;
}
