// SPDX-License-Identifier: GPL-2.0
/*
 * XDP leaves all to the stack when the flow is not in order, or the way out is not:
 * connection, backend, route, neighbour, devices. And noise.
 */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "conn/conn_state.h"
#include "xdp_util.h"

/* A frame that nothing is wrong with. */
static void expect(struct kunit *test, struct kx *kx, enum nflb_dir dir,
		   bool tx, bool forwarded, const char *what)
{
	struct ku_bytes *b = kzalloc(sizeof(*b), GFP_KERNEL);
	struct kx_shape shape = KX_SHAPE;
	struct kx_frame f;

	KUNIT_ASSERT_NOT_NULL(test, b);
	shape.tx = tx;
	kx_packet(kx, dir, b, true, 200);
	kx_frame(test, kx, &f, dir, b, &shape);
	kx_run(&f);
	if (forwarded)
		kx_expect_forwarded(test, kx, &f, dir, b, what);
	else
		kx_expect_pass(test, kx, &f, what);
	kx_frame_free(&f);
	kfree(b);
}

static unsigned int directions(const struct kx *kx)
{
	return kx_dsr(kx) ? 1 : NFLB_DIR_COUNT;
}

/* One thing is not in order; then all is again. */
#define EACH_WAY(test, kx, dir, tx, forwarded, what, change) do {	\
	for (dir = 0; dir < directions(kx); dir++) {			\
		for (tx = 0; tx < 2; tx++) {				\
			change;						\
			expect(test, kx, dir, tx, forwarded, what);	\
			kx_renew(kx);					\
			expect(test, kx, dir, tx, true, "in order");	\
		}							\
	}								\
} while (0)

static void xdp_asks_the_connection(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	bool tcp = kx->kind->proto == IPPROTO_TCP;
	struct nflb_conn *conn = kx->conn;
	static const u8 bits[] = {
		NFLB_NOW_SEQ, NFLB_NOW_TOA, NFLB_NOW_SYN_AGAIN, NFLB_NOW_ASKED,
	};
	enum nflb_dir dir;
	int tx, i;

	for (i = 0; i <= NFLB_CONN_STATE_MAX; i++) {
		if (i == (tcp ? NFLB_CONN_ESTABLISHED : NFLB_CONN_UDP))
			continue;
		EACH_WAY(test, kx, dir, tx, false, "another state",
			 WRITE_ONCE(conn->state, i));
	}
	for (i = 0; i < ARRAY_SIZE(bits); i++)
		EACH_WAY(test, kx, dir, tx, !tcp, "numbers or options",
			 nflb_conn_now_set(conn, bits[i]));
	EACH_WAY(test, kx, dir, tx, !tcp, "not assured",
		 nflb_conn_now_clear(conn, NFLB_NOW_ASSURED));
	EACH_WAY(test, kx, dir, tx, false, "PROXY",
		 conn->how |= NFLB_HOW_PROXY);
	EACH_WAY(test, kx, dir, tx, false, "family",
		 conn->how |= NFLB_HOW_FAMILY);
	EACH_WAY(test, kx, dir, tx, false, "timed out",
		 conn->expires = nflb_now() - 2 * NFLB_CONN_TICK - 1);
	EACH_WAY(test, kx, dir, tx, false, "backend down",
		 WRITE_ONCE(kx->backend->gone, NFLB_GONE_ALL));
	EACH_WAY(test, kx, dir, tx, tcp, "backend deleted",
		 WRITE_ONCE(kx->backend->gone, NFLB_GONE_STATELESS));
}

static void route_is_stale(struct kx *kx)
{
	rt_genid_bump_ipv4(&init_net);
	rt_genid_bump_ipv6(&init_net);
}

static void route_is_old(struct kx *kx, enum nflb_dir dir)
{
	struct dst_entry *dst = kx_route(kx, dir, true);

	if (kx_family(kx, dir) == AF_INET)
		dst_rtable(dst)->rt_genid--;
	else
		dst_rt6_info(dst)->sernum--;
}

static void route_is_local(struct kx *kx, enum nflb_dir dir)
{
	struct dst_entry *dst = kx_route(kx, dir, true);

	if (kx_family(kx, dir) == AF_INET)
		dst_rtable(dst)->rt_flags |= RTCF_LOCAL;
	else
		dst_rt6_info(dst)->rt6i_flags |= RTF_LOCAL;
}

/* @known: the gateway is the host that the neighbour is. */
static void route_has_gateway(struct kx *kx, enum nflb_dir dir, bool known)
{
	struct dst_entry *dst = kx_route(kx, dir, true);
	const u8 *key = kx->neigh[dir]->primary_key;

	if (kx_family(kx, dir) == AF_INET) {
		struct rtable *rt = dst_rtable(dst);

		rt->rt_uses_gateway = 1;
		rt->rt_gw_family = AF_INET;
		memcpy(&rt->rt_gw4, key, 4);
		if (!known)
			rt->rt_gw4 ^= htonl(0x10000);
	} else {
		struct rt6_info *rt6 = dst_rt6_info(dst);

		rt6->rt6i_flags |= RTF_GATEWAY;
		memcpy(&rt6->rt6i_gateway, key, 16);
		if (!known)
			rt6->rt6i_gateway.s6_addr[12] ^= 1;
	}
}

/* IPv4 by a gateway of IPv6 */
static void route_has_v6_gateway(struct kx *kx, enum nflb_dir dir)
{
	struct dst_entry *dst = kx_route(kx, dir, true);

	dst_rtable(dst)->rt_uses_gateway = 1;
	dst_rtable(dst)->rt_gw_family = AF_INET6;
	dst_rtable(dst)->rt_gw6 = in6addr_loopback;
}

static void xdp_asks_the_route(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	/* To the backend itself, for only its address tells the backend. */
	bool on_link = kx->kind->forward == NFLB_FORWARD_DSR + NFLB_ENCAP_NONE;
	enum nflb_dir dir;
	int tx;

	EACH_WAY(test, kx, dir, tx, false, "no route", kx_route(kx, dir, false));
	EACH_WAY(test, kx, dir, tx, false, "routes changed", route_is_stale(kx));
	EACH_WAY(test, kx, dir, tx, false, "old route", route_is_old(kx, dir));
	EACH_WAY(test, kx, dir, tx, false, "local route",
		 route_is_local(kx, dir));
	EACH_WAY(test, kx, dir, tx, false, "unknown gateway",
		 route_has_gateway(kx, dir, false));
	EACH_WAY(test, kx, dir, tx, !on_link, "gateway",
		 route_has_gateway(kx, dir, true));
	if (kx_family(kx, NFLB_DIR_IN) == AF_INET &&
	    kx_family(kx, NFLB_DIR_OUT) == AF_INET)
		EACH_WAY(test, kx, dir, tx, false, "gateway of IPv6",
			 route_has_v6_gateway(kx, dir));
}

static void xdp_asks_the_neighbour(struct kunit *test)
{
	static const u8 not_ready[] = {
		NUD_NONE, NUD_INCOMPLETE, NUD_STALE, NUD_FAILED,
	};
	static const u8 ready[] = { NUD_REACHABLE, NUD_DELAY, NUD_PROBE };
	struct kx *kx = kx_open(test, test->param_value);
	enum nflb_dir dir;
	int tx, i;

	for (i = 0; i < ARRAY_SIZE(not_ready); i++)
		EACH_WAY(test, kx, dir, tx, false, "neighbour not ready",
			 WRITE_ONCE(kx->neigh[dir]->nud_state, not_ready[i]));
	for (i = 0; i < ARRAY_SIZE(ready); i++)
		EACH_WAY(test, kx, dir, tx, true, "neighbour ready",
			 WRITE_ONCE(kx->neigh[dir]->nud_state, ready[i]));
	EACH_WAY(test, kx, dir, tx, false, "no cached header",
		 WRITE_ONCE(kx->neigh[dir]->hh.hh_len, 0));
	EACH_WAY(test, kx, dir, tx, false, "longer cached header",
		 WRITE_ONCE(kx->neigh[dir]->hh.hh_len, 16));
}

static netdev_tx_t start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

static int xdp_xmit(struct net_device *dev, int n, struct xdp_frame **frames,
		    u32 flags)
{
	return 0;
}

/* One that takes no frames */
static const struct net_device_ops ops_without = {
	.ndo_start_xmit = start_xmit,
};

/* Those of pairs: the other one is the other device of the flow. */
static struct net_device *the_peer;

static struct net_device *get_peer_dev(struct net_device *dev)
{
	return the_peer;
}

static const struct net_device_ops ops_of_pair = {
	.ndo_start_xmit = start_xmit,
	.ndo_xdp_xmit = xdp_xmit,
	.ndo_get_peer_dev = get_peer_dev,
};

static void no_program(struct net_device *dev)
{
	WRITE_ONCE(dev->xdp_state[XDP_MODE_DRV].prog, NULL);
#ifdef NFLB_HAVE_XDP_FEATURES
	WRITE_ONCE(dev->xdp_features, 0);
#endif
}

static void no_xmit(struct net_device *dev)
{
	dev->netdev_ops = &ops_without;
#ifdef NFLB_HAVE_XDP_FEATURES
	WRITE_ONCE(dev->xdp_features, 0);
#endif
}

static rx_handler_result_t rx_handler(struct sk_buff **pskb)
{
	return RX_HANDLER_PASS;
}

static void xdp_asks_the_devices(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	enum nflb_dir dir;
	int tx, err;

	for (dir = 0; dir < directions(kx); dir++) {
		for (tx = 0; tx < 2; tx++) {
			struct net_device *from = kx->dev[tx ? dir : !dir];

			rtnl_lock();
			err = netdev_rx_handler_register(from, rx_handler,
							 NULL);
			rtnl_unlock();
			KUNIT_ASSERT_EQ(test, err, 0);
			expect(test, kx, dir, tx, false, "bridge");
			rtnl_lock();
			netdev_rx_handler_unregister(from);
			rtnl_unlock();
			expect(test, kx, dir, tx, true, "no bridge any more");
		}
	}
	/* A frame goes back by XDP_TX, which asks the driver alone. */
	EACH_WAY(test, kx, dir, tx, tx, "no program", no_program(kx->dev[dir]));
	EACH_WAY(test, kx, dir, tx, tx, "takes no frames",
		 no_xmit(kx->dev[dir]));
}

#ifndef NFLB_HAVE_XDP_FEATURES
static void pair(struct kx *kx, enum nflb_dir dir, bool gro, bool program)
{
	kx->dev[dir]->netdev_ops = &ops_of_pair;
	the_peer = kx->dev[!dir];
	if (gro)
		the_peer->features |= NETIF_F_GRO;
	else
		the_peer->features &= ~NETIF_F_GRO;
	if (!program)
		no_program(the_peer);
}

static void no_peer(struct kx *kx, enum nflb_dir dir)
{
	kx->dev[dir]->netdev_ops = &ops_of_pair;
	the_peer = NULL;
}

/* Before 6.3, the other one of a pair tells whether frames arrive. */
static void xdp_asks_the_peer(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	enum nflb_dir dir;
	int tx;

	EACH_WAY(test, kx, dir, tx, false, "peer without NAPI",
		 pair(kx, dir, false, false));
	EACH_WAY(test, kx, dir, tx, !tx, "peer with GRO",
		 pair(kx, dir, true, false));
	EACH_WAY(test, kx, dir, tx, true, "peer with a program",
		 pair(kx, dir, false, true));
	EACH_WAY(test, kx, dir, tx, false, "no peer", no_peer(kx, dir));
}
#endif

/* No hardware: what a sender on this host left to its device to sum up comes so. */
static void xdp_leaves_partial_sums(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	struct ku_bytes *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	struct kx_shape shape = KX_SHAPE;
	enum nflb_dir dir;
	struct kx_frame f;

	KUNIT_ASSERT_NOT_NULL(test, b);
	for (dir = 0; dir < directions(kx); dir++) {
		kx->dev[!dir]->dev.parent = NULL;
		kx_packet(kx, dir, b, false, 100);
		ku_fix(b, kx->kind->family, kx->kind->proto, CHECKSUM_PARTIAL);
		kx_frame(test, kx, &f, dir, b, &shape);
		kx_run(&f);
		kx_expect_pass(test, kx, &f, "sum of the pseudo header");
		kx_frame_free(&f);
		expect(test, kx, dir, false, true, "whole sum");
		kx->dev[!dir]->dev.parent = &kx_hardware;
	}
}

static void xdp_way_exit(struct kunit *test)
{
	kx_close(test);
}

static struct kunit_case xdp_way_cases[] = {
	KUNIT_CASE_PARAM(xdp_asks_the_connection, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_asks_the_route, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_asks_the_neighbour, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_asks_the_devices, kx_gen_kinds),
#ifndef NFLB_HAVE_XDP_FEATURES
	KUNIT_CASE_PARAM(xdp_asks_the_peer, kx_gen_kinds),
#endif
	KUNIT_CASE_PARAM(xdp_leaves_partial_sums, kx_gen_kinds),
	{ }
};

static struct kunit_suite xdp_way_suite = {
	.name = "nflb_xdp_way",
	.exit = xdp_way_exit,
	.test_cases = xdp_way_cases,
};

kunit_test_suite(xdp_way_suite);
