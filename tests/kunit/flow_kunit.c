// SPDX-License-Identifier: GPL-2.0
/*
 * Hashes of flows, by which balancers agree: literal values, calculated from the
 * bytes of packets by a SipHash-2-4 in another language. They hold for machines of
 * either byte order.
 */
#include <linux/slab.h>

#include "sched/flow.h"
#include "util.h"

static const siphash_key_t key = {
	.key = { 0x8899aabbccddeeffULL, 0x0011223344556677ULL },
};

static const u8 bytes4[2][4] = { { 192, 0, 2, 1 }, { 203, 0, 113, 9 } };
static const u8 bytes6[2][16] = {
	{ 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
	{ 0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = 9 },
};

static const struct vector {
	u8	family;
	bool	keyed;
	u8	try;
	u64	source;
	u64	tuple;
} vectors[] = {
	{ AF_INET, false, 0, 0x99641878d00c91ecULL, 0xb966d24d3ab33c64ULL },
	{ AF_INET6, false, 0, 0xdfbdc8250edc7cd6ULL, 0x1633ef39f86d979bULL },
	{ AF_INET, false, 1, 0x46959dcc43e1ed6cULL, 0x49e3416b60828134ULL },
	{ AF_INET6, false, 1, 0x7b5f85782f45ed03ULL, 0x644302b14caff2daULL },
	{ AF_INET, true, 0, 0xe721c27489fe8828ULL, 0xd2839da839265613ULL },
	{ AF_INET6, true, 0, 0x8d2b4766375454f1ULL, 0xaeddfb100abc449aULL },
	{ AF_INET, true, 1, 0x6910191d5c9cdeb8ULL, 0x19a2cd66394b9245ULL },
	{ AF_INET6, true, 1, 0xa7fe23ef86f36139ULL, 0xc728918c8711417eULL },
};

static void tuple_init(struct nflb_tuple *t, u8 family)
{
	memset(t, 0, sizeof(*t));
	if (family == AF_INET) {
		memcpy(&t->src, bytes4[0], 4);
		memcpy(&t->dst, bytes4[1], 4);
	} else {
		memcpy(&t->src, bytes6[0], 16);
		memcpy(&t->dst, bytes6[1], 16);
	}
	t->sport = htons(40000);
	t->dport = htons(443);
	t->proto = IPPROTO_TCP;
	t->family = family;
}

static void flow_vectors(struct kunit *test)
{
	static const siphash_key_t none;
	struct nflb_snapshot *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	const struct vector *v;
	struct nflb_tuple t;

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (v = vectors; v < vectors + ARRAY_SIZE(vectors); v++) {
		s->hash_key = nflb_flow_key(v->keyed ? &key : &none);
		tuple_init(&t, v->family);
		KUNIT_EXPECT_EQ(test, nflb_flow_source(s, &t, v->try),
				v->source);
		KUNIT_EXPECT_EQ(test, nflb_flow_tuple(s, &t, v->try),
				v->tuple);
	}
}

/* Each of the key's bits counts. */
static void flow_every_bit(struct kunit *test)
{
	struct nflb_snapshot *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct nflb_tuple t;
	u64 first, last = 0;
	int bit;

	KUNIT_ASSERT_NOT_NULL(test, s);
	tuple_init(&t, AF_INET);
	s->hash_key = nflb_flow_key(&key);
	first = nflb_flow_tuple(s, &t, 0);
	for (bit = 0; bit < 128; bit++) {
		siphash_key_t other = key;

		other.key[bit / 64] ^= BIT_ULL(bit % 64);
		s->hash_key = nflb_flow_key(&other);
		KUNIT_EXPECT_NE_MSG(test, nflb_flow_tuple(s, &t, 0), first,
				    "bit %d", bit);
		KUNIT_EXPECT_NE_MSG(test, nflb_flow_tuple(s, &t, 0), last,
				    "bit %d", bit);
		last = nflb_flow_tuple(s, &t, 0);
	}
}

static struct kunit_case flow_cases[] = {
	KUNIT_CASE(flow_vectors),
	KUNIT_CASE(flow_every_bit),
	{ }
};

static struct kunit_suite flow_suite = {
	.name = "nflb_flow",
	.test_cases = flow_cases,
};

kunit_test_suite(flow_suite);
