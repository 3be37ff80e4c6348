// SPDX-License-Identifier: GPL-2.0
/*
 * What mode fullnat does to packets: both ends, bytes that are added, the other
 * family. Whatever the shape of the skb and the state of its checksum, the
 * result is what summing up everything anew gives, and nothing else changed.
 */
#include <linux/random.h>

#include "datapath/family.h"
#include "datapath/mangle.h"
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

static struct kunit_case rewrite_cases[] = {
	KUNIT_CASE_PARAM(rewrite_both_ends, ku_gen_params),
	KUNIT_CASE_PARAM(rewrite_adds_bytes, ku_gen_params),
	KUNIT_CASE_PARAM(rewrite_to_the_other_family, ku_gen_params),
	{ }
};

static struct kunit_suite rewrite_suite = {
	.name = "nflb_rewrite",
	.test_cases = rewrite_cases,
};

kunit_test_suite(rewrite_suite);
