// SPDX-License-Identifier: GPL-2.0
/*
 * Local addresses: add, delete. The pool that packets see is made anew with
 * each change. Connections are not touched: a port that was left out or deleted
 * stays theirs.
 */
#include <linux/slab.h>

#include "control/config.h"
#include "control/genl_notify.h"
#include "userns.h"
#include "service/laddr.h"
#include "service/source.h"
#include "forward/icmp_reply.h"
#include "netns.h"

static struct nflb_laddr_pool *pool_of(struct nflb_net *nn, u8 family)
{
	return rcu_dereference_protected(nn->laddrs[nflb_laddr_index(family)],
					 lockdep_is_held(&nn->mutex));
}

/* Do addresses from @a on, @an of them, have one in common with @b's? */
static bool addrs_overlap(const struct nflb_laddr *a,
			  const struct nflb_laddr *b)
{
	union nflb_addr a_last, b_last;

	nflb_laddr_addr(a, a->addr_count - 1, &a_last);
	nflb_laddr_addr(b, b->addr_count - 1, &b_last);
	return nflb_laddr_compare(&a->first, &b_last, a->family) <= 0 &&
	       nflb_laddr_compare(&b->first, &a_last, a->family) <= 0;
}

static bool ports_overlap(const struct nflb_laddr *a,
			  const struct nflb_laddr *b)
{
	return a->ports.first <= b->ports.last &&
	       b->ports.first <= a->ports.last;
}

static bool same_addrs(const struct nflb_laddr *a, const struct nflb_laddr *b)
{
	return a->addr_count == b->addr_count &&
	       nflb_addr_equal(&a->first, &b->first);
}

static void pool_publish(struct nflb_net *nn, u8 family,
			 struct nflb_laddr_pool *pool)
{
	struct nflb_laddr_pool *old;

	nflb_changed(nn);
	old = rcu_replace_pointer(nn->laddrs[nflb_laddr_index(family)], pool,
				  lockdep_is_held(&nn->mutex));
	if (old)
		kfree_rcu(old, rcu);
}

static int pool_check(const struct nflb_laddr_pool *pool,
		      const struct nflb_laddr *laddr,
		      struct netlink_ext_ack *extack)
{
	u32 i;

	for (i = 0; pool && i < pool->count; i++)
		if (addrs_overlap(&pool->laddrs[i], laddr) &&
		    ports_overlap(&pool->laddrs[i], laddr)) {
			NL_SET_ERR_MSG(extack,
				       "some of these addresses and ports are already local addresses");
			return -EEXIST;
		}
	return nflb_refused(nflb_rules_laddr_limits(pool ? pool->count : 0,
						    pool ? pool->total : 0,
						    (u64)laddr->addr_count *
						    laddr->port_count),
			    NULL, extack);
}

static bool is_foreign(const struct nflb_net *nn,
		       const struct nflb_laddr *laddr, u32 i)
{
	union nflb_addr addr;
	bool local;

	nflb_laddr_addr(laddr, i, &addr);
	rcu_read_lock();
	local = nflb_addr_is_local(nn->net, &addr, laddr->family);
	rcu_read_unlock();
	return !local;
}

/**
 * nflb_laddr_foreign() - how many of these addresses are not the host's
 * @nn: the namespace
 * @laddr: the addresses
 *
 * Looks up to 4,096 addresses up, and lets others run meanwhile.
 *
 * Context: process, sleeps; readers hold no lock for it.
 */
u32 nflb_laddr_foreign(const struct nflb_net *nn,
		       const struct nflb_laddr *laddr)
{
	u32 i, foreign = 0;

	for (i = 0; i < laddr->addr_count; i++) {
		foreign += is_foreign(nn, laddr, i);
		if (i % 64 == 63)
			cond_resched();
	}
	return foreign;
}

/* Is one of them not the host's? */
static bool any_foreign(const struct nflb_net *nn,
			const struct nflb_laddr *laddr)
{
	u32 i;

	for (i = 0; i < laddr->addr_count; i++) {
		if (is_foreign(nn, laddr, i))
			return true;
		if (i % 64 == 63)
			cond_resched();
	}
	return false;
}

/**
 * nflb_laddr_add() - add local addresses
 * @nn: the namespace; nn->mutex is held
 * @laddr: the addresses
 * @extack: for a message; also set to a warning, with 0 returned, when backends
 *	may not find the addresses
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_laddr_add(struct nflb_net *nn, const struct nflb_laddr *laddr,
		   struct netlink_ext_ack *extack)
{
	struct nflb_laddr_pool *old = pool_of(nn, laddr->family), *pool;
	u32 count = old ? old->count : 0;
	int err;

	lockdep_assert_held(&nn->mutex);
	err = pool_check(old, laddr, extack) ?:
	      nflb_user_charge(nn, NFLB_USER_LADDRS, 1, extack);
	if (err)
		return err;
	pool = kzalloc(struct_size(pool, laddrs, count + 1),
		       GFP_KERNEL_ACCOUNT);
	if (!pool) {
		nflb_user_uncharge(nn, NFLB_USER_LADDRS, 1);
		return -ENOMEM;
	}
	if (old)
		memcpy(pool->laddrs, old->laddrs,
		       flex_array_size(old, laddrs, count));
	pool->laddrs[count] = *laddr;
	pool->count = count + 1;
	nflb_laddr_pool_finish(pool);
	pool_publish(nn, laddr->family, pool);
	nflb_notify_laddr(nn, laddr, NFLB_CMD_LADDR_ADD);
	if (any_foreign(nn, laddr))
		NL_SET_ERR_MSG(extack,
			       "not all of these belong to this host: backends need a route to them through it");
	return 0;
}
NFLB_EXPORT_KUNIT(nflb_laddr_add);

/**
 * nflb_laddr_del() - delete local addresses
 * @nn: the namespace; nn->mutex is held
 * @laddr: the addresses as they were added
 * @ports: only those with these ports too
 * @extack: for a message
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_laddr_del(struct nflb_net *nn, const struct nflb_laddr *laddr,
		   bool ports, struct netlink_ext_ack *extack)
{
	struct nflb_laddr_pool *old = pool_of(nn, laddr->family), *pool;
	u32 i;

	lockdep_assert_held(&nn->mutex);
	pool = old ? kzalloc(struct_size(pool, laddrs, old->count),
			     GFP_KERNEL_ACCOUNT) : NULL;
	if (old && !pool)
		return -ENOMEM;
	for (i = 0; old && i < old->count; i++) {
		const struct nflb_laddr *l = &old->laddrs[i];

		if (!same_addrs(l, laddr) ||
		    (ports && (l->ports.first != laddr->ports.first ||
			       l->ports.last != laddr->ports.last)))
			pool->laddrs[pool->count++] = *l;
	}
	if (!old || pool->count == old->count) {
		kfree(pool);
		NL_SET_ERR_MSG(extack,
			       "no such local addresses; delete a range exactly as it was added");
		return -ENOENT;
	}
	nflb_user_uncharge(nn, NFLB_USER_LADDRS, old->count - pool->count);
	if (pool->count) {
		nflb_laddr_pool_finish(pool);
	} else {
		kfree(pool);
		pool = NULL;
	}
	pool_publish(nn, laddr->family, pool);
	nflb_notify_laddr(nn, laddr, NFLB_CMD_LADDR_DEL);
	return 0;
}
NFLB_EXPORT_KUNIT(nflb_laddr_del);

/**
 * nflb_laddr_nth() - local addresses one after the other, for lists
 * @nn: the namespace
 * @n: which
 * @laddr: where to
 *
 * Return: whether there is one; IPv4 comes first.
 */
bool nflb_laddr_nth(struct nflb_net *nn, u32 n, struct nflb_laddr *laddr)
{
	const struct nflb_laddr_pool *pool;
	bool found = false;
	int i;

	rcu_read_lock();
	for (i = 0; i < NFLB_LADDR_FAMILIES && !found; i++) {
		pool = rcu_dereference(nn->laddrs[i]);
		if (!pool)
			continue;
		found = n < pool->count;
		if (found)
			*laddr = pool->laddrs[n];
		else
			n -= pool->count;
	}
	rcu_read_unlock();
	return found;
}

/**
 * nflb_laddr_exit() - free all local addresses
 * @nn: the namespace; no packet comes any more
 */
void nflb_laddr_exit(struct nflb_net *nn)
{
	struct nflb_laddr_pool *pool;
	int i;

	for (i = 0; i < NFLB_LADDR_FAMILIES; i++) {
		pool = rcu_dereference_protected(nn->laddrs[i], true);
		if (pool)
			nflb_user_uncharge(nn, NFLB_USER_LADDRS, pool->count);
		kfree(pool);
	}
}
