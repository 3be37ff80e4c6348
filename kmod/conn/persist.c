// SPDX-License-Identifier: GPL-2.0
/*
 * Persistence: a table of clients, or of their networks, and the backend that
 * each was sent to. It is looked at for new connections only.
 *
 * An entry lasts while it has connections, and for the service's time after the
 * last of them began or was freed. It falls away when its backend is deleted or
 * goes down, and gives way when its backend drains or is full. A weight of 0
 * keeps the clients that a backend has.
 *
 * The table holds one reference of an entry, each connection another; an entry
 * holds one of its backend. There may be as many entries as connections. When
 * there are, those go first that do not hold any more, then those of clients that
 * never had a connection that was assured, then those of clients that may be
 * forged (conn_evict.c); when none is found, a client is not remembered.
 */
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "userns.h"
#include "conn/conn.h"
#include "conn/conn_evict.h"
#include "conn/persist.h"
#include "netns.h"

/* Entries looked at in one go of the sweep, and its rests. */
#define SWEEP_BATCH	256
#define SWEEP_REST	(5 * HZ)

/* The key: @svc is only compared. */
struct persist_key {
	const struct nflb_service *svc;
	union nflb_addr		client;
};

/**
 * struct nflb_persist - where a client goes
 * @node: in nflb_net.persist
 * @key: service, and the client's address cut to the prefix
 * @backend: where to; holds a reference
 * @last: jiffies (32 bits) of the last use
 * @dead: bit 0 is set by who takes it from the table
 * @assured: one of its connections was
 * @proven: nflb_conn_proven() of one of them
 * @ref: one for the table, one a connection
 * @rcu: to free it
 */
struct nflb_persist {
	struct rhash_head	node;
	struct persist_key	key;
	struct nflb_backend	*backend;
	u32			last;
	unsigned long		dead;
	bool			assured;
	bool			proven;
	refcount_t		ref;
	struct rcu_head		rcu;
};

static hsiphash_key_t hash_key __read_mostly;

static u32 persist_hash(const void *data, u32 len, u32 seed)
{
	hsiphash_key_t key = {
		.key = { hash_key.key[0] ^ seed, hash_key.key[1] },
	};

	return hsiphash(data, sizeof(struct persist_key), &key);
}

static const struct rhashtable_params persist_params = {
	.head_offset = offsetof(struct nflb_persist, node),
	.key_offset = offsetof(struct nflb_persist, key),
	.key_len = sizeof(struct persist_key),
	.hashfn = persist_hash,
	.automatic_shrinking = true,
};

static void key_make(struct persist_key *key, const struct nflb_service *svc,
		     const struct nflb_snapshot *snapshot,
		     const union nflb_addr *client)
{
	unsigned int i;

	key->svc = svc;
	for (i = 0; i < ARRAY_SIZE(client->all); i++)
		key->client.all[i] = client->all[i] &
				     snapshot->persist_mask.all[i];
}

static struct nflb_persist *entry_alloc(struct nflb_net *nn)
{
	if (unlikely(nn->user))
		return nflb_user_zalloc(nn, NFLB_USER_PERSISTENT, NULL,
					sizeof(struct nflb_persist));
	return kzalloc(sizeof(struct nflb_persist), GFP_ATOMIC | __GFP_NOWARN);
}

static void entry_free(struct nflb_net *nn, struct nflb_persist *entry)
{
	nflb_user_uncharge(nn, NFLB_USER_PERSISTENT, 1);
	kfree(entry);
}

static void persist_free_rcu(struct rcu_head *rcu)
{
	struct nflb_persist *entry = container_of(rcu, struct nflb_persist,
						  rcu);
	struct nflb_backend *backend = entry->backend;
	struct nflb_net *nn = backend->service->nn;

	atomic_dec(&nn->persist_waiting);
	entry_free(nn, entry);
	nflb_backend_put(backend);
}

/**
 * nflb_persist_get() - a connection is the entry's
 * @entry: the entry
 *
 * Context: rcu_read_lock() held. Return: false when the entry is on its way out.
 */
bool nflb_persist_get(struct nflb_persist *entry)
{
	WRITE_ONCE(entry->last, nflb_now());
	return refcount_inc_not_zero(&entry->ref);
}

/**
 * nflb_persist_put() - a connection is gone
 * @entry: the entry
 *
 * Context: any but hard interrupts.
 */
void nflb_persist_put(struct nflb_persist *entry)
{
	WRITE_ONCE(entry->last, nflb_now());
	if (!refcount_dec_and_test(&entry->ref))
		return;
	atomic_inc(&entry->backend->service->nn->persist_waiting);
	call_rcu(&entry->rcu, persist_free_rcu);
}

/* Returns false when somebody else was faster. */
static bool forget(struct nflb_net *nn, struct nflb_persist *entry)
{
	if (test_and_set_bit(0, &entry->dead))
		return false;
	rhashtable_remove_fast(&nn->persist, &entry->node, persist_params);
	atomic_dec(&nn->persist_count);
	atomic_dec(&entry->backend->service->persist_count);
	nflb_persist_put(entry);
	return true;
}

/**
 * nflb_persist_forget() - take an entry from the table
 * @nn: the namespace
 * @entry: the entry
 *
 * Context: rcu_read_lock() held; any but hard interrupts.
 */
void nflb_persist_forget(struct nflb_net *nn, struct nflb_persist *entry)
{
	forget(nn, entry);
}

/* Does it still say where its client goes? */
static bool valid(const struct nflb_persist *entry,
		  const struct nflb_snapshot *snapshot)
{
	if (READ_ONCE(entry->backend->gone) != NFLB_GONE_NOT)
		return false;
	if (refcount_read(&entry->ref) > 1)
		return snapshot->persist;
	return (s32)(nflb_now() - READ_ONCE(entry->last)) <=
	       (s32)snapshot->persist;
}

/**
 * nflb_persist_assure() - a connection of the entry's is assured
 * @entry: the entry
 * @proven: nflb_conn_proven() of the connection
 */
void nflb_persist_assure(struct nflb_persist *entry, bool proven)
{
	if (!READ_ONCE(entry->assured))
		WRITE_ONCE(entry->assured, true);
	if (proven && !READ_ONCE(entry->proven))
		WRITE_ONCE(entry->proven, true);
}

/**
 * nflb_persist_rank() - how early an entry makes room
 * @head: of the entry
 * @now: jiffies
 * @age: set to the jiffies since its last use
 *
 * Context: rcu_read_lock() held. Return: see there.
 */
enum nflb_rank nflb_persist_rank(struct rhash_head *head, u32 now, u32 *age)
{
	const struct nflb_persist *entry;

	entry = container_of(head, struct nflb_persist, node);
	*age = now - READ_ONCE(entry->last);
	if (test_bit(0, &entry->dead))
		return NFLB_RANK_ASSURED;
	if (!valid(entry, rcu_dereference(entry->backend->service->snapshot)))
		return NFLB_RANK_EXPIRED;
	if (!READ_ONCE(entry->assured))
		return NFLB_RANK_DOUBTFUL;
	/* While it has connections, these make room first. */
	return READ_ONCE(entry->proven) || refcount_read(&entry->ref) > 1 ||
	       *age < NFLB_UNPROVEN_SILENCE ?
	       NFLB_RANK_ASSURED : NFLB_RANK_UNPROVEN;
}

/**
 * nflb_persist_remove() - an entry makes room
 * @nn: the namespace
 * @head: of the entry
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: false when it
 * was gone.
 */
bool nflb_persist_remove(struct nflb_net *nn, struct rhash_head *head)
{
	if (!forget(nn, container_of(head, struct nflb_persist, node)))
		return false;
	nflb_count(nn, NFLB_COUNTER_PERSIST_EVICTED);
	return true;
}

/**
 * nflb_persist_backend() - where an entry's client goes
 * @entry: the entry
 */
struct nflb_backend *nflb_persist_backend(const struct nflb_persist *entry)
{
	return entry->backend;
}

/* Is its backend open for one more of its clients? */
static bool usable(const struct nflb_persist *entry)
{
	const struct nflb_backend *b = entry->backend;

	return READ_ONCE(b->state) == NFLB_BACKEND_UP &&
	       !READ_ONCE(b->shunned) &&
	       (!nflb_backend_full(b) ||
		nflb_evict_from_backend(b->service->nn, entry->backend, true));
}

/**
 * nflb_persist_find() - where a client went before
 * @nn: the namespace
 * @svc: its service
 * @snapshot: of the service; its persist is not 0
 * @client: the client's address
 * @stale: set to an entry to delete, or to NULL
 *
 * Context: rcu_read_lock() held. Return: the entry, whose backend takes
 * connections; or NULL, with @stale for one that does not hold any more.
 */
struct nflb_persist *nflb_persist_find(struct nflb_net *nn,
				       const struct nflb_service *svc,
				       const struct nflb_snapshot *snapshot,
				       const union nflb_addr *client,
				       struct nflb_persist **stale)
{
	struct nflb_persist *entry;
	struct persist_key key;

	*stale = NULL;
	key_make(&key, svc, snapshot, client);
	entry = rhashtable_lookup(&nn->persist, &key, persist_params);
	if (!entry || (valid(entry, snapshot) && usable(entry)))
		return entry;
	*stale = entry;
	return NULL;
}

/**
 * nflb_persist_claim() - remember where a client goes
 * @nn: the namespace
 * @svc: its service
 * @snapshot: of the service; its persist is not 0
 * @client: the client's address
 * @backend: where it was to go
 *
 * Of several CPUs with packets of one client the first decides for all.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: the entry, of
 * @backend or of another; or NULL when there is no room for one.
 */
struct nflb_persist *nflb_persist_claim(struct nflb_net *nn,
					struct nflb_service *svc,
					const struct nflb_snapshot *snapshot,
					const union nflb_addr *client,
					struct nflb_backend *backend)
{
	struct nflb_persist *entry, *old;

	if (!nflb_evict_admit_persist(nn))
		return NULL;
	entry = entry_alloc(nn);
	if (!entry)
		return NULL;
	if (!refcount_inc_not_zero(&backend->ref)) {
		entry_free(nn, entry);
		return NULL;
	}
	key_make(&entry->key, svc, snapshot, client);
	entry->backend = backend;
	entry->last = nflb_now();
	refcount_set(&entry->ref, 1);
	atomic_inc(&nn->persist_count);
	atomic_inc(&svc->persist_count);
	old = rhashtable_lookup_get_insert_fast(&nn->persist, &entry->node,
						persist_params);
	if (!old) {
		queue_delayed_work(system_unbound_wq, &nn->persist_work,
				   SWEEP_REST);
		return entry;
	}
	atomic_dec(&nn->persist_count);
	atomic_dec(&svc->persist_count);
	entry_free(nn, entry);
	nflb_backend_put(backend);
	return IS_ERR(old) ? NULL : old;
}

/* Delete entries that are no longer valid, or all of them. */
static void sweep(struct nflb_net *nn, bool all)
{
	const struct nflb_snapshot *snapshot;
	struct nflb_persist *entry;
	struct rhashtable_iter iter;
	unsigned int n = 0;

	rhashtable_walk_enter(&nn->persist, &iter);
	rhashtable_walk_start(&iter);
	while ((entry = rhashtable_walk_next(&iter))) {
		if (IS_ERR(entry))
			continue;
		snapshot = rcu_dereference(entry->backend->service->snapshot);
		if (all || !valid(entry, snapshot))
			nflb_persist_forget(nn, entry);
		if (++n % SWEEP_BATCH)
			continue;
		rhashtable_walk_stop(&iter);
		cond_resched();
		rhashtable_walk_start(&iter);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

static void persist_work(struct work_struct *work)
{
	struct nflb_net *nn = container_of(to_delayed_work(work),
					   struct nflb_net, persist_work);

	sweep(nn, false);
	if (atomic_read(&nn->persist_count))
		queue_delayed_work(system_unbound_wq, &nn->persist_work,
				   SWEEP_REST);
}

/**
 * nflb_persist_kick() - sweep now, and from now on
 * @nn: the namespace
 *
 * Sweeping ends by itself when there is no entry.
 */
void nflb_persist_kick(struct nflb_net *nn)
{
	mod_delayed_work(system_unbound_wq, &nn->persist_work, 0);
}

/**
 * nflb_persist_stop() - sweep no more
 * @nn: the namespace
 *
 * Context: process, sleeps.
 */
void nflb_persist_stop(struct nflb_net *nn)
{
	cancel_delayed_work_sync(&nn->persist_work);
}

/**
 * nflb_persist_flush() - forget all
 * @nn: the namespace; no packet comes any more and the sweep has stopped
 *
 * Context: process.
 */
void nflb_persist_flush(struct nflb_net *nn)
{
	while (atomic_read(&nn->persist_count)) {
		sweep(nn, true);
		cond_resched();
	}
}

/**
 * nflb_persist_init() - an empty table
 * @nn: the namespace
 *
 * Return: 0 or a negative errno.
 */
int nflb_persist_init(struct nflb_net *nn)
{
	get_random_once(&hash_key, sizeof(hash_key));
	atomic_set(&nn->persist_count, 0);
	atomic_set(&nn->persist_waiting, 0);
	INIT_DELAYED_WORK(&nn->persist_work, persist_work);
	return rhashtable_init(&nn->persist, &persist_params);
}

/**
 * nflb_persist_exit() - free the empty table
 * @nn: the namespace
 */
void nflb_persist_exit(struct nflb_net *nn)
{
	WARN_ON(atomic_read(&nn->persist_count));
	rhashtable_destroy(&nn->persist);
}
