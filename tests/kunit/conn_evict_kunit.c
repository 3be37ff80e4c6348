// SPDX-License-Identifier: GPL-2.0
/*
 * Who makes room when something is full, and what is bounded by that.
 */
#include <linux/random.h>

#include "service/stats.h"
#include "conn/conn_evict.h"
#include "conn/conn_state.h"
#include "forward/forward.h"
#include "forward/icmp_reply.h"
#include "util.h"

struct evict_fixture {
	struct nflb_service	*svc;
	struct nflb_backend	*backend;
	int			max;
	u16			port;
};

static void evict_fixture_init(struct kunit *test, struct evict_fixture *fx,
			       int max)
{
	memset(fx, 0, sizeof(*fx));
	fx->svc = ku_service_add(test, AF_INET, 1, "rr");
	fx->backend = ku_backend_add(test, fx->svc, 1, 1);
	fx->max = ku_nn()->max_connections;
	WRITE_ONCE(ku_nn()->max_connections, max);
}

static void evict_fixture_exit(struct kunit *test, struct evict_fixture *fx)
{
	WRITE_ONCE(ku_nn()->max_connections, fx->max);
	ku_service_del(fx->svc);
	nflb_conn_table_flush(ku_nn());
	nflb_config_drain();
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_waiting), 0);
}

/* One more of TCP, as after the client's SYN */
static struct nflb_conn *begin(struct evict_fixture *fx,
			       enum nflb_reason *reason)
{
	struct nflb_tuple in = { .proto = IPPROTO_TCP, .family = AF_INET };
	struct nflb_conn *conn;

	nflb_addr_set_v4(&in.src, htonl(0x0a010001 + (fx->port >> 12)));
	nflb_addr_set_v4(&in.dst, htonl(0x0a010101));
	in.sport = htons(1024 + fx->port++);
	in.dport = htons(80);
	local_bh_disable();
	rcu_read_lock();
	conn = nflb_conn_create(ku_nn(), fx->backend, fx->backend->forward, &in,
				reason);
	if (conn)
		WRITE_ONCE(conn->state, NFLB_CONN_SYN_SENT);
	rcu_read_unlock();
	local_bh_enable();
	return conn;
}

static void become(struct nflb_conn *conn, u8 state)
{
	WRITE_ONCE(conn->state, state);
	if (state >= NFLB_CONN_ESTABLISHED)
		nflb_conn_now_set(conn, NFLB_NOW_ASSURED);
	nflb_conn_recount(conn, state);
}

static bool evict_table(void)
{
	bool done;

	local_bh_disable();
	rcu_read_lock();
	done = nflb_evict_from_table(ku_nn(), false);
	rcu_read_unlock();
	local_bh_enable();
	return done;
}

static void evict_ranks(struct kunit *test)
{
	struct evict_fixture fx;
	enum nflb_reason reason;
	struct nflb_conn *conn;
	u32 now = nflb_now();

	evict_fixture_init(test, &fx, 1000);
	conn = begin(&fx, &reason);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now),
			NFLB_RANK_DOUBTFUL);
	become(conn, NFLB_CONN_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now),
			NFLB_RANK_ASSURED);
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now + conn->timeout +
						  3 * HZ), NFLB_RANK_EXPIRED);
	become(conn, NFLB_CONN_FIN_WAIT);
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now),
			NFLB_RANK_ASSURED);
	become(conn, NFLB_CONN_TIME_WAIT);
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now), NFLB_RANK_DEAD);
	become(conn, NFLB_CONN_CLOSE);
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now), NFLB_RANK_DEAD);
	become(conn, NFLB_CONN_ESTABLISHED);
	WRITE_ONCE(fx.backend->gone, NFLB_GONE_ALL);
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now), NFLB_RANK_DEAD);
	rcu_read_unlock();
	evict_fixture_exit(test, &fx);
}

/*
 * What a forger can make look assured makes room once it is silent: UDP after ten
 * seconds, TCP after as long as it was heard.
 */
static void evict_what_is_not_proven(struct kunit *test)
{
	struct evict_fixture fx;
	enum nflb_reason reason;
	struct nflb_conn *conn;
	u32 now = nflb_now();

	evict_fixture_init(test, &fx, 1000);
	conn = begin(&fx, &reason);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	rcu_read_lock();
	become(conn, NFLB_CONN_ESTABLISHED);
	conn->timeout = 900 * HZ;
	nflb_conn_renew(conn, now);
	now += 100 * HZ;
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now),
			NFLB_RANK_ASSURED);
	/* One-sided; heard for a moment, or for 200 s */
	conn->how |= NFLB_HOW_ONE_SIDED;
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now),
			NFLB_RANK_UNPROVEN);
	nflb_conn_renew(conn, now);
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now + 90 * HZ),
			NFLB_RANK_ASSURED);
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now + 110 * HZ),
			NFLB_RANK_UNPROVEN);
	conn->in.tuple.proto = IPPROTO_UDP;
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now + 8 * HZ),
			NFLB_RANK_ASSURED);
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, now + 12 * HZ),
			NFLB_RANK_UNPROVEN);
	conn->in.tuple.proto = IPPROTO_TCP;
	conn->how &= ~NFLB_HOW_ONE_SIDED;
	rcu_read_unlock();
	evict_fixture_exit(test, &fx);
}

/* All of them make room but those that are assured; then a search is in vain. */
static void evict_spares_what_is_assured(struct kunit *test)
{
	static const u8 states[] = {
		NFLB_CONN_ESTABLISHED, NFLB_CONN_SYN_SENT, NFLB_CONN_TIME_WAIT,
		NFLB_CONN_CLOSE,
	};
	struct evict_fixture fx;
	enum nflb_reason reason;
	struct nflb_conn *conn;
	int i, vain = 0, evicted = 0;

	evict_fixture_init(test, &fx, 1000);
	for (i = 0; i < 40; i++) {
		conn = begin(&fx, &reason);
		KUNIT_ASSERT_NOT_NULL(test, conn);
		become(conn, states[i % ARRAY_SIZE(states)]);
	}
	WRITE_ONCE(ku_nn()->max_connections, 1 << 20);
	/* Where earlier cases left a large table, a search may miss a few. */
	while (vain < 100) {
		if (evict_table()) {
			evicted++;
			continue;
		}
		vain++;
		schedule_timeout_uninterruptible(2);
	}
	KUNIT_EXPECT_EQ(test, evicted, 30);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->conns), 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->over), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->active), 10);
	KUNIT_EXPECT_LT(test, nflb_now() - ku_nn()->conn_vain, HZ);
	evict_fixture_exit(test, &fx);
}

/* While nothing can be freed, no more than an eighth or 4,096 are replaced. */
static void evict_bounds_memory(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	struct evict_fixture fx;
	enum nflb_reason reason;
	int i, most = 0;

	evict_fixture_init(test, &fx, 100);
	rcu_read_lock();
	for (i = 0; i < 6000; i++) {
		begin(&fx, &reason);
		most = max(most, atomic_read(&nn->conn_count) +
				 atomic_read(&nn->conn_waiting));
	}
	rcu_read_unlock();
	KUNIT_EXPECT_LE(test, atomic_read(&nn->conn_count), 100);
	KUNIT_EXPECT_GT(test, most, 4000);
	KUNIT_EXPECT_LE(test, most, 100 + 4096);
	KUNIT_EXPECT_EQ(test, (int)reason, NFLB_REASON_TABLE_FULL);
	evict_fixture_exit(test, &fx);
}

/* max-connections: doubtful ones give way, those that are over do not count. */
static void evict_at_a_backend(struct kunit *test)
{
	struct nflb_conn *conns[5], *conn;
	struct evict_fixture fx;
	enum nflb_reason reason;
	int i;

	evict_fixture_init(test, &fx, 1000);
	WRITE_ONCE(fx.backend->max_connections, 5);
	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_NOT_NULL(test, begin(&fx, &reason));
		KUNIT_EXPECT_LE(test, nflb_backend_held(fx.backend), 5);
	}
	for (i = 0; i < 5; i++) {
		conns[i] = begin(&fx, &reason);
		KUNIT_ASSERT_NOT_NULL(test, conns[i]);
		become(conns[i], NFLB_CONN_ESTABLISHED);
	}
	KUNIT_EXPECT_TRUE(test, nflb_backend_full(fx.backend));
	KUNIT_EXPECT_NULL(test, begin(&fx, &reason));
	KUNIT_EXPECT_EQ(test, (int)reason, NFLB_REASON_NO_BACKEND);
	become(conns[0], NFLB_CONN_FIN_WAIT);
	KUNIT_EXPECT_NULL(test, begin(&fx, &reason));
	become(conns[0], NFLB_CONN_TIME_WAIT);
	become(conns[1], NFLB_CONN_CLOSE);
	KUNIT_EXPECT_EQ(test, nflb_backend_held(fx.backend), 3);
	/* It goes on after all. */
	become(conns[1], NFLB_CONN_ESTABLISHED);
	KUNIT_EXPECT_EQ(test, nflb_backend_held(fx.backend), 4);
	conn = begin(&fx, &reason);
	KUNIT_EXPECT_NOT_NULL(test, conn);
	become(conn, NFLB_CONN_ESTABLISHED);
	KUNIT_EXPECT_NULL(test, begin(&fx, &reason));
	nflb_conn_table_flush(ku_nn());
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->conns), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->over), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&fx.backend->limited));
	evict_fixture_exit(test, &fx);
}

/* Every connection once, also when most buckets are empty. */
static void evict_walk_meets_all(struct kunit *test)
{
	struct nflb_conn_walk walk = { };
	struct evict_fixture fx;
	enum nflb_reason reason;
	struct nflb_conn *conn;
	int i, met = 0;

	evict_fixture_init(test, &fx, 10000);
	for (i = 0; i < 3000; i++)
		KUNIT_ASSERT_NOT_NULL(test, begin(&fx, &reason));
	/* Let the table grow to its size. */
	flush_work(&ku_nn()->conns.run_work);
	rcu_read_lock();
	while ((conn = nflb_conn_walk_next(ku_nn(), &walk)))
		met++;
	KUNIT_EXPECT_EQ(test, met, 3000);
	memset(&walk, 0, sizeof(walk));
	while ((conn = nflb_conn_walk_next(ku_nn(), &walk)))
		if (ntohs(conn->in.tuple.sport) % 500 &&
		    nflb_conn_unlink(ku_nn(), conn))
			walk.skip = 0;
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 6);
	evict_fixture_exit(test, &fx);
}

/* So many resets and the like at once, and no more. */
static void evict_answers_are_limited(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	int i, sent = 0;

	local_bh_disable();
	for (i = 0; i < 100000; i++)
		sent += nflb_may_answer(nn);
	local_bh_enable();
	KUNIT_EXPECT_GE(test, sent, 500);
	KUNIT_EXPECT_LT(test, sent, 50000);
	KUNIT_EXPECT_EQ(test, nflb_counter_read(nn,
						NFLB_COUNTER_ANSWER_LIMITED),
			100000 - sent);
	schedule_timeout_uninterruptible(HZ / 10);
	local_bh_disable();
	KUNIT_EXPECT_TRUE(test, nflb_may_answer(nn));
	local_bh_enable();
}

static struct kunit_case evict_cases[] = {
	KUNIT_CASE(evict_ranks),
	KUNIT_CASE(evict_what_is_not_proven),
	KUNIT_CASE(evict_spares_what_is_assured),
	KUNIT_CASE(evict_bounds_memory),
	KUNIT_CASE(evict_at_a_backend),
	KUNIT_CASE(evict_walk_meets_all),
	KUNIT_CASE(evict_answers_are_limited),
	{ }
};

/* Wait for what earlier cases deleted, so that each begins with nothing. */
static int evict_case_init(struct kunit *test)
{
	int waited = 0;

	while (atomic_read(&ku_nn()->conn_count) && waited++ < 500)
		schedule_timeout_uninterruptible(HZ / 50);
	nflb_config_drain();
	return atomic_read(&ku_nn()->conn_count) ? -EBUSY : 0;
}

static struct kunit_suite evict_suite = {
	.name = "nflb_conn_evict",
	.init = evict_case_init,
	.test_cases = evict_cases,
};

kunit_test_suite(evict_suite);
