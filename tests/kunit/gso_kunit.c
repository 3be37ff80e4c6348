// SPDX-License-Identifier: GPL-2.0
/*
 * Which packets that stand for several may be rewritten whole.
 */
#include "forward/gso.h"
#include "util.h"

#define ENDS	NFLB_REWRITE_ENDS
#define TCP	NFLB_REWRITE_TCP
#define HEADERS	NFLB_REWRITE_HEADERS
#define LIST	SKB_GSO_FRAGLIST
#define BIG	70000
#define SMALL	3000

static const struct {
	u8		family;
	u8		proto;
	unsigned int	type;
	unsigned int	len;
	bool		encapsulation;
	unsigned int	what;
	bool		whole;
} cases[] = {
	/* Not one that stands for several */
	{ AF_INET6, IPPROTO_UDP, 0, SMALL, true, ENDS | HEADERS, true },
	/* As the device segments them */
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4, SMALL, false, ENDS, true },
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4, SMALL, false, ENDS | TCP, true },
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4, SMALL, false, HEADERS, true },
	{ AF_INET6, IPPROTO_UDP, SKB_GSO_UDP_L4, SMALL, false, ENDS | HEADERS,
	  true },
	/* Lists */
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4 | LIST, SMALL, false, 0, true },
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4 | LIST, SMALL, false, ENDS, true },
	{ AF_INET6, IPPROTO_TCP, SKB_GSO_TCPV6 | LIST, SMALL, false, ENDS,
	  true },
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4 | LIST, SMALL, false, ENDS | TCP,
	  false },
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4 | LIST, SMALL, false, TCP, false },
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4 | LIST, SMALL, false, HEADERS,
	  false },
	{ AF_INET, IPPROTO_UDP, SKB_GSO_UDP_L4 | LIST, SMALL, false, ENDS,
	  true },
	{ AF_INET6, IPPROTO_UDP, SKB_GSO_UDP_L4 | LIST, SMALL, false, ENDS,
	  false },
	{ AF_INET, IPPROTO_UDP, SKB_GSO_UDP_L4 | LIST, SMALL, false,
	  ENDS | HEADERS, false },
	/* More than 64 KiB */
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4, BIG, false, ENDS, true },
	{ AF_INET6, IPPROTO_TCP, SKB_GSO_TCPV6, BIG, false, ENDS, true },
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4, BIG, false, ENDS | TCP, false },
	{ AF_INET6, IPPROTO_TCP, SKB_GSO_TCPV6, BIG, false, HEADERS, false },
	{ AF_INET, IPPROTO_TCP, SKB_GSO_TCPV4, 65500, false, HEADERS, false },
	/* Tunnels */
	{ AF_INET, IPPROTO_UDP, SKB_GSO_UDP_TUNNEL | SKB_GSO_TCPV4, SMALL, true,
	  ENDS, true },
	{ AF_INET, IPPROTO_UDP, SKB_GSO_UDP_TUNNEL | SKB_GSO_TCPV4, SMALL, true,
	  ENDS | HEADERS, false },
};

static void gso_whole_or_not(struct kunit *test)
{
	struct sk_buff *skb;
	struct nflb_pkt pkt;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		skb = alloc_skb(128, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, skb);
		pkt = (struct nflb_pkt){
			.skb = skb,
			.tuple = {
				.family = cases[i].family,
				.proto = cases[i].proto,
			},
		};
		skb->len = cases[i].len;
		skb->encapsulation = cases[i].encapsulation;
		skb_shinfo(skb)->gso_type = cases[i].type;
		skb_shinfo(skb)->gso_size = cases[i].type ? 1000 : 0;
		KUNIT_EXPECT_EQ_MSG(test,
				    nflb_may_rewrite_gso(&pkt, cases[i].what),
				    cases[i].whole, "case %d", i);
		skb->len = 0;
		kfree_skb(skb);
	}
}

static struct kunit_case gso_cases[] = {
	KUNIT_CASE(gso_whole_or_not),
	{ }
};

static struct kunit_suite gso_suite = {
	.name = "nflb_gso",
	.test_cases = gso_cases,
};

kunit_test_suite(gso_suite);
