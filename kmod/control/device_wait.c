// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that a namespace waits for, by name. genl_device.c attaches the fast path
 * when one appears. RTNL protects the list; dumps read it under RCU.
 */
#include <linux/netdevice.h>
#include <linux/nflb.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "control/device_wait.h"

/**
 * nflb_absent_find() - does a namespace wait for a device?
 * @nn: the namespace; RTNL is held
 * @name: the device's name
 *
 * Return: the entry, or NULL.
 */
struct nflb_absent *nflb_absent_find(struct nflb_net *nn, const char *name)
{
	struct nflb_absent *absent;

	ASSERT_RTNL();
	list_for_each_entry(absent, &nn->absent, list)
		if (!strcmp(absent->name, name))
			return absent;
	return NULL;
}
NFLB_EXPORT_KUNIT(nflb_absent_find);

/**
 * nflb_absent_match() - does a namespace wait for this device?
 * @nn: the namespace; RTNL is held
 * @dev: a device of it
 *
 * Return: the entry with one of its names, or NULL.
 */
struct nflb_absent *nflb_absent_match(struct nflb_net *nn,
				      const struct net_device *dev)
{
	struct nflb_absent *absent;

	ASSERT_RTNL();
	list_for_each_entry(absent, &nn->absent, list)
		if (__dev_get_by_name(nn->net, absent->name) == dev)
			return absent;
	return NULL;
}

/**
 * nflb_absent_add() - wait for a device
 * @nn: the namespace, which does not wait for it yet; RTNL is held
 * @name: the device's name
 * @extack: for a message, or NULL
 *
 * Context: process. Return: 0 or a negative errno.
 */
int nflb_absent_add(struct nflb_net *nn, const char *name,
		    struct netlink_ext_ack *extack)
{
	struct nflb_absent *absent;

	ASSERT_RTNL();
	if (!dev_valid_name(name)) {
		NL_SET_ERR_MSG(extack, "no device can have this name");
		return -EINVAL;
	}
	if (nn->absent_count >= NFLB_DEVICES_ABSENT_MAX) {
		NL_SET_ERR_MSG(extack,
			       "64 devices are missing already, the maximum");
		return -ENOSPC;
	}
	absent = kzalloc(sizeof(*absent), GFP_KERNEL_ACCOUNT);
	if (!absent)
		return -ENOMEM;
	strscpy(absent->name, name, sizeof(absent->name));
	WRITE_ONCE(nn->had_devices, true);
	list_add_tail_rcu(&absent->list, &nn->absent);
	nn->absent_count++;
	nflb_changed(nn);
	return 0;
}
NFLB_EXPORT_KUNIT(nflb_absent_add);

/**
 * nflb_absent_del() - wait no longer
 * @nn: the namespace; RTNL is held
 * @absent: an entry; freed
 */
void nflb_absent_del(struct nflb_net *nn, struct nflb_absent *absent)
{
	ASSERT_RTNL();
	list_del_rcu(&absent->list);
	nn->absent_count--;
	nflb_changed(nn);
	kfree_rcu(absent, rcu);
}
NFLB_EXPORT_KUNIT(nflb_absent_del);

/**
 * nflb_absent_flush() - wait for nothing
 * @nn: the namespace; RTNL is held
 */
void nflb_absent_flush(struct nflb_net *nn)
{
	struct nflb_absent *absent, *next;

	list_for_each_entry_safe(absent, next, &nn->absent, list)
		nflb_absent_del(nn, absent);
}
NFLB_EXPORT_KUNIT(nflb_absent_flush);
