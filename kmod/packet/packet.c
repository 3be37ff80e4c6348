// SPDX-License-Identifier: GPL-2.0
/*
 * Parse an skb. Nothing is changed here.
 *
 * Both hooks come after ip_rcv_core() / ip6_rcv_core() or after a local socket:
 * the network header is linear, its length and (IPv4) checksum were checked, and
 * padding behind the packet is gone.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "packet/packet.h"
#include "netns.h"

/* Offsets are kept in 16 bits; a jumbogram may have headers beyond that. */
#define L4_MAX (U16_MAX - 256)

/* Where a network header says the transport header is. */
struct l3 {
	unsigned int	off;		/* of the transport header */
	u8		proto;
	bool		fragment;
};

static bool parse_ipv4(const struct sk_buff *skb, unsigned int off,
		       struct nflb_tuple *tuple, struct l3 *l3)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!iph || iph->version != 4 || iph->ihl < 5)
		return false;
	nflb_addr_set_v4(&tuple->src, iph->saddr);
	nflb_addr_set_v4(&tuple->dst, iph->daddr);
	l3->off = off + iph->ihl * 4;
	l3->proto = iph->protocol;
	l3->fragment = ip_is_fragment(iph);
	return true;
}

/*
 * A routing header with segments left means that the destination is not the
 * last one, and the checksum is made over another: the host's business.
 */
static bool parse_ipv6(const struct sk_buff *skb, unsigned int off,
		       struct nflb_tuple *tuple, struct l3 *l3)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buf;
	__be16 frag_off;
	int l4;

	ip6h = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!ip6h || ip6h->version != 6)
		return false;
	tuple->src.in6 = ip6h->saddr;
	tuple->dst.in6 = ip6h->daddr;
	l3->proto = ip6h->nexthdr;
	l3->off = off + sizeof(*ip6h);
	l3->fragment = false;
	if (likely(!ipv6_ext_hdr(l3->proto)))
		return true;

	l4 = ipv6_skip_exthdr(skb, l3->off, &l3->proto, &frag_off);
	if (l4 < 0)
		return false;
	/* An atomic fragment (RFC 6946) has all; it travels on as it is. */
	l3->fragment = frag_off != 0;
	l3->off = l4;
	return true;
}

static bool parse_l3(const struct sk_buff *skb, unsigned int off, u8 family,
		     struct nflb_tuple *tuple, struct l3 *l3)
{
	tuple->family = family;
	return family == AF_INET ? parse_ipv4(skb, off, tuple, l3) :
				   parse_ipv6(skb, off, tuple, l3);
}

/* Does a routing header still have segments to go? */
static bool source_routed_v6(const struct sk_buff *skb)
{
	unsigned int off = skb_network_offset(skb);
	struct ipv6_rt_hdr buf;
	const struct ipv6_rt_hdr *rh;

	if (!ipv6_ext_hdr(ipv6_hdr(skb)->nexthdr) ||
	    ipv6_find_hdr(skb, &off, NEXTHDR_ROUTING, NULL, NULL) < 0)
		return false;
	rh = skb_header_pointer(skb, off, sizeof(buf), &buf);
	return !rh || rh->segments_left;
}

/*
 * A loose or strict source route (RFC 791) would take the packet elsewhere
 * than to the backend; other options travel on unchanged.
 */
static bool source_routed_v4(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	u8 buf[MAX_IPOPTLEN];
	const u8 *opt;
	int len, i;

	len = iph->ihl * 4 - sizeof(*iph);
	opt = skb_header_pointer(skb, sizeof(*iph), len, buf);
	if (!opt)
		return true;
	for (i = 0; i < len; i += opt[i + 1]) {
		while (i < len && opt[i] == IPOPT_NOOP)
			i++;
		if (i >= len || opt[i] == IPOPT_END)
			return false;
		if (opt[i] == IPOPT_LSRR || opt[i] == IPOPT_SSRR)
			return true;
		if (i + 1 >= len || opt[i + 1] < 2)
			return true;
	}
	return false;
}

static bool parse_ports(const struct sk_buff *skb, unsigned int off,
			struct nflb_tuple *tuple)
{
	const __be16 *ports;
	__be16 buf[2];

	ports = skb_header_pointer(skb, off, sizeof(buf), buf);
	if (!ports)
		return false;
	tuple->sport = ports[0];
	tuple->dport = ports[1];
	return true;
}

/**
 * nflb_packet_flow_at() - addresses and ports of a packet inside another
 * @skb: the other
 * @off: where the packet's network header is
 * @family: of the packet
 * @tuple: set to them
 *
 * Return: false when they are not all there, or it is not TCP or UDP.
 */
bool nflb_packet_flow_at(const struct sk_buff *skb, unsigned int off, u8 family,
			 struct nflb_tuple *tuple)
{
	struct l3 l3;

	memset(tuple, 0, sizeof(*tuple));
	if (!parse_l3(skb, off, family, tuple, &l3) || l3.off > L4_MAX)
		return false;
	if (l3.fragment && family == AF_INET) {
		const struct iphdr *iph;
		struct iphdr buf;

		iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
		if (!iph || iph->frag_off & htons(IP_OFFSET))
			return false;
	}
	tuple->proto = l3.proto;
	return (l3.proto == IPPROTO_TCP || l3.proto == IPPROTO_UDP) &&
	       parse_ports(skb, l3.off, tuple);
}

static enum nflb_verdict parse_tcp(struct nflb_pkt *pkt)
{
	const struct tcphdr *th;
	struct tcphdr buf;

	th = skb_header_pointer(pkt->skb, pkt->l4, sizeof(buf), &buf);
	if (!th || th->doff < 5 || pkt->l4 + th->doff * 4 > pkt->skb->len)
		return nflb_drop(pkt, NFLB_REASON_MALFORMED);
	pkt->tuple.sport = th->source;
	pkt->tuple.dport = th->dest;
	pkt->tcp_flags = tcp_flag_byte(th);
	pkt->tcp_doff = th->doff * 4;
	pkt->tcp_seq = ntohl(th->seq);
	pkt->tcp_ack = ntohl(th->ack_seq);
	return NFLB_CONTINUE;
}

static enum nflb_verdict parse_udp(struct nflb_pkt *pkt)
{
	const struct udphdr *uh;
	struct udphdr buf;
	unsigned int len;

	uh = skb_header_pointer(pkt->skb, pkt->l4, sizeof(buf), &buf);
	if (!uh)
		return nflb_drop(pkt, NFLB_REASON_MALFORMED);
	len = ntohs(uh->len);
	/* A GRO packet's or a jumbogram's length may be 0 or too short. */
	if (!skb_is_gso(pkt->skb) &&
	    (len < sizeof(*uh) || len > pkt->skb->len - pkt->l4))
		return nflb_drop(pkt, NFLB_REASON_MALFORMED);
	pkt->tuple.sport = uh->source;
	pkt->tuple.dport = uh->dest;
	pkt->tcp_flags = 0;
	return NFLB_CONTINUE;
}

/*
 * The tuple of an ICMP error is that of a packet in the direction in which the
 * error itself travels: the quoted one, inverted.
 */
static enum nflb_verdict parse_icmp_error(struct nflb_pkt *pkt)
{
	struct nflb_tuple quoted = { };
	struct l3 l3;

	pkt->inner = pkt->l4 + sizeof(struct icmphdr);
	if (!parse_l3(pkt->skb, pkt->inner, pkt->tuple.family, &quoted, &l3) ||
	    l3.off > L4_MAX)
		return nflb_drop(pkt, NFLB_REASON_MALFORMED);
	if (l3.fragment && pkt->tuple.family == AF_INET) {
		const struct iphdr *iph;
		struct iphdr buf;

		iph = skb_header_pointer(pkt->skb, pkt->inner, sizeof(buf),
					 &buf);
		if (!iph || iph->frag_off & htons(IP_OFFSET))
			return NFLB_ACCEPT;
	}
	pkt->kind = NFLB_KIND_TUNNEL_ERROR;
	if (l3.proto == IPPROTO_TCP || l3.proto == IPPROTO_UDP) {
		if (!parse_ports(pkt->skb, l3.off, &quoted))
			return nflb_drop(pkt, NFLB_REASON_MALFORMED);
		pkt->kind = NFLB_KIND_ICMP_ERROR;
	}
	quoted.proto = l3.proto;
	pkt->inner_l4 = l3.off;
	pkt->inner_proto = l3.proto;
	nflb_tuple_invert(&pkt->tuple, &quoted);
	return NFLB_CONTINUE;
}

static_assert(sizeof(struct icmphdr) == sizeof(struct icmp6hdr));

static enum nflb_verdict parse_icmp(struct nflb_pkt *pkt)
{
	const struct icmphdr *icmph;
	struct icmphdr buf;
	bool error, echo;

	icmph = skb_header_pointer(pkt->skb, pkt->l4, sizeof(buf), &buf);
	if (!icmph)
		return nflb_drop(pkt, NFLB_REASON_MALFORMED);
	if (pkt->tuple.family == AF_INET) {
		error = icmph->type == ICMP_DEST_UNREACH ||
			icmph->type == ICMP_TIME_EXCEEDED ||
			icmph->type == ICMP_PARAMETERPROB ||
			icmph->type == ICMP_SOURCE_QUENCH;
		echo = icmph->type == ICMP_ECHO;
	} else {
		error = icmph->type < ICMPV6_INFOMSG_MASK;
		echo = icmph->type == ICMPV6_ECHO_REQUEST;
	}
	if (error)
		return parse_icmp_error(pkt);
	if (!echo)
		return NFLB_ACCEPT;
	pkt->kind = NFLB_KIND_ECHO;
	pkt->tuple.sport = 0;
	pkt->tuple.dport = 0;
	return NFLB_CONTINUE;
}

static bool is_icmp(u8 family, u8 proto)
{
	return proto == (family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static bool source_routed(const struct nflb_pkt *pkt)
{
	if (pkt->tuple.family == AF_INET)
		return ip_hdr(pkt->skb)->ihl > 5 && source_routed_v4(pkt->skb);
	return source_routed_v6(pkt->skb);
}

static enum nflb_verdict parse_l4(struct nflb_pkt *pkt)
{
	switch (pkt->tuple.proto) {
	case IPPROTO_TCP:
		return parse_tcp(pkt);
	case IPPROTO_UDP:
		return parse_udp(pkt);
	default:
		return is_icmp(pkt->tuple.family, pkt->tuple.proto) ?
		       parse_icmp(pkt) : NFLB_ACCEPT;
	}
}

/**
 * nflb_packet_parse() - parse a packet
 * @pkt: skb, nn and state are set; the rest is filled in
 *
 * Whether it is the balancer's business is not looked at here: who drops it for its
 * shape has to find out.
 *
 * Context: any. Return: NFLB_CONTINUE when the kind and the tuple are set, of a
 * fragment only the addresses; NFLB_ACCEPT when it is nothing that is balanced;
 * NFLB_DROP when it cannot be understood, or has a source route. Of that
 * pkt->tuple.dst is set.
 */
enum nflb_verdict nflb_packet_parse(struct nflb_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;
	enum nflb_verdict verdict;
	struct l3 l3;

	pkt->kind = NFLB_KIND_FLOW;
	pkt->quiet = false;
	pkt->tcp_flags = 0;
	pkt->tuple.sport = 0;
	pkt->tuple.dport = 0;
	pkt->tuple.aux = 0;
	if (!parse_l3(skb, skb_network_offset(skb), pkt->state->pf, &pkt->tuple,
		      &l3))
		return NFLB_ACCEPT;
	if (unlikely(l3.fragment)) {
		pkt->kind = NFLB_KIND_FRAGMENT;
		return NFLB_CONTINUE;
	}
	if (unlikely(l3.off > L4_MAX))
		return nflb_drop(pkt, NFLB_REASON_MALFORMED);
	pkt->len = skb->len;
	pkt->l4 = l3.off;
	pkt->tuple.proto = l3.proto;
	verdict = parse_l4(pkt);
	if (verdict == NFLB_CONTINUE && pkt->kind != NFLB_KIND_TUNNEL_ERROR &&
	    unlikely(source_routed(pkt)))
		return nflb_drop(pkt, NFLB_REASON_SOURCE_ROUTE);
	return verdict;
}
NFLB_EXPORT_KUNIT(nflb_packet_parse);
