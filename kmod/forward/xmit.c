// SPDX-License-Identifier: GPL-2.0
/*
 * Sending. A packet goes to the neighbour layer directly, as the kernel's own flow
 * table does it; only what has to be fragmented or transformed goes through
 * dst_output().
 */
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "packet/dry.h"
#include "packet/wire.h"
#include "conn/conn_passive.h"
#include "forward/route.h"
#include "forward/route_fast.h"
#include "netns.h"

/**
 * nflb_untrack() - keep conntrack away from a packet that goes on in the stack
 * @skb: the packet
 */
void nflb_untrack(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

/* Packets that need the stack's output functions */
static bool needs_output(const struct nflb_pkt *pkt,
			 const struct dst_entry *dst)
{
	const struct sk_buff *skb = pkt->skb;
	unsigned int mtu;

	if (unlikely(dst->lwtstate || dst_xfrm(dst) ||
		     nflb_frag_max_size(skb, pkt->tuple.family)))
		return true;
	mtu = nflb_route_mtu(dst, pkt->tuple.family);
	if (likely(skb->len <= mtu))
		return false;
	return !skb_is_gso(skb) || !nflb_gso_fits(skb, mtu);
}

static struct neighbour *neighbour(struct sk_buff *skb, struct dst_entry *dst,
				   u8 family, const union nflb_addr *via,
				   bool *is_v6gw)
{
	struct rt6_info *rt6;

	*is_v6gw = false;
	if (family == AF_INET)
		return via ? ip_neigh_gw4(skb->dev, via->ip) :
			     ip_neigh_for_gw(dst_rtable(dst), skb, is_v6gw);
	rt6 = dst_rt6_info(dst);
	return ip_neigh_gw6(skb->dev, via ? &via->in6 :
			    rt6_nexthop(rt6, &ipv6_hdr(skb)->daddr));
}

/*
 * Has it been asked for its link-layer address in vain for a while? An entry in NUD_FAILED
 * does not say so: it may be old, or somebody flushed it. This packet has it asked again.
 */
static bool is_silent(const struct neighbour *neigh)
{
	return READ_ONCE(neigh->nud_state) & NUD_INCOMPLETE &&
	       time_after(jiffies, READ_ONCE(neigh->updated) +
				   NFLB_PASSIVE_PATIENCE);
}

/* Through the stack's output functions, which ask the route for the neighbour. */
static enum nflb_verdict output(struct nflb_pkt *pkt, struct dst_entry *dst,
				const union nflb_addr *via)
{
	const struct nflb_tuple *t = &pkt->tuple;

	if (!via)
		dst_hold(dst);
	else
		dst = nflb_route_find(pkt, t->family, &t->src, via, t->sport,
				      t->dport, FLOWI_FLAG_KNOWN_NH, 0);
	if (!dst)
		return nflb_drop(pkt, NFLB_REASON_NO_ROUTE);
	skb_dst_set(pkt->skb, dst);
	dst_output(pkt->nn->net, NULL, pkt->skb);
	return NFLB_STOLEN;
}

/**
 * nflb_xmit_via() - send a packet to a neighbour
 * @pkt: the packet
 * @dst: its route, no reference is taken from the caller
 * @via: the neighbour, to which @dst leads, whatever the packet's destination;
 *	or NULL for the one that the route has
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_STOLEN,
 * or NFLB_DROP with a reason.
 */
enum nflb_verdict nflb_xmit_via(struct nflb_pkt *pkt, struct dst_entry *dst,
				const union nflb_addr *via)
{
	struct net_device *dev = dst_dev_rcu(dst);
	struct sk_buff *skb = pkt->skb;
	struct neighbour *neigh;
	bool is_v6gw;

	if (!nflb_pkt_is_sent(pkt, dst, via))
		return NFLB_STOLEN;
	nflb_xmit_prepare(pkt->nn, skb, pkt->tuple.family,
			  nflb_pkt_is_local_out(pkt));
	if (unlikely(needs_output(pkt, dst)))
		return output(pkt, dst, via);

	if (unlikely(skb_cow_head(skb, LL_RESERVED_SPACE(dev))))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	skb->dev = dev;
	neigh = neighbour(skb, dst, pkt->tuple.family, via, &is_v6gw);
	if (IS_ERR(neigh))
		return nflb_drop(pkt, NFLB_REASON_NO_NEIGHBOUR);
	if (unlikely(!(READ_ONCE(neigh->nud_state) & NUD_VALID))) {
		nflb_pkt_count(pkt, NFLB_COUNTER_NEIGHBOUR_PENDING);
		pkt->no_neighbour = is_silent(neigh);
		/* Once it is known, the kernel asks the packet's route whose
		 * it is (neigh_update()).
		 */
		if (via)
			return output(pkt, dst, via);
	}
	skb_dst_set_noref(skb, dst);
	neigh_output(neigh, skb, is_v6gw);
	return NFLB_STOLEN;
}

/**
 * nflb_xmit_fragments() - send a packet that is too long
 * @pkt: the packet, of this host, and to be fragmented
 * @dst: its route, no reference is taken from the caller
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_STOLEN.
 */
enum nflb_verdict nflb_xmit_fragments(struct nflb_pkt *pkt,
				      struct dst_entry *dst)
{
	if (!nflb_pkt_is_sent(pkt, dst, NULL))
		return NFLB_STOLEN;
	nflb_xmit_prepare(pkt->nn, pkt->skb, pkt->tuple.family,
			  nflb_pkt_is_local_out(pkt));
	return output(pkt, dst, NULL);
}

/**
 * nflb_xmit() - send a rewritten packet
 * @pkt: the packet
 * @dst: its route, no reference is taken from the caller
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_STOLEN,
 * or NFLB_DROP with a reason.
 */
enum nflb_verdict nflb_xmit(struct nflb_pkt *pkt, struct dst_entry *dst)
{
	return nflb_xmit_via(pkt, dst, NULL);
}
