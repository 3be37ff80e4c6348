// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that get the fast path whenever they appear, by name. A request makes and
 * frees an entry, and counts it; while the device comes and goes the entry stays, so
 * that none is forgotten for want of memory or room. genl_device.c attaches the fast
 * path. RTNL protects the list; dumps read it under RCU.
 */
#include <linux/netdevice.h>
#include <linux/nflb.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "control/device_wait.h"

/* In the message below */
static_assert(NFLB_DEVICES_ABSENT_MAX == 256);

/**
 * nflb_awaited_find() - does a namespace wait for a missing device?
 * @nn: the namespace; RTNL is held
 * @name: the device's name
 *
 * Return: the entry, or NULL.
 */
struct nflb_awaited *nflb_awaited_find(struct nflb_net *nn, const char *name)
{
	struct nflb_awaited *awaited;

	ASSERT_RTNL();
	list_for_each_entry(awaited, &nn->awaited, list)
		if (nflb_awaited_absent(awaited) &&
		    !strcmp(awaited->name, name))
			return awaited;
	return NULL;
}
NFLB_EXPORT_KUNIT(nflb_awaited_find);

/**
 * nflb_awaited_of() - will a namespace wait for a device when it goes?
 * @nn: the namespace; RTNL or rcu_read_lock() is held
 * @dev: a device with the fast path
 *
 * Return: the entry, or NULL.
 */
struct nflb_awaited *nflb_awaited_of(struct nflb_net *nn,
				     const struct net_device *dev)
{
	struct nflb_awaited *awaited;

	list_for_each_entry_rcu(awaited, &nn->awaited, list,
				lockdep_rtnl_is_held())
		if (READ_ONCE(awaited->dev) == dev)
			return awaited;
	return NULL;
}
NFLB_EXPORT_KUNIT(nflb_awaited_of);

/**
 * nflb_awaited_match() - is this the missing device that a namespace waits for?
 * @nn: the namespace; RTNL is held
 * @dev: a device of it
 *
 * Return: the entry with one of its names, or NULL.
 */
struct nflb_awaited *nflb_awaited_match(struct nflb_net *nn,
					const struct net_device *dev)
{
	struct nflb_awaited *awaited;

	ASSERT_RTNL();
	list_for_each_entry(awaited, &nn->awaited, list)
		if (nflb_awaited_absent(awaited) &&
		    __dev_get_by_name(nn->net, awaited->name) == dev)
			return awaited;
	return NULL;
}

/**
 * nflb_awaited_add() - wait for a device
 * @nn: the namespace, which does not wait for it yet; RTNL is held
 * @name: the device's name
 * @extack: for a message, or NULL
 *
 * Context: process. Return: the entry, of a device that is missing; or ERR_PTR.
 */
struct nflb_awaited *nflb_awaited_add(struct nflb_net *nn, const char *name,
				      struct netlink_ext_ack *extack)
{
	struct nflb_awaited *awaited;

	ASSERT_RTNL();
	if (!dev_valid_name(name)) {
		NL_SET_ERR_MSG(extack, "no device can have this name");
		return ERR_PTR(-EINVAL);
	}
	if (nn->awaited_count >= NFLB_DEVICES_ABSENT_MAX) {
		NL_SET_ERR_MSG(extack,
			       "256 devices are awaited already, the maximum of a network namespace");
		return ERR_PTR(-ENOSPC);
	}
	awaited = kzalloc(sizeof(*awaited), GFP_KERNEL_ACCOUNT);
	if (!awaited)
		return ERR_PTR(-ENOMEM);
	strscpy(awaited->name, name, sizeof(awaited->name));
	WRITE_ONCE(nn->had_devices, true);
	list_add_tail_rcu(&awaited->list, &nn->awaited);
	nn->awaited_count++;
	nflb_changed(nn);
	return awaited;
}
NFLB_EXPORT_KUNIT(nflb_awaited_add);

/**
 * nflb_awaited_del() - wait no longer, now and later
 * @nn: the namespace; RTNL is held
 * @awaited: an entry; freed
 */
void nflb_awaited_del(struct nflb_net *nn, struct nflb_awaited *awaited)
{
	ASSERT_RTNL();
	list_del_rcu(&awaited->list);
	nn->awaited_count--;
	nflb_changed(nn);
	kfree_rcu(awaited, rcu);
}
NFLB_EXPORT_KUNIT(nflb_awaited_del);

/**
 * nflb_awaited_flush() - wait for nothing
 * @nn: the namespace; RTNL is held
 */
void nflb_awaited_flush(struct nflb_net *nn)
{
	struct nflb_awaited *awaited, *next;

	list_for_each_entry_safe(awaited, next, &nn->awaited, list)
		nflb_awaited_del(nn, awaited);
}
NFLB_EXPORT_KUNIT(nflb_awaited_flush);
