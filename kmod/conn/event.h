/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of the packet path for listeners.
 */
#ifndef NFLB_EVENT_H
#define NFLB_EVENT_H

#include <linux/types.h>

#include "netns.h"

/**
 * struct nflb_event_ops - who tells it
 * @conn: NFLB_CMD_CONN_NEW or _END; softirq or BH disabled, rcu_read_lock() held
 * @trouble: NFLB_CMD_BACKEND_TROUBLE; the same
 */
struct nflb_event_ops {
	void	(*conn)(struct nflb_net *nn, const struct nflb_conn *conn,
			u8 cmd);
	void	(*trouble)(struct nflb_net *nn,
			   const struct nflb_backend *backend,
			   enum nflb_passive what);
};

void nflb_event_register(const struct nflb_event_ops *ops);
void nflb_event_conn(struct nflb_net *nn, const struct nflb_conn *conn, u8 cmd);
void nflb_event_trouble(struct nflb_net *nn, const struct nflb_backend *backend,
			enum nflb_passive what);

/* Tell of the begin or end of a connection, if anybody listens. */
static inline void nflb_notify_conn(struct nflb_net *nn,
				    const struct nflb_conn *conn, u8 cmd)
{
	if (unlikely(!list_empty(&nn->listeners)))
		nflb_event_conn(nn, conn, cmd);
}

#endif /* NFLB_EVENT_H */
