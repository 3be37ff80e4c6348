// SPDX-License-Identifier: GPL-2.0
/*
 * Schedulers that draw lots or go by a hash: shares by weight, agreement, and
 * what becomes of full backends.
 */
#include <linux/prandom.h>
#include <linux/slab.h>

#include "sched/maglev.h"
#include "sched_util.h"

/* Flows of one client go apart; see draw_source_by_client() for the other. */
static const char * const drawing[] = { "random", "hash", "maglev" };

static void draw_shares(struct kunit *test)
{
	static const u32 weights[] = { 3, 2, 1 };
	static const u32 zeros[] = { 10, 0, 30, 20, 0 };
	static const u8 families[] = { AF_INET, AF_INET6 };
	struct nflb_service *svc;
	u32 *seen;
	int i, f;

	for (i = 0; i < ARRAY_SIZE(drawing); i++) {
		for (f = 0; f < ARRAY_SIZE(families); f++) {
			svc = ks_service(test, families[f], drawing[i],
					 weights, 3, NULL);
			seen = ks_count(test, svc, 3, 0, KS_PICKS);
			ks_expect_chance(test, drawing[i], seen, weights, 3,
					 KS_PICKS);
			ks_done(svc);
		}
		svc = ks_service(test, AF_INET, drawing[i], zeros, 5, NULL);
		seen = ks_count(test, svc, 5, 0, KS_PICKS);
		ks_expect_chance(test, drawing[i], seen, zeros, 5, KS_PICKS);
		ks_done(svc);
	}
}

static void draw_thousand(struct kunit *test)
{
	u32 *weights = kunit_kcalloc(test, 1000, sizeof(*weights), GFP_KERNEL);
	struct nflb_service *svc;
	u32 *seen;
	int i;

	for (i = 0; i < 1000; i++)
		weights[i] = i % 7 + 1;
	for (i = 0; i < 2; i++) {
		svc = ks_service(test, AF_INET, drawing[i], weights, 1000,
				 NULL);
		seen = ks_count(test, svc, 1000, 0, KS_PICKS);
		ks_expect_chance(test, drawing[i], seen, weights, 1000,
				 KS_PICKS);
		ks_done(svc);
	}
}

/* All of a client's flows go to one backend; clients are spread by weight. */
static void expect_by_client(struct kunit *test, const char *name, u8 family)
{
	static const u32 weights[] = { 3, 2, 1 };
	struct nflb_service *svc = ks_service(test, family, name, weights, 3,
					      NULL);
	struct nflb_tuple tuple;
	u32 seen[3] = { };
	u32 i;

	for (i = 0; i < KS_PICKS; i++) {
		int b, again;

		if (i % 4096 == 0)
			cond_resched();

		ks_flow(&tuple, svc, i * 16);
		b = ks_pick(svc, &tuple);
		KUNIT_ASSERT_GE(test, b, 0);
		seen[b]++;
		tuple.sport ^= htons(i | 1);
		again = ks_pick(svc, &tuple);
		if (again != b) {
			KUNIT_FAIL(test, "%s: client %u: %d, then %d", name, i,
				   b, again);
			break;
		}
	}
	ks_expect_chance(test, name, seen, weights, 3, KS_PICKS);
	ks_done(svc);
}

static void draw_source_by_client(struct kunit *test)
{
	expect_by_client(test, "source", AF_INET);
	expect_by_client(test, "maglev-source", AF_INET);
	expect_by_client(test, "maglev-source", AF_INET6);
}

/* When a backend goes, clients of the others stay, but for a few. */
static void draw_clients_stay(struct kunit *test)
{
	u32 weights[10] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	struct nflb_service *svc = ks_service(test, AF_INET, "maglev-source",
					      weights, 10, NULL);
	s8 *first = kunit_kcalloc(test, 10000, 1, GFP_KERNEL);
	u32 i, others = 0, moved = 0;
	struct nflb_tuple tuple;

	for (i = 0; i < 10000; i++) {
		ks_flow(&tuple, svc, i * 16);
		first[i] = ks_pick(svc, &tuple);
	}
	weights[3] = 0;
	ks_reweigh(test, svc, weights, 10);
	for (i = 0; i < 10000; i++) {
		ks_flow(&tuple, svc, i * 16);
		others += first[i] != 3;
		moved += first[i] != 3 && ks_pick(svc, &tuple) != first[i];
	}
	KUNIT_EXPECT_GT(test, others, 8000U);
	KUNIT_EXPECT_LT(test, moved, others / 50);
	ks_done(svc);
}

/* p2c evens out what random leaves to chance. */
static void draw_p2c(struct kunit *test)
{
	static const u32 weights[] = { 4, 2, 1, 1 };
	struct nflb_service *svc = ks_service(test, AF_INET, "p2c", weights, 4,
					      NULL);
	struct nflb_tuple tuple;
	u32 i, total = 80000;
	int b;

	for (i = 0; i < total; i++) {
		ks_flow(&tuple, svc, i);
		b = ks_pick(svc, &tuple);
		KUNIT_ASSERT_GE(test, b, 0);
		atomic_inc(&ks_backend(svc, b)->active);
		atomic_inc(&ks_backend(svc, b)->conns);
	}
	for (i = 0; i < 4; i++) {
		struct nflb_backend *one = ks_backend(svc, i);
		int off = atomic_read(&one->active) - (int)(total / 8 * weights[i]);

		kunit_info(test, "p2c: backend %u is off by %d\n", i, off);
		KUNIT_EXPECT_LE(test, abs(off), 100);
		atomic_set(&one->active, 0);
		atomic_set(&one->conns, 0);
	}
	ks_done(svc);
}

/* Schedulers by hash say the same whatever the order of adding. */
static void draw_agreement(struct kunit *test)
{
	static const u16 shuffled[] = { 4, 0, 3, 1, 2 };
	static const u32 weights[] = { 1, 5, 2, 2, 7 };
	struct nflb_service *svc;
	struct nflb_tuple tuple;
	s8 *first = kunit_kcalloc(test, 10000, 1, GFP_KERNEL);
	u32 i, differ = 0;

	svc = ks_service(test, AF_INET6, "maglev", weights, 5, NULL);
	for (i = 0; i < 10000; i++) {
		ks_flow(&tuple, svc, i);
		first[i] = ks_pick(svc, &tuple);
		KUNIT_EXPECT_EQ(test, ks_pick(svc, &tuple), (int)first[i]);
	}
	ks_done(svc);
	svc = ks_service(test, AF_INET6, "maglev", weights, 5, shuffled);
	for (i = 0; i < 10000; i++) {
		ks_flow(&tuple, svc, i);
		differ += ks_pick(svc, &tuple) != first[i];
	}
	KUNIT_EXPECT_EQ(test, differ, 0U);
	/* Another seed deals anew. */
	svc->nn->hash_seed.key[0] = 1;
	/* As the sysctl does: the same list once more would change nothing. */
	mutex_lock(&svc->nn->mutex);
	KUNIT_EXPECT_EQ(test, nflb_service_publish(svc, &svc->settings, NULL), 0);
	mutex_unlock(&svc->nn->mutex);
	for (i = 0; i < 10000; i++) {
		ks_flow(&tuple, svc, i);
		differ += ks_pick(svc, &tuple) != first[i];
	}
	KUNIT_EXPECT_GT(test, differ, 5000U);
	svc->nn->hash_seed.key[0] = 0;
	ks_done(svc);
}

static void draw_full(struct kunit *test)
{
	static const char * const names[] = {
		"random", "hash", "source", "maglev", "maglev-source", "p2c",
	};
	static const u32 weights[] = { 1, 100, 1 };
	struct nflb_service *svc;
	struct nflb_tuple tuple;
	u32 i, j, n;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		svc = ks_service(test, AF_INET, names[i], weights, 3, NULL);
		ks_backend(svc, 1)->max_connections = 5;
		atomic_set(&ks_backend(svc, 1)->conns, 5);
		for (j = 0; j < 1000; j++) {
			ks_flow(&tuple, svc, j);
			n = ks_pick(svc, &tuple);
			KUNIT_EXPECT_TRUE_MSG(test, n == 0 || n == 2, "%s: %d",
					      names[i], (int)n);
		}
		for (j = 0; j < 3; j++) {
			ks_backend(svc, j)->max_connections = 5;
			atomic_set(&ks_backend(svc, j)->conns, 5);
		}
		KUNIT_EXPECT_EQ(test, ks_pick(svc, &tuple), -1);
		for (j = 0; j < 3; j++)
			atomic_set(&ks_backend(svc, j)->conns, 0);
		ks_done(svc);
	}
}

static struct kunit_case draw_cases[] = {
	KUNIT_CASE(draw_shares),
	KUNIT_CASE(draw_thousand),
	KUNIT_CASE(draw_source_by_client),
	KUNIT_CASE(draw_clients_stay),
	KUNIT_CASE(draw_p2c),
	KUNIT_CASE(draw_agreement),
	KUNIT_CASE(draw_full),
	{ }
};

static struct kunit_suite draw_suite = {
	.name = "nflb_sched_draw",
	.test_cases = draw_cases,
};

kunit_test_suite(draw_suite);
