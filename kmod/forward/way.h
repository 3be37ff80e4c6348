/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way to a backend, where nothing but its address decides that: kept once a backend
 * and not once a connection, so that a route that changes costs one packet the long way
 * a backend. Connections that use it have no route of their own.
 */
#ifndef NFLB_WAY_H
#define NFLB_WAY_H

#include <linux/list.h>
#include <net/dst.h>
#include <net/ip6_fib.h>
#include <net/neighbour.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include "service/service.h"

/*
 * States of a neighbour that packets may go to at once. One that is asked whether it is
 * still there (DELAY, PROBE) is taken to be, as neigh_resolve_output() does. One that was
 * not heard of lately (STALE) is not: the stack has to see a packet to ask.
 */
#define NFLB_NUD_READY (NUD_CONNECTED | NUD_DELAY | NUD_PROBE)

/**
 * struct nflb_way - how packets reach a backend
 * @neigh: the neighbour that they go to; holds a reference, and so its device
 * @dst: their route; holds a reference
 * @generation: of the namespace's routes when this one was looked up
 * @cookie: of IPv6, of the place in the table that @dst comes from
 * @gateway: the neighbour is not the backend itself
 * @list: in nflb_net.ways
 * @backend: whose it is
 * @rcu: to free it
 */
struct nflb_way {
	struct neighbour	*neigh;
	struct dst_entry	*dst;
	u32			generation;
	u32			cookie;
	bool			gateway;
	struct list_head	list;
	struct nflb_backend	*backend;
	struct rcu_head		rcu;
};

/*
 * Whatever changes routes changes it: rules and transformations, too. For IPv6, each path
 * MTU that the host learns changes it as well, and any sender can cause that.
 */
static __always_inline u32 nflb_way_generation(const struct net *net, u8 family)
{
	return family == AF_INET ? rt_genid_ipv4(net) :
				   atomic_read(&net->ipv6.fib6_sernum);
}

/* Is the way no longer valid? */
static __always_inline bool nflb_way_old(const struct net *net,
					 const struct nflb_way *way, u8 family)
{
	const struct fib6_info *from;
	const struct rt6_info *rt6;
	u32 cookie;

	if (family == AF_INET)
		return way->generation != nflb_way_generation(net, family);
	/* ip6_dst_check(), without the call */
	rt6 = dst_rt6_info(way->dst);
	from = rcu_dereference(rt6->from);
	if (unlikely(!from))
		return true;
	if (unlikely(rt6->sernum))
		return rt6->sernum != nflb_way_generation(net, family);
	return !fib6_get_cookie_safe(from, &cookie) || cookie != way->cookie;
}

/**
 * nflb_way_good() - the way to a backend, if it is known and good
 * @net: the namespace
 * @backend: the backend
 * @family: its family
 *
 * For packets of which only the address counts: without a mark and without DSCP.
 *
 * Context: rcu_read_lock() held; the way is good for as long. Return: it, whose
 * neighbour is ready; or NULL when the long way has to see.
 */
static __always_inline const struct nflb_way *
nflb_way_good(const struct net *net, const struct nflb_backend *backend,
	      u8 family)
{
	const struct nflb_way *way = rcu_dereference(backend->way);
	const struct neighbour *neigh;

	if (unlikely(!way || nflb_way_old(net, way, family) ||
		     READ_ONCE(way->dst->obsolete) != DST_OBSOLETE_FORCE_CHK))
		return NULL;
	/* One that is dead and still held counts as connected. */
	neigh = way->neigh;
	if (unlikely(READ_ONCE(neigh->dead) ||
		     !(READ_ONCE(neigh->nud_state) & NFLB_NUD_READY)))
		return NULL;
	return way;
}

bool nflb_way_renew(struct nflb_net *nn, struct nflb_backend *backend,
		    struct dst_entry *dst, u32 generation);
void nflb_way_forget(struct nflb_backend *backend);
void nflb_way_forget_device(struct nflb_net *nn, const struct net_device *dev);
void nflb_way_forget_all(struct nflb_net *nn);

#endif /* NFLB_WAY_H */
