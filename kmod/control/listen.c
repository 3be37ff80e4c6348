// SPDX-License-Identifier: GPL-2.0
/*
 * Who hears of connections. Not a multicast group: membership of generic netlink's
 * groups is known for the whole host only, so that anybody's socket in any network
 * namespace would make every new connection of every other one dearer. A socket
 * registers in its own namespace instead, and is sent its events alone.
 */
#include <linux/netlink.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/netlink.h>

#include "control/listen.h"
#include "netns.h"

/* Sockets in one namespace: each costs every new connection a message. */
#define LISTENERS_MAX	16

static struct nflb_listener *find(struct nflb_net *nn, u32 portid)
{
	struct nflb_listener *l;

	lockdep_assert_held(&nn->listeners_lock);
	list_for_each_entry(l, &nn->listeners, list)
		if (l->portid == portid)
			return l;
	return NULL;
}

static int add(struct nflb_net *nn, struct nflb_listener *l,
	       struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&nn->listeners_lock);
	if (find(nn, l->portid))
		return -EEXIST;
	if (nn->listener_count == LISTENERS_MAX) {
		NL_SET_ERR_MSG(extack,
			       "16 programs of this network namespace listen for connections already");
		return -ENOSPC;
	}
	nn->listener_count++;
	list_add_tail_rcu(&l->list, &nn->listeners);
	return 0;
}

/**
 * nflb_listen() - a socket shall hear of connections
 * @nn: the namespace
 * @portid: the socket's, which has a request under way
 * @extack: for a message
 *
 * It does until it is closed. To ask again changes nothing.
 *
 * Return: 0, -ENOMEM or -ENOSPC.
 */
int nflb_listen(struct nflb_net *nn, u32 portid, struct netlink_ext_ack *extack)
{
	struct nflb_listener *l;
	int err;

	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		return -ENOMEM;
	l->portid = portid;
	spin_lock_init(&l->lock);
	spin_lock(&nn->listeners_lock);
	err = add(nn, l, extack);
	spin_unlock(&nn->listeners_lock);
	if (!err)
		return 0;
	kfree(l);
	return err == -EEXIST ? 0 : err;
}

static void forget(struct nflb_net *nn, struct nflb_listener *l)
{
	lockdep_assert_held(&nn->listeners_lock);
	list_del_rcu(&l->list);
	nn->listener_count--;
	kfree_rcu(l, rcu);
}

/* A socket of anybody, of whatever netlink protocol, was closed. */
static int closed(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct netlink_notify *n = data;
	struct nflb_listener *l;
	struct nflb_net *nn;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	nn = nflb_net(n->net);
	if (list_empty(&nn->listeners))
		return NOTIFY_DONE;
	spin_lock(&nn->listeners_lock);
	l = find(nn, n->portid);
	if (l)
		forget(nn, l);
	spin_unlock(&nn->listeners_lock);
	return NOTIFY_DONE;
}

static struct notifier_block closed_notifier = {
	.notifier_call = closed,
};

/**
 * nflb_listen_init() - learn of sockets that are closed
 *
 * Return: 0 or a negative errno.
 */
int nflb_listen_init(void)
{
	return netlink_register_notifier(&closed_notifier);
}

/**
 * nflb_listen_exit() - no socket is registered any more
 */
void nflb_listen_exit(void)
{
	netlink_unregister_notifier(&closed_notifier);
}

/**
 * nflb_listen_net_init() - nobody listens
 * @nn: the namespace
 */
void nflb_listen_net_init(struct nflb_net *nn)
{
	INIT_LIST_HEAD(&nn->listeners);
	spin_lock_init(&nn->listeners_lock);
}

/**
 * nflb_listen_net_exit() - nobody listens any more
 * @nn: the namespace
 */
void nflb_listen_net_exit(struct nflb_net *nn)
{
	struct nflb_listener *l, *next;

	spin_lock(&nn->listeners_lock);
	list_for_each_entry_safe(l, next, &nn->listeners, list)
		forget(nn, l);
	spin_unlock(&nn->listeners_lock);
}
