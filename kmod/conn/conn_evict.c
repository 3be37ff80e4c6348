// SPDX-License-Identifier: GPL-2.0
/*
 * Who makes room when something that is bounded is full: the connection table,
 * the clients that are remembered, the local ports towards a backend, a
 * backend's max-connections. One rule holds for all of them, enum nflb_rank.
 *
 * The tables are searched at random, since no list says who comes next: a few
 * entries are compared, of those that are alike the oldest goes. So of a flood
 * and the few that mean it the few are hit rarely, for they are young. A search
 * looks at some entries only, and after one in vain there is none for some
 * milliseconds: a table that is full of assured connections costs no more than
 * one that is not.
 *
 * A silent connection that a forger may have assured (nflb_conn_proven()) is evicted,
 * too, if a whole search found nothing else.
 *
 * A backend that has a max-connections keeps its connections in a list, for these may
 * be few among millions.
 */
#include <linux/random.h>

#include "userns.h"
#include "service/stats.h"
#include "conn/conn.h"
#include "conn/conn_evict.h"
#include "conn/conn_probe.h"
#include "conn/conn_state.h"
#include "conn/persist.h"
#include "conn/tell.h"
#include "netns.h"

/* How many entries are looked at, and buckets, which may be empty; */
#define SEARCH_ENTRIES		64
#define SEARCH_BUCKETS		4096
/* and how many more once there is one that is not assured. */
#define SEARCH_SAMPLE		4
/* Jiffies without another search after one in vain */
#define SEARCH_PAUSE		max_t(u32, HZ / 250, 1)

/* How many of a backend's connections are looked at, and how many backends */
#define LIMITED_LOOKS		64
#define CANDIDATE_LOOKS		16

/*
 * Entries that wait for RCU may exceed the ceiling by a fraction of it, and at least by
 * a fixed number.
 */
#define WAITING_SHIFT		3
#define WAITING_LEAST		4096

/**
 * struct evict_table - a table that is searched
 * @rank: of an entry, and for how long it has been there
 * @remove: take it from the table; false when it went by itself
 */
struct evict_table {
	enum nflb_rank (*rank)(struct rhash_head *head, u32 now, u32 *age);
	bool (*remove)(struct nflb_net *nn, struct rhash_head *head);
};

/* Jiffies between the first packet of a connection and its last */
static u32 heard_for(const struct nflb_conn *conn, u32 now)
{
	u32 age = nflb_conn_age(conn, now);

	return age - min(age, nflb_conn_silence(conn, now));
}

/*
 * Is nothing heard of it any more? A TCP connection may rest for as long as it was
 * heard before: to hold a place that way costs a forger packets all the time.
 */
static bool fell_silent(const struct nflb_conn *conn, u32 now)
{
	u32 silence = nflb_conn_silence(conn, now);

	return silence >= NFLB_UNPROVEN_SILENCE &&
	       (conn->in.tuple.proto != IPPROTO_TCP ||
		silence > heard_for(conn, now));
}

/**
 * nflb_conn_rank() - how early a connection makes room
 * @conn: the connection
 * @now: jiffies
 *
 * Context: rcu_read_lock() held. Return: see there.
 */
enum nflb_rank nflb_conn_rank(const struct nflb_conn *conn, u32 now)
{
	if (unlikely(nflb_conn_is(conn, NFLB_CONN_PROBE)))
		return nflb_probe_holds(conn, now) ? NFLB_RANK_ASSURED :
						     NFLB_RANK_EXPIRED;
	if (nflb_conn_state_over(conn))
		return NFLB_RANK_DEAD;
	if (!nflb_conn_alive(conn, now))
		return nflb_conn_expired(conn, now) ? NFLB_RANK_EXPIRED :
						      NFLB_RANK_DEAD;
	if (!nflb_conn_assured(conn))
		return NFLB_RANK_DOUBTFUL;
	return nflb_conn_proven(conn) || !fell_silent(conn, now) ?
	       NFLB_RANK_ASSURED : NFLB_RANK_UNPROVEN;
}
NFLB_EXPORT_KUNIT(nflb_conn_rank);

/* Take a connection from the table, in favour of another. */
static bool displace(struct nflb_net *nn, struct nflb_conn *conn)
{
	enum nflb_rank rank = nflb_conn_rank(conn, nflb_now());

	if (!nflb_conn_unlink(nn, conn))
		return false;
	switch (rank) {
	case NFLB_RANK_DOUBTFUL:
		nflb_count(nn, NFLB_COUNTER_HALF_OPEN_EVICTED);
		nflb_conn_withdraw(nn, conn);
		break;
	case NFLB_RANK_UNPROVEN:
		nflb_count(nn, NFLB_COUNTER_IDLE_EVICTED);
		break;
	default:
		nflb_count(nn, NFLB_COUNTER_OVER_EVICTED);
		break;
	}
	return true;
}

static enum nflb_rank conn_rank(struct rhash_head *head, u32 now, u32 *age)
{
	struct nflb_conn *conn;
	enum nflb_dir dir;

	enum nflb_rank rank;

	conn = nflb_conn_of(container_of(head, struct nflb_conn_node, head),
			    &dir);
	*age = nflb_conn_age(conn, now);
	/* Being made, or gone */
	if (nflb_conn_is(conn, NFLB_CONN_DYING))
		return NFLB_RANK_ASSURED;
	rank = nflb_conn_rank(conn, now);
	/* A flood's connections have one packet; a longer use counts as less idle. */
	if (rank == NFLB_RANK_UNPROVEN)
		*age -= min(*age, 2 * heard_for(conn, now));
	return rank;
}

static bool conn_remove(struct nflb_net *nn, struct rhash_head *head)
{
	enum nflb_dir dir;

	return displace(nn, nflb_conn_of(container_of(head,
						      struct nflb_conn_node,
						      head), &dir));
}

static const struct evict_table conn_table = {
	.rank = conn_rank,
	.remove = conn_remove,
};

static const struct evict_table persist_table = {
	.rank = nflb_persist_rank,
	.remove = nflb_persist_remove,
};

/* A search under way */
struct search {
	const struct evict_table *kind;
	u32			now;
	unsigned int		left;
	struct rhash_head	*best;
	enum nflb_rank		rank;
	u32			age;
};

/* Returns true when it is enough. */
static bool look_at(struct search *s, struct rhash_head *head)
{
	enum nflb_rank rank;
	u32 age;

	rank = s->kind->rank(head, s->now, &age);
	if (rank < s->rank || (rank == s->rank && s->best && age > s->age)) {
		if (rank < s->rank && rank < NFLB_RANK_UNPROVEN)
			s->left = min_t(unsigned int, s->left, SEARCH_SAMPLE);
		s->best = head;
		s->rank = rank;
		s->age = age;
	}
	return s->rank <= NFLB_RANK_EXPIRED || !--s->left;
}

static void search_in(struct search *s, const struct bucket_table *table,
		      unsigned int first)
{
	unsigned int i, buckets = min_t(unsigned int, SEARCH_BUCKETS,
					table->size);
	struct rhash_head *head;

	for (i = 0; i < buckets; i++)
		rht_for_each_rcu(head, table, (first + i) & (table->size - 1))
			if (look_at(s, head))
				return;
}

/*
 * The first to make room among some entries, or NULL. A table that is being
 * resized consists of several.
 */
static struct rhash_head *search(const struct evict_table *kind,
				 struct rhashtable *ht)
{
	struct search s = {
		.kind = kind,
		.now = nflb_now(),
		.rank = NFLB_RANK_ASSURED,
	};
	const struct bucket_table *table;
	u32 first = get_random_u32();

	for (table = rht_dereference_rcu(ht->tbl, ht); table && !s.best;
	     table = rht_dereference_rcu(table->future_tbl, ht)) {
		s.left = SEARCH_ENTRIES;
		search_in(&s, table, first);
	}
	return s.best;
}

/* @vain: jiffies of the last search in vain */
static noinline bool evict(struct nflb_net *nn, const struct evict_table *kind,
			   struct rhashtable *ht, u32 *vain, bool draft)
{
	struct rhash_head *head;

	if (nflb_now() - READ_ONCE(*vain) < SEARCH_PAUSE)
		return false;
	head = search(kind, ht);
	if (head && (draft || kind->remove(nn, head)))
		return true;
	if (!head && !draft)
		WRITE_ONCE(*vain, nflb_now());
	return false;
}

/**
 * nflb_evict_from_table() - make room in a full connection table
 * @nn: the namespace
 * @draft: only find out whether it could be made
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: whether there
 * is room.
 */
bool nflb_evict_from_table(struct nflb_net *nn, bool draft)
{
	return evict(nn, &conn_table, &nn->conns, &nn->conn_vain, draft);
}
NFLB_EXPORT_KUNIT(nflb_evict_from_table);

/* How many there may be in memory when there may be @max in the table. */
static int most(int max)
{
	return max + max(max >> WAITING_SHIFT, WAITING_LEAST);
}

/**
 * nflb_evict_admit_persist() - may one client more be remembered?
 * @nn: the namespace
 *
 * Makes room, when there is none; see nflb_evict_admit().
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: whether it may.
 */
bool nflb_evict_admit_persist(struct nflb_net *nn)
{
	int count = atomic_read(&nn->persist_count);
	int max = READ_ONCE(nn->max_connections);

	if (count + atomic_read(&nn->persist_waiting) >= most(max))
		return false;
	return likely(count < max && !nflb_user_full(nn, NFLB_USER_PERSISTENT)) ||
	       evict(nn, &persist_table, &nn->persist, &nn->persist_vain, false);
}

/**
 * nflb_evict_admit() - may there be one connection more?
 * @nn: the namespace; its table is nearly full
 * @count: connections in it, with the new one
 *
 * Makes room if the table is full. Memory is bounded, too: removed entries exist until
 * the end of a grace period. So if entries are replaced faster than freed, new ones are
 * refused.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: whether it may.
 */
bool nflb_evict_admit(struct nflb_net *nn, int count)
{
	int max = READ_ONCE(nn->max_connections);

	nflb_conn_gc_press(nn);
	if (count + atomic_read(&nn->conn_waiting) > most(max))
		return false;
	return (count <= max && !nflb_user_full(nn, NFLB_USER_CONNECTIONS)) ||
	       nflb_evict_from_table(nn, false);
}

/* The first of a backend's connections to make room among some, or NULL. */
static struct nflb_conn *search_limited(struct nflb_backend *backend)
{
	struct nflb_conn *conn, *unproven = NULL;
	unsigned int i;

	for (i = 0; i < LIMITED_LOOKS; i++) {
		conn = list_first_entry_or_null(&backend->limited,
						struct nflb_conn, limited);
		/* Once around */
		if (!conn || conn == unproven)
			break;
		switch (nflb_conn_rank(conn, nflb_now())) {
		case NFLB_RANK_DEAD:
			list_del_init(&conn->limited);
			break;
		case NFLB_RANK_UNPROVEN:
			unproven = unproven ?: conn;
			fallthrough;
		case NFLB_RANK_ASSURED:
			list_move_tail(&conn->limited, &backend->limited);
			break;
		default:
			return conn;
		}
	}
	return unproven;
}

/**
 * nflb_evict_from_backend() - make room at a backend that is full
 * @nn: the namespace
 * @backend: has as many connections as it may
 * @draft: only find out whether it could be made
 *
 * Those that are over do not count, so they leave the list; those that are assured
 * go to its end, for they may have expired when it is their turn again. So do those
 * that are not proven; one of them makes room when all that were looked at are such.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: whether there
 * is room.
 */
bool nflb_evict_from_backend(struct nflb_net *nn, struct nflb_backend *backend,
			     bool draft)
{
	struct nflb_conn *conn;

	if (list_empty(&backend->limited) ||
	    nflb_now() - READ_ONCE(backend->limited_vain) < SEARCH_PAUSE)
		return false;
	spin_lock_bh(&backend->limited_lock);
	conn = search_limited(backend);
	if (conn && !draft)
		list_del_init(&conn->limited);
	spin_unlock_bh(&backend->limited_lock);
	if (!conn)
		WRITE_ONCE(backend->limited_vain, nflb_now());
	return conn && (draft || displace(nn, conn));
}
NFLB_EXPORT_KUNIT(nflb_evict_from_backend);

/**
 * nflb_evict_candidate() - a backend that could make room
 * @nn: the namespace
 * @snapshot: of a service, whose backends have no room
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: the index of a
 * candidate; or -1 when none was found.
 */
int nflb_evict_candidate(struct nflb_net *nn,
			 const struct nflb_snapshot *snapshot)
{
	u32 i, n, looks = min_t(u32, snapshot->count, CANDIDATE_LOOKS);

	if (!looks)
		return -1;
	n = get_random_u32() % snapshot->count;
	for (i = 0; i < looks; i++, n = (n + 1) % snapshot->count) {
		struct nflb_backend *b = snapshot->candidates[n].backend;

		if (nflb_backend_full(b) && nflb_evict_from_backend(nn, b, true))
			return n;
	}
	return -1;
}

/**
 * nflb_evict_yields() - would a connection give way to one with its tuple?
 * @holder: the connection
 * @shortage: there is hardly another tuple
 *
 * The backend may still have a connection that has ended or expired here, until it gets
 * its reset: until then the local port is in use.
 *
 * Context: rcu_read_lock() held. Return: whether it would.
 */
bool nflb_evict_yields(const struct nflb_conn *holder,
		       enum nflb_shortage shortage)
{
	bool patient = holder->how & NFLB_HOW_LADDR && !shortage;

	switch (nflb_conn_rank(holder, nflb_now())) {
	case NFLB_RANK_DEAD:
		return !patient || READ_ONCE(holder->state) != NFLB_CONN_ENDED;
	case NFLB_RANK_EXPIRED:
		return !patient || !nflb_conn_silent(holder);
	case NFLB_RANK_DOUBTFUL:
		return shortage;
	case NFLB_RANK_UNPROVEN:
		return shortage == NFLB_SHORTAGE_SEVERE;
	default:
		return false;
	}
}

/**
 * nflb_evict_holder() - take a connection from the table, whose tuple is needed
 * @nn: the namespace
 * @holder: the connection; nflb_evict_yields()
 *
 * Context: softirq or BH disabled, rcu_read_lock() held.
 */
void nflb_evict_holder(struct nflb_net *nn, struct nflb_conn *holder)
{
	if (nflb_conn_rank(holder, nflb_now()) >= NFLB_RANK_DOUBTFUL)
		displace(nn, holder);
	else
		nflb_conn_unlink(nn, holder);
}

/**
 * nflb_evict_swept() - the sweep came to a connection that is alive
 * @nn: the namespace
 * @conn: the connection
 *
 * Where the table is nearly full it makes room ahead of packets; and below a
 * ceiling that was lowered.
 *
 * Context: process, rcu_read_lock() held.
 */
void nflb_evict_swept(struct nflb_net *nn, struct nflb_conn *conn)
{
	int max = READ_ONCE(nn->max_connections);
	int count = atomic_read(&nn->conn_count);

	if (likely(count <= max - (max >> 4)))
		return;
	if (nflb_conn_rank(conn, nflb_now()) >
	    (count > max ? NFLB_RANK_UNPROVEN : NFLB_RANK_EXPIRED))
		return;
	local_bh_disable();
	displace(nn, conn);
	local_bh_enable();
}
