// SPDX-License-Identifier: GPL-2.0
/*
 * The hash of the connection table: clients as they come, whose addresses and
 * ports follow each other, share buckets as seldom as chance has it.
 */
#include <linux/prandom.h>

#include "conn/conn_hash.h"
#include "util.h"

#define FLOWS_LOG	14
#define BUCKETS_LOG	12
#define KEYS		20

/* A number of flows, in one of the ways that clients' tuples differ. */
enum pattern {
	PORTS,		/* one client, 16,384 ports */
	CLIENTS,	/* neighbours, with the same port */
	BOTH,		/* 128 neighbours with 128 ports each */
	PATTERNS
};

static void flow(struct nflb_tuple *t, u8 family, enum pattern pattern, u32 i)
{
	u32 client = 0, port = 40000;

	switch (pattern) {
	case PORTS:
		port += i;
		break;
	case CLIENTS:
		client = i;
		break;
	default:
		client = i >> 7;
		port += i & 127;
	}
	memset(t, 0, sizeof(*t));
	t->family = family;
	t->proto = IPPROTO_TCP;
	t->sport = htons(port);
	t->dport = htons(443);
	if (family == AF_INET) {
		t->src.ip = htonl(0x0a000000 + client);
		t->dst.ip = htonl(0xc0000201);
	} else {
		t->src.all[0] = htonl(0x20010db8);
		t->src.all[3] = htonl(client);
		t->dst.all[0] = htonl(0x20010db8);
		t->dst.all[3] = htonl(1);
	}
}

/* Pairs of flows that share a bucket */
static u64 collisions(struct kunit *test, u8 family, enum pattern pattern,
		      const struct nflb_hash_key *key, u32 seed)
{
	u32 *buckets = kunit_kcalloc(test, 1 << BUCKETS_LOG, sizeof(*buckets),
				     GFP_KERNEL);
	struct nflb_tuple t;
	u64 pairs = 0;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, buckets);
	for (i = 0; i < 1 << FLOWS_LOG; i++) {
		flow(&t, family, pattern, i);
		/* The table takes the low bits. */
		pairs += buckets[nflb_tuple_hash(&t, key, seed) &
				 ((1 << BUCKETS_LOG) - 1)]++;
	}
	kunit_kfree(test, buckets);
	return pairs;
}

static void spread(struct kunit *test, u8 family)
{
	const u64 expected = (1ULL << (2 * FLOWS_LOG - 1)) >> BUCKETS_LOG;
	struct nflb_hash_key key;
	struct rnd_state random;
	int i, pattern;
	u64 seen, sum;

	/* The same keys each time: what passes once does so always. */
	prandom_seed_state(&random, family);
	for (pattern = 0; pattern < PATTERNS; pattern++) {
		sum = 0;
		for (i = 0; i < KEYS; i++) {
			prandom_bytes_state(&random, &key, sizeof(key));
			seen = collisions(test, family, pattern, &key, i);
			KUNIT_EXPECT_LT_MSG(test, seen, 4 * expected,
					    "pattern %d, key %d", pattern, i);
			sum += seen;
		}
		KUNIT_EXPECT_LT_MSG(test, sum, KEYS * expected * 5 / 4,
				    "pattern %d", pattern);
	}
}

static void conn_hash_spreads_v4(struct kunit *test)
{
	spread(test, AF_INET);
}

static void conn_hash_spreads_v6(struct kunit *test)
{
	spread(test, AF_INET6);
}

/* Every member of the tuple counts, and so do key and seed. */
static void conn_hash_sees_all(struct kunit *test)
{
	struct nflb_tuple t, other;
	struct nflb_hash_key key;
	struct rnd_state random;
	int family, i;
	u32 hash;

	prandom_seed_state(&random, 1);
	for (family = AF_INET; family <= AF_INET6; family += AF_INET6 - AF_INET) {
		prandom_bytes_state(&random, &key, sizeof(key));
		flow(&t, family, PORTS, 0);
		hash = nflb_tuple_hash(&t, &key, 7);
		KUNIT_EXPECT_EQ(test, hash, nflb_tuple_hash(&t, &key, 7));
		KUNIT_EXPECT_NE(test, hash, nflb_tuple_hash(&t, &key, 8));
		for (i = 0; i < (family == AF_INET ? 1 : 4); i++) {
			other = t;
			other.src.all[i] ^= htonl(1);
			KUNIT_EXPECT_NE(test, hash, nflb_tuple_hash(&other, &key, 7));
			other = t;
			other.dst.all[i] ^= htonl(1);
			KUNIT_EXPECT_NE(test, hash, nflb_tuple_hash(&other, &key, 7));
		}
		other = t;
		other.sport ^= htons(1);
		KUNIT_EXPECT_NE(test, hash, nflb_tuple_hash(&other, &key, 7));
		other = t;
		other.dport ^= htons(1);
		KUNIT_EXPECT_NE(test, hash, nflb_tuple_hash(&other, &key, 7));
		other = t;
		other.proto = IPPROTO_UDP;
		KUNIT_EXPECT_NE(test, hash, nflb_tuple_hash(&other, &key, 7));
		/* What belongs to the connection does not. */
		other = t;
		other.aux = 1;
		KUNIT_EXPECT_EQ(test, hash, nflb_tuple_hash(&other, &key, 7));
	}
}

static struct kunit_case conn_hash_cases[] = {
	KUNIT_CASE(conn_hash_spreads_v4),
	KUNIT_CASE(conn_hash_spreads_v6),
	KUNIT_CASE(conn_hash_sees_all),
	{ }
};

static struct kunit_suite conn_hash_suite = {
	.name = "nflb_conn_hash",
	.test_cases = conn_hash_cases,
};

kunit_test_suite(conn_hash_suite);
