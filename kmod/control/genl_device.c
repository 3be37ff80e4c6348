// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that the fast path is attached to: DEVICE_ADD, DEVICE_DEL, DEVICE_GET;
 * and what happens to the devices themselves.
 *
 * RTNL protects the list, and nothing else is locked under it: the whole host
 * waits for RTNL, so it must not wait for a namespace that builds its tables. Requests
 * take RTNL within nn->mutex, the notifier takes RTNL alone. A
 * device that is listed lives: whoever ends it, or moves it to another namespace,
 * says so before, under RTNL.
 *
 * A request may ask to wait for a device. The notifier attaches the fast path when
 * a device of that name appears, and waits again when it goes.
 */
#include <linux/netdevice.h>
#include <linux/nflb.h>
#include <linux/rtnetlink.h>

#include "control/device.h"
#include "control/device_wait.h"
#include "control/generation.h"
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_notify.h"
#include "forward/way.h"
#include "path/ingress.h"
#include "netns.h"

static void changed(struct nflb_net *nn)
{
	nflb_changed(nn);
	nflb_generation_count(nn);
}

static int check(const struct nlattr *attr, struct net_device *dev,
		 struct netlink_ext_ack *extack)
{
	if (dev->flags & IFF_LOOPBACK) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the fast path is for packets of other hosts, not for a loopback device");
		return -EOPNOTSUPP;
	}
	if (netdev_is_rx_handler_busy(dev)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the device is part of a bridge, a bond or similar: attach to that instead");
		return -EBUSY;
	}
	return 0;
}

static int attach(struct nflb_net *nn, struct net_device *dev, const char *wanted,
		  const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	int err;

	if (nflb_ingress_find(nn, dev)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the fast path is attached to the device already");
		return -EEXIST;
	}
	err = check(attr, dev, extack);
	if (err)
		return err;
	err = nflb_ingress_attach(nn, dev, wanted);
	if (err) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the kernel refuses a hook on the device");
		return err;
	}
	changed(nn);
	nflb_notify_device(nn, dev->name, false, NFLB_CMD_DEVICE_ADD);
	return 0;
}

/* Attach the fast path when a device of that name appears. */
static int wait_for(struct nflb_net *nn, const char *name,
		    const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	int err;

	if (nflb_absent_find(nn, name)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the device is already awaited");
		return -EEXIST;
	}
	err = nflb_absent_add(nn, name, extack);
	if (err)
		return err;
	nflb_generation_count(nn);
	nflb_notify_device(nn, name, true, NFLB_CMD_DEVICE_ADD);
	return 0;
}

static void wait_no_longer(struct nflb_net *nn, struct nflb_absent *absent)
{
	nflb_notify_device(nn, absent->name, true, NFLB_CMD_DEVICE_DEL);
	nflb_absent_del(nn, absent);
}

static int detach(struct nflb_net *nn, struct net_device *dev,
		  const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct nflb_device *device = nflb_ingress_find(nn, dev);

	if (!device) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the fast path is not attached to the device");
		return -ENOENT;
	}
	nflb_ingress_detach(nn, device);
	changed(nn);
	nflb_notify_device(nn, dev->name, false, NFLB_CMD_DEVICE_DEL);
	return 0;
}

static int no_device(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG_ATTR(extack, attr, "there is no such device");
	return -ENODEV;
}

static int request_add(struct nflb_net *nn, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[NFLB_A_DEVICE];
	const char *wanted = NULL;
	struct nflb_absent *absent;
	struct net_device *dev;
	int err;

	if (info->attrs[NFLB_A_DEVICE_ABSENT])
		wanted = nla_data(attr);
	dev = __dev_get_by_name(nn->net, nla_data(attr));
	if (!dev && wanted)
		return wait_for(nn, wanted, attr, info->extack);
	if (!dev)
		return no_device(attr, info->extack);
	err = attach(nn, dev, wanted, attr, info->extack);
	/* It was refused when it appeared. */
	absent = err ? NULL : nflb_absent_match(nn, dev);
	if (absent)
		nflb_absent_del(nn, absent);
	return err;
}

static int request_del(struct nflb_net *nn, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[NFLB_A_DEVICE];
	struct nflb_absent *absent;
	struct net_device *dev;

	dev = __dev_get_by_name(nn->net, nla_data(attr));
	absent = nflb_absent_find(nn, nla_data(attr));
	if (absent && !(dev && nflb_ingress_find(nn, dev))) {
		wait_no_longer(nn, absent);
		return 0;
	}
	return dev ? detach(nn, dev, attr, info->extack) :
		     no_device(attr, info->extack);
}

/**
 * nflb_nl_device_change_doit() - DEVICE_ADD and DEVICE_DEL
 * @skb: the request
 * @info: the request, parsed
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_device_change_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_change change;
	int err;

	if (!info->attrs[NFLB_A_DEVICE]) {
		NL_SET_ERR_MSG(info->extack, "the device is missing");
		return -EINVAL;
	}
	err = nflb_change_begin(&change, info);
	if (err)
		return err;
	rtnl_lock();
	err = info->genlhdr->cmd == NFLB_CMD_DEVICE_ADD ?
	      request_add(change.nn, info) : request_del(change.nn, info);
	rtnl_unlock();
	return nflb_change_end(&change, err);
}

/**
 * nflb_fill_device() - describe a device
 * @skb: a message
 * @name: its name
 * @absent: it is missing
 *
 * Return: 0 or -EMSGSIZE.
 */
int nflb_fill_device(struct sk_buff *skb, const char *name, bool absent)
{
	if (nla_put_string(skb, NFLB_A_DEVICE, name) ||
	    (absent && nla_put_flag(skb, NFLB_A_DEVICE_ABSENT)))
		return -EMSGSIZE;
	return 0;
}

/* Returns false when the message is full. */
static bool dump_device(struct sk_buff *skb, struct netlink_callback *cb,
			const char *name, bool absent)
{
	void *hdr = nflb_nl_dump_config(skb, cb, NFLB_CMD_DEVICE_GET);

	if (!hdr)
		return false;
	if (nflb_fill_device(skb, name, absent)) {
		genlmsg_cancel(skb, hdr);
		return false;
	}
	genlmsg_end(skb, hdr);
	return true;
}

/**
 * nflb_nl_device_get_dumpit() - all devices, then those that are waited for
 * @skb: where to
 * @cb: where the dump is
 *
 * Return: skb->len, 0 when done, or a negative errno.
 */
int nflb_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nflb_net *nn = nflb_net(sock_net(skb->sk));
	u32 *next = (u32 *)cb->ctx, i = 0;
	const struct nflb_device *device;
	const struct nflb_absent *absent;

	rcu_read_lock();
	cb->seq = nflb_dump_seq(nn);
	list_for_each_entry_rcu(device, &nn->devices, list) {
		if (i++ < *next)
			continue;
		if (!dump_device(skb, cb, device->dev->name, false))
			goto out;
		++*next;
	}
	list_for_each_entry_rcu(absent, &nn->absent, list) {
		if (i++ < *next)
			continue;
		if (!dump_device(skb, cb, absent->name, true))
			goto out;
		++*next;
	}
out:
	rcu_read_unlock();
	return skb->len;
}

/* A device appears: is it waited for? One that is refused stays missing. */
static void device_came(struct nflb_net *nn, struct net_device *dev)
{
	struct nflb_absent *absent = nflb_absent_match(nn, dev);

	if (absent && !attach(nn, dev, absent->name, NULL, NULL))
		nflb_absent_del(nn, absent);
}

/* A device has another name; that by which it was asked for may come again. */
static void device_renamed(struct nflb_net *nn, struct net_device *dev)
{
	struct nflb_device *device = nflb_ingress_find(nn, dev);
	struct nflb_absent *absent;

	if (!device) {
		device_came(nn, dev);
		return;
	}
	changed(nn);
	/* Is it the name back by which it was asked for? */
	absent = nflb_absent_match(nn, dev);
	if (absent) {
		strscpy(device->wanted, absent->name, sizeof(device->wanted));
		nflb_absent_del(nn, absent);
		return;
	}
	if (!*device->wanted ||
	    __dev_get_by_name(nn->net, device->wanted) == dev)
		return;
	if (!wait_for(nn, device->wanted, NULL, NULL))
		*device->wanted = '\0';
}

/* A device goes, for good or to another namespace. */
static void device_went(struct nflb_net *nn, struct net_device *dev)
{
	struct nflb_device *device;
	char wanted[IFNAMSIZ];

	nflb_way_forget_device(nn, dev);
	device = nflb_ingress_find(nn, dev);
	if (!device)
		return;
	strscpy(wanted, device->wanted, sizeof(wanted));
	detach(nn, dev, NULL, NULL);
	if (*wanted)
		wait_for(nn, wanted, NULL, NULL);
}

static int device_event(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct nflb_net *nn = nflb_net(dev_net(dev));

	switch (event) {
	case NETDEV_UNREGISTER:
		device_went(nn, dev);
		break;
	case NETDEV_REGISTER:
	case NETDEV_UP:
		device_came(nn, dev);
		break;
	case NETDEV_CHANGENAME:
		device_renamed(nn, dev);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = {
	.notifier_call = device_event,
};

/**
 * nflb_device_init() - begin to hear of devices that go
 *
 * Context: process; after nflb_netns_init(). Return: 0 or a negative errno.
 */
int nflb_device_init(void)
{
	return register_netdevice_notifier(&device_notifier);
}

/**
 * nflb_device_exit() - hear no more; the fast path is detached everywhere
 */
void nflb_device_exit(void)
{
	unregister_netdevice_notifier(&device_notifier);
}
