// SPDX-License-Identifier: GPL-2.0
/*
 * The connection table: lookup, creation, removal.
 *
 * A connection stands in one rhashtable twice, once for each direction. The
 * table grows by itself, in the background, and stays as large as it was needed
 * once: the next crowd finds it so. Lookups never lock. A connection is
 * published by inserting its client side last, and removed by whoever sets
 * NFLB_CONN_DYING first: until both sides stand in the table that is who makes
 * it, so that nobody frees it half way.
 */
#include <linux/random.h>
#include <linux/slab.h>

#include "userns.h"
#include "packet/packet.h"
#include "service/laddr.h"
#include "service/service.h"
#include "conn/conn.h"
#include "conn/conn_count.h"
#include "conn/conn_evict.h"
#include "conn/conn_hash.h"
#include "conn/conn_lookup.h"
#include "conn/conn_probe.h"
#include "conn/conn_state.h"
#include "conn/event.h"
#include "conn/one_packet.h"
#include "conn/persist.h"
#include "conn/trace.h"
#include "netns.h"

/* Default ceiling on a host without memory, or for who owns no host. */
#define MAX_CONNECTIONS_LEAST	16384

static struct kmem_cache *conn_cache __read_mostly;
static struct kmem_cache *conn_one_sided_cache __read_mostly;
struct nflb_hash_key nflb_conn_hash_key __read_mostly;

static __always_inline u32 tuple_hash(const void *data, u32 len, u32 seed)
{
	return nflb_tuple_hash(data, &nflb_conn_hash_key, seed);
}

static int tuple_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct nflb_conn_node *node = obj;

	return !nflb_tuple_equal(arg->key, &node->tuple);
}

static const struct rhashtable_params conn_params = {
	.head_offset = offsetof(struct nflb_conn_node, head),
	.key_offset = offsetof(struct nflb_conn_node, tuple),
	.key_len = NFLB_TUPLE_KEY_LEN,
	.hashfn = tuple_hash,
	.obj_cmpfn = tuple_cmp,
};

/**
 * nflb_conn_cache_init() - prepare for connections, once a module
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_conn_cache_init(void)
{
	get_random_bytes(&nflb_conn_hash_key, sizeof(nflb_conn_hash_key));
	conn_cache = kmem_cache_create("nflb_conn", sizeof(struct nflb_conn), 0,
				       SLAB_HWCACHE_ALIGN, NULL);
	if (!conn_cache)
		return -ENOMEM;
	conn_one_sided_cache = kmem_cache_create("nflb_conn_one_sided",
						 NFLB_CONN_ONE_SIDED_SIZE, 0,
						 SLAB_HWCACHE_ALIGN, NULL);
	if (!conn_one_sided_cache) {
		kmem_cache_destroy(conn_cache);
		return -ENOMEM;
	}
	return 0;
}

/**
 * nflb_conn_cache_exit() - undo nflb_conn_cache_init(); all were freed
 */
void nflb_conn_cache_exit(void)
{
	kmem_cache_destroy(conn_one_sided_cache);
	kmem_cache_destroy(conn_cache);
}

/**
 * nflb_conn_table_init() - an empty table, and its ceiling
 * @nn: the namespace
 *
 * The default ceiling lets connections take a sixteenth of the memory. Memory
 * is the host's: a namespace that anybody may make, in a user namespace of its
 * own, gets little, and cannot change that (control/sysctl.c).
 *
 * Return: 0 or a negative errno.
 */
int nflb_conn_table_init(struct nflb_net *nn)
{
	u64 memory = (u64)totalram_pages() << PAGE_SHIFT;

	/* 64: both nodes' share of the bucket array, at its largest */
	memory = div_u64(memory, 16 * (sizeof(struct nflb_conn) + 64));
	nn->max_connections = clamp_t(u64, memory, MAX_CONNECTIONS_LEAST,
				      1 << 26);
	/* Shared with the user's other namespaces (userns.c) */
	if (nn->user)
		nn->max_connections =
			READ_ONCE(nflb_user_max[NFLB_USER_CONNECTIONS]);
	nn->max_connections_default = nn->max_connections;
	atomic_set(&nn->conn_count, 0);
	atomic_set(&nn->conn_waiting, 0);
	nflb_probe_net_init(nn);
	return rhashtable_init(&nn->conns, &conn_params);
}

/**
 * nflb_conn_table_destroy() - free an empty table
 * @nn: the namespace
 */
void nflb_conn_table_destroy(struct nflb_net *nn)
{
	WARN_ON(atomic_read(&nn->conn_count));
	rhashtable_destroy(&nn->conns);
}

/**
 * nflb_conn_table_flush() - end all connections
 * @nn: the namespace; no packet comes any more and the sweep has stopped
 *
 * Context: process.
 */
void nflb_conn_table_flush(struct nflb_net *nn)
{
	struct nflb_conn_walk walk;
	struct nflb_conn *conn;

	/* A walk may miss some while the table is resized: begin again. */
	do {
		memset(&walk, 0, sizeof(walk));
		rcu_read_lock();
		while ((conn = nflb_conn_walk_next(nn, &walk)))
			if (nflb_conn_unlink(nn, conn))
				walk.skip = 0;
		rcu_read_unlock();
		cond_resched();
	} while (atomic_read(&nn->conn_count));
}
NFLB_EXPORT_KUNIT(nflb_conn_table_flush);

/**
 * nflb_conn_lookup() - the connection of a packet
 * @nn: the namespace
 * @tuple: the packet's
 * @dir: direction of the packet within the connection
 *
 * Context: rcu_read_lock() held. Return: the connection, alive or not (see
 * nflb_conn_alive()), or NULL.
 */
struct nflb_conn *nflb_conn_lookup(struct nflb_net *nn,
				   const struct nflb_tuple *tuple,
				   enum nflb_dir *dir)
{
	struct nflb_flow_key key;

	if (tuple->family == AF_INET) {
		nflb_flow_key(&key, tuple, AF_INET);
		return conn_lookup(nn, &key, AF_INET, dir);
	}
	nflb_flow_key(&key, tuple, AF_INET6);
	return conn_lookup(nn, &key, AF_INET6, dir);
}
NFLB_EXPORT_KUNIT(nflb_conn_lookup);

/**
 * nflb_conn_remember() - a connection belongs to a client that is remembered
 * @conn: the connection
 * @entry: where its client goes
 *
 * Context: rcu_read_lock() held.
 */
void nflb_conn_remember(struct nflb_conn *conn, struct nflb_persist *entry)
{
	if (nflb_conn_assured(conn))
		nflb_persist_assure(entry, nflb_conn_proven(conn));
	if (nflb_persist_get(entry) && cmpxchg(&conn->persist, NULL, entry))
		nflb_persist_put(entry);
}

static struct kmem_cache *cache_of(const struct nflb_forward_ops *ops)
{
	return ops->one_sided ? conn_one_sided_cache : conn_cache;
}

static void dst_put(struct dst_entry __rcu *dst)
{
	dst_release(rcu_dereference_protected(dst, true));
}

/**
 * nflb_conn_free() - free a connection that nobody can have found
 * @conn: the connection; references of its backend and entry are the caller's,
 *	who gives them back after this
 */
void nflb_conn_free(struct nflb_conn *conn)
{
	const struct nflb_forward_ops *ops = nflb_conn_ops(conn);
	struct nflb_net *nn = conn->backend->service->nn;

	nflb_user_uncharge(nn, NFLB_USER_CONNECTIONS, 1);
	if (ops->one_sided) {
		dst_put(conn->outer.dst);
	} else {
		dst_put(conn->dst[NFLB_DIR_IN]);
		dst_put(conn->dst[NFLB_DIR_OUT]);
	}
	kmem_cache_free(cache_of(ops), conn);
}
NFLB_EXPORT_KUNIT(nflb_conn_free);

static void conn_free_rcu(struct rcu_head *rcu)
{
	struct nflb_conn *conn = container_of(rcu, struct nflb_conn, rcu);
	struct nflb_backend *backend = conn->backend;

	atomic_dec(&backend->service->nn->conn_waiting);
	if (conn->persist && !nflb_conn_is(conn, NFLB_CONN_PROBE))
		nflb_persist_put(conn->persist);
	nflb_conn_free(conn);
	nflb_backend_put(backend);
}

/* Readers may have met it: it is freed when they have gone. */
static void conn_free_later(struct nflb_net *nn, struct nflb_conn *conn)
{
	atomic_inc(&nn->conn_waiting);
	call_rcu(&conn->rcu, conn_free_rcu);
}

static void conn_remove_in(struct nflb_net *nn, struct nflb_conn *conn)
{
	if (!nflb_conn_one_packet(conn))
		rhashtable_remove_fast(&nn->conns, &conn->in.head, conn_params);
}

static void conn_remove_out(struct nflb_net *nn, struct nflb_conn *conn)
{
	if (conn->how & NFLB_HOW_ONE_SIDED)
		return;
	/* Two may come to this, see gives_way(). */
	if (!rhashtable_remove_fast(&nn->conns, &conn->out.head,
				    conn_params) &&
	    conn->how & NFLB_HOW_LADDR)
		atomic_dec(&conn->backend->ports);
}

/**
 * nflb_conn_unlink() - take a connection from the table and free it
 * @nn: the namespace
 * @conn: the connection
 *
 * Context: any but hard interrupts; rcu_read_lock() held. Return: true when
 * this call did it, false when somebody else had before, or it is being made.
 */
bool nflb_conn_unlink(struct nflb_net *nn, struct nflb_conn *conn)
{
	if (nflb_conn_set(conn, NFLB_CONN_DYING))
		return false;
	nflb_conn_set(conn, NFLB_CONN_GONE);
	conn_remove_in(nn, conn);
	conn_remove_out(nn, conn);
	nflb_conn_uncount(conn);
	atomic_dec(&nn->conn_count);
	/* An ended connection has had its event already; probes have none. */
	if (READ_ONCE(conn->state) != NFLB_CONN_ENDED &&
	    !nflb_conn_is(conn, NFLB_CONN_PROBE)) {
		trace_conn_end(nn->net, conn);
		nflb_notify_conn(nn, conn, NFLB_CMD_CONN_END);
	}
	conn_free_later(nn, conn);
	return true;
}
NFLB_EXPORT_KUNIT(nflb_conn_unlink);

static __always_inline struct nflb_conn *
conn_alloc(struct nflb_backend *backend, const struct nflb_forward_ops *ops,
	   const struct nflb_tuple *in, u8 how)
{
	struct nflb_net *nn = backend->service->nn;
	struct nflb_conn *conn;
	u32 now = nflb_now();

	if (unlikely(nn->user))
		conn = nflb_user_zalloc(nn, NFLB_USER_CONNECTIONS,
					cache_of(ops), 0);
	else
		conn = kmem_cache_zalloc(cache_of(ops),
					 GFP_ATOMIC | __GFP_NOWARN);
	if (!conn)
		return NULL;
	conn->in.tuple = *in;
	conn->in.tuple.aux = 0;
	conn->backend = backend;
	conn->how = how | ops->id | (ops->one_sided ? NFLB_HOW_ONE_SIDED : 0);
	atomic_set(&conn->flags, (now & NFLB_CONN_CREATED) | NFLB_CONN_DYING);
	nflb_conn_state_init(conn, now);
	return conn;
}

/**
 * nflb_conn_alloc() - a connection that is in no table yet
 * @backend: where it goes; a reference that is counted is the caller's
 * @ops: how packets are forwarded
 * @in: tuple of the client's packets
 * @how: 0 or NFLB_HOW_ONE_PACKET
 *
 * Context: any. Return: a connection for nflb_conn_free(), or NULL.
 */
struct nflb_conn *nflb_conn_alloc(struct nflb_backend *backend,
				  const struct nflb_forward_ops *ops,
				  const struct nflb_tuple *in, u8 how)
{
	return conn_alloc(backend, ops, in, how);
}

/* It was in no table; but the list of its backend's may have had it. */
static void conn_unalloc(struct nflb_net *nn, struct nflb_conn *conn)
{
	struct nflb_backend *backend = conn->backend;

	nflb_conn_uncount(conn);
	if (unlikely(nflb_conn_is(conn, NFLB_CONN_LIMITED))) {
		conn_free_later(nn, conn);
		return;
	}
	nflb_conn_free(conn);
	nflb_backend_put(backend);
}

static noinline struct nflb_conn_node *try_insert(struct nflb_net *nn,
						  struct nflb_conn_node *node)
{
	return rhashtable_lookup_get_insert_fast(&nn->conns, &node->head,
						 conn_params);
}

/* Does @before stem from the time when each datagram was scheduled by itself? */
static bool one_packet_no_more(const struct nflb_conn *conn,
			       const struct nflb_conn *before)
{
	return nflb_conn_one_packet(before) && !nflb_conn_one_packet(conn) &&
	       nflb_tuple_equal(&before->in.tuple, &conn->in.tuple);
}

/*
 * Does @old give way, which is in the way of @node of @conn? One that another CPU
 * is unlinking is taken out here, too: its owner frees it after a grace period.
 */
static noinline bool gives_way(struct nflb_net *nn, struct nflb_conn *conn,
			       struct nflb_conn_node *node,
			       struct nflb_conn_node *old, unsigned int attempt)
{
	struct nflb_conn *before;
	enum nflb_shortage shortage = NFLB_SHORTAGE_NONE;
	enum nflb_dir dir;

	before = nflb_conn_of(old, &dir);
	if (unlikely(nflb_conn_is(before, NFLB_CONN_GONE))) {
		conn_remove_in(nn, before);
		conn_remove_out(nn, before);
		return true;
	}
	if (node == &conn->out && conn->how & NFLB_HOW_LADDR)
		shortage = nflb_laddr_short(nn, conn->backend, attempt,
					    conn->out.tuple.family);
	else if (node == &conn->out && conn->in.tuple.proto == IPPROTO_TCP &&
		 !nflb_tuple_equal(&before->in.tuple, &conn->in.tuple))
		shortage = NFLB_SHORTAGE;
	if (!nflb_evict_yields(before, shortage) &&
	    !one_packet_no_more(conn, before))
		return false;
	if (node == &conn->out && dir == NFLB_DIR_OUT &&
	    nflb_conn_ops(conn)->inherit &&
	    nflb_conn_ops(before) == nflb_conn_ops(conn))
		nflb_conn_ops(conn)->inherit(conn, before);
	nflb_evict_holder(nn, before);
	return true;
}

/*
 * Insert one node of @conn. Returns NULL when done, the node that was there
 * already, or an error pointer. A node whose connection gives way does so once.
 */
static __always_inline struct nflb_conn_node *
conn_insert_node(struct nflb_net *nn, struct nflb_conn *conn,
		 struct nflb_conn_node *node, unsigned int attempt)
{
	struct nflb_conn_node *old = try_insert(nn, node);

	if (likely(!old))
		return NULL;
	if (IS_ERR(old) || !gives_way(nn, conn, node, old, attempt))
		return old;
	return try_insert(nn, node);
}

/*
 * Another CPU may have been faster with the same client's packet: then its
 * connection is the one, if it is not over already. Any other holder of either
 * tuple is in the way.
 */
static struct nflb_conn *winner(struct nflb_conn_node *old,
				const struct nflb_conn *conn)
{
	struct nflb_conn *other;
	enum nflb_dir dir;

	if (IS_ERR(old))
		return NULL;
	other = nflb_conn_of(old, &dir);
	if (!nflb_tuple_equal(&other->in.tuple, &conn->in.tuple) ||
	    nflb_conn_is(other, NFLB_CONN_GONE) ||
	    nflb_conn_state_over(other) ||
	    !nflb_conn_alive(other, nflb_now()))
		return NULL;
	return other;
}

/*
 * Insert the backend's side, with the first tuple that is free. Returns @conn;
 * the winner; or NULL with a reason.
 */
static struct nflb_conn *conn_insert_out(struct nflb_net *nn,
					 struct nflb_conn *conn,
					 enum nflb_reason *reason)
{
	struct nflb_conn_node *old;
	struct nflb_conn *other;
	unsigned int attempt;

	for (attempt = 0; ; attempt++) {
		if (!nflb_conn_ops(conn)->out_tuple(nn, conn, attempt, reason))
			return NULL;
		if (conn->how & NFLB_HOW_ONE_SIDED)
			return conn;
		conn->out.tuple.aux = NFLB_AUX_DIR;
		old = conn_insert_node(nn, conn, &conn->out, attempt);
		if (!old) {
			if (conn->how & NFLB_HOW_LADDR)
				atomic_inc(&conn->backend->ports);
			return conn;
		}
		if (IS_ERR(old)) {
			*reason = NFLB_REASON_NO_MEMORY;
			return NULL;
		}
		other = winner(old, conn);
		if (other)
			return other;
	}
}

/* Returns @conn, now in the table; the winner; or NULL with a reason. */
static __always_inline struct nflb_conn *conn_insert(struct nflb_net *nn,
						     struct nflb_conn *conn,
						     enum nflb_reason *reason)
{
	struct nflb_conn_node *old = NULL;
	struct nflb_conn *other;

	other = conn_insert_out(nn, conn, reason);
	if (other != conn) {
		conn_unalloc(nn, conn);
		return other;
	}
	if (likely(!nflb_conn_one_packet(conn)))
		old = conn_insert_node(nn, conn, &conn->in, 0);
	if (!old) {
		/* Whole from here on, for nflb_conn_unlink() on any CPU. */
		atomic_fetch_andnot_release(NFLB_CONN_DYING, &conn->flags);
		return conn;
	}
	other = winner(old, conn);
	conn_remove_out(nn, conn);
	nflb_conn_uncount(conn);
	/* Readers may have met the node. */
	conn_free_later(nn, conn);
	if (!other)
		*reason = IS_ERR(old) ? NFLB_REASON_NO_MEMORY :
					NFLB_REASON_TUPLE_CLASH;
	return other;
}

/**
 * nflb_conn_insert() - put a connection into the table that is counted already
 * @nn: the namespace
 * @conn: from nflb_conn_alloc(); freed when it is not returned, and its reference of
 *	the backend given back
 * @reason: why not, when NULL is returned
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: @conn; or the one
 * that has its tuple and is alive; or NULL.
 */
struct nflb_conn *nflb_conn_insert(struct nflb_net *nn, struct nflb_conn *conn,
				   enum nflb_reason *reason)
{
	return conn_insert(nn, conn, reason);
}

/* Only what is about to leave the table makes room. */
static int insert_as_is(struct nflb_net *nn, struct nflb_conn_node *node)
{
	struct nflb_conn_node *old = try_insert(nn, node);
	struct nflb_conn *before;
	enum nflb_dir dir;

	if (old && !IS_ERR(old)) {
		before = nflb_conn_of(old, &dir);
		if (!nflb_conn_is(before, NFLB_CONN_GONE))
			return -EEXIST;
		conn_remove_in(nn, before);
		conn_remove_out(nn, before);
		old = try_insert(nn, node);
	}
	if (IS_ERR(old))
		return -ENOMEM;
	return old ? -EEXIST : 0;
}

/**
 * nflb_conn_insert_as_is() - put a connection into the table with its own two tuples
 * @nn: the namespace
 * @conn: from nflb_conn_alloc(), counted, with both tuples; freed if it fails, and its
 *	reference of the backend given back
 *
 * Context: BH disabled, rcu_read_lock() held. Return: 0; -EEXIST when a connection has
 * one of its tuples; or -ENOMEM.
 */
int nflb_conn_insert_as_is(struct nflb_net *nn, struct nflb_conn *conn)
{
	bool two_sided = !(conn->how & NFLB_HOW_ONE_SIDED);
	int err = two_sided ? insert_as_is(nn, &conn->out) : 0;

	if (err) {
		conn_unalloc(nn, conn);
		return err;
	}
	if (conn->how & NFLB_HOW_LADDR)
		atomic_inc(&conn->backend->ports);
	err = insert_as_is(nn, &conn->in);
	if (!err) {
		atomic_fetch_andnot_release(NFLB_CONN_DYING, &conn->flags);
		return 0;
	}
	conn_remove_out(nn, conn);
	nflb_conn_uncount(conn);
	/* Readers may have met the node. */
	conn_free_later(nn, conn);
	return err;
}

static __always_inline struct nflb_conn *
conn_create(struct nflb_net *nn, struct nflb_backend *backend,
	    const struct nflb_forward_ops *ops, const struct nflb_tuple *in,
	    u8 how, enum nflb_reason *reason)
{
	int count = atomic_inc_return(&nn->conn_count);
	struct nflb_conn *conn, *made;

	if (!nflb_evict_room(nn, count)) {
		*reason = NFLB_REASON_TABLE_FULL;
		goto err_count;
	}
	/* An old snapshot may still offer what was deleted just now. */
	*reason = NFLB_REASON_NO_BACKEND;
	if (!refcount_inc_not_zero(&backend->ref))
		goto err_count;
	if (!nflb_conn_count(nn, backend))
		goto err_backend;
	conn = conn_alloc(backend, ops, in, how);
	if (!conn) {
		*reason = NFLB_REASON_NO_MEMORY;
		goto err_backend_count;
	}
	if (unlikely(READ_ONCE(backend->max_connections)))
		nflb_conn_limit(conn);
	made = conn_insert(nn, conn, reason);
	if (made != conn) {
		atomic_dec(&nn->conn_count);
		return made;
	}
	nflb_stats_connection(backend->stats);
	trace_conn_new(nn->net, conn);
	nflb_notify_conn(nn, conn, NFLB_CMD_CONN_NEW);
	return conn;

err_backend_count:
	atomic_dec(&backend->active);
	atomic_dec(&backend->conns);
err_backend:
	nflb_backend_put(backend);
err_count:
	atomic_dec(&nn->conn_count);
	return NULL;
}

/**
 * nflb_conn_create() - make a connection and put it into the table
 * @nn: the namespace
 * @backend: where it goes
 * @ops: how packets are forwarded
 * @in: tuple of the client's packets
 * @reason: why not, when NULL is returned
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: the new
 * connection; or the one that another CPU made for the same client meanwhile; or
 * one for this packet alone, see nflb_one_packet_conn(); or NULL.
 */
struct nflb_conn *nflb_conn_create(struct nflb_net *nn,
				   struct nflb_backend *backend,
				   const struct nflb_forward_ops *ops,
				   const struct nflb_tuple *in,
				   enum nflb_reason *reason)
{
	const struct nflb_snapshot *snapshot;

	snapshot = rcu_dereference(backend->service->snapshot);
	if (unlikely(snapshot->one_packet))
		return nflb_one_packet_conn(nn, backend, ops, in, reason);
	return conn_create(nn, backend, ops, in, 0, reason);
}
NFLB_EXPORT_KUNIT(nflb_conn_create);

/**
 * nflb_conn_create_one_packet() - make one that is found by the backend's tuple alone
 * @nn: the namespace
 * @backend: where it goes
 * @ops: how packets are forwarded, not one-sided
 * @in: tuple of the client's packets
 * @reason: why not, when NULL is returned
 *
 * Context, return: as for nflb_conn_create().
 */
struct nflb_conn *nflb_conn_create_one_packet(struct nflb_net *nn,
					      struct nflb_backend *backend,
					      const struct nflb_forward_ops *ops,
					      const struct nflb_tuple *in,
					      enum nflb_reason *reason)
{
	return conn_create(nn, backend, ops, in, NFLB_HOW_ONE_PACKET, reason);
}
