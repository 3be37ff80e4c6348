// SPDX-License-Identifier: GPL-2.0
/*
 * What mode fullnat does to packets: both ends, bytes that are added, the other
 * family. Whatever the shape of the skb and the state of its checksum, the
 * result is what summing up everything anew gives, and nothing else changed.
 */
#include <linux/random.h>

#include "packet/mangle.h"
#include "forward/family.h"
#include "util.h"

#define ROUNDS 100

/* One packet, before and after. */
struct rewritten {
	struct ku_bytes		*want;
	struct ku_bytes		*got;
	struct nf_hook_state	state;
	struct nflb_pkt		pkt;
	struct nflb_tuple	to;
};

static void begin(struct kunit *test, struct rewritten *r,
		  const struct ku_param *p, u8 to_family)
{
	struct sk_buff *skb;

	r->want = kunit_kzalloc(test, sizeof(*r->want), GFP_KERNEL);
	r->got = kunit_kzalloc(test, sizeof(*r->got), GFP_KERNEL);
	ku_make(r->want, p, NULL, 0, get_random_u32_below(1200));
	skb = ku_skb(test, r->want, p);
	ku_pkt(&r->pkt, &r->state, skb, p->family);
	memset(&r->to, 0, sizeof(r->to));
	ku_random_addr(&r->to.src, to_family);
	ku_random_addr(&r->to.dst, to_family);
	r->to.sport = htons(get_random_u32_below(65536));
	r->to.dport = htons(get_random_u32_below(65536));
	r->to.proto = p->proto;
	r->to.family = to_family;
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, (int)nflb_packet_parse(&r->pkt), NFLB_CONTINUE);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, nflb_mangle_writable(&r->pkt), 0);
}

static void set_ends(struct ku_bytes *b, const struct nflb_tuple *to)
{
	unsigned int at = to->family == AF_INET ? 12 : 8;
	unsigned int len = to->family == AF_INET ? 4 : 16;

	memcpy(b->data + at, &to->dst, len);
	memcpy(b->data + at + len, &to->src, len);
	memcpy(b->data + b->l4, &to->dport, 2);
	memcpy(b->data + b->l4 + 2, &to->sport, 2);
}

static void compare(struct kunit *test, struct rewritten *r,
		    const struct ku_param *p)
{
	/* A sum of the whole is given up, one that is left to the device not. */
	u8 summed = p->summed == CHECKSUM_COMPLETE ? CHECKSUM_NONE : p->summed;

	KUNIT_EXPECT_EQ(test, (u8)r->pkt.skb->ip_summed, summed);
	ku_fix(r->want, r->to.family, p->proto, summed);
	ku_read(r->got, r->pkt.skb);
	KUNIT_EXPECT_EQ(test, r->got->len, r->want->len);
	KUNIT_EXPECT_EQ(test, memcmp(r->got->data, r->want->data,
				     r->want->len), 0);
	if (summed == CHECKSUM_PARTIAL)
		KUNIT_EXPECT_EQ(test, skb_checksum_start_offset(r->pkt.skb),
				(int)r->want->l4);
	kfree_skb(r->pkt.skb);
	kunit_kfree(test, r->want);
	kunit_kfree(test, r->got);
}

static void rewrite_both_ends(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	struct rewritten r;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		begin(test, &r, p, p->family);
		nflb_mangle_tuple(&r.pkt, &r.to);
		set_ends(r.want, &r.to);
		compare(test, &r, p);
	}
}

static void grow_want(struct ku_bytes *b, unsigned int at, const u8 *bytes,
		      unsigned int len, u8 family)
{
	u16 size;

	memmove(b->data + at + len, b->data + at, b->len - at);
	memcpy(b->data + at, bytes, len);
	b->len += len;
	size = family == AF_INET ? b->len : b->len - 40;
	put_unaligned_be16(size, b->data + (family == AF_INET ? 2 : 4));
}

static void rewrite_adds_bytes(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	bool tcp = p->proto == IPPROTO_TCP;
	struct rewritten r;
	u8 bytes[52];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		unsigned int len = tcp ? 20 : i % 2 ? 28 : 52;
		unsigned int at;

		begin(test, &r, p, p->family);
		at = r.want->l4 + (tcp ? 20 : 8);
		get_random_bytes(bytes, len);
		KUNIT_ASSERT_EQ(test, nflb_mangle_grow(&r.pkt, at, len), 0);
		memcpy(r.pkt.skb->data + at, bytes, len);
		nflb_mangle_added(&r.pkt, at, len);
		grow_want(r.want, at, bytes, len, p->family);
		if (!tcp) {
			nflb_mangle_udp_len(&r.pkt, len);
			put_unaligned_be16(r.want->len - r.want->l4,
					   r.want->data + r.want->l4 + 4);
		}
		compare(test, &r, p);
	}
}

/* IPv4's identification is anybody's. */
static void take_id(struct rewritten *r)
{
	memcpy(r->want->data + 4, r->pkt.skb->data + 4, 2);
}

static void family_want(struct rewritten *r, const struct ku_param *p)
{
	struct ku_bytes *b = r->want;
	unsigned int l3 = r->to.family == AF_INET ? 20 : 40;
	unsigned int rest = b->len - b->l4;
	u8 ttl = p->family == AF_INET ? b->data[8] : b->data[7];
	u8 tos = p->family == AF_INET ? b->data[1] :
		 (b->data[0] << 4 | b->data[1] >> 4);
	bool df = p->family == AF_INET ? b->data[6] & 0x40 : rest + 20 > 1260;

	memmove(b->data + l3, b->data + b->l4, rest);
	memset(b->data, 0, l3);
	b->l4 = l3;
	b->len = l3 + rest;
	if (r->to.family == AF_INET) {
		b->data[0] = 0x45;
		b->data[1] = tos;
		put_unaligned_be16(b->len, b->data + 2);
		b->data[6] = df ? 0x40 : 0;
		b->data[8] = ttl;
		b->data[9] = p->proto;
	} else {
		b->data[0] = 0x60 | tos >> 4;
		b->data[1] = tos << 4;
		put_unaligned_be16(rest, b->data + 4);
		b->data[6] = p->proto;
		b->data[7] = ttl;
	}
	set_ends(b, &r->to);
}

static void rewrite_to_the_other_family(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	struct rewritten r;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		begin(test, &r, p, p->family == AF_INET ? AF_INET6 : AF_INET);
		KUNIT_ASSERT_EQ(test, (int)nflb_family_rewrite(&r.pkt, &r.to),
				NFLB_CONTINUE);
		family_want(&r, p);
		if (r.to.family == AF_INET)
			take_id(&r);
		compare(test, &r, p);
	}
}

/*
 * A tunnel inside UDP: what it carries has a checksum that is left to the device,
 * and the one outside is complete, or 0. Where what is inside begins, and where in
 * it the checksum is:
 */
#define INNER_START	(8 + 30)
#define INNER_CHECK	(INNER_START + 6)

static void put_inner_check(struct ku_bytes *b, u16 value)
{
	put_unaligned_be16(value, b->data + b->l4 + INNER_CHECK);
}

/* @r->want is the packet as the device would complete it. */
static void begin_inner(struct kunit *test, struct rewritten *r, u8 family,
			u8 to_family, bool zero)
{
	struct ku_param p = {
		"", family, IPPROTO_UDP, KU_LINEAR, CHECKSUM_NONE,
	};
	u16 pseudo = get_random_u32_below(65536);
	unsigned int start;
	struct sk_buff *skb;

	begin(test, r, &p, to_family);
	kfree_skb(r->pkt.skb);
	ku_make(r->want, &p, NULL, 0, 200 + get_random_u32_below(800));
	start = r->want->l4 + INNER_START;
	put_inner_check(r->want, pseudo);
	put_inner_check(r->want, ~ku_sum(r->want->data + start,
					 r->want->len - start, 0));
	ku_fix(r->want, family, IPPROTO_UDP, CHECKSUM_NONE);
	if (zero)
		put_unaligned_be16(0, r->want->data + r->want->l4 + 6);
	*r->got = *r->want;
	put_inner_check(r->got, pseudo);
	skb = ku_skb(test, r->got, &p);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + start;
	skb->csum_offset = INNER_CHECK - INNER_START;
	ku_pkt(&r->pkt, &r->state, skb, family);
	rcu_read_lock();
	KUNIT_EXPECT_EQ(test, (int)nflb_packet_parse(&r->pkt), NFLB_CONTINUE);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, nflb_mangle_writable(&r->pkt), 0);
}

static void compare_inner(struct kunit *test, struct rewritten *r, bool zero)
{
	if (r->pkt.skb->ip_summed == CHECKSUM_PARTIAL)
		KUNIT_EXPECT_EQ(test, skb_checksum_help(r->pkt.skb), 0);
	ku_fix(r->want, r->to.family, IPPROTO_UDP, CHECKSUM_NONE);
	if (zero)
		put_unaligned_be16(0, r->want->data + r->want->l4 + 6);
	ku_read(r->got, r->pkt.skb);
	KUNIT_EXPECT_EQ(test, r->got->len, r->want->len);
	KUNIT_EXPECT_EQ(test, memcmp(r->got->data, r->want->data,
				     r->want->len), 0);
	kfree_skb(r->pkt.skb);
	kunit_kfree(test, r->want);
	kunit_kfree(test, r->got);
}

static void rewrite_outside_of_partial(struct kunit *test)
{
	static const u8 families[] = { AF_INET, AF_INET, AF_INET6 };
	struct rewritten r;
	int i;

	for (i = 0; i < 3 * ROUNDS; i++) {
		bool zero = i % 3 == 0;

		begin_inner(test, &r, families[i % 3], families[i % 3], zero);
		if (i % 2) {
			nflb_mangle_tuple(&r.pkt, &r.to);
		} else {
			nflb_mangle_end(&r.pkt, NFLB_END_DST, &r.to.src,
					r.to.sport);
			nflb_mangle_end(&r.pkt, NFLB_END_SRC, &r.to.dst,
					r.to.dport);
		}
		set_ends(r.want, &r.to);
		compare_inner(test, &r, zero);
	}
}

static void rewrite_grows_outside_of_partial(struct kunit *test)
{
	struct rewritten r;
	u8 bytes[52];
	int i;

	for (i = 0; i < 2 * ROUNDS; i++) {
		u8 family = i % 2 ? AF_INET6 : AF_INET;
		bool zero = i % 4 == 0;
		unsigned int at;

		begin_inner(test, &r, family, family, zero);
		at = r.want->l4 + 8;
		get_random_bytes(bytes, sizeof(bytes));
		KUNIT_ASSERT_EQ(test, nflb_mangle_grow(&r.pkt, at,
						       sizeof(bytes)), 0);
		memcpy(r.pkt.skb->data + at, bytes, sizeof(bytes));
		nflb_mangle_added(&r.pkt, at, sizeof(bytes));
		nflb_mangle_udp_len(&r.pkt, sizeof(bytes));
		grow_want(r.want, at, bytes, sizeof(bytes), family);
		put_unaligned_be16(r.want->len - r.want->l4,
				   r.want->data + r.want->l4 + 4);
		nflb_mangle_tuple(&r.pkt, &r.to);
		set_ends(r.want, &r.to);
		compare_inner(test, &r, zero);
	}
}

static void rewrite_family_outside_of_partial(struct kunit *test)
{
	struct rewritten r;
	int i;

	for (i = 0; i < 3 * ROUNDS; i++) {
		struct ku_param p = {
			"", i % 3 == 2 ? AF_INET6 : AF_INET, IPPROTO_UDP,
			KU_LINEAR, CHECKSUM_NONE,
		};
		u8 to = p.family == AF_INET ? AF_INET6 : AF_INET;

		/* One of IPv4 without a checksum gets one. */
		begin_inner(test, &r, p.family, to, i % 3 == 0);
		KUNIT_ASSERT_EQ(test, (int)nflb_family_rewrite(&r.pkt, &r.to),
				NFLB_CONTINUE);
		family_want(&r, &p);
		if (to == AF_INET)
			take_id(&r);
		compare_inner(test, &r, false);
	}
}

/* Whoever segments a tunnel's GSO packet completes the checksum outside. */
static void rewrite_outside_of_tunnel_gso(struct kunit *test)
{
	struct rewritten r;
	int i;

	for (i = 0; i < 2 * ROUNDS; i++) {
		u8 family = i % 2 ? AF_INET6 : AF_INET;
		__sum16 *check;

		begin_inner(test, &r, family, family, false);
		skb_shinfo(r.pkt.skb)->gso_size = 100;
		skb_shinfo(r.pkt.skb)->gso_type = SKB_GSO_UDP_TUNNEL_CSUM;
		check = (__sum16 *)(r.pkt.skb->data + r.want->l4 + 6);
		put_unaligned_be16(ku_pseudo(r.want, family, IPPROTO_UDP),
				   check);
		nflb_mangle_tuple(&r.pkt, &r.to);
		set_ends(r.want, &r.to);
		check = (__sum16 *)(r.pkt.skb->data + r.want->l4 + 6);
		KUNIT_EXPECT_EQ(test, get_unaligned_be16(check),
				(u16)ku_pseudo(r.want, family, IPPROTO_UDP));
		kfree_skb(r.pkt.skb);
		kunit_kfree(test, r.want);
		kunit_kfree(test, r.got);
	}
}

/* @df: it is atomic */
static u16 renewed(struct kunit *test, unsigned int payload, bool df,
		   unsigned int segs, u16 port)
{
	static const struct ku_param p = {
		"", AF_INET, IPPROTO_UDP, KU_LINEAR, CHECKSUM_NONE,
	};
	struct nflb_tuple to = { .sport = htons(53), .dport = htons(port) };
	struct nf_hook_state state;
	struct ku_bytes *b;
	struct nflb_pkt pkt;
	u16 ident;

	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	ku_make(b, &p, NULL, 0, payload);
	put_unaligned_be16(7777, b->data + 4);
	b->data[6] = df ? 0x40 : 0;
	ku_fix(b, AF_INET, IPPROTO_UDP, CHECKSUM_NONE);
	/* Of the same sender to the same receiver */
	memcpy(b->data + 12, "\x0a\1\2\3\x0a\4\5\6", 8);
	ku_fix(b, AF_INET, IPPROTO_UDP, CHECKSUM_NONE);
	ku_pkt(&pkt, &state, ku_skb(test, b, &p), AF_INET);
	skb_shinfo(pkt.skb)->gso_segs = segs;
	pkt.tuple.family = AF_INET;
	local_bh_disable();
	nflb_mangle_ident(&pkt, &to);
	local_bh_enable();
	ident = get_unaligned_be16(pkt.skb->data + 4);
	put_unaligned_be16(ident, b->data + 4);
	ku_fix(b, AF_INET, IPPROTO_UDP, CHECKSUM_NONE);
	KUNIT_EXPECT_EQ(test, memcmp(pkt.skb->data, b->data, b->len), 0);
	kfree_skb(pkt.skb);
	kunit_kfree(test, b);
	return ident;
}

static void ident_is_new(struct kunit *test)
{
	static const unsigned int payloads[] = { 0, 40, 41, 1000 };
	unsigned long *seen;
	int i, j;

	seen = kunit_kzalloc(test, 65536 / 8, GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(payloads); i++) {
		KUNIT_EXPECT_EQ(test, renewed(test, payloads[i], true, 0, 1),
				7777);
		bitmap_zero(seen, 65536);
		for (j = 0; j < 1000; j++) {
			u16 ident = renewed(test, payloads[i], false, 0, 4000 + j);

			KUNIT_EXPECT_FALSE(test, __test_and_set_bit(ident, seen));
		}
	}
	i = renewed(test, 1000, false, 10, 1);
	j = renewed(test, 1000, false, 0, 1);
	KUNIT_EXPECT_GE(test, (u16)(j - i), 10);
}

static struct kunit_case rewrite_cases[] = {
	KUNIT_CASE_PARAM(rewrite_both_ends, ku_gen_params),
	KUNIT_CASE_PARAM(rewrite_adds_bytes, ku_gen_params),
	KUNIT_CASE_PARAM(rewrite_to_the_other_family, ku_gen_params),
	KUNIT_CASE(rewrite_outside_of_partial),
	KUNIT_CASE(rewrite_grows_outside_of_partial),
	KUNIT_CASE(rewrite_family_outside_of_partial),
	KUNIT_CASE(rewrite_outside_of_tunnel_gso),
	KUNIT_CASE(ident_is_new),
	{ }
};

static struct kunit_suite rewrite_suite = {
	.name = "nflb_rewrite",
	.test_cases = rewrite_cases,
};

kunit_test_suite(rewrite_suite);
