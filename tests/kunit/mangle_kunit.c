// SPDX-License-Identifier: GPL-2.0
/*
 * Rewriting: whatever the shape of the skb and the state of its checksum, the
 * result is what summing up everything anew gives, and nothing else changed.
 */
#include <linux/random.h>

#include "packet/mangle.h"
#include "util.h"

#define ROUNDS 200

/* Replace one end in bytes, by offsets that are written down here. */
static void replace(struct ku_bytes *b, u8 family, enum nflb_end end,
		    const union nflb_addr *addr, __be16 port)
{
	bool dst = end == NFLB_END_DST;

	if (family == AF_INET)
		memcpy(b->data + (dst ? 16 : 12), addr, 4);
	else
		memcpy(b->data + (dst ? 24 : 8), addr, 16);
	memcpy(b->data + b->l4 + (dst ? 2 : 0), &port, 2);
}

static void rewrite_once(struct kunit *test, const struct ku_param *p)
{
	unsigned int payload = get_random_u32_below(1200);
	enum nflb_end end = get_random_u32_below(2);
	__be16 port = htons(get_random_u32_below(65536));
	struct nf_hook_state state;
	struct ku_bytes *want, *got;
	struct sk_buff *skb, *clone = NULL;
	union nflb_addr addr;
	struct nflb_pkt pkt;

	want = kunit_kzalloc(test, sizeof(*want), GFP_KERNEL);
	got = kunit_kzalloc(test, sizeof(*got), GFP_KERNEL);
	ku_make(want, p, NULL, 0, payload);
	skb = ku_skb(test, want, p);
	if (p->shape == KU_CLONED)
		clone = skb_clone(skb, GFP_KERNEL);
	ku_random_addr(&addr, p->family);
	ku_pkt(&pkt, &state, skb, p->family);

	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, (int)nflb_packet_parse(&pkt), NFLB_CONTINUE);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, nflb_mangle_writable(&pkt), 0);
	nflb_mangle_end(&pkt, end, &addr, port);

	if (clone) {
		ku_read(got, clone);
		KUNIT_EXPECT_EQ(test, memcmp(got->data, want->data, want->len),
				0);
		kfree_skb(clone);
	}
	replace(want, p->family, end, &addr, port);
	ku_fix(want, p->family, p->proto, p->summed);
	ku_read(got, skb);
	KUNIT_EXPECT_EQ(test, got->len, want->len);
	KUNIT_EXPECT_EQ(test, memcmp(got->data, want->data, want->len), 0);
	if (p->summed == CHECKSUM_COMPLETE)
		KUNIT_EXPECT_EQ(test, ku_sum(got->data, got->len, 0),
				(u16)~ntohs((__force __be16)
					    csum_fold(skb->csum)));
	kfree_skb(skb);
	kunit_kfree(test, want);
	kunit_kfree(test, got);
}

static void mangle_end_is_a_full_recompute(struct kunit *test)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		rewrite_once(test, test->param_value);
}

/* UDP over IPv4 without a checksum stays without. */
static void mangle_udp_zero_stays_zero(struct kunit *test)
{
	static const struct ku_param p = {
		"", AF_INET, IPPROTO_UDP, KU_LINEAR, CHECKSUM_NONE,
	};
	struct nf_hook_state state;
	union nflb_addr addr;
	struct ku_bytes *b;
	struct nflb_pkt pkt;
	struct sk_buff *skb;

	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	ku_make(b, &p, NULL, 0, 10);
	b->data[26] = 0;
	b->data[27] = 0;
	skb = ku_skb(test, b, &p);
	ku_random_addr(&addr, AF_INET);
	ku_pkt(&pkt, &state, skb, AF_INET);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, (int)nflb_packet_parse(&pkt), NFLB_CONTINUE);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, nflb_mangle_writable(&pkt), 0);
	nflb_mangle_end(&pkt, NFLB_END_DST, &addr, htons(99));
	ku_read(b, skb);
	KUNIT_EXPECT_EQ(test, b->data[26] | b->data[27], 0);
	KUNIT_EXPECT_EQ(test, b->data[23], 99);
	kfree_skb(skb);
}

/* All ports, so that among the results is a checksum computed as 0. */
static void mangle_udp_computed_zero_is_ffff(struct kunit *test)
{
	const struct ku_param *flow = test->param_value;
	struct ku_param p = *flow;
	struct nf_hook_state state;
	union nflb_addr addr;
	struct ku_bytes *b;
	int port, ffff = 0;

	p.proto = IPPROTO_UDP;
	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	ku_random_addr(&addr, p.family);
	ku_make(b, &p, NULL, 0, 4);
	for (port = 0; port < 65536; port++) {
		struct sk_buff *skb = ku_skb(test, b, &p);
		struct nflb_pkt pkt;
		__sum16 check;

		ku_pkt(&pkt, &state, skb, p.family);
		rcu_read_lock();
		nflb_packet_parse(&pkt);
		rcu_read_unlock();
		nflb_mangle_writable(&pkt);
		nflb_mangle_end(&pkt, NFLB_END_DST, &addr, htons(port));
		check = ((struct udphdr *)(skb->data + b->l4))->check;
		if (!check)
			KUNIT_FAIL(test, "port %d: checksum 0", port);
		ffff += check == CSUM_MANGLED_0;
		kfree_skb(skb);
		cond_resched();
	}
	KUNIT_EXPECT_GT(test, ffff, 0);
}

static struct kunit_case mangle_cases[] = {
	KUNIT_CASE_PARAM(mangle_end_is_a_full_recompute, ku_gen_params),
	KUNIT_CASE(mangle_udp_zero_stays_zero),
	KUNIT_CASE_PARAM(mangle_udp_computed_zero_is_ffff, ku_gen_flows),
	{ }
};

static struct kunit_suite mangle_suite = {
	.name = "nflb_mangle",
	.test_cases = mangle_cases,
};

kunit_test_suite(mangle_suite);
