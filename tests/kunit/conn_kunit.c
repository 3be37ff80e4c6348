// SPDX-License-Identifier: GPL-2.0
/*
 * The connection table against a list that is searched from end to end.
 */
#include <linux/random.h>

#include "conn/conn_state.h"
#include "forward/forward.h"
#include "util.h"

#define COUNT 3000

struct conn_fixture {
	struct nflb_service	*svc;
	struct nflb_backend	*backend;
};

static void fixture_init(struct kunit *test, struct conn_fixture *fx, u8 family)
{
	fx->svc = ku_service_add(test, family, 1, "rr");
	fx->backend = ku_backend_add(test, fx->svc, 1, 1);
}

static void fixture_exit(struct conn_fixture *fx)
{
	ku_service_del(fx->svc);
	nflb_config_drain();
}

static void random_tuple(struct nflb_tuple *t, u8 family)
{
	memset(t, 0, sizeof(*t));
	ku_random_addr(&t->src, family);
	ku_random_addr(&t->dst, family);
	t->sport = htons(get_random_u32_below(65536));
	t->dport = htons(80);
	t->proto = get_random_u32_below(2) ? IPPROTO_TCP : IPPROTO_UDP;
	t->family = family;
}

static struct nflb_conn *create(struct conn_fixture *fx,
				const struct nflb_tuple *in,
				struct nflb_tuple *out,
				enum nflb_reason *reason)
{
	struct nflb_conn *conn;

	local_bh_disable();
	rcu_read_lock();
	conn = nflb_conn_create(ku_nn(), fx->backend, fx->backend->forward, in,
				reason);
	/* In mode dnat there is one that it can be. */
	nflb_tuple_invert(out, in);
	out->src = fx->backend->addr;
	if (fx->backend->port)
		out->sport = fx->backend->port;
	rcu_read_unlock();
	local_bh_enable();
	return conn;
}

static struct nflb_conn *lookup(const struct nflb_tuple *t, enum nflb_dir *dir)
{
	struct nflb_conn *conn;

	rcu_read_lock();
	conn = nflb_conn_lookup(ku_nn(), t, dir);
	rcu_read_unlock();
	return conn;
}

static bool unlink_conn(struct nflb_conn *conn)
{
	bool done;

	rcu_read_lock();
	done = nflb_conn_unlink(ku_nn(), conn);
	rcu_read_unlock();
	return done;
}

static void conn_table_is_a_list(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	struct nflb_tuple *in, *out;
	struct conn_fixture fx;
	enum nflb_reason reason;
	struct nflb_conn **conns;
	enum nflb_dir dir;
	int i, round;

	fixture_init(test, &fx, p->family);
	in = kunit_kcalloc(test, COUNT, sizeof(*in), GFP_KERNEL);
	out = kunit_kcalloc(test, COUNT, sizeof(*out), GFP_KERNEL);
	conns = kunit_kcalloc(test, COUNT, sizeof(*conns), GFP_KERNEL);
	for (i = 0; i < COUNT; i++) {
		random_tuple(&in[i], p->family);
		conns[i] = create(&fx, &in[i], &out[i], &reason);
		KUNIT_ASSERT_NOT_NULL(test, conns[i]);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), COUNT);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->conns), COUNT);
	for (round = 0; round < COUNT; round++) {
		i = get_random_u32_below(COUNT);
		KUNIT_EXPECT_PTR_EQ(test, lookup(&in[i], &dir), conns[i]);
		if (conns[i])
			KUNIT_EXPECT_EQ(test, (int)dir, NFLB_DIR_IN);
		KUNIT_EXPECT_PTR_EQ(test, lookup(&out[i], &dir), conns[i]);
		if (conns[i])
			KUNIT_EXPECT_EQ(test, (int)dir, NFLB_DIR_OUT);
		if (conns[i] && round % 3 == 0) {
			KUNIT_EXPECT_TRUE(test, unlink_conn(conns[i]));
			conns[i] = NULL;
		}
	}
	for (i = 0; i < COUNT; i++)
		if (conns[i])
			unlink_conn(conns[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->conns), 0);
	fixture_exit(&fx);
}

static void conn_unlink_is_done_once(struct kunit *test)
{
	struct conn_fixture fx;
	struct nflb_tuple in, out;
	enum nflb_reason reason;
	struct nflb_conn *conn;

	fixture_init(test, &fx, AF_INET);
	random_tuple(&in, AF_INET);
	conn = create(&fx, &in, &out, &reason);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, nflb_conn_unlink(ku_nn(), conn));
	KUNIT_EXPECT_FALSE(test, nflb_conn_unlink(ku_nn(), conn));
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 0);
	fixture_exit(&fx);
}

/* The second CPU with the same packet gets what the first one made. */
static void conn_create_twice_is_one(struct kunit *test)
{
	struct conn_fixture fx;
	struct nflb_tuple in, out;
	enum nflb_reason reason;
	struct nflb_conn *conn;

	fixture_init(test, &fx, AF_INET);
	random_tuple(&in, AF_INET);
	conn = create(&fx, &in, &out, &reason);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	KUNIT_EXPECT_PTR_EQ(test, create(&fx, &in, &out, &reason), conn);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backend->conns), 1);
	unlink_conn(conn);
	fixture_exit(&fx);
}

/* Two VIPs, one client port, one backend port: replies look the same. */
static void conn_tuple_clash(struct kunit *test)
{
	struct nflb_tuple in, other, out;
	struct conn_fixture fx;
	enum nflb_reason reason = NFLB_REASON_COUNT;
	struct nflb_conn *conn, *second;

	fixture_init(test, &fx, AF_INET);
	random_tuple(&in, AF_INET);
	in.proto = IPPROTO_TCP;
	conn = create(&fx, &in, &out, &reason);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	other = in;
	other.dport = htons(81);
	nflb_conn_now_set(conn, NFLB_NOW_ASSURED);
	KUNIT_EXPECT_NULL(test, create(&fx, &other, &out, &reason));
	KUNIT_EXPECT_EQ(test, (int)reason, NFLB_REASON_TUPLE_CLASH);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 1);
	/* What is over gives way. */
	WRITE_ONCE(conn->state, NFLB_CONN_CLOSE);
	second = create(&fx, &other, &out, &reason);
	KUNIT_EXPECT_NOT_NULL(test, second);
	/* So does what nobody but its sender vouches for. */
	conn = create(&fx, &in, &out, &reason);
	KUNIT_EXPECT_NOT_NULL(test, conn);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 1);
	if (conn)
		unlink_conn(conn);
	fixture_exit(&fx);
}

static void conn_ceiling(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	int max = nn->max_connections, i, made = 0;
	struct nflb_tuple in, out;
	struct conn_fixture fx;
	enum nflb_reason reason;
	struct nflb_conn *conns[10];

	fixture_init(test, &fx, AF_INET6);
	WRITE_ONCE(nn->max_connections, 5);
	for (i = 0; i < 10; i++) {
		random_tuple(&in, AF_INET6);
		in.proto = IPPROTO_UDP;
		conns[i] = create(&fx, &in, &out, &reason);
		if (conns[i]) {
			nflb_conn_now_set(conns[i], NFLB_NOW_ASSURED);
			made++;
		} else {
			KUNIT_EXPECT_EQ(test, (int)reason,
					NFLB_REASON_TABLE_FULL);
		}
	}
	WRITE_ONCE(nn->max_connections, max);
	KUNIT_EXPECT_EQ(test, made, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->conn_count), 5);
	for (i = 0; i < 10; i++)
		if (conns[i])
			unlink_conn(conns[i]);
	fixture_exit(&fx);
}

/* In a full table what is half open makes room, and nothing else does. */
static void conn_half_open_makes_room(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	int max = nn->max_connections, i, made = 0;
	struct nflb_tuple in, out, kept[2];
	struct conn_fixture fx;
	enum nflb_reason reason;
	struct nflb_conn *conn;
	enum nflb_dir dir;

	fixture_init(test, &fx, AF_INET);
	WRITE_ONCE(nn->max_connections, 2000);
	for (i = 0; i < 2200; i++) {
		random_tuple(&in, AF_INET);
		in.proto = IPPROTO_TCP;
		conn = create(&fx, &in, &out, &reason);
		/* After a search in vain there is none for a moment. */
		if (!conn) {
			schedule_timeout_uninterruptible(HZ / 50);
			conn = create(&fx, &in, &out, &reason);
		}
		if (conn)
			made++;
		if (i < 2) {
			KUNIT_ASSERT_NOT_NULL(test, conn);
			conn->state = NFLB_CONN_ESTABLISHED;
			nflb_conn_now_set(conn, NFLB_NOW_ASSURED);
			kept[i] = in;
		}
	}
	WRITE_ONCE(nn->max_connections, max);
	/* Some buckets are searched, once in a blue moon in vain. */
	KUNIT_EXPECT_GE(test, made, 2198);
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->conn_count), 2000);
	rcu_read_lock();
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_NOT_NULL(test,
				      nflb_conn_lookup(nn, &kept[i], &dir));
	rcu_read_unlock();
	ku_service_del(fx.svc);
	nflb_conn_table_flush(nn);
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->conn_count), 0);
	nflb_config_drain();
}

/* The clock is the connection's own: it is set back instead of waiting. */
static void conn_expiry(struct kunit *test)
{
	struct nflb_tuple in, out;
	struct conn_fixture fx;
	enum nflb_reason reason;
	struct nflb_conn *conn;
	u32 now;

	fixture_init(test, &fx, AF_INET);
	random_tuple(&in, AF_INET);
	conn = create(&fx, &in, &out, &reason);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	/* At the begin of a tick, not the one that is twice as long */
	now = 512 * NFLB_CONN_TICK + 8 * NFLB_CONN_TICK;
	nflb_conn_renew(conn, now);
	KUNIT_EXPECT_FALSE(test, nflb_conn_expired(conn, now));
	KUNIT_EXPECT_FALSE(test, nflb_conn_expired(conn, now + conn->timeout));
	KUNIT_EXPECT_TRUE(test, nflb_conn_expired(conn, now + conn->timeout +
						  2 * HZ + 1));
	KUNIT_EXPECT_EQ(test, nflb_conn_left(conn, now + 5), conn->timeout - 5);
	KUNIT_EXPECT_EQ(test, nflb_conn_left(conn, now + conn->timeout + 9), 0);
	/* Jiffies wrap. */
	nflb_conn_renew(conn, (u32)-5);
	KUNIT_EXPECT_FALSE(test, nflb_conn_expired(conn, 5));
	KUNIT_EXPECT_TRUE(test, nflb_conn_expired(conn, conn->timeout + 2 * HZ));
	/* Touched at most once a tick. */
	nflb_conn_renew(conn, now);
	nflb_conn_touch(conn, now + NFLB_CONN_TICK - 1);
	KUNIT_EXPECT_EQ(test, conn->expires, now + conn->timeout);
	nflb_conn_touch(conn, now + NFLB_CONN_TICK);
	KUNIT_EXPECT_EQ(test, conn->expires,
			now + NFLB_CONN_TICK + conn->timeout);
	/* Ticks repeat; but the sweep came before. */
	now += NFLB_CONN_TICK;
	nflb_conn_touch(conn, now + 256 * NFLB_CONN_TICK);
	KUNIT_EXPECT_EQ(test, conn->expires, now + conn->timeout);
	nflb_conn_idle(conn, now + (NFLB_CONN_IDLE_TICKS - 1) * NFLB_CONN_TICK);
	KUNIT_EXPECT_NE(test, conn->tick, 0);
	nflb_conn_idle(conn, now + NFLB_CONN_IDLE_TICKS * NFLB_CONN_TICK);
	KUNIT_EXPECT_EQ(test, conn->tick, 0);
	nflb_conn_touch(conn, now + 256 * NFLB_CONN_TICK);
	KUNIT_EXPECT_EQ(test, conn->expires,
			now + 256 * NFLB_CONN_TICK + conn->timeout);
	unlink_conn(conn);
	fixture_exit(&fx);
}

/* The sweep removes what is over, and what a deleted backend leaves of UDP. */
static void conn_sweep(struct kunit *test)
{
	struct nflb_tuple in, out;
	struct conn_fixture fx;
	enum nflb_reason reason;
	struct nflb_conn *conn;
	int i, tcp = 0, waited = 0;

	fixture_init(test, &fx, AF_INET);
	for (i = 0; i < COUNT; i++) {
		random_tuple(&in, AF_INET);
		conn = create(&fx, &in, &out, &reason);
		KUNIT_ASSERT_NOT_NULL(test, conn);
		if (i < COUNT / 3)
			WRITE_ONCE(conn->expires, nflb_now() - 3 * HZ);
		else
			tcp += in.proto == IPPROTO_TCP;
	}
	WRITE_ONCE(fx.backend->gone, NFLB_GONE_STATELESS);
	nflb_conn_gc_kick(ku_nn());
	while (atomic_read(&ku_nn()->conn_count) != tcp && waited++ < 500)
		schedule_timeout_uninterruptible(HZ / 50);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), tcp);
	fixture_exit(&fx);
	KUNIT_EXPECT_TRUE(test, tcp > 0 && tcp < COUNT - COUNT / 3);
}

static struct kunit_case conn_cases[] = {
	KUNIT_CASE_PARAM(conn_table_is_a_list, ku_gen_flows),
	KUNIT_CASE(conn_unlink_is_done_once),
	KUNIT_CASE(conn_create_twice_is_one),
	KUNIT_CASE(conn_tuple_clash),
	KUNIT_CASE(conn_ceiling),
	KUNIT_CASE(conn_half_open_makes_room),
	KUNIT_CASE(conn_expiry),
	KUNIT_CASE(conn_sweep),
	{ }
};

/* Wait for what earlier cases deleted, so that each begins with nothing. */
static int conn_case_init(struct kunit *test)
{
	int waited = 0;

	while (atomic_read(&ku_nn()->conn_count) && waited++ < 500)
		schedule_timeout_uninterruptible(HZ / 50);
	return atomic_read(&ku_nn()->conn_count) ? -EBUSY : 0;
}

static struct kunit_suite conn_suite = {
	.name = "nflb_conn",
	.init = conn_case_init,
	.test_cases = conn_cases,
};

kunit_test_suite(conn_suite);
