// SPDX-License-Identifier: GPL-2.0
/*
 * Schedulers: who is picked, how often, in which order.
 */
#include "sched/sched.h"
#include "util.h"

#define PICKS 1000000

static int pick(struct nflb_service *svc)
{
	static const struct nflb_tuple tuple;
	const struct nflb_snapshot *s;
	int i = -1;

	local_bh_disable();
	rcu_read_lock();
	s = rcu_dereference(svc->snapshot);
	if (s->count)
		i = s->sched->pick(s, &tuple);
	/* The number of the backend, as it was added. */
	if (i >= 0)
		i = ntohl(s->candidates[i].backend->addr.ip) & 0xffff;
	rcu_read_unlock();
	local_bh_enable();
	return i;
}

static struct nflb_service *service(struct kunit *test, const char *scheduler,
				    const u32 *weights, int count)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 5, scheduler);
	int i;

	for (i = 0; i < count; i++)
		ku_backend_add(test, svc, i, weights[i]);
	return svc;
}

static void done(struct nflb_service *svc)
{
	ku_service_del(svc);
	nflb_config_drain();
}

static void sched_rr_takes_turns(struct kunit *test)
{
	static const u32 weights[] = { 1, 7, 0, 3 };
	static const int turns[] = { 0, 1, 3 };
	struct nflb_service *svc = service(test, "rr", weights, 4);
	int i;

	for (i = 0; i < 300; i++)
		KUNIT_EXPECT_EQ(test, pick(svc), turns[i % 3]);
	done(svc);
}

/* The sequence of nginx's commit message. */
static void sched_wrr_is_smooth(struct kunit *test)
{
	static const u32 weights[] = { 5, 1, 1 };
	static const int turns[] = { 0, 0, 1, 0, 2, 0, 0 };
	struct nflb_service *svc = service(test, "wrr", weights, 3);
	int i;

	for (i = 0; i < 70; i++)
		KUNIT_EXPECT_EQ(test, pick(svc), turns[i % 7]);
	done(svc);
}

static void distribution(struct kunit *test, const char *scheduler,
			 const u32 *weights, int count)
{
	struct nflb_service *svc = service(test, scheduler, weights, count);
	u32 *seen = kunit_kcalloc(test, count, sizeof(*seen), GFP_KERNEL);
	bool rr = !strcmp(scheduler, "rr");
	u64 total = 0;
	int i;

	for (i = 0; i < count; i++)
		total += rr ? !!weights[i] : weights[i];
	for (i = 0; i < PICKS; i++) {
		int b = pick(svc);

		if (b < 0 || b >= count) {
			KUNIT_FAIL(test, "picked %d", b);
			break;
		}
		seen[b]++;
		if (i % 4096 == 0)
			cond_resched();
	}
	for (i = 0; i < count; i++) {
		u64 share = rr ? !!weights[i] : weights[i];
		u64 low = div64_u64(PICKS * share, total);

		/* Whole periods are exact; one may be under way. */
		KUNIT_EXPECT_GE(test, seen[i] + share, low);
		KUNIT_EXPECT_LE(test, (u64)seen[i], low + share + 1);
		if (!weights[i])
			KUNIT_EXPECT_EQ(test, seen[i], 0U);
	}
	kunit_kfree(test, seen);
	done(svc);
}

static void sched_distribution(struct kunit *test)
{
	static const u32 three[] = { 3, 2, 1 };
	static const u32 zero[] = { 10, 0, 30, 20, 0 };
	static const u32 one[] = { 42 };

	distribution(test, "rr", three, 3);
	distribution(test, "wrr", three, 3);
	distribution(test, "rr", zero, 5);
	distribution(test, "wrr", zero, 5);
	distribution(test, "wrr", one, 1);
}

/* Many backends are not dealt with by credits: exact all the same. */
static void sched_wrr_of_many(struct kunit *test)
{
	static u32 weights[300], seen[300];
	struct nflb_service *svc;
	int i, total = 0, last = -1, bursts = 0;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < 300; i++) {
		weights[i] = i % 7 + 1;
		total += weights[i];
	}
	svc = service(test, "wrr", weights, 300);
	/* Backends were added one by one: begin at a period's first turn. */
	for (i = 0; i < total * 10; i++) {
		int b = pick(svc);

		KUNIT_ASSERT_TRUE(test, b >= 0 && b < 300);
		seen[b]++;
		bursts += b == last;
		last = b;
	}
	for (i = 0; i < 300; i++)
		KUNIT_EXPECT_EQ(test, seen[i], weights[i] * 10);
	KUNIT_EXPECT_EQ(test, bursts, 0);
	done(svc);
}

/* So heavy that the period is shortened: shares still right to a per mille. */
static void sched_wrr_heavy_weights(struct kunit *test)
{
	static const u32 weights[] = { 65535, 65534, 32767, 1 };
	struct nflb_service *svc = service(test, "wrr", weights, 4);
	u32 seen[4] = { };
	int i;

	for (i = 0; i < PICKS; i++)
		seen[pick(svc) & 3]++;
	for (i = 0; i < 3; i++) {
		s64 want = div64_u64((u64)PICKS * weights[i], 163837);

		KUNIT_EXPECT_LT(test, abs((s64)seen[i] - want), (s64)1000);
	}
	KUNIT_EXPECT_GT(test, seen[3], 0U);
	done(svc);
}

static void sched_none(struct kunit *test)
{
	static const u32 zeros[] = { 0, 0 };
	static const char * const names[] = {
		"rr", "wrr", "random", "lc", "wlc", "sed", "nq", "p2c", "fo",
		"ovf", "hash", "source", "maglev", "maglev-source",
	};
	static const u32 one[] = { 0, 9, 0 };
	struct nflb_service *svc;
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		svc = service(test, names[i], one, 3);
		KUNIT_EXPECT_EQ_MSG(test, pick(svc), 1, "%s", names[i]);
		done(svc);
		svc = service(test, names[i], NULL, 0);
		KUNIT_EXPECT_EQ(test, pick(svc), -1);
		done(svc);
		svc = service(test, names[i], zeros, 2);
		KUNIT_EXPECT_EQ(test, pick(svc), -1);
		done(svc);
	}
}

/* Who is full is passed over; when all are, nobody is picked. */
static void sched_max_connections(struct kunit *test)
{
	static const u32 weights[] = { 1, 100, 1 };
	static const char * const names[] = { "rr", "wrr" };
	struct nflb_backend *b;
	struct nflb_service *svc;
	int i, j, number;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		svc = service(test, names[i], weights, 3);
		number = 0;
		list_for_each_entry(b, &svc->backends, list) {
			if (number++ == 1) {
				WRITE_ONCE(b->max_connections, 10);
				atomic_set(&b->conns, 10);
			}
		}
		for (j = 0; j < 1000; j++)
			KUNIT_EXPECT_NE(test, pick(svc), 1);
		list_for_each_entry(b, &svc->backends, list) {
			WRITE_ONCE(b->max_connections, 10);
			atomic_set(&b->conns, 10);
		}
		KUNIT_EXPECT_EQ(test, pick(svc), -1);
		list_for_each_entry(b, &svc->backends, list)
			atomic_set(&b->conns, 0);
		done(svc);
	}
}

/* Changes that come faster than turns do not favour the first. */
static void sched_wrr_position(struct kunit *test)
{
	static const u32 weights[] = { 1, 1, 1 };
	struct nflb_service *svc = service(test, "wrr", weights, 3);
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req;
	u32 seen[3] = { };
	int i;

	for (i = 0; i < 300; i++) {
		seen[pick(svc)]++;
		memset(&req, 0, sizeof(req));
		req.set = NFLB_SET_TIMEOUT(NFLB_TIMEOUT_SYN);
		req.settings.timeouts[NFLB_TIMEOUT_SYN] = 10 + i % 2;
		mutex_lock(&svc->nn->mutex);
		KUNIT_EXPECT_EQ(test, nflb_service_set(svc->nn, svc, &req,
						       &extack), 0);
		mutex_unlock(&svc->nn->mutex);
	}
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, seen[i], 100U);
	done(svc);
}

static void sched_registry(struct kunit *test)
{
	static const char * const names[] = {
		"rr", "wrr", "random", "lc", "wlc", "sed", "nq", "p2c", "fo",
		"ovf", "hash", "source", "maglev", "maglev-source",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_NOT_NULL_MSG(test, nflb_sched_find(names[i]), "%s",
					  names[i]);
	KUNIT_EXPECT_NULL(test, nflb_sched_find("w"));
	KUNIT_EXPECT_NULL(test, nflb_sched_find("wrrr"));
	KUNIT_EXPECT_NULL(test, nflb_sched_find(""));
}

static struct kunit_case sched_cases[] = {
	KUNIT_CASE(sched_rr_takes_turns),
	KUNIT_CASE(sched_wrr_is_smooth),
	KUNIT_CASE(sched_distribution),
	KUNIT_CASE(sched_wrr_heavy_weights),
	KUNIT_CASE(sched_none),
	KUNIT_CASE(sched_max_connections),
	KUNIT_CASE(sched_wrr_of_many),
	KUNIT_CASE(sched_wrr_position),
	KUNIT_CASE(sched_registry),
	{ }
};

static struct kunit_suite sched_suite = {
	.name = "nflb_sched",
	.test_cases = sched_cases,
};

kunit_test_suite(sched_suite);
