// SPDX-License-Identifier: GPL-2.0
/*
 * The sweep: walks the connection table in the background and removes what is
 * over. There is no timer per connection; packets only note when they came.
 *
 * A sweep works for a few milliseconds at a time. How long it rests between two
 * sweeps grows with how long they take, so that a large table costs a small,
 * fixed share of one CPU. Nothing depends on when it comes: a lookup already
 * treats what is over as absent.
 */
#include <linux/jiffies.h>

#include "datapath/conn.h"
#include "datapath/conn_state.h"
#include "netns.h"

/* Longest time at one go. */
#define GC_SLICE	max_t(unsigned long, HZ / 200, 1)
/* Rest between two slices of one sweep. */
#define GC_PAUSE	max_t(unsigned long, HZ / 50, 1)
/* Rest between two sweeps: this many times what the last one took. */
#define GC_REST_FACTOR	4
#define GC_REST_MIN	HZ
#define GC_REST_MAX	(30 * HZ)

/* Look at the clock only so often. */
#define GC_BATCH	256

/* Not before the handshake, and not after the end, or what is seen of it. */
static bool somebody_waits(const struct nflb_conn *conn, u8 state)
{
	if (conn->nat & NFLB_NAT_ONE_SIDED)
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

	if (!nflb_conn_ending(nn, conn, nflb_now())) {
		nflb_conn_unlink(nn, conn);
	} else if (state != NFLB_CONN_ENDED) {
		nflb_conn_end(nn, conn);
		if (somebody_waits(conn, state))
			nflb_conn_tell(nn, conn);
	}
}

/* Returns true when the sweep is complete. */
static bool gc_slice(struct nflb_net *nn)
{
	unsigned long until = jiffies + GC_SLICE;
	struct nflb_conn_node *node;
	unsigned int n = 0;
	bool done = false;

	rhashtable_walk_start(&nn->gc_walk);
	while ((node = rhashtable_walk_next(&nn->gc_walk))) {
		struct nflb_conn *conn;
		enum nflb_dir dir;

		/* The table is being resized: a new sweep sees what is left. */
		if (IS_ERR(node))
			continue;
		conn = nflb_conn_of(node, &dir);
		if (dir == NFLB_DIR_IN) {
			if (nflb_conn_alive(conn, nflb_now()))
				nflb_conn_idle(conn, nflb_now());
			else
				over(nn, conn);
		}
		if (++n % GC_BATCH == 0 && time_after(jiffies, until))
			break;
	}
	done = !node;
	rhashtable_walk_stop(&nn->gc_walk);
	return done;
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
		rhashtable_walk_enter(&nn->conns, &nn->gc_walk);
	}
	rest = GC_PAUSE;
	if (gc_slice(nn)) {
		rhashtable_walk_exit(&nn->gc_walk);
		nn->gc_walking = false;
		rest = clamp_t(unsigned long,
			       (jiffies - nn->gc_started) * GC_REST_FACTOR,
			       GC_REST_MIN, GC_REST_MAX);
		if (READ_ONCE(nn->gc_again))
			rest = 1;
		else if (!READ_ONCE(nn->hooks) && !atomic_read(&nn->conn_count))
			return;
	}
	queue_delayed_work(system_power_efficient_wq, &nn->gc_work, rest);
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
	mod_delayed_work(system_power_efficient_wq, &nn->gc_work, 0);
}
NFLB_EXPORT_KUNIT(nflb_conn_gc_kick);

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

/**
 * nflb_conn_gc_exit() - forget where the sweep was, before the table goes
 * @nn: the namespace
 */
void nflb_conn_gc_exit(struct nflb_net *nn)
{
	if (nn->gc_walking)
		rhashtable_walk_exit(&nn->gc_walk);
	nn->gc_walking = false;
}
