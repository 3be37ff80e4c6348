// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that the fast path is attached to: DEVICE_ADD, DEVICE_DEL, DEVICE_GET;
 * and events of the devices themselves.
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

/* @leaves: it is about to be no part of its master any more */
static int check(const struct nlattr *attr, struct net_device *dev, bool leaves,
		 struct netlink_ext_ack *extack)
{
	if (dev->flags & IFF_LOOPBACK) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the fast path is for packets of other hosts, not for a loopback device");
		return -EOPNOTSUPP;
	}
	if (!leaves && netdev_is_rx_handler_busy(dev)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the device is part of a bridge, a bond or similar: attach to that instead");
		return -EBUSY;
	}
	return 0;
}

static void notify_device(struct nflb_net *nn, const struct net_device *dev, u8 cmd)
{
	const struct nflb_awaited *awaited = nflb_awaited_of(nn, dev);

	nflb_notify_device(nn, dev->name, false, awaited && awaited->xdp, cmd);
}

static void notify_absent(struct nflb_net *nn,
			  const struct nflb_awaited *awaited, u8 cmd)
{
	nflb_notify_device(nn, awaited->name, true, awaited->xdp, cmd);
}

/* @awaited: how it was asked for, or NULL; check() has passed */
static int attach(struct nflb_net *nn, struct net_device *dev,
		  struct nflb_awaited *awaited, const struct nlattr *attr,
		  struct netlink_ext_ack *extack)
{
	int err;

	err = nflb_ingress_attach(nn, dev);
	if (err) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the kernel refuses a hook on the device");
		return err;
	}
	if (awaited)
		WRITE_ONCE(awaited->dev, dev);
	changed(nn);
	notify_device(nn, dev, NFLB_CMD_DEVICE_ADD);
	return 0;
}

static void detach(struct nflb_net *nn, struct net_device *dev,
		   struct nflb_device *device)
{
	nflb_ingress_detach(nn, device);
	changed(nn);
	notify_device(nn, dev, NFLB_CMD_DEVICE_DEL);
}

static int no_device(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG_ATTR(extack, attr, "there is no such device");
	return -ENODEV;
}

static int refuse_again(const struct nlattr *attr,
			struct netlink_ext_ack *extack, bool absent)
{
	if (absent)
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the device is already awaited");
	else
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the fast path is attached to the device already");
	return -EEXIST;
}

static struct nflb_awaited *await(struct nflb_net *nn, struct genl_info *info)
{
	const struct nlattr *xdp = info->attrs[NFLB_A_DEVICE_XDP];
	struct nflb_awaited *awaited;

	awaited = nflb_awaited_add(nn, nla_data(info->attrs[NFLB_A_DEVICE]),
				   info->extack);
	if (!IS_ERR(awaited))
		awaited->xdp = xdp && nla_get_u8(xdp);
	return awaited;
}

/*
 * Of a device that is there (@dev) or awaited (@awaited) already, only the wish for
 * XDP can be set. One that was not awaited is then.
 */
static int add_again(struct nflb_net *nn, struct net_device *dev,
		     struct nflb_awaited *awaited, struct genl_info *info)
{
	const struct nlattr *xdp = info->attrs[NFLB_A_DEVICE_XDP];

	if (!xdp)
		return refuse_again(info->attrs[NFLB_A_DEVICE], info->extack,
				    !dev);
	if (!awaited) {
		awaited = await(nn, info);
		if (IS_ERR(awaited))
			return PTR_ERR(awaited);
		WRITE_ONCE(awaited->dev, dev);
	}
	WRITE_ONCE(awaited->xdp, nla_get_u8(xdp));
	nflb_changed(nn);
	if (dev)
		notify_device(nn, dev, NFLB_CMD_DEVICE_ADD);
	else
		notify_absent(nn, awaited, NFLB_CMD_DEVICE_ADD);
	return 0;
}

/* Attach the fast path when a device of that name appears. */
static int add_absent(struct nflb_net *nn, struct genl_info *info)
{
	struct nflb_awaited *awaited;

	awaited = nflb_awaited_find(nn, nla_data(info->attrs[NFLB_A_DEVICE]));
	if (awaited)
		return add_again(nn, NULL, awaited, info);
	awaited = await(nn, info);
	if (IS_ERR(awaited))
		return PTR_ERR(awaited);
	notify_absent(nn, awaited, NFLB_CMD_DEVICE_ADD);
	return 0;
}

/* And again, when it goes and comes back. @old: it was refused when it appeared. */
static int add_and_await(struct nflb_net *nn, struct net_device *dev,
			 struct nflb_awaited *old, struct genl_info *info)
{
	struct nflb_awaited *awaited = await(nn, info);
	int err;

	if (IS_ERR(awaited))
		return PTR_ERR(awaited);
	err = attach(nn, dev, awaited, info->attrs[NFLB_A_DEVICE],
		     info->extack);
	if (err)
		nflb_awaited_del(nn, awaited);
	else if (old)
		nflb_awaited_del(nn, old);
	return err;
}

static int request_add(struct nflb_net *nn, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[NFLB_A_DEVICE];
	bool wait = info->attrs[NFLB_A_DEVICE_ABSENT];
	struct nflb_awaited *old;
	struct net_device *dev;
	int err;

	dev = __dev_get_by_name(nn->net, nla_data(attr));
	if (!dev)
		return wait ? add_absent(nn, info) :
			      no_device(attr, info->extack);
	if (nflb_ingress_find(nn, dev))
		return add_again(nn, dev, nflb_awaited_of(nn, dev), info);
	err = check(attr, dev, false, info->extack);
	if (err)
		return err;
	old = nflb_awaited_match(nn, dev);
	if (wait)
		return add_and_await(nn, dev, old, info);
	err = attach(nn, dev, NULL, attr, info->extack);
	if (!err && old)
		nflb_awaited_del(nn, old);
	return err;
}

static int request_del(struct nflb_net *nn, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[NFLB_A_DEVICE];
	struct nflb_device *device = NULL;
	struct nflb_awaited *awaited;
	struct net_device *dev;

	dev = __dev_get_by_name(nn->net, nla_data(attr));
	if (dev)
		device = nflb_ingress_find(nn, dev);
	if (device) {
		detach(nn, dev, device);
		awaited = nflb_awaited_of(nn, dev);
	} else {
		awaited = nflb_awaited_find(nn, nla_data(attr));
		if (awaited)
			notify_absent(nn, awaited, NFLB_CMD_DEVICE_DEL);
	}
	if (awaited)
		nflb_awaited_del(nn, awaited);
	if (awaited || device)
		return 0;
	if (!dev)
		return no_device(attr, info->extack);
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "the fast path is not attached to the device");
	return -ENOENT;
}

static int check_request(struct genl_info *info)
{
	const struct nlattr *xdp = info->attrs[NFLB_A_DEVICE_XDP];

	if (!info->attrs[NFLB_A_DEVICE]) {
		NL_SET_ERR_MSG(info->extack, "the device is missing");
		return -EINVAL;
	}
	if (xdp && !info->attrs[NFLB_A_DEVICE_ABSENT]) {
		NL_SET_ERR_MSG_ATTR(info->extack, xdp,
				    "XDP is remembered only of devices that are awaited");
		return -EINVAL;
	}
	return 0;
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

	err = check_request(info);
	err = err ?: nflb_change_begin(&change, info);
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
 * @xdp: XDP is wanted on it
 *
 * Return: 0 or -EMSGSIZE.
 */
int nflb_fill_device(struct sk_buff *skb, const char *name, bool absent,
		     bool xdp)
{
	if (nla_put_string(skb, NFLB_A_DEVICE, name) ||
	    (absent && nla_put_flag(skb, NFLB_A_DEVICE_ABSENT)) ||
	    (xdp && nla_put_u8(skb, NFLB_A_DEVICE_XDP, true)))
		return -EMSGSIZE;
	return 0;
}

/* Returns false when the message is full. */
static bool dump_device(struct sk_buff *skb, struct netlink_callback *cb,
			const char *name, bool absent, bool xdp)
{
	void *hdr = nflb_nl_dump_config(skb, cb, NFLB_CMD_DEVICE_GET);

	if (!hdr)
		return false;
	if (nflb_fill_device(skb, name, absent, xdp)) {
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
	const struct nflb_awaited *awaited;
	const struct nflb_device *device;

	rcu_read_lock();
	cb->seq = nflb_dump_seq(nn);
	list_for_each_entry_rcu(device, &nn->devices, list) {
		if (i++ < *next)
			continue;
		awaited = nflb_awaited_of(nn, device->dev);
		if (!dump_device(skb, cb, device->dev->name, false,
				 awaited && READ_ONCE(awaited->xdp)))
			goto out;
		++*next;
	}
	list_for_each_entry_rcu(awaited, &nn->awaited, list) {
		if (!nflb_awaited_absent(awaited) || i++ < *next)
			continue;
		if (!dump_device(skb, cb, awaited->name, true,
				 READ_ONCE(awaited->xdp)))
			goto out;
		++*next;
	}
out:
	rcu_read_unlock();
	return skb->len;
}

/* A device appears: is it waited for? One that is refused stays missing. */
static void device_came(struct nflb_net *nn, struct net_device *dev, bool leaves)
{
	struct nflb_awaited *awaited = nflb_awaited_match(nn, dev);

	if (awaited && !nflb_ingress_find(nn, dev) &&
	    !check(NULL, dev, leaves, NULL))
		attach(nn, dev, awaited, NULL, NULL);
}

/* It is missing from now on, and its entry waits for it. */
static void missing(struct nflb_net *nn, struct nflb_awaited *awaited)
{
	WRITE_ONCE(awaited->dev, NULL);
	changed(nn);
	notify_absent(nn, awaited, NFLB_CMD_DEVICE_ADD);
}

/* A device has another name; that by which it was asked for may come again. */
static void device_renamed(struct nflb_net *nn, struct net_device *dev)
{
	struct nflb_awaited *awaited;

	if (!nflb_ingress_find(nn, dev)) {
		device_came(nn, dev, false);
		return;
	}
	changed(nn);
	awaited = nflb_awaited_of(nn, dev);
	if (awaited && __dev_get_by_name(nn->net, awaited->name) == dev)
		return;
	if (awaited)
		missing(nn, awaited);
	/* Is it a name by which a device was asked for? */
	awaited = nflb_awaited_match(nn, dev);
	if (!awaited)
		return;
	WRITE_ONCE(awaited->dev, dev);
	notify_device(nn, dev, NFLB_CMD_DEVICE_ADD);
}

/* A device goes, for good or to another namespace. */
static void device_went(struct nflb_net *nn, struct net_device *dev)
{
	struct nflb_awaited *awaited;
	struct nflb_device *device;

	nflb_way_forget_device(nn, dev);
	device = nflb_ingress_find(nn, dev);
	if (!device)
		return;
	detach(nn, dev, device);
	awaited = nflb_awaited_of(nn, dev);
	if (awaited)
		missing(nn, awaited);
}

/* A bridge tells before it takes its handler from the device, and never after. */
static bool leaves_master(const struct netdev_notifier_changeupper_info *info)
{
	return info->master && !info->linking;
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
	/* It may be no part of a bond any more, or there is memory again. */
	case NETDEV_CHANGE:
		device_came(nn, dev, false);
		break;
	case NETDEV_CHANGEUPPER:
		device_came(nn, dev, leaves_master(ptr));
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
