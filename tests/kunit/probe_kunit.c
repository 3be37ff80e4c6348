// SPDX-License-Identifier: GPL-2.0
/*
 * Probes: what they count for, how long they live, who may send their packets, and who
 * may have their tuple.
 */
#include "conn/conn_evict.h"
#include "conn/conn_probe.h"
#include "conn/conn_state.h"
#include "forward/forward.h"
#include "path/probe.h"
#include "service/stats.h"
#include "util.h"

#define LIFE (60 * HZ)

struct probe_fixture {
	struct nflb_service	*svc;
	struct nflb_backend	*backend;
	struct nflb_tuple	in;
};

static void fixture_init(struct kunit *test, struct probe_fixture *fx)
{
	const struct ku_param *p = test->param_value;

	fx->svc = ku_service_add(test, p->family, 9, "rr");
	fx->backend = ku_backend_add(test, fx->svc, 1, 1);
	/* Nothing is to go while it is looked at. */
	cancel_delayed_work_sync(&ku_nn()->gc_work);
	memset(&fx->in, 0, sizeof(fx->in));
	ku_random_addr(&fx->in.src, p->family);
	fx->in.dst = fx->svc->key.addr;
	fx->in.sport = htons(40000);
	fx->in.dport = htons(80);
	fx->in.proto = p->proto;
	fx->in.family = p->family;
}

static void fixture_exit(struct kunit *test, struct probe_fixture *fx)
{
	ku_service_del(fx->svc);
	nflb_conn_gc_kick(ku_nn());
	nflb_config_drain();
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->probe_count), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&ku_nn()->probes));
}

static int add(struct probe_fixture *fx)
{
	enum nflb_reason reason;
	int err;

	local_bh_disable();
	rcu_read_lock();
	err = nflb_probe_add(ku_nn(), fx->backend, &fx->in, LIFE, &reason);
	rcu_read_unlock();
	local_bh_enable();
	return err;
}

static struct nflb_conn *find(struct probe_fixture *fx)
{
	struct nflb_conn *conn;
	enum nflb_dir dir;

	rcu_read_lock();
	conn = nflb_conn_lookup(ku_nn(), &fx->in, &dir);
	rcu_read_unlock();
	return conn;
}

static struct nflb_conn *made(struct kunit *test, struct probe_fixture *fx)
{
	struct nflb_conn *conn;

	fixture_init(test, fx);
	KUNIT_ASSERT_EQ(test, add(fx), 0);
	conn = find(fx);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	return conn;
}

static bool remove_probe(struct nflb_conn *conn)
{
	bool done;

	rcu_read_lock();
	done = nflb_probe_remove(ku_nn(), conn);
	rcu_read_unlock();
	return done;
}

static struct nflb_conn *client(struct probe_fixture *fx)
{
	enum nflb_reason reason;
	struct nflb_conn *conn;

	local_bh_disable();
	rcu_read_lock();
	conn = nflb_conn_create(ku_nn(), fx->backend, fx->backend->forward,
				&fx->in, &reason);
	rcu_read_unlock();
	local_bh_enable();
	return conn;
}

static void unlink_conn(struct nflb_conn *conn)
{
	rcu_read_lock();
	nflb_conn_unlink(ku_nn(), conn);
	rcu_read_unlock();
}

static u64 connections(const struct nflb_backend *b)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += u64_stats_read(&per_cpu_ptr(b->stats, cpu)->connections);
	return sum;
}

static void probe_counts_nowhere(struct kunit *test)
{
	struct probe_fixture fx;
	struct nflb_backend *b;
	struct nflb_conn *conn = made(test, &fx);
	u8 state;

	b = fx.backend;
	/* A backend that may have one is not full. */
	WRITE_ONCE(b->max_connections, 1);
	for (state = 0; state <= NFLB_CONN_STATE_MAX; state++) {
		nflb_conn_recount(conn, state);
		KUNIT_EXPECT_EQ(test, atomic_read(&b->conns), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&b->active), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&b->over), 0);
	}
	KUNIT_EXPECT_FALSE(test, nflb_backend_full(b));
	KUNIT_EXPECT_TRUE(test, list_empty(&b->limited));
	KUNIT_EXPECT_EQ(test, nflb_conn_counted(ku_nn()), 0U);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 1);
	KUNIT_EXPECT_EQ(test, connections(b), 0ULL);
	unlink_conn(conn);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->conns), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->active), 0);
	fixture_exit(test, &fx);
}

/* Whatever its backend is, but deleted; and never on the fast path. */
static void probe_lives_whatever_its_backend_is(struct kunit *test)
{
	struct probe_fixture fx;
	struct nflb_conn *conn = made(test, &fx);
	u32 now = nflb_now();
	u8 gone;

	rcu_read_lock();
	for (gone = NFLB_GONE_NOT; gone <= NFLB_GONE_ALL; gone++) {
		WRITE_ONCE(fx.backend->gone, gone);
		KUNIT_EXPECT_TRUE(test, nflb_conn_alive(conn, now));
		KUNIT_EXPECT_FALSE(test, nflb_conn_lasts(conn, now));
	}
	nflb_conn_touch(conn, now + 2 * NFLB_CONN_TICK);
	nflb_conn_state_enter(conn, NFLB_CONN_ESTABLISHED, now);
	nflb_conn_now_set(conn, NFLB_NOW_ASSURED);
	WRITE_ONCE(fx.backend->gone, NFLB_GONE_NOT);
	KUNIT_EXPECT_FALSE(test, nflb_conn_lasts(conn, now));
	KUNIT_EXPECT_TRUE(test, nflb_conn_alive(conn, now));
	WRITE_ONCE(fx.backend->deleted, true);
	KUNIT_EXPECT_FALSE(test, nflb_conn_alive(conn, now));
	KUNIT_EXPECT_TRUE(test, nflb_probe_holds(conn, now));
	WRITE_ONCE(fx.backend->deleted, false);
	rcu_read_unlock();
	fixture_exit(test, &fx);
}

static void probe_ends(struct kunit *test)
{
	struct probe_fixture fx;
	struct nflb_conn *conn = made(test, &fx);
	u32 now = nflb_now(), until = conn->until;

	KUNIT_EXPECT_LE(test, until - now, (u32)LIFE);
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, nflb_conn_alive(conn, until));
	KUNIT_EXPECT_FALSE(test, nflb_conn_alive(conn, until + 1));
	KUNIT_EXPECT_TRUE(test, nflb_probe_holds(conn, until +
						 NFLB_PROBE_LINGER));
	KUNIT_EXPECT_FALSE(test, nflb_probe_holds(conn, until + 1 +
						  NFLB_PROBE_LINGER));
	rcu_read_unlock();
	/* It is over, but not closed: who comes for it is told that it was not there. */
	WRITE_ONCE(conn->until, now - 1);
	KUNIT_EXPECT_FALSE(test, remove_probe(conn));
	KUNIT_EXPECT_LE(test, conn->until - now, (u32)NFLB_PROBE_GRACE + HZ);
	unlink_conn(conn);
	fixture_exit(test, &fx);
}

static void probe_is_removed_once(struct kunit *test)
{
	struct probe_fixture fx;
	struct nflb_conn *conn = made(test, &fx);
	u32 until;

	KUNIT_EXPECT_TRUE(test, remove_probe(conn));
	KUNIT_EXPECT_FALSE(test, remove_probe(conn));
	until = conn->until;
	rcu_read_lock();
	KUNIT_EXPECT_FALSE(test, nflb_conn_alive(conn, nflb_now()));
	KUNIT_EXPECT_TRUE(test, nflb_probe_closes(conn, until));
	KUNIT_EXPECT_FALSE(test, nflb_probe_closes(conn, until + 1));
	KUNIT_EXPECT_TRUE(test, nflb_probe_holds(conn, until));
	KUNIT_EXPECT_FALSE(test, nflb_probe_holds(conn, until + 1));
	rcu_read_unlock();
	fixture_exit(test, &fx);
}

static void probe_tuple_is_taken(struct kunit *test)
{
	struct probe_fixture fx;
	struct nflb_conn *conn = made(test, &fx), *other;

	KUNIT_EXPECT_EQ(test, add(&fx), -EEXIST);
	/* Even when it is over, a client's packet gets no other. */
	KUNIT_EXPECT_TRUE(test, remove_probe(conn));
	KUNIT_EXPECT_NULL(test, client(&fx));
	KUNIT_EXPECT_PTR_EQ(test, find(&fx), conn);
	/* But the checker may come again from the same port. */
	KUNIT_EXPECT_EQ(test, add(&fx), 0);
	other = find(&fx);
	KUNIT_EXPECT_PTR_NE(test, other, conn);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->probe_count), 1);
	unlink_conn(other);
	/* A client's connection is in the way. */
	conn = client(&fx);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	KUNIT_EXPECT_EQ(test, add(&fx), -EEXIST);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->probe_count), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->conns), 1);
	unlink_conn(conn);
	fixture_exit(test, &fx);
}

static void probe_is_not_evicted(struct kunit *test)
{
	struct probe_fixture fx;
	struct nflb_conn *conn = made(test, &fx);
	u32 now = nflb_now();
	u8 state;

	rcu_read_lock();
	for (state = 0; state <= NFLB_CONN_STATE_MAX; state++) {
		WRITE_ONCE(conn->state, state);
		KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now),
				NFLB_RANK_ASSURED);
	}
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, conn->until + 1 +
						  NFLB_PROBE_LINGER),
			NFLB_RANK_EXPIRED);
	rcu_read_unlock();
	fixture_exit(test, &fx);
}

static void probe_bound(struct kunit *test)
{
	struct probe_fixture fx;
	struct nflb_conn *conn = made(test, &fx);
	int i;

	for (i = 1; i < 40; i++) {
		fx.in.sport = htons(40000 + i);
		KUNIT_ASSERT_EQ(test, add(&fx), 0);
		if (i % 2) {
			conn = find(&fx);
			KUNIT_EXPECT_TRUE(test, remove_probe(conn));
			WRITE_ONCE(conn->until, nflb_now() - 1);
		}
	}
	/* Each takes away what is over before it. */
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->probe_count), 21);
	atomic_add(NFLB_PROBES_MAX - 20, &ku_nn()->probe_count);
	fx.in.sport = htons(50000);
	KUNIT_EXPECT_EQ(test, add(&fx), -ENOSPC);
	KUNIT_EXPECT_NULL(test, find(&fx));
	atomic_sub(NFLB_PROBES_MAX - 20, &ku_nn()->probe_count);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->probe_count), 20);
	fixture_exit(test, &fx);
}

/* A backend is listed before it is published: nobody knows how to forward to it. */
static void probe_needs_a_published_backend(struct kunit *test)
{
	const struct nflb_forward_ops *ops;
	struct probe_fixture fx;

	fixture_init(test, &fx);
	ops = fx.backend->forward;
	WRITE_ONCE(fx.backend->forward, NULL);
	KUNIT_EXPECT_EQ(test, add(&fx), -ENOENT);
	KUNIT_EXPECT_NULL(test, find(&fx));
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->probe_count), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 0);
	WRITE_ONCE(fx.backend->forward, ops);
	KUNIT_EXPECT_EQ(test, add(&fx), 0);
	unlink_conn(find(&fx));
	fixture_exit(test, &fx);
}

/* What becomes of a client's packet, if it is not forwarded: there is no network. */
static enum nflb_verdict take(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	if (nflb_probe_serves(pkt, conn, NFLB_DIR_IN))
		return NFLB_STOLEN;
	return nflb_probe_packet(pkt, conn, NFLB_DIR_IN);
}

/* Packets of an own address that are received are somebody else's. */
static void probe_sender(struct kunit *test)
{
	struct net_device *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	struct ku_bytes *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	const struct ku_param *p = test->param_value;
	struct nf_hook_state state;
	struct probe_fixture fx;
	struct nflb_conn *conn = made(test, &fx);
	enum nflb_verdict verdict;
	bool tcp = p->proto == IPPROTO_TCP;
	struct nflb_pkt pkt;

	ku_make(b, p, NULL, 0, 0);
	ku_pkt(&pkt, &state, ku_skb(test, b, p), p->family);
	pkt.skb->dev = dev;
	pkt.tuple = fx.in;
	pkt.tcp_flags = tcp ? NFLB_TCP_SYN : 0;
	local_bh_disable();
	rcu_read_lock();
	KUNIT_EXPECT_FALSE(test, nflb_probe_serves(&pkt, conn, NFLB_DIR_IN));
	KUNIT_EXPECT_TRUE(test, nflb_probe_serves(&pkt, conn, NFLB_DIR_OUT));
	verdict = take(&pkt, conn);
	KUNIT_EXPECT_EQ(test, (int)verdict, NFLB_DROP);
	KUNIT_EXPECT_EQ(test, (int)pkt.reason, NFLB_REASON_BAD_SOURCE);
	dev->flags = IFF_LOOPBACK;
	KUNIT_EXPECT_TRUE(test, nflb_probe_serves(&pkt, conn, NFLB_DIR_IN));
	state.hook = NF_INET_LOCAL_OUT;
	KUNIT_EXPECT_TRUE(test, nflb_probe_serves(&pkt, conn, NFLB_DIR_IN));
	/* When it is removed, its two sides may close it, and begin nothing. */
	KUNIT_EXPECT_TRUE(test, nflb_probe_remove(ku_nn(), conn));
	verdict = take(&pkt, conn);
	KUNIT_EXPECT_EQ(test, (int)verdict, NFLB_DROP);
	KUNIT_EXPECT_EQ(test, (int)pkt.reason, NFLB_REASON_PROBE_OVER);
	pkt.tcp_flags = tcp ? NFLB_TCP_FIN | NFLB_TCP_ACK : 0;
	KUNIT_EXPECT_EQ(test, nflb_probe_serves(&pkt, conn, NFLB_DIR_IN), tcp);
	KUNIT_EXPECT_EQ(test, nflb_probe_serves(&pkt, conn, NFLB_DIR_OUT), tcp);
	/* Then the tuple is free. */
	WRITE_ONCE(conn->until, nflb_now() - 1);
	verdict = take(&pkt, conn);
	KUNIT_EXPECT_EQ(test, (int)verdict, NFLB_CONTINUE);
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_EXPECT_NULL(test, find(&fx));
	pkt.skb->dev = NULL;
	kfree_skb(pkt.skb);
	fixture_exit(test, &fx);
}

static struct kunit_case probe_cases[] = {
	KUNIT_CASE_PARAM(probe_counts_nowhere, ku_gen_flows),
	KUNIT_CASE_PARAM(probe_lives_whatever_its_backend_is, ku_gen_flows),
	KUNIT_CASE_PARAM(probe_ends, ku_gen_flows),
	KUNIT_CASE_PARAM(probe_is_removed_once, ku_gen_flows),
	KUNIT_CASE_PARAM(probe_tuple_is_taken, ku_gen_flows),
	KUNIT_CASE_PARAM(probe_is_not_evicted, ku_gen_flows),
	KUNIT_CASE_PARAM(probe_bound, ku_gen_flows),
	KUNIT_CASE_PARAM(probe_needs_a_published_backend, ku_gen_flows),
	KUNIT_CASE_PARAM(probe_sender, ku_gen_flows),
	{ }
};

static struct kunit_suite probe_suite = {
	.name = "nflb_probe",
	.test_cases = probe_cases,
};
kunit_test_suite(probe_suite);
