// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of the configuration: whole or not at all, and what becomes of
 * counters and of what was deleted.
 */
#include <nflb/rules.h>

#include "service/laddr.h"
#include "conn/conn_state.h"
#include "forward/forward.h"
#include "util.h"

static int replace(struct nflb_service *svc, const u16 *numbers, u32 count,
		   u32 weight)
{
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req = {
		.set = NFLB_SET_BACKENDS, .backend_count = count,
	};
	u32 i;
	int err;

	req.backends = kcalloc(max(count, 1U), sizeof(*req.backends),
			       GFP_KERNEL);
	for (i = 0; i < count; i++)
		ku_backend_request(&req.backends[i], svc->key.family,
				   numbers[i], weight);
	mutex_lock(&svc->nn->mutex);
	err = nflb_service_set(svc->nn, svc, &req, &extack);
	mutex_unlock(&svc->nn->mutex);
	kfree(req.backends);
	return err;
}

static struct nflb_backend *find(struct nflb_service *svc, u16 number)
{
	struct nflb_backend_request req;
	struct nflb_backend *b;

	ku_backend_request(&req, svc->key.family, number, 1);
	mutex_lock(&svc->nn->mutex);
	b = nflb_backend_find(svc, &req);
	mutex_unlock(&svc->nn->mutex);
	return b;
}

static void count(struct nflb_backend *b, enum nflb_dir dir, u32 packets,
		  u64 bytes)
{
	nflb_stats_packet(b->stats, dir, (struct nflb_wire){
		.packets = packets,
		.bytes = bytes,
	});
}

/* Backends in both lists stay the same objects, with what they counted. */
static void config_replace_keeps_what_stays(struct kunit *test)
{
	static const u16 first[] = { 1, 2, 3 }, second[] = { 3, 2, 4 };
	struct nflb_service *svc = ku_service_add(test, AF_INET6, 3, "wrr");
	struct nflb_backend *two, *three;
	struct nflb_stats_sum sum;

	KUNIT_EXPECT_EQ(test, replace(svc, first, 3, 5), 0);
	two = find(svc, 2);
	three = find(svc, 3);
	KUNIT_ASSERT_NOT_NULL(test, two);
	local_bh_disable();
	count(two, NFLB_DIR_IN, 1, 100);
	count(two, NFLB_DIR_OUT, 1, 7);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, replace(svc, second, 3, 9), 0);
	KUNIT_EXPECT_PTR_EQ(test, find(svc, 2), two);
	KUNIT_EXPECT_PTR_EQ(test, find(svc, 3), three);
	KUNIT_EXPECT_NULL(test, find(svc, 1));
	KUNIT_EXPECT_NOT_NULL(test, find(svc, 4));
	KUNIT_EXPECT_EQ(test, two->weight, 9U);
	KUNIT_EXPECT_EQ(test, svc->backend_count, 3U);
	KUNIT_EXPECT_EQ(test, replace(svc, NULL, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, svc->backend_count, 0U);
	nflb_config_drain();
	/* They are freed by now; what they counted is not lost. */
	down_write(&svc->nn->view);
	nflb_service_stats(svc, &sum);
	up_write(&svc->nn->view);
	KUNIT_EXPECT_EQ(test, sum.packets[NFLB_DIR_IN], 1ULL);
	KUNIT_EXPECT_EQ(test, sum.bytes[NFLB_DIR_IN], 100ULL);
	KUNIT_EXPECT_EQ(test, sum.bytes[NFLB_DIR_OUT], 7ULL);
	ku_service_del(svc);
	nflb_config_drain();
}

static void config_totals_outlive_services(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	struct nflb_stats_sum before, after;
	struct nflb_service *svc;
	struct nflb_backend *b;

	down_write(&nn->view);
	nflb_net_stats(nn, &before);
	up_write(&nn->view);
	svc = ku_service_add(test, AF_INET, 3, "rr");
	b = ku_backend_add(test, svc, 1, 1);
	local_bh_disable();
	count(b, NFLB_DIR_IN, 1, 42);
	local_bh_enable();
	ku_service_del(svc);
	nflb_config_drain();
	down_write(&nn->view);
	nflb_net_stats(nn, &after);
	up_write(&nn->view);
	KUNIT_EXPECT_EQ(test, after.bytes[NFLB_DIR_IN] -
			before.bytes[NFLB_DIR_IN], 42ULL);
	down_write(&nn->view);
	nflb_stats_zero(nn);
	nflb_net_stats(nn, &after);
	up_write(&nn->view);
	KUNIT_EXPECT_EQ(test, after.bytes[NFLB_DIR_IN], 0ULL);
}

/* What a service, its backend and the namespace count */
static void read_drops(struct nflb_service *svc, const struct nflb_backend *b,
		       u64 drops[3])
{
	struct nflb_stats_sum sum;

	down_write(&svc->nn->view);
	nflb_service_stats(svc, &sum);
	drops[0] = sum.drops;
	nflb_net_stats(svc->nn, &sum);
	drops[2] = sum.drops;
	drops[1] = 0;
	if (b) {
		nflb_backend_stats(b, &sum);
		drops[1] = sum.drops;
	}
	up_write(&svc->nn->view);
}

/* Drops of a backend are its service's; a service has others besides. */
static void config_counts_drops(struct kunit *test)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 3, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 1, 1);
	struct nflb_net *nn = ku_nn();
	struct nflb_stats_sum sum;
	u64 before[3], drops[3];

	read_drops(svc, b, before);
	local_bh_disable();
	nflb_stats_drop(b->stats, 3);
	this_cpu_add(*svc->drops, 4);
	count(b, NFLB_DIR_IN, 2, 60);
	local_bh_enable();
	read_drops(svc, b, drops);
	KUNIT_EXPECT_EQ(test, drops[0], 7ULL);
	KUNIT_EXPECT_EQ(test, drops[1], 3ULL);
	KUNIT_EXPECT_EQ(test, drops[2] - before[2], 7ULL);
	down_write(&nn->view);
	nflb_backend_stats(b, &sum);
	KUNIT_EXPECT_EQ(test, sum.packets[NFLB_DIR_IN], 2ULL);
	nflb_stats_zero(nn);
	up_write(&nn->view);
	local_bh_disable();
	nflb_stats_drop(b->stats, 1);
	local_bh_enable();
	read_drops(svc, b, drops);
	KUNIT_EXPECT_EQ(test, drops[0], 1ULL);
	KUNIT_EXPECT_EQ(test, drops[1], 1ULL);
	KUNIT_EXPECT_EQ(test, drops[2], 1ULL);
	KUNIT_EXPECT_EQ(test, replace(svc, NULL, 0, 1), 0);
	nflb_config_drain();
	read_drops(svc, NULL, drops);
	KUNIT_EXPECT_EQ(test, drops[0], 1ULL);
	local_bh_disable();
	this_cpu_inc(*svc->drops);
	local_bh_enable();
	ku_service_del(svc);
	nflb_config_drain();
	down_write(&nn->view);
	nflb_net_stats(nn, &sum);
	up_write(&nn->view);
	KUNIT_EXPECT_EQ(test, sum.drops, 2ULL);
}

static void config_nothing_is_left(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	struct nflb_service *svc;
	int i;

	for (i = 0; i < 50; i++) {
		svc = ku_service_add(test, i % 2 ? AF_INET : AF_INET6, 3,
				     "wrr");
		ku_backend_add(test, svc, 1, 1);
		ku_backend_add(test, svc, 2, 0);
		KUNIT_EXPECT_NOT_NULL(test, nn->hooks);
		ku_service_del(svc);
		KUNIT_EXPECT_NULL(test, nn->hooks);
	}
	nflb_config_drain();
	KUNIT_EXPECT_TRUE(test, list_empty(&nn->service_objects));
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->hosts.nelems), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->services.nelems), 0);
}

static struct nflb_conn *connect_as(struct nflb_service *svc,
				    const struct nflb_tuple *in)
{
	struct nflb_backend *b = find(svc, 1);
	enum nflb_reason reason;
	struct nflb_conn *conn;

	local_bh_disable();
	rcu_read_lock();
	conn = nflb_conn_create(svc->nn, b, b->forward, in, &reason);
	rcu_read_unlock();
	local_bh_enable();
	return conn;
}

static struct nflb_conn *connect(struct nflb_service *svc, u8 proto)
{
	struct nflb_tuple in = {
		.dst = svc->key.addr, .family = svc->key.family,
		.sport = htons(12345), .dport = htons(80), .proto = proto,
	};

	ku_random_addr(&in.src, in.family);
	return connect_as(svc, &in);
}

/* Returns whether the hooks were released within @seconds. */
static bool hooks_go(struct nflb_net *nn, int seconds)
{
	int waited = 0;

	while (READ_ONCE(nn->hooks) && waited++ < seconds * 10)
		schedule_timeout_uninterruptible(HZ / 10);
	return !READ_ONCE(nn->hooks);
}

/*
 * What TCP leaves answers its two sides with resets, for which the hooks stay;
 * nothing of UDP does.
 */
static void config_hooks_outlive_services(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	struct nflb_service *svc;
	u8 i;

	for (i = 0; i < 2; i++) {
		svc = ku_service_add(test, i ? AF_INET : AF_INET6, 3, "wrr");
		ku_backend_add(test, svc, 1, 1);
		KUNIT_EXPECT_NOT_NULL(test, connect(svc, i ? IPPROTO_TCP :
							    IPPROTO_UDP));
		mutex_lock(&nn->mutex);
		nflb_service_del(nn, svc);
		mutex_unlock(&nn->mutex);
		KUNIT_EXPECT_NOT_NULL(test, nn->hooks);
		KUNIT_EXPECT_EQ(test, hooks_go(nn, 5), !i);
	}
	/* A service that is made meanwhile keeps them. */
	svc = ku_service_add(test, AF_INET, 3, "wrr");
	nflb_conn_table_flush(nn);
	KUNIT_EXPECT_FALSE(test, hooks_go(nn, 3));
	ku_service_del(svc);
	KUNIT_EXPECT_TRUE(test, hooks_go(nn, 3));
	nflb_config_drain();
}

static int set_labels(struct nflb_service *svc, const char *name,
		      const char *comment, u32 set)
{
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req = {
		.set = set, .labels = { name, comment },
	};
	int err;

	mutex_lock(&svc->nn->mutex);
	err = nflb_service_set(svc->nn, svc, &req, &extack);
	mutex_unlock(&svc->nn->mutex);
	return err;
}

/* A list of one backend that has a comment */
static int replace_comment(struct nflb_service *svc, const char *comment,
			   u32 weight)
{
	struct netlink_ext_ack extack = { };
	struct nflb_backend_request backend;
	struct nflb_service_request req = {
		.set = NFLB_SET_BACKENDS, .backend_count = 1,
		.backends = &backend,
	};
	int err;

	ku_backend_request(&backend, svc->key.family, 1, weight);
	backend.labels[NFLB_LABEL_COMMENT] = comment;
	mutex_lock(&svc->nn->mutex);
	err = nflb_service_set(svc->nn, svc, &req, &extack);
	mutex_unlock(&svc->nn->mutex);
	return err;
}

/* Neither a connection nor the scheduler notices; dumps do. */
static void config_labels_touch_nothing(struct kunit *test)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 3, "wrr");
	struct nflb_backend *b = ku_backend_add(test, svc, 1, 1);
	struct nflb_conn *conn = connect(svc, IPPROTO_TCP);
	const void *before = rcu_access_pointer(svc->snapshot);
	int generation = atomic_read(&svc->nn->generation);

	KUNIT_ASSERT_NOT_NULL(test, conn);
	KUNIT_EXPECT_EQ(test, set_labels(svc, "web", "a note", 0), 0);
	KUNIT_EXPECT_STREQ(test, svc->labels[NFLB_LABEL_NAME], "web");
	KUNIT_EXPECT_EQ(test, set_labels(svc, "shop", NULL, 0), 0);
	KUNIT_EXPECT_STREQ(test, svc->labels[NFLB_LABEL_NAME], "shop");
	KUNIT_EXPECT_STREQ(test, svc->labels[NFLB_LABEL_COMMENT], "a note");
	KUNIT_EXPECT_EQ(test, atomic_read(&svc->nn->generation), generation + 2);
	KUNIT_EXPECT_EQ(test, set_labels(svc, "shop", NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&svc->nn->generation), generation + 2);
	KUNIT_EXPECT_EQ(test, replace_comment(svc, "rack 7", 1), 0);
	KUNIT_EXPECT_STREQ(test, b->labels[NFLB_LABEL_COMMENT], "rack 7");
	KUNIT_EXPECT_EQ(test, atomic_read(&svc->nn->generation), generation + 3);
	KUNIT_EXPECT_EQ(test, set_labels(svc, "shop", "", 0), 0);
	KUNIT_EXPECT_NULL(test, svc->labels[NFLB_LABEL_COMMENT]);
	KUNIT_EXPECT_PTR_EQ(test, rcu_access_pointer(svc->snapshot), before);
	KUNIT_EXPECT_TRUE(test, nflb_conn_alive(conn, nflb_now()));
	/* What is not named of a list or of an exact service is none. */
	KUNIT_EXPECT_EQ(test, replace_comment(svc, NULL, 2), 0);
	KUNIT_EXPECT_NULL(test, b->labels[NFLB_LABEL_COMMENT]);
	KUNIT_EXPECT_FALSE(test, rcu_access_pointer(svc->snapshot) == before);
	KUNIT_EXPECT_EQ(test, set_labels(svc, NULL, NULL, NFLB_SET_EXACT), 0);
	KUNIT_EXPECT_NULL(test, svc->labels[NFLB_LABEL_NAME]);
	nflb_conn_table_flush(svc->nn);
	ku_service_del(svc);
	nflb_config_drain();
}

/* UTF-8 in its shortest form, and nothing that controls a terminal */
static void config_labels_are_text(struct kunit *test)
{
	static const char *const good[] = {
		"", "web", "a \"b\" c", "\xc2\xa0", "Gr\xc3\xbc\xc3\x9f",
		"\xe2\x82\xac", "\xf0\x9f\x90\xa7", "\xf4\x8f\xbf\xbf",
	};
	static const char *const bad[] = {
		"a\tb", "a\nb", "\x1b[2J", "\x7f", "\x80", "\xc2", "\xc2\x9b",
		"\xc0\x80", "\xe0\x80\x80", "\xe2\x82", "\xed\xa0\x80",
		"\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
		"\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6", "\xff",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		KUNIT_EXPECT_NULL_MSG(test, nflb_rules_text(good[i]), "%d", i);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_NOT_NULL_MSG(test, nflb_rules_text(bad[i]), "%d", i);
}

/* A connection of mode fullnat has a local port as long as it is in the table. */
static void config_local_ports_are_counted(struct kunit *test)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 3, "wrr");
	struct nflb_backend *b = ku_backend_add(test, svc, 1, 1);
	struct nflb_laddr laddr = {
		.addr_count = 1, .family = AF_INET, .port_count = 8,
		.ports = { 2000, 2007 },
	};
	struct nflb_service_request req = {
		.set = NFLB_SET_MODE, .settings.mode = NFLB_MODE_FULLNAT,
	};
	struct netlink_ext_ack extack = { };
	struct nflb_conn *conn = NULL;
	int i;

	KUNIT_EXPECT_NOT_NULL(test, connect(svc, IPPROTO_TCP));
	KUNIT_EXPECT_EQ(test, atomic_read(&b->ports), 0);
	nflb_addr_set_v4(&laddr.first, htonl(0x0a090901));
	mutex_lock(&svc->nn->mutex);
	KUNIT_EXPECT_EQ(test, nflb_service_set(svc->nn, svc, &req, &extack), 0);
	KUNIT_EXPECT_EQ(test, nflb_laddr_add(svc->nn, &laddr, &extack), 0);
	mutex_unlock(&svc->nn->mutex);
	for (i = 0; i < 5; i++) {
		conn = connect(svc, IPPROTO_TCP);
		KUNIT_ASSERT_NOT_NULL(test, conn);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&b->ports), 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->conns), 6);
	/* The client comes again while another CPU is about to take it out. */
	nflb_conn_set(conn, NFLB_CONN_GONE);
	KUNIT_EXPECT_NOT_NULL(test, connect_as(svc, &conn->in.tuple));
	KUNIT_EXPECT_EQ(test, atomic_read(&b->ports), 5);
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, nflb_conn_unlink(svc->nn, conn));
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, atomic_read(&b->ports), 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->conns), 6);
	nflb_conn_table_flush(svc->nn);
	KUNIT_EXPECT_EQ(test, atomic_read(&b->ports), 0);
	mutex_lock(&svc->nn->mutex);
	KUNIT_EXPECT_EQ(test, nflb_laddr_del(svc->nn, &laddr, true, &extack), 0);
	mutex_unlock(&svc->nn->mutex);
	ku_service_del(svc);
	nflb_config_drain();
}

static struct kunit_case config_cases[] = {
	KUNIT_CASE(config_replace_keeps_what_stays),
	KUNIT_CASE(config_totals_outlive_services),
	KUNIT_CASE(config_counts_drops),
	KUNIT_CASE(config_nothing_is_left),
	KUNIT_CASE(config_hooks_outlive_services),
	KUNIT_CASE(config_labels_touch_nothing),
	KUNIT_CASE(config_labels_are_text),
	KUNIT_CASE(config_local_ports_are_counted),
	{ }
};

static struct kunit_suite config_suite = {
	.name = "nflb_config",
	.test_cases = config_cases,
};

kunit_test_suite(config_suite);
