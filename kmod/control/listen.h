/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who hears of connections.
 */
#ifndef NFLB_LISTEN_H
#define NFLB_LISTEN_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct netlink_ext_ack;
struct nflb_net;

/**
 * struct nflb_listener - a socket that hears of connections
 * @list: in nflb_net.listeners
 * @portid: the socket's
 * @lock: events go out in the order of their numbers
 * @seq: nlmsg_seq of its last event, those included that could not be sent
 * @rcu: to free it
 */
struct nflb_listener {
	struct list_head	list;
	u32			portid;
	spinlock_t		lock; /* of @seq, and while an event goes out */
	u32			seq;
	struct rcu_head		rcu;
};

int nflb_listen(struct nflb_net *nn, u32 portid,
		struct netlink_ext_ack *extack);
int nflb_listen_init(void);
void nflb_listen_exit(void);
void nflb_listen_net_init(struct nflb_net *nn);
void nflb_listen_net_exit(struct nflb_net *nn);

#endif /* NFLB_LISTEN_H */
