/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that get the fast path whenever they appear.
 */
#ifndef NFLB_DEVICE_WAIT_H
#define NFLB_DEVICE_WAIT_H

#include <linux/if.h>
#include <linux/list.h>
#include <linux/netlink.h>

#include "netns.h"

struct net_device;

/**
 * struct nflb_awaited - a device that a namespace waits for whenever it is missing
 * @list: in nflb_net.awaited
 * @dev: the device, while it has the fast path; NULL while it is missing
 * @xdp: XDP is wanted on it, which others attach
 * @name: its name, or an alternative one; never changes
 * @rcu: to free it
 */
struct nflb_awaited {
	struct list_head	list;
	struct net_device	*dev;
	bool			xdp;
	char			name[IFNAMSIZ];
	struct rcu_head		rcu;
};

/**
 * nflb_awaited_absent() - is a device missing?
 * @awaited: the device
 */
static inline bool nflb_awaited_absent(const struct nflb_awaited *awaited)
{
	return !READ_ONCE(awaited->dev);
}

struct nflb_awaited *nflb_awaited_find(struct nflb_net *nn, const char *name);
struct nflb_awaited *nflb_awaited_of(struct nflb_net *nn,
				     const struct net_device *dev);
struct nflb_awaited *nflb_awaited_match(struct nflb_net *nn,
					const struct net_device *dev);
struct nflb_awaited *nflb_awaited_add(struct nflb_net *nn, const char *name,
				      struct netlink_ext_ack *extack);
void nflb_awaited_del(struct nflb_net *nn, struct nflb_awaited *awaited);
void nflb_awaited_flush(struct nflb_net *nn);

#endif /* NFLB_DEVICE_WAIT_H */
