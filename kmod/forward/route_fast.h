/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the short way (fastpath.h) has to know of routes and neighbours: only
 * what is cached and good. Inline, since there the family is known.
 */
#ifndef NFLB_ROUTE_FAST_H
#define NFLB_ROUTE_FAST_H

#include <net/addrconf.h>
#include <net/arp.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "forward/route.h"
#include "forward/way.h"
#include "netns.h"

/**
 * nflb_route_cached() - the route of a connection's packet, if it is cached
 * @net: the namespace
 * @conn: the connection
 * @dir: direction of the packet
 * @family: of the packet as it leaves
 *
 * Context: rcu_read_lock() held; the route is good for as long. Return: a route
 * without a reference, that leads to another host without transformation; or
 * NULL when the long way has to see.
 */
static __always_inline struct dst_entry *
nflb_route_cached(const struct net *net, struct nflb_conn *conn,
		  enum nflb_dir dir, u8 family)
{
	struct dst_entry *dst = rcu_dereference(*nflb_conn_dst(conn, dir));

	if (unlikely(!dst || dst->lwtstate || dst_xfrm(dst)))
		return NULL;
	if (family == AF_INET) {
		const struct rtable *rt = dst_rtable(dst);

		/* ipv4_dst_check(), without the call */
		if (unlikely(READ_ONCE(dst->obsolete) !=
			     DST_OBSOLETE_FORCE_CHK ||
			     rt->rt_genid != rt_genid_ipv4(net) ||
			     rt->rt_flags & RTCF_LOCAL))
			return NULL;
		return dst;
	}
	if (unlikely(dst_rt6_info(dst)->rt6i_flags & RTF_LOCAL))
		return NULL;
	return dst_check(dst, READ_ONCE(*nflb_conn_dst_cookie(conn, dir)));
}

/**
 * nflb_route_mtu_fast() - nflb_route_mtu() of a route from nflb_route_cached()
 * @net: the namespace
 * @dst: the route
 * @family: its family
 */
static __always_inline unsigned int
nflb_route_mtu_fast(const struct net *net, const struct dst_entry *dst,
		    u8 family)
{
	const struct net_device *dev = dst_dev_rcu(dst);
	const struct inet6_dev *idev;
	unsigned int mtu;

	if (family == AF_INET) {
		mtu = dst_metric_raw(dst, RTAX_MTU);
		if (likely(!mtu &&
			   !READ_ONCE(net->ipv4.sysctl_ip_fwd_use_pmtu) &&
			   !dst_rtable(dst)->rt_mtu_locked))
			return READ_ONCE(dev->mtu);
	} else if (likely(!dst_metric_locked(dst, RTAX_MTU))) {
		idev = __in6_dev_get(dev);
		if (likely(idev))
			return READ_ONCE(idev->cnf.mtu6);
	}
	return nflb_route_mtu(dst, family);
}

/**
 * nflb_route_pmtu_fast() - dst_mtu() of a route from nflb_route_cached()
 * @dst: the route
 * @family: its family
 *
 * Return: bytes; 0 when only dst_mtu() can tell.
 */
static __always_inline unsigned int
nflb_route_pmtu_fast(const struct dst_entry *dst, u8 family)
{
	const struct net_device *dev = dst_dev_rcu(dst);
	const struct inet6_dev *idev;

	if (unlikely(dst_metric_raw(dst, RTAX_MTU)))
		return 0;
	if (family == AF_INET)
		return likely(!dst_rtable(dst)->rt_pmtu) ?
		       min_t(unsigned int, READ_ONCE(dev->mtu), IP_MAX_MTU) : 0;
	idev = __in6_dev_get(dev);
	return likely(idev) ?
	       min_t(unsigned int, READ_ONCE(idev->cnf.mtu6), IP6_MAX_MTU) : 0;
}

/**
 * nflb_neighbour_ready() - the neighbour that a packet goes to next
 * @dst: its route, from nflb_route_cached()
 * @to: the address that it goes to
 * @family: its family
 * @on_link: the packet goes there itself, not to a gateway
 *
 * Context: rcu_read_lock() held. Return: the neighbour, without a reference;
 * NULL when it is not one that is ready.
 */
static __always_inline struct neighbour *
nflb_neighbour_ready(const struct dst_entry *dst, const union nflb_addr *to,
		     u8 family, bool on_link)
{
	struct net_device *dev = dst_dev_rcu(dst);
	struct neighbour *neigh;

	if (family == AF_INET) {
		const struct rtable *rt = dst_rtable(dst);
		__be32 key = to->ip;

		if (rt->rt_gw_family) {
			if (on_link || rt->rt_gw_family != AF_INET)
				return NULL;
			key = rt->rt_gw4;
		}
		neigh = __ipv4_neigh_lookup_noref(dev, (__force u32)key);
	} else {
		const struct rt6_info *rt6 = dst_rt6_info(dst);

		if (on_link && rt6->rt6i_flags & RTF_GATEWAY)
			return NULL;
		neigh = __ipv6_neigh_lookup_noref(dev,
						  rt6_nexthop(rt6, &to->in6));
	}
	if (unlikely(!neigh ||
		     !(READ_ONCE(neigh->nud_state) & NFLB_NUD_READY)))
		return NULL;
	return neigh;
}

/**
 * nflb_xmit_prepare() - clear the state of a packet from its way in
 * @nn: the namespace
 * @skb: the packet; skb->data is its network header
 * @family: of the packet as it is now
 * @local_out: it is a local sender's
 */
static __always_inline void nflb_xmit_prepare(const struct nflb_net *nn,
					      struct sk_buff *skb, u8 family,
					      bool local_out)
{
	skb_forward_csum(skb);
	/* A local sender's is when the packet is to leave. */
	if (!local_out)
		skb_clear_tstamp(skb);
	nf_reset_ct(skb);
	skb_dst_drop(skb);
	if (family == AF_INET &&
	    READ_ONCE(nn->net->ipv4.sysctl_ip_fwd_update_priority))
		skb->priority = rt_tos2priority(((struct iphdr *)skb->data)->tos);
}

/*
 * neigh_hh_output() for headers of up to HH_DATA_MOD bytes, inline. There is room
 * for as many before the packet.
 */
static __always_inline void hh_push(const struct hh_cache *hh,
				    struct sk_buff *skb)
{
	unsigned int len, seq;

	do {
		seq = read_seqbegin(&hh->hh_lock);
		len = READ_ONCE(hh->hh_len);
		memcpy(skb->data - HH_DATA_MOD, hh->hh_data, HH_DATA_MOD);
	} while (unlikely(read_seqretry(&hh->hh_lock, seq)));
	__skb_push(skb, len);
}

/* Is the neighbour's header, if it is cached, short enough for hh_push()? */
static __always_inline bool hh_is_short(const struct neighbour *neigh)
{
	return likely(READ_ONCE(neigh->hh.hh_len) <= HH_DATA_MOD);
}

/**
 * nflb_xmit_ready() - send a packet that fits, to a neighbour that is reachable
 * @nn: the namespace
 * @skb: the packet, received, with LL_RESERVED_SPACE() before it
 * @family: of the packet as it is now
 * @dst: its route, no reference is taken from the caller
 * @neigh: the neighbour; hh_is_short()
 *
 * Context: softirq or BH disabled, rcu_read_lock() held.
 */
static __always_inline void nflb_xmit_ready(const struct nflb_net *nn,
					    struct sk_buff *skb, u8 family,
					    struct dst_entry *dst,
					    struct neighbour *neigh)
{
	nflb_xmit_prepare(nn, skb, family, false);
	skb->dev = neigh->dev;
	skb_dst_set_noref(skb, dst);
	/* VLANs and tunnels cache no header. */
	if (unlikely(!READ_ONCE(neigh->hh.hh_len))) {
		neigh_output(neigh, skb, true);
		return;
	}
	hh_push(&neigh->hh, skb);
	dev_queue_xmit(skb);
}

#endif /* NFLB_ROUTE_FAST_H */
