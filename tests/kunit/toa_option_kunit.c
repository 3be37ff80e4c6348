// SPDX-License-Identifier: GPL-2.0
/*
 * What nflb_toa.ko reads from TCP options. Options are as long as the memory that
 * they are in, so that KASAN sees a byte read too many.
 */
#include <linux/prandom.h>
#include <kunit/test.h>

/* Of another module, which exports nothing */
#include "toa/option.c"

#define OPTIONS_MAX	40

/* 198.51.100.7 port 4660; and 2001:db8::7 port 4660 */
static const u8 option4[] = { 254, 8, 0x12, 0x34, 198, 51, 100, 7 };
static const u8 option6[] = {
	254, 20, 0x12, 0x34,
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
};

static enum toa_found parse(struct kunit *test, const u8 *opts,
			    unsigned int len, struct toa_client *client)
{
	/* One of no length is no memory at all. */
	u8 *exact = kmalloc(len, GFP_KERNEL);
	enum toa_found found;

	KUNIT_ASSERT_NOT_NULL(test, exact);
	memcpy(exact, opts, len);
	found = toa_option_parse(exact, len, client);
	kfree(exact);
	return found;
}

static void toa_option_tells(struct kunit *test)
{
	const __be16 port = htons(0x1234);
	struct toa_client client;
	u8 opts[sizeof(option6)];

	KUNIT_EXPECT_EQ(test, parse(test, option4, sizeof(option4), &client),
			TOA_FOUND);
	KUNIT_EXPECT_EQ(test, client.family, AF_INET);
	KUNIT_EXPECT_EQ(test, client.port, port);
	KUNIT_EXPECT_EQ(test, memcmp(&client.addr, option4 + 4, 4), 0);

	memcpy(opts, option6, sizeof(opts));
	/* LVS has a kind of its own for it. */
	for (opts[0] = 254; opts[0] >= 253; opts[0]--) {
		KUNIT_EXPECT_EQ(test, parse(test, opts, sizeof(opts), &client),
				TOA_FOUND);
		KUNIT_EXPECT_EQ(test, client.family, AF_INET6);
		KUNIT_EXPECT_EQ(test, client.port, port);
		KUNIT_EXPECT_EQ(test, memcmp(&client.addr, option6 + 4, 16), 0);
	}
}

static void toa_option_every_kind_and_length(struct kunit *test)
{
	enum toa_found want;
	struct toa_client client;
	u8 opts[OPTIONS_MAX];
	int kind, len;

	for (kind = 2; kind < 256; kind++) {
		for (len = 2; len <= OPTIONS_MAX; len++) {
			memset(opts, TCPOPT_NOP, sizeof(opts));
			opts[0] = kind;
			opts[1] = len;
			memset(opts + 2, 5, len - 2);
			want = (kind == 254 && (len == 8 || len == 20)) ||
			       (kind == 253 && len == 20) ? TOA_FOUND : TOA_NONE;
			KUNIT_EXPECT_EQ_MSG(test, want,
					    parse(test, opts, sizeof(opts), &client),
					    "kind %d, length %d", kind, len);
		}
	}
}

/* Behind others too, but alone; none behind the end. */
static void toa_option_must_be_the_only_one(struct kunit *test)
{
	u8 opts[OPTIONS_MAX] = { TCPOPT_NOP, TCPOPT_NOP, 3, 3, 7 };
	const unsigned int at = 5;
	struct toa_client client;

	memcpy(opts + at, option4, 8);
	KUNIT_EXPECT_EQ(test, parse(test, opts, at + 8, &client), TOA_FOUND);
	memcpy(opts + at + 8, option6, 20);
	KUNIT_EXPECT_EQ(test, parse(test, opts, at + 28, &client),
			TOA_AMBIGUOUS);
	memcpy(opts + at, option6, 20);
	memcpy(opts + at + 20, option4, 8);
	KUNIT_EXPECT_EQ(test, parse(test, opts, at + 28, &client),
			TOA_AMBIGUOUS);
	opts[1] = TCPOPT_EOL;
	KUNIT_EXPECT_EQ(test, parse(test, opts, at + 28, &client), TOA_NONE);
	KUNIT_EXPECT_EQ(test, parse(test, opts, 0, &client), TOA_NONE);
}

/* Others of its kinds, whatever their length, and signatures; on either side. */
static void toa_option_doubtful(struct kunit *test)
{
	static const u8 kinds[] = { 253, 254, TCPOPT_MD5SIG, TCPOPT_AO_KIND };
	struct toa_client client;
	u8 opts[OPTIONS_MAX];
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (len = 2; len <= OPTIONS_MAX - 8; len++) {
			memset(opts, 5, sizeof(opts));
			memcpy(opts, option4, 8);
			opts[8] = kinds[i];
			opts[9] = len;
			KUNIT_EXPECT_EQ_MSG(test, TOA_AMBIGUOUS,
					    parse(test, opts, 8 + len, &client),
					    "kind %d, length %d behind",
					    kinds[i], len);
			opts[0] = kinds[i];
			opts[1] = len;
			memset(opts + 2, 5, len - 2);
			memcpy(opts + len, option4, 8);
			KUNIT_EXPECT_EQ_MSG(test, TOA_AMBIGUOUS,
					    parse(test, opts, 8 + len, &client),
					    "kind %d, length %d before",
					    kinds[i], len);
		}
	}
}

/* A list that makes no sense, wherever the option is in it. */
static void toa_option_in_a_broken_list(struct kunit *test)
{
	static const u8 lies[][4] = {
		{ 8, 0, 0, 0 }, { 8, 1, 0, 0 }, { 8, 10, 0, 0 },
		{ TCPOPT_NOP, TCPOPT_NOP, TCPOPT_NOP, 8 },
	};
	struct toa_client client;
	u8 opts[12];
	int i;

	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		memcpy(opts, option4, 8);
		memcpy(opts + 8, lies[i], 4);
		KUNIT_EXPECT_EQ_MSG(test, parse(test, opts, 12, &client),
				    TOA_BROKEN, "%d", i);
	}
}

static void toa_option_cannot_be_true(struct kunit *test)
{
	static const u8 never4[][4] = {
		{ 0, 0, 0, 0 }, { 224, 0, 0, 1 }, { 239, 1, 2, 3 },
		{ 255, 255, 255, 255 },
	};
	struct toa_client client;
	u8 opts[sizeof(option6)];
	int i;

	for (i = 0; i < ARRAY_SIZE(never4); i++) {
		memcpy(opts, option4, 8);
		memcpy(opts + 4, never4[i], 4);
		KUNIT_EXPECT_EQ_MSG(test, parse(test, opts, 8, &client),
				    TOA_BROKEN, "%d", i);
	}
	memcpy(opts, option4, 8);
	memset(opts + 2, 0, 2);
	KUNIT_EXPECT_EQ(test, parse(test, opts, 8, &client), TOA_BROKEN);
	memcpy(opts, option6, 20);
	opts[4] = 0xff;
	KUNIT_EXPECT_EQ(test, parse(test, opts, 20, &client), TOA_BROKEN);
	memset(opts + 4, 0, 16);
	KUNIT_EXPECT_EQ(test, parse(test, opts, 20, &client), TOA_BROKEN);
}

/* A segment ends within the option, or the option says so of itself. */
static void toa_option_cut_short(struct kunit *test)
{
	struct toa_client client;
	u8 opts[sizeof(option6)];
	unsigned int len;

	for (len = 1; len < sizeof(option6); len++)
		KUNIT_EXPECT_EQ_MSG(test, parse(test, option6, len, &client),
				    TOA_BROKEN, "%u bytes", len);
	memcpy(opts, option6, sizeof(opts));
	for (opts[1] = 0; opts[1] < 2; opts[1]++)
		KUNIT_EXPECT_EQ_MSG(test,
				    parse(test, opts, sizeof(opts), &client),
				    TOA_BROKEN, "length %d", opts[1]);
}

/* Does @client stand somewhere in there? */
static bool stands_in(const u8 *opts, unsigned int len,
		      const struct toa_client *client)
{
	unsigned int size = client->family == AF_INET ? 4 : 16, i;

	for (i = 0; i + 4 + size <= len; i++)
		if (opts[i + 1] == 4 + size &&
		    !memcmp(opts + i + 2, &client->port, 2) &&
		    !memcmp(opts + i + 4, &client->addr, size))
			return true;
	return false;
}

static void toa_option_random(struct kunit *test)
{
	/* What makes sense comes more often than chance has it. */
	static const u8 often[] = { 0, 1, 2, 4, 8, 20, 253, 254 };
	unsigned int found[TOA_AMBIGUOUS + 1] = { }, len, i, j;
	struct toa_client client;
	struct rnd_state random;
	u8 opts[OPTIONS_MAX];
	enum toa_found is;

	prandom_seed_state(&random, 254);
	for (i = 0; i < 100000; i++) {
		len = prandom_u32_state(&random) % (OPTIONS_MAX + 1);
		prandom_bytes_state(&random, opts, sizeof(opts));
		for (j = 0; j < len; j++)
			if (opts[j] & 1)
				opts[j] = often[opts[j] >> 1 & 7];
		is = parse(test, opts, len, &client);
		found[is]++;
		if (is == TOA_FOUND)
			KUNIT_EXPECT_TRUE(test, stands_in(opts, len, &client));
	}
	for (i = 0; i < ARRAY_SIZE(found); i++)
		KUNIT_EXPECT_GT_MSG(test, found[i],
				    i == TOA_AMBIGUOUS ? 0U : 100U,
				    "result %u", i);
}

static struct kunit_case toa_option_cases[] = {
	KUNIT_CASE(toa_option_tells),
	KUNIT_CASE(toa_option_every_kind_and_length),
	KUNIT_CASE(toa_option_must_be_the_only_one),
	KUNIT_CASE(toa_option_doubtful),
	KUNIT_CASE(toa_option_in_a_broken_list),
	KUNIT_CASE(toa_option_cannot_be_true),
	KUNIT_CASE(toa_option_cut_short),
	KUNIT_CASE(toa_option_random),
	{ }
};

static struct kunit_suite toa_option_suite = {
	.name = "nflb_toa_option",
	.test_cases = toa_option_cases,
};

kunit_test_suite(toa_option_suite);
