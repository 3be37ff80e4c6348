// SPDX-License-Identifier: GPL-2.0
/*
 * Events of the packet path, to who registered for them: the control side.
 */
#include <linux/rcupdate.h>

#include "conn/event.h"

static const struct nflb_event_ops __rcu *event_ops;

/**
 * nflb_event_register() - from now on events go there
 * @ops: where to, or NULL
 *
 * Context: process, sleeps. When it returns none is under way to who had
 * registered before.
 */
void nflb_event_register(const struct nflb_event_ops *ops)
{
	rcu_assign_pointer(event_ops, ops);
	if (!ops)
		synchronize_rcu();
}

/**
 * nflb_event_conn() - a connection began or ended
 * @nn: its namespace
 * @conn: the connection
 * @cmd: NFLB_CMD_CONN_NEW or _END
 *
 * Context: any but hard interrupts, rcu_read_lock() held.
 */
noinline void nflb_event_conn(struct nflb_net *nn, const struct nflb_conn *conn,
			      u8 cmd)
{
	const struct nflb_event_ops *ops = rcu_dereference(event_ops);

	if (ops)
		ops->conn(nn, conn, cmd);
}

/**
 * nflb_event_trouble() - clients' connections to a backend fail
 * @nn: its namespace
 * @backend: the backend
 * @what: how one failed
 *
 * The caller bounds how often.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held.
 */
noinline void nflb_event_trouble(struct nflb_net *nn,
				 const struct nflb_backend *backend,
				 enum nflb_passive what)
{
	const struct nflb_event_ops *ops = rcu_dereference(event_ops);

	if (ops)
		ops->trouble(nn, backend, what);
}
