// SPDX-License-Identifier: GPL-2.0
/*
 * The ways to backends: made, replaced, and let go before their device goes.
 */
#include <linux/netdevice.h>
#include <linux/slab.h>

#include "forward/route.h"
#include "forward/route_fast.h"
#include "forward/way.h"
#include "netns.h"

static void free_rcu(struct rcu_head *rcu)
{
	struct nflb_way *way = container_of(rcu, struct nflb_way, rcu);

	/* The neighbour holds the device, and so the namespace that routes count in. */
	dst_release(way->dst);
	neigh_release(way->neigh);
	kfree(way);
}

static void unlink(struct nflb_way *way)
{
	list_del(&way->list);
	call_rcu(&way->rcu, free_rcu);
}

/* For routes that a router advertised for some time, the slow path checks the clock. */
static bool expires(const struct dst_entry *dst, u8 family)
{
	const struct rt6_info *rt6;
	const struct fib6_info *from;

	if (family == AF_INET)
		return false;
	rt6 = dst_rt6_info(dst);
	from = rcu_dereference(rt6->from);
	return !from || (rt6->rt6i_flags | from->fib6_flags) & RTF_EXPIRES;
}

static struct nflb_way *way_new(struct nflb_backend *backend,
				struct dst_entry *dst, struct neighbour *neigh,
				u32 generation, u32 cookie)
{
	struct nflb_way *way;

	if (!refcount_inc_not_zero(&neigh->refcnt))
		return NULL;
	way = kmalloc(sizeof(*way), GFP_ATOMIC | __GFP_NOWARN);
	if (!way) {
		neigh_release(neigh);
		return NULL;
	}
	dst_hold(dst);
	way->neigh = neigh;
	way->dst = dst;
	way->generation = generation;
	way->cookie = cookie;
	way->gateway = nflb_route_has_gateway(dst, backend->family);
	way->backend = backend;
	return way;
}

/* Device and namespace may be about to go: they are asked under the lock, see below. */
static bool publish(struct nflb_net *nn, struct nflb_way *way)
{
	const struct net_device *dev = way->neigh->dev;
	struct nflb_backend *backend = way->backend;
	struct nflb_way *old;

	/* Who does not get it at once is not the first. */
	if (!spin_trylock_bh(&nn->ways_lock))
		return false;
	if (dev->reg_state != NETREG_REGISTERED || !netif_running(dev) ||
	    READ_ONCE(nn->dying)) {
		spin_unlock_bh(&nn->ways_lock);
		return false;
	}
	list_add(&way->list, &nn->ways);
	old = rcu_replace_pointer(backend->way, way,
				  lockdep_is_held(&nn->ways_lock));
	if (old)
		unlink(old);
	spin_unlock_bh(&nn->ways_lock);
	return true;
}

/**
 * nflb_way_renew() - note the way to a backend
 * @nn: the namespace
 * @backend: the backend
 * @dst: the route to it, which its address alone decides
 * @generation: nflb_way_generation() from before @dst was looked up or checked
 *
 * A way keeps its neighbour in the host's one table of neighbours, where it cannot make
 * room. So backends of a user namespace's root have none.
 *
 * Context: BH disabled, rcu_read_lock() held. Return: whether the backend has a way
 * that is good now; it has none while the neighbour is not known to be reachable.
 */
bool nflb_way_renew(struct nflb_net *nn, struct nflb_backend *backend,
		    struct dst_entry *dst, u32 generation)
{
	u8 family = backend->family;
	struct neighbour *neigh;
	struct nflb_way *way;
	u32 cookie;

	if (nn->user || dst->lwtstate || dst_xfrm(dst) ||
	    nflb_route_is_local(dst, family) || expires(dst, family))
		return false;
	neigh = nflb_neighbour_ready(dst, &backend->addr, family, false);
	if (!neigh)
		return false;
	cookie = nflb_route_cookie(dst, family);
	/* One that is newer than the route would keep the route for ever. */
	smp_rmb();
	if (nflb_way_generation(nn->net, family) != generation)
		return false;
	way = way_new(backend, dst, neigh, generation, cookie);
	if (!way)
		return false;
	if (publish(nn, way))
		return true;
	free_rcu(&way->rcu);
	return false;
}

/**
 * nflb_way_forget() - let go of the way to a backend, which no packet uses any more
 * @backend: the backend
 *
 * Context: process.
 */
void nflb_way_forget(struct nflb_backend *backend)
{
	struct nflb_net *nn = backend->service->nn;
	struct nflb_way *way;

	spin_lock_bh(&nn->ways_lock);
	way = rcu_replace_pointer(backend->way, NULL,
				  lockdep_is_held(&nn->ways_lock));
	if (way)
		unlink(way);
	spin_unlock_bh(&nn->ways_lock);
}

/* Those by @dev, or all */
static void forget(struct nflb_net *nn, const struct net_device *dev)
{
	struct nflb_way *way, *next;

	spin_lock_bh(&nn->ways_lock);
	list_for_each_entry_safe(way, next, &nn->ways, list) {
		if (dev && way->neigh->dev != dev)
			continue;
		RCU_INIT_POINTER(way->backend->way, NULL);
		unlink(way);
	}
	spin_unlock_bh(&nn->ways_lock);
}

/**
 * nflb_way_forget_device() - let go of the ways by a device, which is about to go
 * @nn: the namespace
 * @dev: the device; it is down, so that no way by it is made any more
 *
 * Context: process, RTNL is held. As many steps as there are backends.
 */
void nflb_way_forget_device(struct nflb_net *nn, const struct net_device *dev)
{
	forget(nn, dev);
}

/**
 * nflb_way_forget_all() - let go of all ways of a namespace that ends
 * @nn: the namespace; nn->dying is set, so that none is made any more
 *
 * Its devices wait for that. No callback may run later, since the module may be unloaded.
 *
 * Context: process.
 */
void nflb_way_forget_all(struct nflb_net *nn)
{
	forget(nn, NULL);
}
