// SPDX-License-Identifier: GPL-2.0
/*
 * Local addresses and ports: every one comes once before any comes again, and
 * none that is left out.
 */
#include <linux/bitmap.h>
#include <linux/random.h>

#include "service/laddr.h"
#include "util.h"

static struct nflb_laddr_pool *pool_new(struct kunit *test, u32 count)
{
	struct nflb_laddr_pool *pool;

	pool = kunit_kzalloc(test, struct_size(pool, laddrs, count),
			     GFP_KERNEL);
	pool->count = count;
	return pool;
}

/* From 1 on: small totals have every shape of half-empty network. */
static void laddr_permutation_is_one(struct kunit *test)
{
	static const u32 large[] = { 4095, 4096, 4097, 64512, 65536, 258048 };
	struct nflb_laddr_pool *pool = pool_new(test, 1);
	unsigned long *seen = bitmap_zalloc(300000, GFP_KERNEL);
	u32 total, i, n, round;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (round = 1; round <= 300 + ARRAY_SIZE(large); round++) {
		total = round <= 300 ? round : large[round - 301];
		pool->laddrs[0].addr_count = 1;
		pool->laddrs[0].port_count = total;
		nflb_laddr_pool_finish(pool);
		KUNIT_EXPECT_EQ(test, pool->total, total);
		bitmap_zero(seen, 300000);
		for (i = 0; i < total; i++) {
			n = nflb_laddr_permute(pool, i, round);
			if (n >= total || test_bit(n, seen))
				break;
			set_bit(n, seen);
		}
		KUNIT_EXPECT_EQ(test, i, total);
	}
	bitmap_free(seen);
}

/* Another salt is another order. */
static void laddr_salts_differ(struct kunit *test)
{
	struct nflb_laddr_pool *pool = pool_new(test, 1);
	u32 i, same = 0;

	pool->laddrs[0].addr_count = 1;
	pool->laddrs[0].port_count = 64512;
	nflb_laddr_pool_finish(pool);
	for (i = 0; i < 10000; i++)
		same += nflb_laddr_permute(pool, i, 1) ==
			nflb_laddr_permute(pool, i, 2);
	KUNIT_EXPECT_LT(test, same, 10);
}

/* Three ranges, with ports left out at both ends and in the middle. */
static void laddr_every_port_once(struct kunit *test)
{
	struct nflb_laddr_pool *pool = pool_new(test, 3);
	unsigned long *seen = bitmap_zalloc(1 << 18, GFP_KERNEL);
	union nflb_addr addr;
	u32 i, host, bits = 0;
	__be16 port;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (i = 0; i < 3; i++) {
		struct nflb_laddr *l = &pool->laddrs[i];

		l->family = AF_INET;
		nflb_addr_set_v4(&l->first, htonl(0x0a0000ff + i * 0x100));
		l->addr_count = i + 1;
		l->ports = (struct nflb_port_range){ 1000, 1099 };
		l->port_count = 100;
	}
	pool->laddrs[1].excluded[0] = (struct nflb_port_range){ 1000, 1009 };
	pool->laddrs[1].excluded[1] = (struct nflb_port_range){ 1050, 1050 };
	pool->laddrs[1].excluded[2] = (struct nflb_port_range){ 1051, 1059 };
	pool->laddrs[1].excluded[3] = (struct nflb_port_range){ 1099, 1099 };
	pool->laddrs[1].excluded_count = 4;
	pool->laddrs[1].port_count = 79;
	nflb_laddr_pool_finish(pool);
	KUNIT_ASSERT_EQ(test, pool->total, 100 + 2 * 79 + 3 * 100);
	for (i = 0; i < pool->total; i++) {
		nflb_laddr_at(pool, i, &addr, &port);
		host = ntohl(addr.ip) - 0x0a000000;
		KUNIT_ASSERT_LT(test, host, 1 << 11);
		KUNIT_ASSERT_GE(test, ntohs(port), 1000);
		KUNIT_ASSERT_LE(test, ntohs(port), 1099);
		bits += !test_and_set_bit(host * 128 + ntohs(port) - 1000,
					  seen);
		if (host == 0x1ff || host == 0x200)
			KUNIT_EXPECT_TRUE(test, ntohs(port) >= 1010 &&
					  ntohs(port) != 1099 &&
					  (ntohs(port) < 1050 ||
					   ntohs(port) > 1059));
	}
	KUNIT_EXPECT_EQ(test, bits, pool->total);
	bitmap_free(seen);
}

static struct kunit_case laddr_cases[] = {
	KUNIT_CASE(laddr_permutation_is_one),
	KUNIT_CASE(laddr_salts_differ),
	KUNIT_CASE(laddr_every_port_once),
	{ }
};

static struct kunit_suite laddr_suite = {
	.name = "nflb_laddr",
	.test_cases = laddr_cases,
};

kunit_test_suite(laddr_suite);
