// SPDX-License-Identifier: GPL-2.0
/*
 * The generation of the configuration: what counts, and what is refused.
 */
#include "control/generation.h"
#include "util.h"

static void generation_counts_what_succeeds(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	u64 before = nflb_generation(nn);

	KUNIT_ASSERT_EQ(test, nflb_generation_lock(nn, NULL, true, NULL), 0);
	/* Events tell the number that the change makes. */
	KUNIT_EXPECT_EQ(test, nflb_generation(nn), before + 1);
	/* It counts once, whatever it does. */
	nflb_generation_count(nn);
	nflb_generation_unlock(nn, true);
	KUNIT_EXPECT_EQ(test, nflb_generation(nn), before + 1);

	KUNIT_ASSERT_EQ(test, nflb_generation_lock(nn, NULL, true, NULL), 0);
	nflb_generation_unlock(nn, false);
	KUNIT_EXPECT_EQ(test, nflb_generation(nn), before + 1);

	/* A device went, without a request */
	nflb_generation_count(nn);
	KUNIT_EXPECT_EQ(test, nflb_generation(nn), before + 2);
}

static void generation_refuses_another(struct kunit *test)
{
	struct netlink_ext_ack extack = { };
	struct nflb_net *nn = ku_nn();
	u64 expected = nflb_generation(nn);

	KUNIT_ASSERT_EQ(test, nflb_generation_lock(nn, &expected, true,
						   &extack), 0);
	nflb_generation_unlock(nn, true);
	KUNIT_EXPECT_NULL(test, extack._msg);

	KUNIT_EXPECT_EQ(test, nflb_generation_lock(nn, &expected, true,
						   &extack), -ESTALE);
	KUNIT_EXPECT_STREQ(test, extack._msg, "the configuration changed");
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&nn->mutex));
	KUNIT_EXPECT_EQ(test, nflb_generation(nn), expected + 1);

	expected++;
	KUNIT_ASSERT_EQ(test, nflb_generation_lock(nn, &expected, true, NULL),
			0);
	nflb_generation_unlock(nn, false);
	KUNIT_ASSERT_EQ(test, nflb_generation_lock(nn, &expected, true, NULL),
			0);
	nflb_generation_unlock(nn, false);
}

/* Verdicts, counters and connections depend on it, and leave it as it is. */
static void generation_of_something_else(struct kunit *test)
{
	struct netlink_ext_ack extack = { };
	struct nflb_net *nn = ku_nn();
	u64 before = nflb_generation(nn), other = before + 1;

	KUNIT_ASSERT_EQ(test, nflb_generation_lock(nn, &before, false, NULL), 0);
	KUNIT_EXPECT_EQ(test, nflb_generation(nn), before);
	/* A device went meanwhile. */
	nflb_generation_count(nn);
	KUNIT_EXPECT_EQ(test, nflb_generation(nn), before + 1);
	nflb_generation_unlock(nn, false);
	KUNIT_EXPECT_EQ(test, nflb_generation(nn), before + 1);
	KUNIT_ASSERT_EQ(test, nflb_generation_lock(nn, &other, false, NULL), 0);
	nflb_generation_unlock(nn, false);
	KUNIT_EXPECT_EQ(test, nflb_generation_lock(nn, &before, false, &extack),
			-ESTALE);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&nn->mutex));
}

static void generation_is_of_a_boot(struct kunit *test)
{
	KUNIT_EXPECT_NE(test, ku_nn()->boot, 0U);
	KUNIT_EXPECT_GT(test, nflb_generation(ku_nn()), 0ULL);
}

static struct kunit_case generation_cases[] = {
	KUNIT_CASE(generation_counts_what_succeeds),
	KUNIT_CASE(generation_refuses_another),
	KUNIT_CASE(generation_of_something_else),
	KUNIT_CASE(generation_is_of_a_boot),
	{}
};

static struct kunit_suite generation_suite = {
	.name = "nflb_generation",
	.test_cases = generation_cases,
};

kunit_test_suite(generation_suite);
