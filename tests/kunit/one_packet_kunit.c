// SPDX-License-Identifier: GPL-2.0
/*
 * Services of UDP that schedule each datagram by itself: what stands in the table, for
 * how long, and who makes room.
 */
#include <linux/random.h>

#include "conn/conn_evict.h"
#include "conn/conn_state.h"
#include "forward/forward.h"
#include "util.h"

#define COUNT 1000

struct one_fixture {
	struct nflb_service	*svc;
	struct nflb_backend	*backends[2];
	struct nflb_laddr	laddr;
};

static void add_laddr(struct kunit *test, struct one_fixture *fx, u8 family)
{
	struct netlink_ext_ack extack = { };
	struct nflb_net *nn = ku_nn();
	int err;

	fx->laddr = (struct nflb_laddr){
		.family = family,
		.addr_count = 1,
		.ports = { .first = 2000, .last = 2000 + 2 * COUNT - 1 },
		.port_count = 2 * COUNT,
	};
	fx->laddr.first = fx->backends[0]->addr;
	fx->laddr.first.all[family == AF_INET ? 0 : 3] ^= htonl(0x00ff00);
	mutex_lock(&nn->mutex);
	err = nflb_laddr_add(nn, &fx->laddr, &extack);
	mutex_unlock(&nn->mutex);
	KUNIT_ASSERT_EQ(test, err, 0);
}

static void one_init(struct kunit *test, struct one_fixture *fx, u8 family,
		     u8 mode)
{
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req;
	struct nflb_net *nn = ku_nn();
	int err, i;

	memset(fx, 0, sizeof(*fx));
	ku_service_request(&req, family, 1, 80);
	req.id.key.proto = IPPROTO_UDP;
	req.settings.mode = mode;
	req.settings.one_packet = true;
	req.set = NFLB_SET_MODE | NFLB_SET_ONE_PACKET;
	mutex_lock(&nn->mutex);
	err = nflb_service_add(nn, &req, &extack);
	fx->svc = nflb_service_find(nn, &req.id);
	for (i = 0; i < 2 && !err; i++) {
		struct nflb_backend_request backend;

		ku_backend_request(&backend, family, i + 1, 1);
		if (mode == NFLB_MODE_DSR)
			backend.port = 0;
		err = nflb_backend_add(fx->svc, &backend, &extack);
		fx->backends[i] = nflb_backend_find(fx->svc, &backend);
	}
	mutex_unlock(&nn->mutex);
	KUNIT_ASSERT_EQ(test, err, 0);
	if (mode == NFLB_MODE_FULLNAT)
		add_laddr(test, fx, family);
}

static void one_exit(struct kunit *test, struct one_fixture *fx)
{
	struct netlink_ext_ack extack = { };
	struct nflb_net *nn = ku_nn();

	ku_service_del(fx->svc);
	nflb_conn_table_flush(nn);
	if (fx->laddr.addr_count) {
		mutex_lock(&nn->mutex);
		nflb_laddr_del(nn, &fx->laddr, true, &extack);
		mutex_unlock(&nn->mutex);
	}
	nflb_config_drain();
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->conn_count), 0);
}

static void client(struct nflb_tuple *t, const struct one_fixture *fx, u16 i)
{
	const struct nflb_service_key *key = &fx->svc->key;

	memset(t, 0, sizeof(*t));
	t->src = fx->backends[0]->addr;
	t->src.all[key->family == AF_INET ? 0 : 3] ^= htonl(0x00ff0000);
	t->dst = key->addr;
	t->sport = htons(1024 + i);
	t->dport = key->port;
	t->proto = key->proto;
	t->family = key->family;
}

static struct nflb_conn *create(struct nflb_backend *backend,
				const struct nflb_tuple *in)
{
	enum nflb_reason reason;
	struct nflb_conn *conn;

	local_bh_disable();
	rcu_read_lock();
	conn = nflb_conn_create(ku_nn(), backend, backend->forward, in,
				&reason);
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

static int walk(void)
{
	struct nflb_conn_walk walk = { };
	int seen = 0;

	rcu_read_lock();
	while (nflb_conn_walk_next(ku_nn(), &walk))
		seen++;
	rcu_read_unlock();
	return seen;
}

/* One for each backend, and the client's next datagram finds none of them. */
static void expect_entries(struct kunit *test, u8 family, u8 mode)
{
	struct nflb_conn *conns[2];
	struct one_fixture fx;
	struct nflb_tuple in;
	enum nflb_dir dir;
	int i;

	one_init(test, &fx, family, mode);
	client(&in, &fx, 1);
	for (i = 0; i < 2; i++) {
		conns[i] = create(fx.backends[i], &in);
		KUNIT_ASSERT_NOT_NULL(test, conns[i]);
		KUNIT_EXPECT_PTR_EQ(test, conns[i]->backend, fx.backends[i]);
		KUNIT_EXPECT_PTR_EQ(test, create(fx.backends[i], &in),
				    conns[i]);
		KUNIT_EXPECT_PTR_EQ(test, lookup(&conns[i]->out.tuple, &dir),
				    conns[i]);
		KUNIT_EXPECT_EQ(test, (int)dir, NFLB_DIR_OUT);
		KUNIT_EXPECT_LE(test, conns[i]->timeout,
				(u32)NFLB_TIMEOUT_ONE_PACKET * HZ);
	}
	KUNIT_EXPECT_NULL(test, lookup(&in, &dir));
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 2);
	KUNIT_EXPECT_EQ(test, walk(), 2);
	/* Of another client, another */
	client(&in, &fx, 2);
	KUNIT_EXPECT_PTR_NE(test, create(fx.backends[0], &in), conns[0]);
	KUNIT_EXPECT_EQ(test, walk(), 3);
	one_exit(test, &fx);
}

static void one_packet_entries(struct kunit *test)
{
	static const u8 families[] = { AF_INET, AF_INET6 };
	int f;

	for (f = 0; f < ARRAY_SIZE(families); f++) {
		expect_entries(test, families[f], NFLB_MODE_DNAT);
		expect_entries(test, families[f], NFLB_MODE_FULLNAT);
	}
}

/* Nothing is remembered that nobody asks for. */
static void one_packet_loose(struct kunit *test)
{
	struct nflb_conn *conn;
	struct one_fixture fx;
	struct nflb_tuple in;

	one_init(test, &fx, AF_INET, NFLB_MODE_DSR);
	client(&in, &fx, 1);
	conn = create(fx.backends[0], &in);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	KUNIT_EXPECT_TRUE(test, nflb_conn_loose(conn));
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fx.backends[0]->conns), 0);
	KUNIT_EXPECT_EQ(test, walk(), 0);
	nflb_conn_free(conn);
	one_exit(test, &fx);
}

/* However much both sides say, it makes room. */
static void one_packet_is_never_assured(struct kunit *test)
{
	struct nflb_pkt pkt = { .kind = NFLB_KIND_FLOW };
	struct nflb_conn *conn;
	struct one_fixture fx;
	int i;

	one_init(test, &fx, AF_INET6, NFLB_MODE_DNAT);
	client(&pkt.tuple, &fx, 1);
	conn = create(fx.backends[0], &pkt.tuple);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	rcu_read_lock();
	for (i = 0; i < 6; i++)
		nflb_conn_state_packet(conn, &pkt, i % 2 ? NFLB_DIR_OUT :
							   NFLB_DIR_IN);
	KUNIT_EXPECT_FALSE(test, nflb_conn_assured(conn));
	KUNIT_EXPECT_EQ(test, (int)nflb_conn_rank(conn, nflb_now()),
			NFLB_RANK_DOUBTFUL);
	KUNIT_EXPECT_TRUE(test,
			  nflb_conn_expired(conn, nflb_now() + 3 * HZ +
					    NFLB_TIMEOUT_ONE_PACKET * HZ));
	rcu_read_unlock();
	one_exit(test, &fx);
}

/* A thousand clients in a table of a hundred: they replace each other. */
static void one_packet_flood(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	int max = nn->max_connections, i, made = 0;
	struct one_fixture fx;
	struct nflb_tuple in;

	one_init(test, &fx, AF_INET, NFLB_MODE_DNAT);
	WRITE_ONCE(nn->max_connections, 100);
	for (i = 0; i < COUNT; i++) {
		client(&in, &fx, i);
		made += !!create(fx.backends[i % 2], &in);
		KUNIT_EXPECT_LE(test, atomic_read(&nn->conn_count), 100);
	}
	WRITE_ONCE(nn->max_connections, max);
	KUNIT_EXPECT_GE(test, made, COUNT * 9 / 10);
	one_exit(test, &fx);
}

/* All local ports are taken by others of its kind: one of these gives way. */
static void one_packet_ports(struct kunit *test)
{
	struct nflb_conn *conn, *last = NULL;
	struct one_fixture fx;
	struct nflb_tuple in;
	int i, missing = 0;

	one_init(test, &fx, AF_INET, NFLB_MODE_FULLNAT);
	for (i = 0; i < 4 * COUNT; i++) {
		client(&in, &fx, i);
		conn = create(fx.backends[0], &in);
		missing += !conn;
		last = conn ?: last;
	}
	KUNIT_EXPECT_EQ(test, missing, 0);
	KUNIT_EXPECT_LE(test, atomic_read(&ku_nn()->conn_count), 2 * COUNT);
	KUNIT_EXPECT_PTR_EQ(test, create(fx.backends[0], &in), last);
	one_exit(test, &fx);
}

static void set_one_packet(struct kunit *test, struct one_fixture *fx, bool on)
{
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req = {
		.id = { .key = fx->svc->key, .port_last = fx->svc->port_last },
		.set = NFLB_SET_ONE_PACKET,
		.settings = { .one_packet = on },
	};
	int err;

	mutex_lock(&ku_nn()->mutex);
	err = nflb_service_set(ku_nn(), fx->svc, &req, &extack);
	mutex_unlock(&ku_nn()->mutex);
	KUNIT_EXPECT_EQ(test, err, 0);
}

/* Turned off, what is left of it is in nobody's way. */
static void one_packet_no_more(struct kunit *test)
{
	struct nflb_conn *conn, *old;
	struct one_fixture fx;
	struct nflb_tuple in;
	enum nflb_dir dir;

	one_init(test, &fx, AF_INET, NFLB_MODE_DNAT);
	client(&in, &fx, 1);
	old = create(fx.backends[0], &in);
	set_one_packet(test, &fx, false);
	conn = create(fx.backends[0], &in);
	KUNIT_ASSERT_NOT_NULL(test, conn);
	KUNIT_EXPECT_PTR_NE(test, conn, old);
	KUNIT_EXPECT_PTR_EQ(test, lookup(&in, &dir), conn);
	KUNIT_EXPECT_EQ(test, atomic_read(&ku_nn()->conn_count), 1);
	one_exit(test, &fx);
}

/* What does not go together is refused. */
static void one_packet_refused(struct kunit *test)
{
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req;
	struct nflb_net *nn = ku_nn();

	ku_service_request(&req, AF_INET, 1, 80);
	req.settings.one_packet = true;
	req.set = NFLB_SET_ONE_PACKET;
	mutex_lock(&nn->mutex);
	KUNIT_EXPECT_EQ(test, nflb_service_add(nn, &req, &extack), -EINVAL);
	KUNIT_EXPECT_STREQ(test, extack._msg, "one-packet needs udp");
	req.id.key.proto = IPPROTO_UDP;
	req.settings.persist = 300;
	req.set |= NFLB_SET_PERSIST;
	KUNIT_EXPECT_EQ(test, nflb_service_add(nn, &req, &extack), -EINVAL);
	mutex_unlock(&nn->mutex);
}

static struct kunit_case one_packet_cases[] = {
	KUNIT_CASE(one_packet_entries),
	KUNIT_CASE(one_packet_loose),
	KUNIT_CASE(one_packet_is_never_assured),
	KUNIT_CASE(one_packet_flood),
	KUNIT_CASE(one_packet_ports),
	KUNIT_CASE(one_packet_no_more),
	KUNIT_CASE(one_packet_refused),
	{ }
};

static struct kunit_suite one_packet_suite = {
	.name = "nflb_one_packet",
	.test_cases = one_packet_cases,
};

kunit_test_suite(one_packet_suite);
