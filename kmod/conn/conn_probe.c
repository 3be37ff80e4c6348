// SPDX-License-Identifier: GPL-2.0
/*
 * Probes. A checker on this host asks for a connection from one of its own addresses to
 * a backend of its choice, and then connects to the VIP: its packets take the path of a
 * real client to that backend, whatever its state, weight or health is.
 *
 * A probe counts nowhere: not in its backend, not in statistics, not for schedulers or
 * persistence, and no event tells of it. It is no client.
 *
 * It is never scheduled anew, or another backend would answer for the one that is
 * checked. It ends when its checker removes it, when its time is over, or when its
 * backend is deleted. From then on it stays in the table for some time as a tombstone:
 * packets of its tuple are dropped. A new probe may take the place of a tombstone, since
 * the port is the checker's.
 *
 * Probes are few: a namespace has NFLB_PROBES_MAX of them, tombstones included. Each is
 * an entry of the connection table, and so within its ceiling and its user's.
 */
#include <linux/nflb.h>

#include "service/service.h"
#include "conn/conn.h"
#include "conn/conn_evict.h"
#include "conn/conn_probe.h"
#include "conn/conn_state.h"
#include "netns.h"

/* How many tombstones are taken away for a new probe */
#define REAP_MAX	16

/**
 * nflb_probe_net_init() - there are no probes
 * @nn: the namespace
 */
void nflb_probe_net_init(struct nflb_net *nn)
{
	atomic_set(&nn->probe_count, 0);
	INIT_LIST_HEAD(&nn->probes);
	spin_lock_init(&nn->probes_lock);
}

static bool is_past(u32 when, u32 now)
{
	return (s32)(now - when) > 0;
}

/* Is it in the table, and not removed? Then its fields are not reused. */
static bool is_kept(const struct nflb_conn *conn)
{
	return (atomic_read(&conn->flags) &
		(NFLB_CONN_PROBE | NFLB_CONN_REMOVED | NFLB_CONN_GONE)) ==
	       NFLB_CONN_PROBE;
}

static bool is_removed(const struct nflb_conn *conn)
{
	return (atomic_read(&conn->flags) &
		(NFLB_CONN_PROBE | NFLB_CONN_REMOVED | NFLB_CONN_GONE)) ==
	       (NFLB_CONN_PROBE | NFLB_CONN_REMOVED);
}

/**
 * nflb_probe_alive() - may a connection take packets because it is a probe?
 * @conn: the connection, a probe or not
 * @now: jiffies
 *
 * Context: rcu_read_lock() held. Return: whether it may.
 */
bool nflb_probe_alive(const struct nflb_conn *conn, u32 now)
{
	return is_kept(conn) && !READ_ONCE(conn->backend->deleted) &&
	       !is_past(READ_ONCE(conn->until), now);
}
NFLB_EXPORT_KUNIT(nflb_probe_alive);

/**
 * nflb_probe_closes() - was a probe removed a moment ago?
 * @conn: the connection
 * @now: jiffies
 *
 * Its two sides may still be closing it.
 *
 * Context: rcu_read_lock() held. Return: whether it was.
 */
bool nflb_probe_closes(const struct nflb_conn *conn, u32 now)
{
	return is_removed(conn) && !READ_ONCE(conn->backend->deleted) &&
	       !is_past(READ_ONCE(conn->until), now);
}
NFLB_EXPORT_KUNIT(nflb_probe_closes);

/**
 * nflb_probe_holds() - does a probe, or its tombstone, keep its tuple?
 * @conn: the connection
 * @now: jiffies
 *
 * Context: rcu_read_lock() held. Return: false when the tuple is free again.
 */
bool nflb_probe_holds(const struct nflb_conn *conn, u32 now)
{
	u32 until = READ_ONCE(conn->until);

	if (is_removed(conn))
		return !is_past(until, now);
	return is_kept(conn) && !is_past(until + NFLB_PROBE_LINGER, now);
}
NFLB_EXPORT_KUNIT(nflb_probe_holds);

/* Take away tombstones whose time is over. Context: rcu_read_lock() held. */
static void reap(struct nflb_net *nn, u32 now)
{
	struct nflb_conn *conn;
	int i;

	for (i = 0; i < REAP_MAX; i++) {
		spin_lock_bh(&nn->probes_lock);
		conn = list_first_entry_or_null(&nn->probes, struct nflb_conn,
						limited);
		if (conn && !is_past(READ_ONCE(conn->until), now))
			conn = NULL;
		spin_unlock_bh(&nn->probes_lock);
		if (!conn)
			return;
		nflb_conn_unlink(nn, conn);
	}
}

/* A tombstone gives way to a probe. */
static void clear_tuple(struct nflb_net *nn, const struct nflb_tuple *in)
{
	struct nflb_conn *old;
	enum nflb_dir dir;

	old = nflb_conn_lookup(nn, in, &dir);
	if (old && dir == NFLB_DIR_IN && nflb_conn_is(old, NFLB_CONN_PROBE) &&
	    !nflb_probe_alive(old, nflb_now()))
		nflb_conn_unlink(nn, old);
}

static struct nflb_conn *probe_alloc(struct nflb_backend *backend,
				     const struct nflb_tuple *in, u32 life)
{
	struct nflb_conn *conn;
	u32 now = nflb_now();

	conn = nflb_conn_alloc(backend, READ_ONCE(backend->forward), in, 0);
	if (!conn)
		return NULL;
	nflb_conn_set(conn, NFLB_CONN_PROBE);
	INIT_LIST_HEAD(&conn->limited);
	conn->until = (now + life) ?: 1;
	/* With the timeout of a probe */
	nflb_conn_state_init(conn, now);
	return conn;
}

/* Its place in the table and among probes is taken already. */
static int probe_insert(struct nflb_net *nn, struct nflb_backend *backend,
			const struct nflb_tuple *in, u32 life,
			enum nflb_reason *reason)
{
	struct nflb_conn *conn, *made;

	*reason = NFLB_REASON_NO_BACKEND;
	if (!refcount_inc_not_zero(&backend->ref))
		goto err_probe;
	*reason = NFLB_REASON_NO_MEMORY;
	conn = probe_alloc(backend, in, life);
	if (!conn)
		goto err_backend;
	clear_tuple(nn, in);
	made = nflb_conn_insert(nn, conn, reason);
	if (made == conn)
		return 0;
	return made || *reason == NFLB_REASON_TUPLE_CLASH ? -EEXIST : -EAGAIN;

err_backend:
	nflb_backend_put(backend);
err_probe:
	atomic_dec(&nn->probe_count);
	return -EAGAIN;
}

/**
 * nflb_probe_add() - make a probe
 * @nn: the namespace
 * @backend: where it goes
 * @in: tuple of its packets to the VIP
 * @life: jiffies after which it is over
 * @reason: why not, with -EAGAIN
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: 0; -EEXIST when a
 * connection has the tuple, or that of the backend's answers; -ENOENT when no packet
 * can go to the backend yet; -ENOSPC when there are NFLB_PROBES_MAX; -EAGAIN with a
 * reason.
 */
int nflb_probe_add(struct nflb_net *nn, struct nflb_backend *backend,
		   const struct nflb_tuple *in, u32 life,
		   enum nflb_reason *reason)
{
	int err;

	/* It is listed, but not published yet. */
	if (!READ_ONCE(backend->forward))
		return -ENOENT;
	reap(nn, nflb_now());
	if (atomic_inc_return(&nn->probe_count) > NFLB_PROBES_MAX) {
		atomic_dec(&nn->probe_count);
		return -ENOSPC;
	}
	if (!nflb_evict_room(nn, atomic_inc_return(&nn->conn_count))) {
		atomic_dec(&nn->probe_count);
		*reason = NFLB_REASON_TABLE_FULL;
		err = -EAGAIN;
	} else {
		err = probe_insert(nn, backend, in, life, reason);
	}
	if (err)
		atomic_dec(&nn->conn_count);
	return err;
}
NFLB_EXPORT_KUNIT(nflb_probe_add);

/**
 * nflb_probe_remove() - a checker is done with a probe
 * @nn: the namespace
 * @conn: the probe
 *
 * A tombstone stays for NFLB_PROBE_GRACE.
 *
 * Context: rcu_read_lock() held; any but hard interrupts. Return: whether it was alive;
 * only one caller gets true.
 */
bool nflb_probe_remove(struct nflb_net *nn, struct nflb_conn *conn)
{
	bool alive, done;

	spin_lock_bh(&nn->probes_lock);
	alive = nflb_probe_alive(conn, nflb_now());
	/* Who unlinks it comes to nflb_probe_uncount() after this. */
	done = is_kept(conn) && !nflb_conn_is(conn, NFLB_CONN_DYING);
	if (done) {
		WRITE_ONCE(conn->until, (nflb_now() + NFLB_PROBE_GRACE) ?: 1);
		nflb_conn_set(conn, NFLB_CONN_REMOVED);
		list_add_tail(&conn->limited, &nn->probes);
	}
	spin_unlock_bh(&nn->probes_lock);
	return done && alive;
}
NFLB_EXPORT_KUNIT(nflb_probe_remove);

/**
 * nflb_probe_uncount() - there is one probe less
 * @conn: the probe, NFLB_CONN_DYING
 *
 * Context: any but hard interrupts.
 */
void nflb_probe_uncount(struct nflb_conn *conn)
{
	struct nflb_net *nn = conn->backend->service->nn;

	spin_lock_bh(&nn->probes_lock);
	if (nflb_conn_is(conn, NFLB_CONN_REMOVED))
		list_del_init(&conn->limited);
	spin_unlock_bh(&nn->probes_lock);
	atomic_dec(&nn->probe_count);
}

/**
 * nflb_probe_swept() - the sweep came to a probe that is not alive
 * @nn: the namespace
 * @conn: the probe
 *
 * A tombstone has nothing to do where no service would take its packets.
 *
 * Context: process, rcu_read_lock() held.
 */
void nflb_probe_swept(struct nflb_net *nn, struct nflb_conn *conn)
{
	struct nflb_host *host;

	if (!nflb_probe_holds(conn, nflb_now()) ||
	    !nflb_service_lookup(nn, &conn->in.tuple, &host))
		nflb_conn_unlink(nn, conn);
}
