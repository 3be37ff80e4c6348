// SPDX-License-Identifier: GPL-2.0
/*
 * Schedulers that go by load, held against a look at every backend, while
 * connections begin and end; and those that go by weight alone.
 */
#include <linux/prandom.h>
#include <linux/slab.h>

#include "sched_util.h"

/* Load and divisor of a backend, by each rule's own words. */
static void load_of(const char *rule, const struct nflb_backend *b, u64 *load,
		    u64 *divisor)
{
	u64 active = atomic_read(&b->active), conns = atomic_read(&b->conns);

	*divisor = !strcmp(rule, "lc") ? 1 : b->weight;
	if (!strcmp(rule, "lc") || !strcmp(rule, "wlc"))
		*load = active * 256 + conns;
	else if (!strcmp(rule, "nq") && !active)
		*load = 0;
	else
		*load = active + 1;
}

/* Is there a backend with less load for its weight than @picked? */
static bool beaten(struct nflb_service *svc, const char *rule,
		   struct nflb_backend **all, u32 count, u32 picked)
{
	u64 load, div, other, other_div;
	u32 i;

	load_of(rule, all[picked], &load, &div);
	for (i = 0; i < count; i++) {
		if (!all[i]->weight)
			continue;
		load_of(rule, all[i], &other, &other_div);
		if (other * div < load * other_div)
			return true;
	}
	return false;
}

struct simulation {
	struct nflb_service *svc;
	struct nflb_backend **all;
	u16 *open;		/* backend of each open connection */
	u32 count, opened, beaten;
};

static void sim_begin(struct kunit *test, struct simulation *sim,
		      const char *rule, u32 count, u32 steps)
{
	u32 *weights = kunit_kcalloc(test, count, sizeof(*weights),
				     GFP_KERNEL);
	u32 i;

	for (i = 0; i < count; i++)
		weights[i] = count > 3 && i % 10 == 9 ? 0 : i % 4 + 1;
	memset(sim, 0, sizeof(*sim));
	sim->count = count;
	sim->svc = ks_service(test, AF_INET, rule, weights, count, NULL);
	sim->all = kunit_kcalloc(test, count, sizeof(*sim->all), GFP_KERNEL);
	sim->open = kunit_kcalloc(test, steps, sizeof(*sim->open), GFP_KERNEL);
	for (i = 0; i < count; i++)
		sim->all[i] = ks_backend(sim->svc, i);
	kunit_kfree(test, weights);
}

static void sim_open(struct kunit *test, struct simulation *sim,
		     const char *rule)
{
	static const struct nflb_tuple tuple;
	int b = ks_pick(sim->svc, &tuple);

	KUNIT_ASSERT_GE(test, b, 0);
	KUNIT_ASSERT_LT(test, b, (int)sim->count);
	KUNIT_EXPECT_NE(test, sim->all[b]->weight, 0U);
	sim->beaten += beaten(sim->svc, rule, sim->all, sim->count, b);
	atomic_inc(&sim->all[b]->active);
	atomic_inc(&sim->all[b]->conns);
	sim->open[sim->opened++] = b;
}

static void sim_close(struct simulation *sim, u32 i)
{
	struct nflb_backend *b = sim->all[sim->open[i]];

	atomic_dec(&b->active);
	atomic_dec(&b->conns);
	sim->open[i] = sim->open[--sim->opened];
}

static void sim_end(struct simulation *sim)
{
	while (sim->opened)
		sim_close(sim, 0);
	ks_done(sim->svc);
}

static const char * const rules[] = { "lc", "wlc", "sed", "nq" };

/* Up to 16 backends: never beaten, whatever begins and ends. */
static void least_is_exact(struct kunit *test)
{
	static const u32 counts[] = { 1, 3, 16 };
	struct rnd_state rnd;
	struct simulation sim;
	u32 i, c, step;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		for (c = 0; c < ARRAY_SIZE(counts); c++) {
			sim_begin(test, &sim, rules[i], counts[c], 4000);
			for (step = 0; step < 4000; step++) {
				u32 r = prandom_u32_state(&rnd);

				if (r % 5 < 2 && sim.opened)
					sim_close(&sim, r / 5 % sim.opened);
				else
					sim_open(test, &sim, rules[i]);
			}
			KUNIT_EXPECT_EQ_MSG(test, sim.beaten, 0U, "%s of %u",
					    rules[i], counts[c]);
			sim_end(&sim);
		}
	}
}

/* A thousand: hardly ever beaten while connections only begin. */
static void least_of_a_thousand(struct kunit *test)
{
	struct rnd_state rnd;
	struct simulation sim;
	u32 i, step;

	prandom_seed_state(&rnd, 2);
	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		sim_begin(test, &sim, rules[i], 1000, 12000);
		for (step = 0; step < 6000; step++)
			sim_open(test, &sim, rules[i]);
		kunit_info(test, "%s: of 6000 picks while connections begin, %u were not of the very least\n",
			   rules[i], sim.beaten);
		KUNIT_EXPECT_LE_MSG(test, sim.beaten, 60U, "%s", rules[i]);
		sim.beaten = 0;
		for (step = 0; step < 4000; step++) {
			sim_close(&sim, prandom_u32_state(&rnd) % sim.opened);
			sim_open(test, &sim, rules[i]);
			if (step % 256 == 0)
				cond_resched();
		}
		kunit_info(test, "%s: of 4000 picks while connections end, %u were not of the very least\n",
			   rules[i], sim.beaten);
		sim_end(&sim);
	}
}

static u32 most(const struct simulation *sim)
{
	u32 i, load = 0;

	for (i = 0; i < sim->count; i++)
		load = max_t(u32, load, atomic_read(&sim->all[i]->active));
	return load;
}

/* However stale what is remembered is, no backend gets far more than its share. */
static void least_stays_even(struct kunit *test)
{
	struct rnd_state rnd;
	struct simulation sim;
	u32 step;

	prandom_seed_state(&rnd, 3);
	sim_begin(test, &sim, "lc", 1000, 12000);
	for (step = 0; step < 9000; step++)
		sim_open(test, &sim, "lc");
	KUNIT_EXPECT_EQ(test, most(&sim), 10U);
	for (step = 0; step < 20000; step++) {
		sim_close(&sim, prandom_u32_state(&rnd) % sim.opened);
		sim_open(test, &sim, "lc");
		if (step % 256 == 0)
			cond_resched();
	}
	kunit_info(test, "lc: 9000 connections on 900 backends, 11 at most would be even: %u\n",
		   most(&sim));
	KUNIT_EXPECT_LE(test, most(&sim), 12U);
	sim_end(&sim);
}

/* A million connections that stay: shares of the weights, to one or two. */
static void least_million(struct kunit *test)
{
	static const char * const names[] = { "lc", "wlc", "sed", "nq", "p2c" };
	static const u32 weights[] = { 3, 2, 1 }, equal[] = { 1, 1, 1 };
	static const struct nflb_tuple tuple;
	struct nflb_backend *all[3];
	struct nflb_service *svc;
	u32 i, j, share;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const u32 *want = i ? weights : equal;

		svc = ks_service(test, AF_INET, names[i], weights, 3, NULL);
		for (j = 0; j < 3; j++)
			all[j] = ks_backend(svc, j);
		for (j = 0; j < KS_PICKS; j++) {
			int b = ks_pick(svc, &tuple);

			KUNIT_ASSERT_TRUE(test, b >= 0 && b < 3);
			atomic_inc(&all[b]->active);
			atomic_inc(&all[b]->conns);
			if (j % 4096 == 0)
				cond_resched();
		}
		for (j = 0; j < 3; j++) {
			share = KS_PICKS / (want[0] + want[1] + want[2]) *
				want[j];
			KUNIT_EXPECT_LE_MSG(test,
				abs(atomic_read(&all[j]->active) - (int)share),
				strcmp(names[i], "p2c") ? 4 : 100, "%s: %d of %u",
				names[i], atomic_read(&all[j]->active), share);
			atomic_set(&all[j]->active, 0);
			atomic_set(&all[j]->conns, 0);
		}
		ks_done(svc);
	}
}

static void least_full(struct kunit *test)
{
	static const u32 counts[] = { 3, 100 };
	static const struct nflb_tuple tuple;
	struct simulation sim;
	u32 i, c, j;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		for (c = 0; c < ARRAY_SIZE(counts); c++) {
			sim_begin(test, &sim, rules[i], counts[c], 16);
			for (j = 0; j < counts[c]; j++) {
				sim.all[j]->max_connections = 1;
				atomic_set(&sim.all[j]->conns, 1);
			}
			KUNIT_EXPECT_EQ(test, ks_pick(sim.svc, &tuple), -1);
			j = counts[c] / 2;
			atomic_set(&sim.all[j]->conns, 0);
			KUNIT_EXPECT_EQ(test, ks_pick(sim.svc, &tuple), (int)j);
			for (j = 0; j < counts[c]; j++)
				atomic_set(&sim.all[j]->conns, 0);
			sim_end(&sim);
		}
	}
}

/* fo: the heaviest with room. ovf: each takes as many as it weighs. */
static void heaviest_first(struct kunit *test)
{
	static const u32 weights[] = { 2, 0, 5, 3, 5 };
	static const int ovf[] = { 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 3, 3, 3, 0, 0 };
	static const struct nflb_tuple tuple;
	struct nflb_service *svc;
	u32 i;

	svc = ks_service(test, AF_INET, "fo", weights, 5, NULL);
	KUNIT_EXPECT_EQ(test, ks_pick(svc, &tuple), 2);
	ks_backend(svc, 2)->max_connections = 1;
	atomic_set(&ks_backend(svc, 2)->conns, 1);
	KUNIT_EXPECT_EQ(test, ks_pick(svc, &tuple), 4);
	atomic_set(&ks_backend(svc, 2)->conns, 0);
	ks_done(svc);

	svc = ks_service(test, AF_INET, "ovf", weights, 5, NULL);
	for (i = 0; i < ARRAY_SIZE(ovf); i++) {
		KUNIT_EXPECT_EQ(test, ks_pick(svc, &tuple), ovf[i]);
		atomic_inc(&ks_backend(svc, ovf[i])->active);
	}
	KUNIT_EXPECT_EQ(test, ks_pick(svc, &tuple), -1);
	atomic_dec(&ks_backend(svc, 4)->active);
	KUNIT_EXPECT_EQ(test, ks_pick(svc, &tuple), 4);
	for (i = 0; i < 5; i++)
		atomic_set(&ks_backend(svc, i)->active, 0);
	ks_done(svc);
}

static struct kunit_case least_cases[] = {
	KUNIT_CASE(least_is_exact),
	KUNIT_CASE(least_of_a_thousand),
	KUNIT_CASE(least_stays_even),
	KUNIT_CASE(least_million),
	KUNIT_CASE(least_full),
	KUNIT_CASE(heaviest_first),
	{ }
};

static struct kunit_suite least_suite = {
	.name = "nflb_sched_least",
	.test_cases = least_cases,
};

kunit_test_suite(least_suite);
