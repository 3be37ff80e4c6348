// SPDX-License-Identifier: GPL-2.0
/*
 * How many packets a buffer stands for, and how long they are.
 */
#include <linux/tcp.h>

#include "packet/packet.h"
#include "util.h"

#define TCP4	SKB_GSO_TCPV4
#define TCP6	SKB_GSO_TCPV6
#define UDP	SKB_GSO_UDP_L4
#define LIST	SKB_GSO_FRAGLIST
#define TUNNEL	(SKB_GSO_UDP_TUNNEL | SKB_GSO_TCPV4)
#define ROOM	256

static const struct {
	const char	*what;
	unsigned int	type;
	unsigned int	l4;
	unsigned int	end;
	unsigned int	inner;	/* of a tunnel's packet: inner transport header */
	bool		jumbo;
	unsigned int	len;
	u16		size;
	u16		segs;
	u32		packets;
	u64		bytes;
} cases[] = {
	{ "one segment's worth", TCP4, 20, 52, 0, false, 552, 1000, 1, 1, 552 },
	{ "TCP, counted", TCP4, 20, 52, 0, false, 52 + 4500, 1000, 5,
	  5, 4500 + 5 * 52 },
	{ "TCP, not counted", TCP4, 20, 52, 0, false, 52 + 4500, 1000, 0,
	  5, 4500 + 5 * 52 },
	{ "TCP, all full", TCP6, 40, 60, 0, false, 60 + 4000, 1000, 0,
	  4, 4000 + 4 * 60 },
	{ "TCP, an extension header", TCP6, 48, 80, 0, false, 80 + 4000, 1000,
	  0, 4, 4000 + 4 * 80 },
	{ "UDP", UDP, 20, 28, 0, false, 28 + 2100, 1000, 0, 3, 2100 + 3 * 28 },
	{ "UDP over IPv6", UDP, 40, 48, 0, false, 48 + 2100, 1000, 3,
	  3, 2100 + 3 * 48 },
	{ "a list", UDP | LIST, 20, 28, 0, false, 28 + 2100, 1000, 3,
	  3, 2100 + 3 * 28 },
	{ "datagrams in fragments", SKB_GSO_UDP, 20, 28, 0, false, 28 + 2952,
	  1480, 0, 2, 2960 + 2 * 20 },
	{ "merged by hardware", 0, 20, 40, 0, false, 40 + 2500, 1000, 0,
	  3, 2500 + 3 * 40 },
	{ "BIG TCP, IPv4", TCP4, 20, 52, 0, false, 52 + 140000, 1400, 100,
	  100, 140000 + 100 * 52 },
	{ "BIG TCP, IPv6", TCP6, 48, 80, 0, true, 80 + 140000, 1400, 0,
	  100, 140000 + 100 * 72 },
	{ "a tunnel's", TUNNEL, 20, 28, 70, false, 90 + 3000, 1000, 3,
	  3, 3000 + 3 * 90 },
	/* As somebody may make them up */
	{ "a byte each", TCP4, 20, 40, 0, false, 40 + 60000, 1, 0,
	  60000, 60000 + 60000 * 40 },
	{ "more segments than bytes", TCP4, 20, 40, 0, false, 40 + 10, 1, 65535,
	  10, 10 + 10 * 40 },
	{ "nothing behind the headers", TCP4, 20, 40, 0, false, 40, 1000, 7,
	  1, 40 },
	{ "not even all of these", TCP4, 20, 60, 0, false, 40, 1000, 0, 1, 40 },
	{ "headers that nobody read", TCP4, 0, 0, 0, false, 40 + 4500, 1000, 5,
	  5, 4540 },
};

static struct sk_buff *buffer(struct kunit *test, int i)
{
	struct sk_buff *skb = alloc_skb(ROOM, GFP_KERNEL);
	struct tcphdr *th;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	memset(skb->data, 0, ROOM);
	skb_reset_network_header(skb);
	*skb->data = 0x45;
	if (cases[i].l4 >= 40)
		*skb->data = 0x60;
	if (cases[i].l4 == 48)
		skb->data[6] = NEXTHDR_HOP;
	if (cases[i].jumbo)
		skb->data[42] = 0xc2;
	if (cases[i].inner) {
		skb->encapsulation = 1;
		skb_set_inner_transport_header(skb, cases[i].inner);
		th = (struct tcphdr *)(skb->data + cases[i].inner);
		th->doff = 5;
	}
	/* The rest would be in pages. */
	skb->len = cases[i].len;
	skb->data_len = skb->len > ROOM ? skb->len - ROOM : 0;
	skb_shinfo(skb)->gso_type = cases[i].type;
	skb_shinfo(skb)->gso_size = cases[i].size;
	skb_shinfo(skb)->gso_segs = cases[i].segs;
	return skb;
}

static void wire_of_gso(struct kunit *test)
{
	struct nflb_wire wire;
	struct sk_buff *skb;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		skb = buffer(test, i);
		wire = nflb_wire_of_gso(skb, cases[i].l4, cases[i].end);
		KUNIT_EXPECT_EQ_MSG(test, wire.packets, cases[i].packets,
				    "%s", cases[i].what);
		KUNIT_EXPECT_EQ_MSG(test, wire.bytes, cases[i].bytes, "%s",
				    cases[i].what);
		skb->len = 0;
		skb->data_len = 0;
		kfree_skb(skb);
	}
}

/* A packet as it was parsed, of each kind; alone, and standing for three. */
static void wire_of_packet(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	struct nf_hook_state state;
	struct nflb_wire wire;
	struct ku_bytes *b;
	struct nflb_pkt pkt;
	unsigned int header;

	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	ku_make(b, p, NULL, 0, 250);
	ku_pkt(&pkt, &state, ku_skb(test, b, p), p->family);
	KUNIT_ASSERT_EQ(test, (int)nflb_packet_parse(&pkt),
			(int)NFLB_CONTINUE);
	wire = nflb_pkt_wire(&pkt);
	KUNIT_EXPECT_EQ(test, wire.packets, 1U);
	KUNIT_EXPECT_EQ(test, wire.bytes, (u64)b->len);
	KUNIT_EXPECT_EQ(test, nflb_wire_packets(pkt.skb), 1U);
	skb_shinfo(pkt.skb)->gso_size = 100;
	skb_shinfo(pkt.skb)->gso_segs = 3;
	wire = nflb_pkt_wire(&pkt);
	header = b->len - 250;
	KUNIT_EXPECT_EQ(test, wire.packets, 3U);
	KUNIT_EXPECT_EQ(test, wire.bytes, 250ULL + 3 * header);
	KUNIT_EXPECT_EQ(test, nflb_wire_packets(pkt.skb), 3U);
	skb_shinfo(pkt.skb)->gso_size = 0;
	kfree_skb(pkt.skb);
	kunit_kfree(test, b);
}

static struct kunit_case wire_cases[] = {
	KUNIT_CASE(wire_of_gso),
	KUNIT_CASE_PARAM(wire_of_packet, ku_gen_params),
	{ }
};

static struct kunit_suite wire_suite = {
	.name = "nflb_wire",
	.test_cases = wire_cases,
};

kunit_test_suite(wire_suite);
