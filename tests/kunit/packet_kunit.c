// SPDX-License-Identifier: GPL-2.0
/*
 * Parsing: what a packet is, and that nothing is read beyond its end.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>

#include "path/classify.h"
#include "util.h"

static enum nflb_verdict parse(struct kunit *test, struct nflb_pkt *pkt,
			       const struct ku_bytes *b,
			       const struct ku_param *p)
{
	struct nf_hook_state state;
	enum nflb_verdict verdict;

	ku_pkt(pkt, &state, ku_skb(test, b, p), p->family);
	rcu_read_lock();
	verdict = nflb_classify(pkt);
	rcu_read_unlock();
	kfree_skb(pkt->skb);
	return verdict;
}

static void packet_tuple(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	struct nflb_pkt pkt;
	struct ku_bytes *b;
	u8 addr_len = p->family == AF_INET ? 4 : 16;
	u8 src = p->family == AF_INET ? 12 : 8;

	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	ku_make(b, p, NULL, 0, 100);
	KUNIT_EXPECT_EQ(test, (int)parse(test, &pkt, b, p), NFLB_CONTINUE);
	KUNIT_EXPECT_EQ(test, (int)pkt.kind, NFLB_KIND_FLOW);
	KUNIT_EXPECT_EQ(test, pkt.tuple.family, p->family);
	KUNIT_EXPECT_EQ(test, pkt.tuple.proto, p->proto);
	KUNIT_EXPECT_EQ(test, (unsigned int)pkt.l4, b->l4);
	KUNIT_EXPECT_EQ(test, pkt.len, b->len);
	KUNIT_EXPECT_EQ(test, memcmp(&pkt.tuple.src, b->data + src, addr_len),
			0);
	KUNIT_EXPECT_EQ(test, memcmp(&pkt.tuple.dst, b->data + src + addr_len,
				     addr_len), 0);
	KUNIT_EXPECT_EQ(test, memcmp(&pkt.tuple.sport, b->data + b->l4, 2), 0);
	KUNIT_EXPECT_EQ(test, memcmp(&pkt.tuple.dport, b->data + b->l4 + 2, 2),
			0);
	if (p->family == AF_INET) {
		KUNIT_EXPECT_EQ(test, pkt.tuple.src.all[1], (__be32)0);
		KUNIT_EXPECT_EQ(test, pkt.tuple.dst.all[3], (__be32)0);
	}
}

/* Cut at every length: taken only when all headers are there. */
static void packet_truncated(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	unsigned int need, len;
	struct nflb_pkt pkt;
	struct ku_bytes *b;

	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	ku_make(b, p, NULL, 0, 0);
	need = b->l4 + (p->proto == IPPROTO_TCP ? 20 : 8);
	for (len = b->l4; len <= need; len++) {
		b->len = len;
		KUNIT_EXPECT_EQ(test, parse(test, &pkt, b, p) == NFLB_CONTINUE,
				len == need);
	}
}

static void packet_tcp_header_length(struct kunit *test)
{
	struct ku_param p = ku_params[0];
	struct nflb_pkt pkt;
	struct ku_bytes *b;
	int doff;

	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	for (doff = 0; doff < 16; doff++) {
		ku_make(b, &p, NULL, 0, 12);
		b->data[b->l4 + 12] = doff << 4;
		KUNIT_EXPECT_EQ(test, parse(test, &pkt, b, &p) ==
				NFLB_CONTINUE, doff >= 5 && doff <= 8);
	}
}

/* An error's tuple is the quoted one, inverted, at every length of a quote. */
static void packet_icmp_error(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	struct ku_bytes *b, *quoted;
	struct nflb_pkt pkt;
	unsigned int len, l4;

	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	quoted = kunit_kzalloc(test, sizeof(*quoted), GFP_KERNEL);
	ku_make(quoted, p, NULL, 0, 20);
	l4 = p->family == AF_INET ? 20 : 40;
	for (len = 0; len <= quoted->len; len++) {
		bool whole = len >= l4 + 4;
		enum nflb_verdict verdict;

		ku_make(b, p, NULL, 0, 100);
		b->data[p->family == AF_INET ? 9 : 6] =
			p->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
		b->data[b->l4] = p->family == AF_INET ? ICMP_DEST_UNREACH :
							ICMPV6_DEST_UNREACH;
		memcpy(b->data + b->l4 + 8, quoted->data, len);
		b->len = b->l4 + 8 + len;
		verdict = parse(test, &pkt, b, p);
		KUNIT_EXPECT_EQ(test, verdict == NFLB_CONTINUE, whole);
		if (!whole)
			continue;
		KUNIT_EXPECT_EQ(test, (int)pkt.kind, NFLB_KIND_ICMP_ERROR);
		KUNIT_EXPECT_EQ(test, memcmp(&pkt.tuple.dport,
					     quoted->data + l4, 2), 0);
		KUNIT_EXPECT_EQ(test, memcmp(&pkt.tuple.sport,
					     quoted->data + l4 + 2, 2), 0);
	}
}

/* Random bytes behind a right version: any verdict, but no splat. */
static void packet_noise(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	struct nflb_pkt pkt;
	struct ku_bytes *b;
	int i;

	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	for (i = 0; i < 2000; i++) {
		u8 version, proto;

		ku_make(b, p, NULL, 0, get_random_u32_below(200));
		version = b->data[0];
		proto = b->data[p->family == AF_INET ? 9 : 6];
		get_random_bytes(b->data, b->len);
		b->data[0] = p->family == AF_INET ?
			     0x40 | min_t(u8, 5 + i % 11, b->len / 4) :
			     version;
		if (i % 2)
			b->data[p->family == AF_INET ? 9 : 6] = proto;
		/* Not a fragment: those would be kept. */
		if (p->family == AF_INET)
			b->data[6] = b->data[7] = 0;
		parse(test, &pkt, b, p);
	}
}

static struct kunit_case packet_cases[] = {
	KUNIT_CASE_PARAM(packet_tuple, ku_gen_params),
	KUNIT_CASE_PARAM(packet_truncated, ku_gen_flows),
	KUNIT_CASE(packet_tcp_header_length),
	KUNIT_CASE_PARAM(packet_icmp_error, ku_gen_flows),
	KUNIT_CASE_PARAM(packet_noise, ku_gen_params),
	{ }
};

static struct kunit_suite packet_suite = {
	.name = "nflb_packet",
	.test_cases = packet_cases,
};

kunit_test_suite(packet_suite);
