// SPDX-License-Identifier: GPL-2.0
/*
 * Maglev's tables: shares, and how many slots change hands when backends come,
 * go or get another weight.
 */
#include <linux/slab.h>

#include "sched/maglev.h"
#include "sched_util.h"

static u16 *table_of(struct kunit *test, struct nflb_service *svc, u32 *size)
{
	const struct nflb_snapshot *s;
	u16 *table;
	u32 i;

	rcu_read_lock();
	s = rcu_dereference(svc->snapshot);
	*size = s->maglev_size;
	rcu_read_unlock();
	table = kvcalloc(*size, sizeof(*table), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, table);
	rcu_read_lock();
	s = rcu_dereference(svc->snapshot);
	for (i = 0; i < *size; i++) {
		const struct nflb_backend *b;

		b = s->candidates[nflb_maglev_slot(s, i)].backend;
		table[i] = ntohl(b->addr.ip) & 0xffff;
	}
	rcu_read_unlock();
	return table;
}

static void maglev_shares(struct kunit *test)
{
	static const u32 counts[] = { 1, 3, 100, 500 };
	u32 *weights = kunit_kcalloc(test, 500, sizeof(*weights), GFP_KERNEL);
	u32 *seen = kunit_kcalloc(test, 500, sizeof(*seen), GFP_KERNEL);
	u32 size, c, i, total;
	struct nflb_service *svc;
	u16 *table;

	for (c = 0; c < ARRAY_SIZE(counts); c++) {
		memset(seen, 0, 500 * sizeof(*seen));
		for (i = 0, total = 0; i < counts[c]; i++) {
			weights[i] = i % 5 + 1;
			total += weights[i];
		}
		svc = ks_service(test, AF_INET, "maglev", weights, counts[c],
				 NULL);
		table = table_of(test, svc, &size);
		for (i = 0; i < size; i++)
			seen[table[i]]++;
		for (i = 0; i < counts[c]; i++) {
			u32 want = size * weights[i] / total;

			/* Within 2 %, and the one slot that cannot be shared. */
			KUNIT_EXPECT_LE(test, abs((int)(seen[i] - want)),
					(int)(want / 50 + 1));
		}
		kvfree(table);
		ks_done(svc);
	}
}

/* Slots that changed hands though neither owner came, went or changed: in
 * hundredths of a percent of those that were not @touched's.
 */
static u32 disrupted(const u16 *before, const u16 *after, u32 size, u16 touched)
{
	u32 i, moved = 0, others = 0;

	for (i = 0; i < size; i++) {
		if (before[i] == touched)
			continue;
		others++;
		moved += after[i] != before[i] && after[i] != touched;
	}
	return moved * 10000ULL / others;
}

struct disruption {
	u32 remove, add, reweigh;
};

static struct disruption measure(struct kunit *test, u32 count)
{
	u32 *weights = kunit_kcalloc(test, count, sizeof(*weights), GFP_KERNEL);
	struct nflb_service *svc;
	u16 *whole, *less, *heavy;
	struct disruption d;
	u32 size, i, k = count / 3;

	for (i = 0; i < count; i++)
		weights[i] = 2;
	svc = ks_service(test, AF_INET, "maglev", weights, count, NULL);
	whole = table_of(test, svc, &size);
	weights[k] = 0;
	ks_reweigh(test, svc, weights, count);
	less = table_of(test, svc, &size);
	weights[k] = 3;
	ks_reweigh(test, svc, weights, count);
	heavy = table_of(test, svc, &size);
	d.remove = disrupted(whole, less, size, k);
	d.add = disrupted(less, whole, size, k);
	d.reweigh = disrupted(whole, heavy, size, k);
	kvfree(whole);
	kvfree(less);
	kvfree(heavy);
	ks_done(svc);
	return d;
}

static void maglev_disruption(struct kunit *test)
{
	static const u32 counts[] = { 5, 10, 100, 1000 };
	u32 i;

	kunit_info(test, "slots of 65537 that change hands between backends that stay, in percent\n");
	kunit_info(test, "backends   one goes   one comes   one of weight 2 gets 3\n");
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		struct disruption d = measure(test, counts[i]);

		kunit_info(test, "%8u %7u.%02u %8u.%02u %17u.%02u\n", counts[i],
			   d.remove / 100, d.remove % 100, d.add / 100,
			   d.add % 100, d.reweigh / 100, d.reweigh % 100);
		if (counts[i] <= 100) {
			KUNIT_EXPECT_LT(test, d.remove, 200U);
			KUNIT_EXPECT_LT(test, d.add, 200U);
		}
		/* Modulo would move nearly all. */
		KUNIT_EXPECT_LT(test, d.remove, 1000U);
	}
	kunit_info(test, "the paper (NSDI 2016, section 5.3), 1000 backends, 65537 slots: shares almost even, where Karger's hashing needs 29.7 %% more room and rendezvous hashing 49.5 %%\n");
}

/* The order of adding shows in the few slots that two want in one round. */
static void maglev_order(struct kunit *test)
{
	u32 *weights = kunit_kcalloc(test, 101, sizeof(*weights), GFP_KERNEL);
	u16 *shuffled = kunit_kcalloc(test, 101, sizeof(*shuffled), GFP_KERNEL);
	struct nflb_service *svc;
	u16 *one, *other;
	u32 size, i;

	for (i = 0; i < 101; i++) {
		weights[i] = i % 3 + 1;
		shuffled[i] = i * 37 % 101;
	}
	svc = ks_service(test, AF_INET, "maglev", weights, 101, NULL);
	one = table_of(test, svc, &size);
	ks_done(svc);
	svc = ks_service(test, AF_INET, "maglev", weights, 101, shuffled);
	other = table_of(test, svc, &size);
	KUNIT_EXPECT_EQ(test, memcmp(one, other, size * sizeof(*one)), 0);
	kvfree(one);
	kvfree(other);
	ks_done(svc);
}

/* A removed one that comes back finds its slots again. */
static void maglev_comes_back(struct kunit *test)
{
	static const u32 all[] = { 1, 2, 3, 4 }, less[] = { 1, 2, 0, 4 };
	struct nflb_service *svc = ks_service(test, AF_INET, "maglev", all, 4,
					      NULL);
	u16 *before, *after;
	u32 size;

	before = table_of(test, svc, &size);
	ks_reweigh(test, svc, less, 4);
	ks_reweigh(test, svc, all, 4);
	after = table_of(test, svc, &size);
	KUNIT_EXPECT_EQ(test, memcmp(before, after, size * sizeof(*after)), 0);
	kvfree(before);
	kvfree(after);
	ks_done(svc);
}

static void maglev_sizes(struct kunit *test)
{
	static const u32 good[] = { 251, 4093, 65521, 65537, 655373, 1048573 };
	static const u32 bad[] = { 0, 1, 2, 241, 65535, 65536, 65539 * 3,
				   1048583, U32_MAX };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		KUNIT_EXPECT_TRUE_MSG(test, nflb_maglev_size_ok(good[i]), "%u",
				      good[i]);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_FALSE_MSG(test, nflb_maglev_size_ok(bad[i]), "%u",
				       bad[i]);
}

static struct kunit_case maglev_cases[] = {
	KUNIT_CASE(maglev_shares),
	KUNIT_CASE(maglev_disruption),
	KUNIT_CASE(maglev_order),
	KUNIT_CASE(maglev_comes_back),
	KUNIT_CASE(maglev_sizes),
	{ }
};

static struct kunit_suite maglev_suite = {
	.name = "nflb_maglev",
	.test_cases = maglev_cases,
};

kunit_test_suite(maglev_suite);
