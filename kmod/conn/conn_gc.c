// SPDX-License-Identifier: GPL-2.0
/*
 * The sweep: walks the connection table in the background and removes expired
 * connections. There is no timer per connection; packets only record their time.
 *
 * A sweep works for two milliseconds at a time, on any CPU, and lets others run
 * more often than that. How long it rests between two sweeps grows with how long
 * they take, so that a large table costs a small, fixed share of one CPU. Correctness
 * does not depend on it: a lookup already treats an expired connection as absent. But
 * a nearly full table starts a sweep, to free memory before packets need it.
 */
#include <linux/jiffies.h>

#include "conn/conn.h"
#include "conn/conn_evict.h"
#include "conn/conn_probe.h"
#include "conn/conn_state.h"
#include "conn/tell.h"
#include "netns.h"

/* Longest time at one go, in which others may run after every batch of buckets; */
#define GC_SLICE_NS	(2 * NSEC_PER_MSEC)
#define GC_BATCH	64
/* rest between two slices of one sweep, and of one that is waited for. */
#define GC_PAUSE	max_t(unsigned long, HZ / 50, 1)
#define GC_PAUSE_PRESSED 1
/* Rest between two sweeps: this many times the duration of the last one. */
#define GC_REST_FACTOR	16
#define GC_REST_MIN	HZ
#define GC_REST_MAX	(30 * HZ)
/* Where there is hardly room, as long as it took, and at least that. */
#define GC_REST_PRESSED	(HZ / 4)

/* How many buckets ahead memory is asked for. */
#define GC_AHEAD	8

/* Not before the handshake, and not after the end, as far as it is visible here. */
static bool somebody_waits(const struct nflb_conn *conn, u8 state)
{
	if (conn->how & NFLB_HOW_ONE_SIDED)
		return state == NFLB_CONN_ESTABLISHED;
	return state >= NFLB_CONN_SYN_RECV && state <= NFLB_CONN_LAST_ACK;
}

/*
 * A connection whose backend went away is ended, and both of its sides are
 * told; it stays for some seconds to answer them.
 */
static void over(struct nflb_net *nn, struct nflb_conn *conn)
{
	u8 state = READ_ONCE(conn->state);

	if (unlikely(nflb_conn_is(conn, NFLB_CONN_PROBE))) {
		nflb_probe_swept(nn, conn);
	} else if (!nflb_conn_ending(nn, conn, nflb_now())) {
		nflb_conn_dismiss(nn, conn);
	} else if (state != NFLB_CONN_ENDED) {
		nflb_conn_end(nn, conn);
		if (somebody_waits(conn, state))
			nflb_conn_tell(nn, conn);
	}
}

/* Each connection is waited for in memory; so several at a time. */
static void ask_for(const struct bucket_table *table, unsigned int bucket)
{
	struct rhash_head *head;

	if (bucket >= table->size)
		return;
	head = rht_ptr_rcu(rht_bucket(table, bucket));
	if (!rht_is_a_nulls(head))
		prefetch(head);
}

static void sweep_bucket(struct nflb_net *nn, const struct bucket_table *table,
			 unsigned int bucket)
{
	struct nflb_conn_node *node;
	struct nflb_conn *conn;
	struct rhash_head *pos;
	enum nflb_dir dir;

	rht_for_each_entry_rcu(node, pos, table, bucket, head) {
		conn = nflb_conn_of(node, &dir);
		if (!nflb_conn_is_first(conn, dir))
			continue;
		if (!nflb_conn_alive(conn, nflb_now())) {
			over(nn, conn);
			continue;
		}
		nflb_conn_idle(conn, nflb_now());
		nflb_evict_swept(nn, conn);
	}
}

/*
 * Sweep some buckets. Returns true when the sweep is complete. If a larger table
 * replaced this one, the sweep starts again with that. The next sweep finds entries that
 * moved from one into the other meanwhile.
 */
static bool gc_batch(struct nflb_net *nn)
{
	const struct bucket_table *table;
	unsigned int i;
	bool done;

	rcu_read_lock();
	table = rht_dereference_rcu(nn->conns.tbl, &nn->conns);
	if (nn->gc_table != table->hash_rnd) {
		nn->gc_table = table->hash_rnd;
		nn->gc_bucket = 0;
	}
	for (i = 0; i < GC_BATCH && nn->gc_bucket < table->size; i++) {
		ask_for(table, nn->gc_bucket + GC_AHEAD);
		sweep_bucket(nn, table, nn->gc_bucket++);
	}
	done = nn->gc_bucket >= table->size;
	rcu_read_unlock();
	return done;
}

static bool gc_slice(struct nflb_net *nn)
{
	u64 until = ktime_get_ns() + GC_SLICE_NS;

	do {
		if (gc_batch(nn))
			return true;
		cond_resched();
	} while (ktime_get_ns() < until);
	return false;
}

/* How long to rest after a sweep that took so many jiffies. */
static unsigned long gc_rest(struct nflb_net *nn, unsigned long took)
{
	WRITE_ONCE(nn->gc_next, jiffies + max_t(unsigned long, took,
						GC_REST_PRESSED));
	WRITE_ONCE(nn->gc_pressed, false);
	return clamp_t(unsigned long, took * GC_REST_FACTOR, GC_REST_MIN,
		       GC_REST_MAX);
}

static void gc_work(struct work_struct *work)
{
	struct nflb_net *nn = container_of(to_delayed_work(work),
					   struct nflb_net, gc_work);
	unsigned long rest;

	if (!nn->gc_walking) {
		nn->gc_walking = true;
		nn->gc_started = jiffies;
		WRITE_ONCE(nn->gc_again, false);
		nn->gc_bucket = 0;
	}
	rest = READ_ONCE(nn->gc_pressed) ? GC_PAUSE_PRESSED : GC_PAUSE;
	if (gc_slice(nn)) {
		nn->gc_walking = false;
		rest = gc_rest(nn, jiffies - nn->gc_started);
		if (READ_ONCE(nn->gc_again))
			rest = 1;
		else if (!READ_ONCE(nn->hooks) && !atomic_read(&nn->conn_count))
			return;
	}
	queue_delayed_work(system_unbound_wq, &nn->gc_work, rest);
}

/**
 * nflb_conn_gc_init() - prepare to sweep a namespace's table
 * @nn: the namespace
 */
void nflb_conn_gc_init(struct nflb_net *nn)
{
	INIT_DELAYED_WORK(&nn->gc_work, gc_work);
}

/**
 * nflb_conn_gc_kick() - sweep now, and from now on
 * @nn: the namespace
 *
 * A sweep that is under way goes on and is followed by a whole one. Sweeping
 * ends by itself when there is no service and no connection.
 */
void nflb_conn_gc_kick(struct nflb_net *nn)
{
	WRITE_ONCE(nn->gc_again, true);
	mod_delayed_work(system_unbound_wq, &nn->gc_work, 0);
}
NFLB_EXPORT_KUNIT(nflb_conn_gc_kick);

/**
 * nflb_conn_gc_press() - there is hardly room
 * @nn: the namespace
 *
 * The sweep comes soon, but no sooner than it may. Cheap enough to call for every
 * packet.
 *
 * Context: any but hard interrupts.
 */
void nflb_conn_gc_press(struct nflb_net *nn)
{
	long rest;

	if (READ_ONCE(nn->gc_pressed))
		return;
	WRITE_ONCE(nn->gc_pressed, true);
	rest = READ_ONCE(nn->gc_next) - jiffies;
	mod_delayed_work(system_unbound_wq, &nn->gc_work,
			 clamp(rest, 0L, (long)GC_REST_MAX));
}

/**
 * nflb_conn_gc_stop() - sweep no more
 * @nn: the namespace
 *
 * Context: process; waits for a slice that is running.
 */
void nflb_conn_gc_stop(struct nflb_net *nn)
{
	cancel_delayed_work_sync(&nn->gc_work);
}
