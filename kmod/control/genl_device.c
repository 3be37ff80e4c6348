// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that the fast path is attached to: DEVICE_ADD, DEVICE_DEL, DEVICE_GET;
 * and what happens to the devices themselves.
 *
 * RTNL protects the list, and nothing else is locked under it: the whole host
 * waits for RTNL, so it must not wait for a namespace that builds its tables. A
 * device that is listed lives: whoever ends it, or moves it to another namespace,
 * says so before, under RTNL.
 */
#include <linux/netdevice.h>
#include <linux/nflb.h>
#include <linux/rtnetlink.h>

#include "control/device.h"
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_notify.h"
#include "forward/way.h"
#include "path/ingress.h"
#include "netns.h"

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
				    "the device belongs to a bridge, a bond or the like, which takes its packets: attach to that");
		return -EBUSY;
	}
	return 0;
}

static int attach(struct nflb_net *nn, struct net_device *dev,
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
	err = nflb_ingress_attach(nn, dev);
	if (err) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the kernel refuses a hook on the device");
		return err;
	}
	nflb_changed(nn);
	nflb_notify_device(nn, dev, NFLB_CMD_DEVICE_ADD);
	return 0;
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
	nflb_changed(nn);
	nflb_notify_device(nn, dev, NFLB_CMD_DEVICE_DEL);
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
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	struct nlattr *attr = info->attrs[NFLB_A_DEVICE];
	struct net_device *dev;
	int err = -ENODEV;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "the device is missing");
		return -EINVAL;
	}
	rtnl_lock();
	dev = __dev_get_by_name(nn->net, nla_data(attr));
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "there is no such device");
	} else {
		err = info->genlhdr->cmd == NFLB_CMD_DEVICE_ADD ?
		      attach(nn, dev, attr, info->extack) :
		      detach(nn, dev, attr, info->extack);
	}
	rtnl_unlock();
	return err;
}

/**
 * nflb_fill_device() - describe a device
 * @skb: a message
 * @dev: the device; RTNL is held, or rcu_read_lock() while it is listed
 *
 * Return: 0 or -EMSGSIZE.
 */
int nflb_fill_device(struct sk_buff *skb, const struct net_device *dev)
{
	return nla_put_string(skb, NFLB_A_DEVICE, dev->name);
}

/**
 * nflb_nl_device_get_dumpit() - all devices
 * @skb: where to
 * @cb: where the dump is
 *
 * Return: skb->len, 0 when done, or a negative errno.
 */
int nflb_nl_device_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nflb_net *nn = nflb_net(sock_net(skb->sk));
	const struct nflb_device *device;
	u32 *next = (u32 *)cb->ctx, i = 0;
	void *hdr;

	rcu_read_lock();
	cb->seq = nflb_dump_seq(nn);
	list_for_each_entry_rcu(device, &nn->devices, list) {
		if (i++ < *next)
			continue;
		hdr = nflb_nl_dump_put(skb, cb, NFLB_CMD_DEVICE_GET);
		if (!hdr)
			break;
		if (nflb_fill_device(skb, device->dev)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		++*next;
	}
	rcu_read_unlock();
	return skb->len;
}

/* A device goes, for good or to another namespace. */
static int device_event(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct nflb_device *device;
	struct nflb_net *nn;

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	nn = nflb_net(dev_net(dev));
	nflb_way_forget_device(nn, dev);
	device = nflb_ingress_find(nn, dev);
	if (device) {
		nflb_ingress_detach(nn, device);
		nflb_changed(nn);
		nflb_notify_device(nn, dev, NFLB_CMD_DEVICE_DEL);
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
