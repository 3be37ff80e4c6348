// SPDX-License-Identifier: GPL-2.0
/*
 * What the root of a user namespace may take of the host. Whoever may make a user
 * namespace is root of the network namespaces in it, as many as there may be: so
 * what is counted is counted once for all of a user's namespaces. The host's own
 * user namespace has no such ceilings.
 *
 * A user is whoever made the outermost of the user namespaces, whatever was made
 * in it and however many there are; but what the host's root made - containers -
 * is a user each.
 *
 * Memory is charged to the control group of who configures. Packets run in nobody's
 * context: what they allocate is charged to the group that added the namespace's
 * first service.
 */
#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "userns.h"

/* A service with Maglev has 65,537 slots by default; 4 Mi slots are 8 MiB. */
int nflb_user_max[NFLB_USER_COUNT] __read_mostly = {
	[NFLB_USER_CONNECTIONS] = 16384,
	[NFLB_USER_PERSISTENT] = 16384,
	[NFLB_USER_SERVICES] = 1024,
	[NFLB_USER_BACKENDS] = 16384,
	[NFLB_USER_SLOTS] = 4 << 20,
	[NFLB_USER_LADDRS] = 1024,
};

/**
 * struct nflb_user - who shares the ceilings
 * @list: in users
 * @uid: who made the user namespace; or invalid
 * @ns: the user namespace, when the host's root made it
 * @nets: network namespaces
 * @count: their objects, by enum nflb_user_what
 */
struct nflb_user {
	struct list_head		list;
	kuid_t				uid;
	const struct user_namespace	*ns;
	u32				nets;
	atomic_t			count[NFLB_USER_COUNT];
};

static LIST_HEAD(users);
static DEFINE_MUTEX(users_lock);

/* The user namespace that stands in the host's own; the network namespace holds it. */
static const struct user_namespace *outermost(const struct user_namespace *ns)
{
	while (ns->parent && ns->parent != &init_user_ns)
		ns = ns->parent;
	return ns;
}

static struct nflb_user *user_get(const struct user_namespace *ns)
{
	bool host = uid_eq(ns->owner, GLOBAL_ROOT_UID);
	kuid_t uid = host ? INVALID_UID : ns->owner;
	struct nflb_user *user;

	lockdep_assert_held(&users_lock);
	list_for_each_entry(user, &users, list)
		if (host ? user->ns == ns : uid_eq(user->uid, uid))
			goto found;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	user->uid = uid;
	user->ns = host ? ns : NULL;
	list_add(&user->list, &users);
found:
	user->nets++;
	return user;
}

/**
 * nflb_user_init() - find out whose a network namespace is
 * @nn: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_user_init(struct nflb_net *nn)
{
	const struct user_namespace *ns = nn->net->user_ns;

	if (ns == &init_user_ns)
		return 0;
	mutex_lock(&users_lock);
	nn->user = user_get(outermost(ns));
	mutex_unlock(&users_lock);
	return nn->user ? 0 : -ENOMEM;
}

/**
 * nflb_user_exit() - a network namespace goes
 * @nn: the namespace; all that it had was given back
 */
void nflb_user_exit(struct nflb_net *nn)
{
	struct nflb_user *user = nn->user;

	if (!user)
		return;
	if (nn->memcg)
		mem_cgroup_put(nn->memcg);
	mutex_lock(&users_lock);
	if (!--user->nets) {
		list_del(&user->list);
		kfree(user);
	}
	mutex_unlock(&users_lock);
}

/**
 * nflb_user_begin() - a namespace gets a service: who pays for connections?
 * @nn: the namespace; nn->mutex is held
 *
 * Context: process, of who asks.
 */
void nflb_user_begin(struct nflb_net *nn)
{
	lockdep_assert_held(&nn->mutex);
	if (nn->user && !nn->memcg)
		nn->memcg = get_mem_cgroup_from_mm(current->mm);
}

static void tell(enum nflb_user_what what, struct netlink_ext_ack *extack)
{
	switch (what) {
	case NFLB_USER_SERVICES:
		NL_SET_ERR_MSG(extack,
			       "the user's network namespaces are at the limit of services: the host's net.nflb.user_max_services");
		break;
	case NFLB_USER_BACKENDS:
		NL_SET_ERR_MSG(extack,
			       "the user's network namespaces are at the limit of backends: the host's net.nflb.user_max_backends");
		break;
	case NFLB_USER_SLOTS:
		NL_SET_ERR_MSG(extack,
			       "the user's network namespaces are at the limit of schedulers' tables: the host's net.nflb.user_max_slots");
		break;
	case NFLB_USER_LADDRS:
		NL_SET_ERR_MSG(extack,
			       "the user's network namespaces are at the limit of local address ranges: the host's net.nflb.user_max_local_ranges");
		break;
	default:
		break;
	}
}

static bool charge(struct nflb_user *user, enum nflb_user_what what, u32 n,
		   u32 max)
{
	u32 had = atomic_fetch_add(n, &user->count[what]);

	if (likely(had + n <= max))
		return true;
	atomic_sub(n, &user->count[what]);
	return false;
}

/**
 * nflb_user_charge() - may a namespace have more?
 * @nn: the namespace
 * @what: of what
 * @n: how much more
 * @extack: for a message
 *
 * Return: 0, to be undone by nflb_user_uncharge(); or -ENOSPC.
 */
int nflb_user_charge(struct nflb_net *nn, enum nflb_user_what what, u32 n,
		     struct netlink_ext_ack *extack)
{
	if (!nn->user ||
	    charge(nn->user, what, n, READ_ONCE(nflb_user_max[what])))
		return 0;
	tell(what, extack);
	return -ENOSPC;
}

/**
 * nflb_user_less() - a user has less
 * @user: the user
 * @what: of what
 * @n: how much less
 *
 * Context: any.
 */
void nflb_user_less(struct nflb_user *user, enum nflb_user_what what, u32 n)
{
	atomic_sub(n, &user->count[what]);
}

/**
 * nflb_user_has_all() - has a user as much as there may be?
 * @user: the user
 * @what: of what
 *
 * Context: any.
 */
bool nflb_user_has_all(const struct nflb_user *user, enum nflb_user_what what)
{
	return atomic_read(&user->count[what]) >=
	       READ_ONCE(nflb_user_max[what]);
}

/**
 * nflb_user_zalloc() - allocate for a packet, at the expense of its user
 * @nn: the namespace, which has a user
 * @what: one more of these, until nflb_user_uncharge()
 * @cache: from where, or NULL
 * @size: then so much
 *
 * What was unlinked stays until a grace period is over, hence an eighth more than
 * there may be. Reserves are not for these users: when their control group is full
 * there is nothing.
 *
 * Context: any but hard interrupts. Return: zeroed memory, or NULL.
 */
void *nflb_user_zalloc(struct nflb_net *nn, enum nflb_user_what what,
		       struct kmem_cache *cache, size_t size)
{
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT;
	u32 max = READ_ONCE(nflb_user_max[what]);
	struct mem_cgroup *before;
	void *p;

	if (!charge(nn->user, what, 1, max + max / 8))
		return NULL;
	before = set_active_memcg(nn->memcg);
	p = cache ? kmem_cache_zalloc(cache, gfp) : kzalloc(size, gfp);
	set_active_memcg(before);
	if (!p)
		atomic_dec(&nn->user->count[what]);
	return p;
}
