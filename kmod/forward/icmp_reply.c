// SPDX-License-Identifier: GPL-2.0
/*
 * Answers of the balancer itself: echo requests to a VIP, and errors about
 * packets that it cannot serve or send on, as a host or a router would. The
 * kernel's rate limits for ICMP hold.
 *
 * The packet of an error has not been rewritten yet, so its sender recognises
 * what is quoted.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/addrconf.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/inet_dscp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/netfilter/ipv4/nf_reject.h>
#include <net/netfilter/ipv6/nf_reject.h>
#include <net/route.h>

#include "packet/dry.h"
#include "packet/mangle.h"
#include "service/service.h"
#include "service/source.h"
#include "conn/conn.h"
#include "forward/icmp.h"
#include "forward/icmp_reply.h"
#include "forward/route.h"
#include "netns.h"

/* This CPU is sending an answer of the balancer itself. */
static DEFINE_PER_CPU(bool, answering);

/**
 * nflb_answering() - is a local packet an answer of the balancer itself?
 *
 * It has the address of the host that it answers for, and may look like a packet of
 * a connection of that host. It is none.
 *
 * Context: softirq or BH disabled.
 */
bool nflb_answering(void)
{
	return __this_cpu_read(answering);
}

static void reset(struct nflb_pkt *pkt)
{
	/* nf_send_reset6() would choose any link; ICMP takes the right one. */
	if (unlikely(nflb_pkt_is_link_local(pkt)))
		icmpv6_send(pkt->skb, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH,
			    0);
	else if (pkt->tuple.family == AF_INET)
		nf_send_reset(pkt->nn->net, pkt->state->sk, pkt->skb,
			      pkt->state->hook);
	else
		nf_send_reset6(pkt->nn->net, pkt->state->sk, pkt->skb,
			       pkt->state->hook);
}

static void port_unreachable(struct nflb_pkt *pkt)
{
	if (pkt->tuple.family == AF_INET)
		nf_send_unreach(pkt->skb, ICMP_PORT_UNREACH, pkt->state->hook);
	else
		nf_send_unreach6(pkt->nn->net, pkt->skb, ICMPV6_PORT_UNREACH,
				 pkt->state->hook);
}

/**
 * nflb_refuse() - drop a packet, and tell its sender unless that is turned off
 * @pkt: a TCP or UDP packet
 * @reason: why
 *
 * TCP gets a reset, UDP a port unreachable. Return: NFLB_DROP.
 */
enum nflb_verdict nflb_refuse(struct nflb_pkt *pkt, enum nflb_reason reason)
{
	if (READ_ONCE(pkt->nn->reject) && nflb_pkt_is_answered(pkt)) {
		__this_cpu_write(answering, true);
		if (pkt->tuple.proto != IPPROTO_TCP)
			port_unreachable(pkt);
		else if (nflb_may_answer(pkt->nn))
			reset(pkt);
		__this_cpu_write(answering, false);
	}
	return nflb_drop(pkt, reason);
}

/* icmp_send() wants a route on the packet, any that leads to its sender. */
static bool fill_dst(struct nflb_pkt *pkt)
{
	struct flowi4 fl4 = {
		.daddr = ip_hdr(pkt->skb)->saddr,
		.flowi4_mark = pkt->skb->mark,
	};
	struct rtable *rt;

	if (skb_valid_dst(pkt->skb))
		return true;
	rt = ip_route_output_key(pkt->nn->net, &fl4);
	if (IS_ERR(rt))
		return false;
	skb_dst_drop(pkt->skb);
	skb_dst_set(pkt->skb, &rt->dst);
	return true;
}

static enum nflb_verdict dest_unreachable(struct nflb_pkt *pkt, u8 code4,
					  u8 code6,
					  enum nflb_reason reason)
{
	if (!READ_ONCE(pkt->nn->reject) || !nflb_pkt_is_answered(pkt))
		return nflb_drop(pkt, reason);
	if (pkt->tuple.family == AF_INET6)
		icmpv6_send(pkt->skb, ICMPV6_DEST_UNREACH, code6, 0);
	else if (fill_dst(pkt))
		icmp_send(pkt->skb, ICMP_DEST_UNREACH, code4, 0);
	return nflb_drop(pkt, reason);
}

/**
 * nflb_unreachable() - the packet's receiver cannot be reached
 * @pkt: the packet, not rewritten
 * @reason: why
 *
 * Its sender is told so, as a router would tell it, unless that is turned off.
 * Return: NFLB_DROP.
 */
enum nflb_verdict nflb_unreachable(struct nflb_pkt *pkt,
				   enum nflb_reason reason)
{
	return dest_unreachable(pkt, ICMP_HOST_UNREACH, ICMPV6_ADDR_UNREACH,
				reason);
}

/**
 * nflb_no_route() - there is no route for the packet
 * @pkt: the packet, not rewritten
 *
 * Routes are looked up outside of VRFs: what comes from one may miss them.
 * Return: NFLB_DROP.
 */
enum nflb_verdict nflb_no_route(struct nflb_pkt *pkt)
{
	return nflb_unreachable(pkt, nflb_route_misses_vrf(pkt) ?
				     NFLB_REASON_NO_ROUTE_VRF :
				     NFLB_REASON_NO_ROUTE);
}

/**
 * nflb_beyond_scope() - the packet's source is good on its own link only
 * @pkt: the packet, not rewritten
 *
 * Return: NFLB_DROP.
 */
enum nflb_verdict nflb_beyond_scope(struct nflb_pkt *pkt)
{
	return dest_unreachable(pkt, ICMP_HOST_UNREACH, ICMPV6_NOT_NEIGHBOUR,
				NFLB_REASON_LINK_LOCAL);
}

/**
 * nflb_ttl_exceeded() - the packet's last hop was this one
 * @pkt: the packet, not rewritten
 *
 * Return: NFLB_DROP.
 */
enum nflb_verdict nflb_ttl_exceeded(struct nflb_pkt *pkt)
{
	if (!nflb_pkt_is_answered(pkt))
		return nflb_drop(pkt, NFLB_REASON_TTL_EXCEEDED);
	if (pkt->tuple.family == AF_INET6)
		icmpv6_send(pkt->skb, ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT,
			    0);
	else if (fill_dst(pkt))
		icmp_send(pkt->skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
	return nflb_drop(pkt, NFLB_REASON_TTL_EXCEEDED);
}

/**
 * nflb_too_big() - the packet does not fit through the next hop
 * @pkt: the packet, not rewritten
 * @mtu: the size that would fit
 *
 * Return: NFLB_DROP.
 */
enum nflb_verdict nflb_too_big(struct nflb_pkt *pkt, unsigned int mtu)
{
	if (!nflb_pkt_is_answered(pkt))
		return nflb_drop(pkt, NFLB_REASON_MTU_EXCEEDED);
	if (pkt->tuple.family == AF_INET6)
		icmpv6_send(pkt->skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	else if (fill_dst(pkt))
		icmp_send(pkt->skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			  htonl(mtu));
	return nflb_drop(pkt, NFLB_REASON_MTU_EXCEEDED);
}

/* The request in place becomes the reply: type, addresses, hop limit. */
static void echo_turn(struct nflb_pkt *pkt)
{
	const union nflb_addr src = pkt->tuple.src, dst = pkt->tuple.dst;
	struct sk_buff *skb = pkt->skb;
	struct icmphdr *icmph;

	nflb_mangle_addr(pkt, NFLB_END_SRC, &dst);
	nflb_mangle_addr(pkt, NFLB_END_DST, &src);
	icmph = (struct icmphdr *)(skb->data + pkt->l4);
	if (pkt->tuple.family == AF_INET) {
		struct iphdr *iph = ip_hdr(skb);

		icmph->type = ICMP_ECHOREPLY;
		iph->ttl = READ_ONCE(pkt->nn->net->ipv4.sysctl_ip_default_ttl);
		ip_send_check(iph);
	} else {
		struct ipv6_devconf *conf = pkt->nn->net->ipv6.devconf_all;

		icmph->type = ICMPV6_ECHO_REPLY;
		ipv6_hdr(skb)->hop_limit = READ_ONCE(conf->hop_limit);
	}
	nflb_mangle_icmp_checksum(pkt);
}

/**
 * nflb_echo() - answer an echo request to a VIP that is not the host's
 * @pkt: a packet of NFLB_KIND_ECHO
 *
 * The host answers for its own addresses. Return: NFLB_ACCEPT when it is none
 * of the balancer's; else NFLB_STOLEN, or NFLB_DROP with a reason.
 */
enum nflb_verdict nflb_echo(struct nflb_pkt *pkt)
{
	struct nflb_host *host;
	struct dst_entry *dst;
	enum nflb_verdict verdict;

	host = nflb_host_lookup(pkt->nn, &pkt->tuple.dst, pkt->tuple.family);
	if (!host || !READ_ONCE(host->vips) || nflb_pkt_is_local_out(pkt) ||
	    nflb_addr_is_local(pkt->nn->net, &pkt->tuple.dst,
			       pkt->tuple.family))
		return NFLB_ACCEPT;
	if (!nflb_source_ok(pkt))
		return nflb_drop(pkt, NFLB_REASON_BAD_SOURCE);
	if (!nflb_icmp_checksum_ok(pkt))
		return nflb_drop(pkt, NFLB_REASON_BAD_CHECKSUM);
	if (nflb_mangle_writable(pkt))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	dst = nflb_route_back(pkt);
	if (!dst)
		return nflb_drop(pkt, NFLB_REASON_NO_ROUTE);
	echo_turn(pkt);
	verdict = nflb_xmit(pkt, dst);
	dst_release(dst);
	return verdict;
}
