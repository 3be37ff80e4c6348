// SPDX-License-Identifier: GPL-2.0
/*
 * UDP services that schedule each datagram by itself (one-packet). No connection
 * stands in the table under the client's tuple, so the next datagram finds none, and
 * the scheduler is asked again.
 *
 * Answers that come by the balancer still have to find their way. In modes dnat and
 * fullnat a connection of such a service stands in the table under the backend's tuple
 * alone. All datagrams that a client sends from one port to one backend share it, so a
 * client has at most one for each backend and port. It is never assured: it lasts for
 * NFLB_TIMEOUT_ONE_PACKET seconds without a packet, and makes room for any other. An
 * answer without one is late, as always (path/beside.c).
 *
 * In mode dsr there is nothing to remember. The connection is in no table, belongs to
 * the packet, and goes with it.
 */
#include "service/service.h"
#include "service/stats.h"
#include "conn/conn.h"
#include "conn/conn_state.h"
#include "conn/one_packet.h"
#include "netns.h"

/**
 * nflb_one_packet_is() - does a connection already do what a new one would?
 * @conn: the new one, of a service with one-packet, whose backend's tuple is set
 * @other: the connection in the table with that tuple
 * @dir: its direction there
 *
 * Return: whether it does.
 */
bool nflb_one_packet_is(const struct nflb_conn *conn,
			const struct nflb_conn *other, enum nflb_dir dir)
{
	return dir == NFLB_DIR_OUT && nflb_conn_one_packet(other) &&
	       other->backend == conn->backend &&
	       nflb_tuple_equal(&other->in.tuple, &conn->in.tuple) &&
	       nflb_conn_ops(other) == nflb_conn_ops(conn) &&
	       nflb_conn_alive(other, nflb_now());
}

/* By which the backend answers this client; or NULL when there is none yet. */
static struct nflb_conn *known(struct nflb_net *nn,
			       struct nflb_backend *backend,
			       const struct nflb_forward_ops *ops,
			       const struct nflb_tuple *in)
{
	struct nflb_conn probe = {
		.in.tuple = *in,
		.backend = backend,
		.how = ops->id | NFLB_HOW_ONE_PACKET,
		.flags = ATOMIC_INIT(NFLB_CONN_DRAFT),
	};
	enum nflb_reason reason;
	struct nflb_conn *conn;
	unsigned int attempt;
	enum nflb_dir dir;

	for (attempt = 0; ops->out_tuple(nn, &probe, attempt, &reason);
	     attempt++) {
		conn = nflb_conn_lookup(nn, &probe.out.tuple, &dir);
		if (!conn || nflb_one_packet_is(&probe, conn, dir))
			return conn;
	}
	return NULL;
}

/* It belongs to the packet that is being forwarded. */
static struct nflb_conn *make_loose(struct nflb_net *nn,
				    struct nflb_backend *backend,
				    const struct nflb_forward_ops *ops,
				    const struct nflb_tuple *in,
				    enum nflb_reason *reason)
{
	struct nflb_conn *conn;

	*reason = NFLB_REASON_NO_BACKEND;
	if (!refcount_read(&backend->ref))
		return NULL;
	*reason = NFLB_REASON_NO_MEMORY;
	conn = nflb_conn_alloc(backend, ops, in, NFLB_HOW_ONE_PACKET);
	if (!conn)
		return NULL;
	if (ops->out_tuple(nn, conn, 0, reason))
		return conn;
	nflb_conn_free(conn);
	return NULL;
}

/**
 * nflb_one_packet_conn() - the connection of one datagram
 * @nn: the namespace
 * @backend: where it goes
 * @ops: how packets are forwarded
 * @in: tuple of the client's packets
 * @reason: why not, when NULL is returned
 *
 * Each datagram counts as a connection of its backend.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: a connection, for
 * nflb_conn_free() if nflb_conn_loose(); or NULL.
 */
struct nflb_conn *nflb_one_packet_conn(struct nflb_net *nn,
				       struct nflb_backend *backend,
				       const struct nflb_forward_ops *ops,
				       const struct nflb_tuple *in,
				       enum nflb_reason *reason)
{
	struct nflb_conn *conn;

	if (ops->one_sided)
		conn = make_loose(nn, backend, ops, in, reason);
	else
		conn = known(nn, backend, ops, in);
	if (conn)
		nflb_stats_connection(backend->stats);
	else if (!ops->one_sided)
		conn = nflb_conn_create_one_packet(nn, backend, ops, in,
						   reason);
	return conn;
}
