// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of the configuration: whole or not at all, and what becomes of
 * counters and of what was deleted.
 */
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
	nflb_stats_packet(two->stats, NFLB_DIR_IN, 100);
	nflb_stats_packet(two->stats, NFLB_DIR_OUT, 7);
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
	nflb_stats_packet(b->stats, NFLB_DIR_IN, 42);
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

static struct nflb_conn *connect(struct nflb_service *svc, u8 proto)
{
	struct nflb_backend *b = find(svc, 1);
	enum nflb_reason reason;
	struct nflb_conn *conn;
	struct nflb_tuple in = {
		.dst = svc->key.addr, .family = svc->key.family,
		.sport = htons(12345), .dport = htons(80), .proto = proto,
	};

	ku_random_addr(&in.src, in.family);
	local_bh_disable();
	rcu_read_lock();
	conn = nflb_conn_create(svc->nn, b, b->forward, &in, &reason);
	rcu_read_unlock();
	local_bh_enable();
	return conn;
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

static struct kunit_case config_cases[] = {
	KUNIT_CASE(config_replace_keeps_what_stays),
	KUNIT_CASE(config_totals_outlive_services),
	KUNIT_CASE(config_nothing_is_left),
	KUNIT_CASE(config_hooks_outlive_services),
	{ }
};

static struct kunit_suite config_suite = {
	.name = "nflb_config",
	.test_cases = config_cases,
};

kunit_test_suite(config_suite);
