/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that are missing, and get the fast path when they appear.
 */
#ifndef NFLB_DEVICE_WAIT_H
#define NFLB_DEVICE_WAIT_H

#include <linux/if.h>
#include <linux/list.h>
#include <linux/netlink.h>

#include "netns.h"

struct net_device;

/**
 * struct nflb_absent - a device that a namespace waits for
 * @list: in nflb_net.absent
 * @name: its name, or an alternative one
 * @rcu: to free it
 */
struct nflb_absent {
	struct list_head	list;
	char			name[IFNAMSIZ];
	struct rcu_head		rcu;
};

struct nflb_absent *nflb_absent_find(struct nflb_net *nn, const char *name);
struct nflb_absent *nflb_absent_match(struct nflb_net *nn,
				      const struct net_device *dev);
int nflb_absent_add(struct nflb_net *nn, const char *name,
		    struct netlink_ext_ack *extack);
void nflb_absent_del(struct nflb_net *nn, struct nflb_absent *absent);
void nflb_absent_flush(struct nflb_net *nn);

#endif /* NFLB_DEVICE_WAIT_H */
