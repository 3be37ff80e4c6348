// SPDX-License-Identifier: GPL-2.0
/*
 * The number of a backend's connections of each kind: in the table, active, ended.
 * A bit of each connection records its kind, so that each is subtracted once.
 */
#include "service/service.h"
#include "conn/conn.h"
#include "conn/conn_count.h"
#include "conn/conn_evict.h"
#include "conn/conn_probe.h"
#include "conn/conn_state.h"
#include "conn/persist.h"

/* It began to end, or is unlinked. Schedulers look at nflb_backend.active. */
static void conn_inactive(struct nflb_conn *conn)
{
	if (!nflb_conn_set(conn, NFLB_CONN_INACTIVE))
		atomic_dec(&conn->backend->active);
}

/* The connection continues after an apparent end. */
static void conn_active(struct nflb_conn *conn)
{
	if (likely(!nflb_conn_is(conn, NFLB_CONN_INACTIVE)) ||
	    !(atomic_fetch_andnot(NFLB_CONN_INACTIVE, &conn->flags) &
	      NFLB_CONN_INACTIVE))
		return;
	atomic_inc(&conn->backend->active);
	/* Who unlinked it meanwhile may have done that too early. */
	if (nflb_conn_is(conn, NFLB_CONN_DYING))
		conn_inactive(conn);
}

/**
 * nflb_conn_recount() - a connection is in another state
 * @conn: the connection
 * @state: its state now
 *
 * Updates the backend's counts, and possibly remembers the client. A connection with
 * NFLB_CONN_DYING stays untouched: the code that set the flag subtracts it.
 *
 * Context: any.
 */
void nflb_conn_recount(struct nflb_conn *conn, u8 state)
{
	bool over = nflb_conn_state_is_over(state);
	int flags = atomic_read(&conn->flags);

	if (flags & (NFLB_CONN_DYING | NFLB_CONN_PROBE))
		return;
	if (unlikely(conn->persist) && nflb_conn_assured(conn))
		nflb_persist_assure(conn->persist, nflb_conn_proven(conn));
	if (nflb_conn_state_active(state))
		conn_active(conn);
	else
		conn_inactive(conn);
	do {
		if (flags & NFLB_CONN_DYING ||
		    !(flags & NFLB_CONN_OVER) == !over)
			return;
	} while (!atomic_try_cmpxchg(&conn->flags, &flags,
				     flags ^ NFLB_CONN_OVER));
	atomic_add(over ? 1 : -1, &conn->backend->over);
}
NFLB_EXPORT_KUNIT(nflb_conn_recount);

/**
 * nflb_conn_uncount() - its backend has one less
 * @conn: the connection, NFLB_CONN_DYING: it is gone, or never came to be
 *
 * Context: any but hard interrupts.
 */
void nflb_conn_uncount(struct nflb_conn *conn)
{
	struct nflb_backend *backend = conn->backend;

	if (unlikely(nflb_conn_is(conn, NFLB_CONN_PROBE))) {
		nflb_probe_uncount(conn);
		return;
	}
	conn_inactive(conn);
	atomic_dec(&backend->conns);
	if (nflb_conn_is(conn, NFLB_CONN_OVER))
		atomic_dec(&backend->over);
	if (unlikely(nflb_conn_is(conn, NFLB_CONN_LIMITED))) {
		spin_lock_bh(&backend->limited_lock);
		list_del_init(&conn->limited);
		spin_unlock_bh(&backend->limited_lock);
	}
}

/**
 * nflb_conn_limit() - its backend has a max-connections
 * @conn: the connection; nobody else can unlink it yet
 *
 * For nflb_evict_from_backend().
 *
 * Context: any but hard interrupts.
 */
void nflb_conn_limit(struct nflb_conn *conn)
{
	struct nflb_backend *backend = conn->backend;

	nflb_conn_set(conn, NFLB_CONN_LIMITED);
	spin_lock_bh(&backend->limited_lock);
	list_add_tail(&conn->limited, &backend->limited);
	spin_unlock_bh(&backend->limited_lock);
}

/* One connection more, if the backend may have it. */
static bool conn_count(struct nflb_backend *backend)
{
	u32 max = READ_ONCE(backend->max_connections);
	int conns = atomic_inc_return(&backend->conns);

	if (unlikely(max) && conns - atomic_read(&backend->over) > (s64)max) {
		atomic_dec(&backend->conns);
		return false;
	}
	atomic_inc(&backend->active);
	return true;
}

/**
 * nflb_conn_count() - a backend gets one connection more
 * @nn: the namespace
 * @backend: the backend
 *
 * At the expense of one that is not assured, if need be.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: false when it may
 * have no more.
 */
bool nflb_conn_count(struct nflb_net *nn, struct nflb_backend *backend)
{
	return likely(conn_count(backend)) ||
	       (nflb_evict_from_backend(nn, backend, false) &&
		conn_count(backend));
}
