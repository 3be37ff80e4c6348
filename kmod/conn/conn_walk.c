// SPDX-License-Identifier: GPL-2.0
/*
 * A walk through the whole connection table, for all that wants to see every
 * connection. The table stays as large as it was needed once, so most of its
 * buckets may be empty: after some of them, empty or not, others may run.
 *
 * While the table is resized a connection may be met twice. So it may when the
 * one that is walked is gone, and the walk begins anew in its successor.
 */
#include "conn/conn.h"
#include "netns.h"

/* Others may run after so many buckets. */
#define WALK_BATCH	64

/* The part of the table that the walk is in, or its begin. */
static const struct bucket_table *walk_table(struct nflb_net *nn,
					     struct nflb_conn_walk *walk)
{
	const struct bucket_table *first, *table;

	first = rht_dereference_rcu(nn->conns.tbl, &nn->conns);
	for (table = first; table;
	     table = rht_dereference_rcu(table->future_tbl, &nn->conns))
		if (table->hash_rnd == walk->table)
			return table;
	walk->table = first->hash_rnd;
	walk->bucket = 0;
	walk->skip = 0;
	return first;
}

/* The connection that is next in a bucket, or NULL. */
static struct nflb_conn *walk_bucket(const struct bucket_table *table,
				     struct nflb_conn_walk *walk)
{
	struct nflb_conn_node *node;
	struct rhash_head *pos;
	struct nflb_conn *conn;
	unsigned int i = 0;
	enum nflb_dir dir;

	rht_for_each_entry_rcu(node, pos, table, walk->bucket, head) {
		if (i++ < walk->skip)
			continue;
		walk->skip = i;
		conn = nflb_conn_of(node, &dir);
		if (nflb_conn_is_first(conn, dir))
			return conn;
	}
	return NULL;
}

static void walk_rest(void)
	__must_hold(RCU)
{
	rcu_read_unlock();
	cond_resched();
	rcu_read_lock();
}

/**
 * nflb_conn_walk_next() - the next connection of the table
 * @nn: the namespace
 * @walk: where the walk is, all 0 at its begin
 *
 * To see one again, copy @walk before and put it back.
 *
 * Context: process, rcu_read_lock() held. The function may leave the read-side critical
 * section, which invalidates results of earlier calls. Return: a connection, alive or
 * not, or NULL at the end.
 */
struct nflb_conn *nflb_conn_walk_next(struct nflb_net *nn,
				      struct nflb_conn_walk *walk)
{
	const struct bucket_table *table = walk_table(nn, walk);
	struct nflb_conn *conn;

	for (;;) {
		if (walk->bucket >= table->size) {
			table = rht_dereference_rcu(table->future_tbl,
						    &nn->conns);
			if (!table)
				return NULL;
			walk->table = table->hash_rnd;
			walk->bucket = 0;
			walk->skip = 0;
		}
		conn = walk_bucket(table, walk);
		if (conn)
			return conn;
		walk->skip = 0;
		if (++walk->bucket % WALK_BATCH == 0) {
			walk_rest();
			table = walk_table(nn, walk);
		}
	}
}
NFLB_EXPORT_KUNIT(nflb_conn_walk_next);
