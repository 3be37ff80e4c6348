// SPDX-License-Identifier: GPL-2.0
/*
 * Draft connections: a simulated packet (explain.c) gets one in place of an entry in the
 * table.
 */
#include "service/laddr.h"
#include "service/service.h"
#include "conn/conn.h"
#include "conn/conn_evict.h"
#include "conn/conn_state.h"
#include "conn/one_packet.h"
#include "netns.h"

static enum nflb_shortage draft_shortage(const struct nflb_net *nn,
					 const struct nflb_conn *conn,
					 unsigned int attempt)
{
	return conn->how & NFLB_HOW_LADDR ?
	       nflb_laddr_short(nn, conn->backend, attempt,
				conn->out.tuple.family) : NFLB_SHORTAGE_NONE;
}

static bool draft_out(struct nflb_net *nn, struct nflb_conn *conn,
		      enum nflb_reason *reason)
{
	struct nflb_conn *other;
	unsigned int attempt;
	enum nflb_dir dir;

	for (attempt = 0; ; attempt++) {
		if (!nflb_conn_ops(conn)->out_tuple(nn, conn, attempt, reason))
			return false;
		if (conn->how & NFLB_HOW_ONE_SIDED)
			return true;
		conn->out.tuple.aux = NFLB_AUX_DIR;
		other = nflb_conn_lookup(nn, &conn->out.tuple, &dir);
		if (!other || nflb_evict_yields(other, draft_shortage(nn, conn,
								      attempt)) ||
		    (nflb_conn_one_packet(conn) &&
		     nflb_one_packet_is(conn, other, dir)))
			return true;
	}
}

/**
 * nflb_conn_draft() - make a connection as nflb_conn_create(), without side effects
 * @nn: the namespace
 * @backend: where it goes
 * @ops: how packets are forwarded
 * @in: tuple of the client's packets, which no connection has
 * @reason: why not, when NULL is returned
 *
 * The draft stands in no table, is counted nowhere, and holds no reference of
 * @backend.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held until it is freed.
 * Return: a connection for nflb_conn_draft_free(), or NULL.
 */
struct nflb_conn *nflb_conn_draft(struct nflb_net *nn,
				  struct nflb_backend *backend,
				  const struct nflb_forward_ops *ops,
				  const struct nflb_tuple *in,
				  enum nflb_reason *reason)
{
	const struct nflb_snapshot *snapshot;
	struct nflb_conn *conn;

	snapshot = rcu_dereference(backend->service->snapshot);
	*reason = NFLB_REASON_TABLE_FULL;
	if (atomic_read(&nn->conn_count) >= READ_ONCE(nn->max_connections) &&
	    !nflb_evict_from_table(nn, true))
		return NULL;
	*reason = NFLB_REASON_NO_BACKEND;
	if (!refcount_read(&backend->ref) ||
	    (nflb_backend_full(backend) &&
	     !nflb_evict_from_backend(nn, backend, true)))
		return NULL;
	*reason = NFLB_REASON_NO_MEMORY;
	conn = nflb_conn_alloc(backend, ops, in,
			       snapshot->one_packet ? NFLB_HOW_ONE_PACKET : 0);
	if (!conn)
		return NULL;
	nflb_conn_set(conn, NFLB_CONN_DRAFT);
	if (draft_out(nn, conn, reason))
		return conn;
	nflb_conn_draft_free(conn);
	return NULL;
}

/**
 * nflb_conn_draft_of() - a draft like a connection, to try a packet on
 * @conn: the connection, which stays as it is
 *
 * Context: rcu_read_lock() held until it is freed. Return: a connection for
 * nflb_conn_draft_free(), or NULL.
 */
struct nflb_conn *nflb_conn_draft_of(const struct nflb_conn *conn)
{
	const struct nflb_forward_ops *ops = nflb_conn_ops(conn);
	struct nflb_conn *draft;

	draft = nflb_conn_alloc(conn->backend, ops, &conn->in.tuple, 0);
	if (!draft)
		return NULL;
	memcpy(draft, conn, ops->one_sided ? NFLB_CONN_ONE_SIDED_SIZE :
					     sizeof(*conn));
	RCU_INIT_POINTER(*nflb_conn_dst(draft, NFLB_DIR_IN), NULL);
	RCU_INIT_POINTER(*nflb_conn_dst(draft, NFLB_DIR_OUT), NULL);
	draft->persist = NULL;
	atomic_or(NFLB_CONN_DYING | NFLB_CONN_DRAFT, &draft->flags);
	return draft;
}

/**
 * nflb_conn_draft_free() - throw a draft away
 * @conn: the draft; nobody has seen it
 */
void nflb_conn_draft_free(struct nflb_conn *conn)
{
	nflb_conn_free(conn);
}
