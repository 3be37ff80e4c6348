/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lookup in the connection table: rhashtable_lookup(), of which compilers do not
 * inline all that the short way (fastpath.h) wants inlined.
 */
#ifndef NFLB_CONN_LOOKUP_H
#define NFLB_CONN_LOOKUP_H

#include "conn/conn.h"
#include "conn/conn_hash.h"
#include "netns.h"

extern struct nflb_hash_key nflb_conn_hash_key;

static __always_inline struct nflb_conn *
conn_lookup(struct nflb_net *nn, const struct nflb_flow_key *key, u8 family,
	    enum nflb_dir *dir)
{
	struct rhash_lock_head __rcu *const *bucket;
	struct bucket_table *table;
	struct nflb_conn_node *node;
	struct rhash_head *head;
	unsigned int index;

	table = rht_dereference_rcu(nn->conns.tbl, &nn->conns);
again:
	index = rht_bucket_index(table,
				 nflb_flow_key_hash(key, family,
						    &nflb_conn_hash_key,
						    table->hash_rnd));
	bucket = rht_bucket(table, index);
	do {
		rht_for_each_rcu_from(head, rht_ptr_rcu(bucket), table, index) {
			node = container_of(head, struct nflb_conn_node, head);
			if (likely(nflb_flow_key_is(key, &node->tuple, family)))
				return nflb_conn_of(node, dir);
		}
		/* One that was moved to another chain may have led there. */
	} while (head != RHT_NULLS_MARKER(bucket));
	/* Pairs with the barrier after which a new table gets entries. */
	smp_rmb();
	table = rht_dereference_rcu(table->future_tbl, &nn->conns);
	if (unlikely(table))
		goto again;
	return NULL;
}

#endif /* NFLB_CONN_LOOKUP_H */
