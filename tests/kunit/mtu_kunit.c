// SPDX-License-Identifier: GPL-2.0
/*
 * Arithmetic on MTUs that are no link's: nothing wraps, and whatever fragments
 * a packet gets to its end or refuses.
 */
#include <linux/inetdevice.h>
#include <net/ip.h>

#include "packet/mtu.h"
#include "forward/encap.h"
#include "forward/family.h"
#include "forward/forward.h"
#include "util.h"

#define MTU_MAX		100
#define PAYLOAD		200

/* An IPv4 packet of @hlen bytes of header, with NOPs as options. */
static struct sk_buff *packet(struct kunit *test, unsigned int hlen)
{
	struct sk_buff *skb = alloc_skb(512, GFP_KERNEL);
	struct iphdr *iph;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, 128);
	skb_reset_network_header(skb);
	iph = skb_put_zero(skb, hlen + PAYLOAD);
	memset(iph, IPOPT_NOOP, hlen);
	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = hlen / 4;
	iph->tot_len = htons(skb->len);
	iph->protocol = IPPROTO_UDP;
	ip_send_check(iph);
	skb_set_transport_header(skb, hlen);
	skb->protocol = htons(ETH_P_IP);
	return skb;
}

/* How many fragments ip_frag_next() makes; 0 if it does not come to its end. */
static unsigned int fragments(struct sk_buff *skb, unsigned int hlen,
			      unsigned int payload)
{
	struct ip_frag_state state;
	struct sk_buff *part;
	unsigned int n = 0;

	ip_frag_init(skb, hlen, 64, payload, false, &state);
	while (state.left > 0 && n <= PAYLOAD) {
		part = ip_frag_next(skb, &state);
		if (IS_ERR(part))
			return 0;
		kfree_skb(part);
		n++;
	}
	return state.left > 0 ? 0 : n;
}

static void mtu_split_ends(struct kunit *test)
{
	struct nflb_backend *backend;
	struct dst_entry dst = { };
	struct nflb_conn *conn;
	unsigned int mtu, hlen;

	backend = kunit_kzalloc(test, sizeof(*backend), GFP_KERNEL);
	conn = kunit_kzalloc(test, sizeof(*conn), GFP_KERNEL);
	backend->family = AF_INET;
	conn->backend = backend;
	conn->how = NFLB_FORWARD_DSR + NFLB_ENCAP_IPIP;
	dst.dev = init_net.loopback_dev;
	for (hlen = 20; hlen <= 60; hlen += 4) {
		for (mtu = 0; mtu <= MTU_MAX; mtu++) {
			struct sk_buff *skb = packet(test, hlen);
			unsigned int payload = nflb_mtu_fragment(mtu, hlen);
			struct nf_hook_state state;
			struct nflb_pkt pkt;

			ku_pkt(&pkt, &state, skb, AF_INET);
			pkt.tuple.family = AF_INET;
			KUNIT_EXPECT_EQ(test, payload % 8, 0);
			KUNIT_EXPECT_EQ(test, payload > 0, mtu >= hlen + 8);
			if (payload) {
				KUNIT_EXPECT_LE(test, hlen + payload, mtu);
				KUNIT_EXPECT_EQ(test,
						fragments(skb, hlen, payload),
						DIV_ROUND_UP(PAYLOAD, payload));
			} else {
				rcu_read_lock();
				KUNIT_EXPECT_EQ(test,
						(int)nflb_encap_split(&pkt,
								      conn,
								      &dst,
								      mtu),
						NFLB_DROP);
				rcu_read_unlock();
				KUNIT_EXPECT_EQ(test, (int)pkt.reason,
						NFLB_REASON_MTU_EXCEEDED);
			}
			kfree_skb(skb);
		}
	}
}

static void mtu_never_wraps(struct kunit *test)
{
	struct nflb_pkt pkt = { };
	unsigned int mtu, len;

	for (mtu = 0; mtu <= MTU_MAX; mtu++) {
		for (len = 0; len <= MTU_MAX; len++)
			KUNIT_EXPECT_EQ(test, nflb_mtu_less(mtu, len),
					mtu > len ? mtu - len : 0);
		KUNIT_EXPECT_EQ(test, nflb_mtu_floor(mtu, AF_INET),
				max(mtu, 68U));
		KUNIT_EXPECT_EQ(test, nflb_mtu_floor(mtu, AF_INET6), 1280U);
		for (len = 20; len <= 60; len += 4) {
			pkt.l4 = len;
			pkt.tuple.family = AF_INET;
			KUNIT_EXPECT_EQ(test, nflb_family_mtu(&pkt, mtu),
					max(mtu + len > 40 ? mtu + len - 40 : 0,
					    68U));
			pkt.l4 = len + 20;
			pkt.tuple.family = AF_INET6;
			KUNIT_EXPECT_EQ(test, nflb_family_mtu(&pkt, mtu), 1280U);
		}
	}
}

static struct kunit_case mtu_cases[] = {
	KUNIT_CASE(mtu_split_ends),
	KUNIT_CASE(mtu_never_wraps),
	{ }
};

static struct kunit_suite mtu_suite = {
	.name = "nflb_mtu",
	.test_cases = mtu_cases,
};

kunit_test_suite(mtu_suite);
