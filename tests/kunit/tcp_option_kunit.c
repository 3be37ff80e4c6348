// SPDX-License-Identifier: GPL-2.0
/*
 * Options that tell a client's address are overwritten; nothing else is.
 */
#include "packet/mangle.h"
#include "packet/tcp_option.h"
#include "util.h"

/* Scrub a segment with these options; what they are then is in @options. */
static void scrub_of(struct kunit *test, u8 *options, unsigned int len, u8 summed,
		     u8 flags, bool *sums_right)
{
	const struct ku_param p = {
		"", AF_INET, IPPROTO_TCP, KU_LINEAR, summed,
	};
	struct ku_bytes *b, *want;
	struct nf_hook_state state;
	struct nflb_pkt pkt;
	struct sk_buff *skb;

	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	want = kunit_kzalloc(test, sizeof(*want), GFP_KERNEL);
	ku_make(b, &p, options, len, 33);
	b->data[b->l4 + 13] = flags;
	ku_fix(b, AF_INET, IPPROTO_TCP, summed);
	skb = ku_skb(test, b, &p);
	ku_pkt(&pkt, &state, skb, AF_INET);
	rcu_read_lock();
	nflb_packet_parse(&pkt);
	rcu_read_unlock();
	nflb_mangle_writable(&pkt);
	nflb_tcp_scrub_address(&pkt);
	ku_read(b, skb);
	memcpy(options, b->data + 40, len);
	*want = *b;
	ku_fix(want, AF_INET, IPPROTO_TCP, summed);
	*sums_right = !memcmp(want->data, b->data, b->len);
	if (summed == CHECKSUM_COMPLETE)
		*sums_right &= ku_sum(b->data, b->len, 0) ==
			(u16)~ntohs((__force __be16)csum_fold(skb->csum));
	kfree_skb(skb);
	kunit_kfree(test, b);
	kunit_kfree(test, want);
}

static void scrub(struct kunit *test, u8 *options, unsigned int len, u8 summed,
		  bool *sums_right)
{
	scrub_of(test, options, len, summed, NFLB_TCP_ACK, sums_right);
}

/* By RFCs and by the receivers in use; written down apart from the code. */
static bool is_address(u8 kind, u8 len)
{
	if (kind == 254 || kind == 253)
		return len == 8 || len == 16 || len == 20;
	if (kind == 28)
		return len == 7 || len == 19;
	return (kind == 252 && len == 20) || (kind == 250 && len == 8) ||
	       (kind == 249 && len == 40) || (kind == 200 && len == 8);
}

static void tcp_option_every_kind_and_length(struct kunit *test)
{
	u8 options[40], want[40];
	bool right;
	int kind, len;

	for (kind = 2; kind < 256; kind++) {
		for (len = 2; len <= 40; len++) {
			memset(options, 0x77, sizeof(options));
			options[0] = kind;
			options[1] = len;
			if (len < 40)
				options[len] = 0;
			memcpy(want, options, sizeof(want));
			if (is_address(kind, len))
				memset(want, 1, len);
			scrub(test, options, 40, CHECKSUM_NONE, &right);
			if (memcmp(options, want, 40) || !right)
				KUNIT_FAIL(test, "kind %d, length %d", kind,
					   len);
			cond_resched();
		}
	}
}

static const u8 mixed[40] = {
	1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2,		/* a timestamp */
	254, 8, 0x12, 0x34, 1, 2, 3, 4,			/* an address */
	5, 10, 0, 0, 0, 1, 0, 0, 0, 2,			/* SACK */
	200, 8, 0x12, 0x34, 1, 2, 3, 4,			/* an address */
};

static void tcp_option_checksums(struct kunit *test)
{
	static const u8 summed[] = { CHECKSUM_NONE, CHECKSUM_PARTIAL,
				     CHECKSUM_COMPLETE, CHECKSUM_UNNECESSARY };
	u8 options[40], want[40];
	bool right;
	int i;

	memcpy(want, mixed, sizeof(want));
	memset(want + 12, 1, 8);
	memset(want + 30, 1, 8);
	for (i = 0; i < ARRAY_SIZE(summed); i++) {
		memcpy(options, mixed, sizeof(options));
		scrub(test, options, sizeof(options), summed[i], &right);
		KUNIT_EXPECT_EQ(test, memcmp(options, want, sizeof(want)), 0);
		KUNIT_EXPECT_TRUE(test, right);
	}
}

/* They exist in SYNs; anywhere else they are an address from such a port. */
static void tcp_option_experiments_are_kept_in_syns(struct kunit *test)
{
	static const u8 experiments[][8] = {
		{ 254, 8, 0xf9, 0x89, 1, 2, 3, 4 },
		{ 253, 8, 0xf9, 0x89, 1, 2, 3, 4 },
		{ 254, 8, 0xe2, 0xd4, 0xc3, 0xd9, 0, 0 },
	};
	u8 options[8], nops[8];
	bool right;
	int i;

	memset(nops, 1, 8);
	for (i = 0; i < ARRAY_SIZE(experiments); i++) {
		memcpy(options, experiments[i], 8);
		scrub_of(test, options, 8, CHECKSUM_NONE, NFLB_TCP_SYN, &right);
		KUNIT_EXPECT_EQ(test, memcmp(options, experiments[i], 8), 0);
		scrub(test, options, 8, CHECKSUM_NONE, &right);
		KUNIT_EXPECT_EQ(test, memcmp(options, nops, 8), 0);
		KUNIT_EXPECT_TRUE(test, right);
	}
}

/* Signatures are no reason to leave an address, before or behind them. */
static void tcp_option_signed_segments_are_scrubbed(struct kunit *test)
{
	static const u8 before[36] = {
		254, 8, 1, 2, 3, 4, 5, 6, 19, 18, [26] = 254, 8, 1, 2, 3, 4, 5,
		6,
	};
	static const u8 kinds[] = { 19, 29 };
	u8 options[36], want[36];
	bool right;
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		memcpy(options, before, 36);
		options[8] = kinds[i];
		memcpy(want, options, 36);
		memset(want, 1, 8);
		memset(want + 26, 1, 8);
		scrub(test, options, 36, CHECKSUM_NONE, &right);
		KUNIT_EXPECT_EQ(test, memcmp(options, want, 36), 0);
		KUNIT_EXPECT_TRUE(test, right);
	}
}

/* A receiver may look behind the end of the list. */
static void tcp_option_behind_the_end(struct kunit *test)
{
	u8 options[16] = { 1, 0, 0, 254, 8, 1, 2, 3, 4, 5, 6 };
	u8 want[16] = { 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 };
	bool right;

	scrub(test, options, 16, CHECKSUM_NONE, &right);
	KUNIT_EXPECT_EQ(test, memcmp(options, want, 16), 0);
	KUNIT_EXPECT_TRUE(test, right);
}

/* Lengths that lie: what comes before is scrubbed, what comes after is not. */
static void tcp_option_lies(struct kunit *test)
{
	static const u8 lies[][8] = {
		{ 8, 0 }, { 8, 1 }, { 254, 0 }, { 254, 255 }, { 254, 9 },
		{ 1, 1, 1, 1, 1, 1, 1, 254 }, { 2, 255, 3 }, { 0, 254, 8 },
	};
	u8 options[16], want[16];
	bool right;
	int i;

	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		memcpy(options, mixed + 12, 8);
		memcpy(options + 8, lies[i], 8);
		memcpy(want, options, 16);
		memset(want, 1, 8);
		scrub(test, options, 16, CHECKSUM_NONE, &right);
		KUNIT_EXPECT_EQ(test, memcmp(options, want, 16), 0);
		KUNIT_EXPECT_TRUE(test, right);
	}
}

static struct kunit_case tcp_option_cases[] = {
	KUNIT_CASE(tcp_option_every_kind_and_length),
	KUNIT_CASE(tcp_option_checksums),
	KUNIT_CASE(tcp_option_experiments_are_kept_in_syns),
	KUNIT_CASE(tcp_option_signed_segments_are_scrubbed),
	KUNIT_CASE(tcp_option_behind_the_end),
	KUNIT_CASE(tcp_option_lies),
	{ }
};

static struct kunit_suite tcp_option_suite = {
	.name = "nflb_tcp_option",
	.test_cases = tcp_option_cases,
};

kunit_test_suite(tcp_option_suite);
