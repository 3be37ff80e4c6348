/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ingress hook of network devices.
 */
#ifndef NFLB_INGRESS_H
#define NFLB_INGRESS_H

#include <linux/list.h>
#include <linux/netfilter.h>

struct net_device;
struct nflb_net;

/*
 * Priority of the hook. Chains of nftables' family netdev see packets first when
 * theirs is lower, as "filter" (0) is.
 */
#define NFLB_INGRESS_PRIORITY 100

/**
 * struct nflb_device - a device that the fast path is attached to
 * @list: in nflb_net.devices
 * @dev: the device; its end takes this away before (control/genl_device.c)
 * @ops: the hook
 * @rcu: to free it
 */
struct nflb_device {
	struct list_head	list;
	struct net_device	*dev;
	struct nf_hook_ops	ops;
	struct rcu_head		rcu;
};

struct nflb_device *nflb_ingress_find(struct nflb_net *nn,
				      const struct net_device *dev);
int nflb_ingress_attach(struct nflb_net *nn, struct net_device *dev);
void nflb_ingress_detach(struct nflb_net *nn, struct nflb_device *device);
void nflb_ingress_detach_all(struct nflb_net *nn);

#endif /* NFLB_INGRESS_H */
