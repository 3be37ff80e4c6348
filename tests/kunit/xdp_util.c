// SPDX-License-Identifier: GPL-2.0
/*
 * A flow that XDP forwards: two devices, a service with a backend, a connection with
 * routes, neighbours. And frames of it.
 */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/arp.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/route.h>

#include "conn/conn_state.h"
#include "forward/encap.h"
#include "xdp_util.h"

#define KIND(n, f, p, fwd, t) { n " AF_" #f " " #p " to AF_" #t, \
	AF_##f, IPPROTO_##p, fwd, AF_##t }
#define SAME(n, fwd) KIND(n, INET, TCP, fwd, INET), \
	KIND(n, INET, UDP, fwd, INET), KIND(n, INET6, TCP, fwd, INET6), \
	KIND(n, INET6, UDP, fwd, INET6)
#define OTHER(n, fwd) KIND(n, INET, TCP, fwd, INET6), \
	KIND(n, INET, UDP, fwd, INET6), KIND(n, INET6, TCP, fwd, INET), \
	KIND(n, INET6, UDP, fwd, INET)

const struct kx_kind kx_kinds[] = {
	SAME("dnat", NFLB_FORWARD_DNAT),
	SAME("fullnat", NFLB_FORWARD_FULLNAT),
	SAME("dsr", NFLB_FORWARD_DSR + NFLB_ENCAP_NONE),
	SAME("ipip", NFLB_FORWARD_DSR + NFLB_ENCAP_IPIP),
	OTHER("ipip", NFLB_FORWARD_DSR + NFLB_ENCAP_IPIP),
	SAME("gre", NFLB_FORWARD_DSR + NFLB_ENCAP_GRE),
	OTHER("gre", NFLB_FORWARD_DSR + NFLB_ENCAP_GRE),
	SAME("gue", NFLB_FORWARD_DSR + NFLB_ENCAP_GUE),
	OTHER("gue", NFLB_FORWARD_DSR + NFLB_ENCAP_GUE),
};

const size_t kx_kind_count = ARRAY_SIZE(kx_kinds);

const void *kx_gen_kinds(const void *prev, char *desc)
{
	const struct kx_kind *kind = prev;

	kind = kind ? kind + 1 : kx_kinds;
	if (kind >= kx_kinds + ARRAY_SIZE(kx_kinds))
		return NULL;
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
	return kind;
}

static netdev_tx_t kx_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

static int kx_xdp_xmit(struct net_device *dev, int n, struct xdp_frame **frames,
		       u32 flags)
{
	return 0;
}

static const struct net_device_ops kx_ops = {
	.ndo_start_xmit = kx_start_xmit,
	.ndo_xdp_xmit = kx_xdp_xmit,
};

static void address(union nflb_addr *addr, u8 family, u8 net, u16 host)
{
	memset(addr, 0, sizeof(*addr));
	if (family == AF_INET) {
		addr->ip = htonl(10 << 24 | net << 16 | host);
	} else {
		addr->in6.s6_addr32[0] = htonl(0x20010db8);
		addr->in6.s6_addr32[3] = htonl(net << 16 | host);
	}
}

unsigned int kx_overhead(const struct kx *kx)
{
	u8 forward = kx->kind->forward;
	unsigned int ip = kx->kind->to == AF_INET ? 20 : 40;

	switch (forward) {
	case NFLB_FORWARD_DSR + NFLB_ENCAP_IPIP:
		return ip;
	case NFLB_FORWARD_DSR + NFLB_ENCAP_GRE:
		return ip + 4;
	case NFLB_FORWARD_DSR + NFLB_ENCAP_GUE:
		return ip + 8;
	default:
		return 0;
	}
}

u8 kx_family(const struct kx *kx, enum nflb_dir dir)
{
	return dir == NFLB_DIR_IN ? kx->kind->to : kx->kind->family;
}

/* There is hardware behind a device that has a parent. Nothing else is asked of it. */
struct device kx_hardware;

static void device_open(struct kunit *test, struct kx *kx, enum nflb_dir dir)
{
	struct net_device *dev = alloc_etherdev(0);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	strscpy(dev->name, "kunit%d", sizeof(dev->name));
	dev->netdev_ops = &kx_ops;
	eth_hw_addr_random(dev);
	if (register_netdev(dev)) {
		free_netdev(dev);
		dev = NULL;
	}
	KUNIT_ASSERT_NOT_NULL(test, dev);
	dev->dev.parent = &kx_hardware;
	kx->dev[dir] = dev;
}

static void service_open(struct kunit *test, struct kx *kx)
{
	const struct kx_kind *kind = kx->kind;
	struct nflb_service_settings *settings;
	struct nflb_service_request req;
	struct netlink_ext_ack extack = { };
	struct nflb_net *nn = ku_nn();
	int i, err;

	ku_service_request(&req, kind->family, 1, 80);
	settings = &req.settings;
	req.id.key.proto = kind->proto;
	strscpy(settings->scheduler, "rr", sizeof(settings->scheduler));
	req.set = NFLB_SET_SCHEDULER | NFLB_SET_MODE;
	settings->mode = kind->forward == NFLB_FORWARD_DNAT ? NFLB_MODE_DNAT :
			 kind->forward == NFLB_FORWARD_FULLNAT ?
			 NFLB_MODE_FULLNAT : NFLB_MODE_DSR;
	if (kx_dsr(kx)) {
		settings->encap = kind->forward - NFLB_FORWARD_DSR;
		req.set |= NFLB_SET_ENCAP;
		for (i = 0; i < 2; i++) {
			struct nflb_encap_source *src =
				&settings->encap_source[i];

			address(&src->addr, i ? AF_INET6 : AF_INET, 3, 1);
			src->prefix = i ? 128 : 32;
			src->set = true;
			req.set |= NFLB_SET_ENCAP_SOURCE(i);
		}
	}
	mutex_lock(&nn->mutex);
	err = nflb_service_add(nn, &req, &extack);
	kx->svc = nflb_service_find(nn, &req.id);
	mutex_unlock(&nn->mutex);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_NOT_NULL(test, kx->svc);
}

static void backend_open(struct kunit *test, struct kx *kx)
{
	struct nflb_backend_request req;
	struct netlink_ext_ack extack = { };
	struct nflb_net *nn = ku_nn();
	struct nflb_laddr laddr = {
		.addr_count = 1,
		.family = kx->kind->to,
		.ports = { 20000, 29999 },
		.port_count = 10000,
	};
	int err;

	ku_backend_request(&req, kx->kind->to, 1, 1);
	if (kx_dsr(kx))
		req.port = 0;
	mutex_lock(&nn->mutex);
	err = nflb_backend_add(kx->svc, &req, &extack);
	kx->backend = nflb_backend_find(kx->svc, &req);
	if (!err && kx->kind->forward == NFLB_FORWARD_FULLNAT) {
		address(&laddr.first, laddr.family, 4, 1);
		err = nflb_laddr_add(nn, &laddr, &extack);
		if (!err)
			kx->laddr = laddr;
	}
	mutex_unlock(&nn->mutex);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_NOT_NULL(test, kx->backend);
}

static void conn_open(struct kunit *test, struct kx *kx)
{
	struct nflb_backend *backend = kx->backend;
	struct nflb_tuple in = {
		.sport = htons(1024 + kx_below(kx, 60000)),
		.dport = htons(80),
		.proto = kx->kind->proto,
		.family = kx->kind->family,
	};
	enum nflb_reason reason;

	address(&in.src, in.family, 9, 1 + kx_below(kx, 60000));
	in.dst = kx->svc->key.addr;
	local_bh_disable();
	rcu_read_lock();
	kx->conn = nflb_conn_create(ku_nn(), backend, backend->forward, &in,
				    &reason);
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_ASSERT_NOT_NULL(test, kx->conn);
	kx->how = kx->conn->how;
}

static void neighbour_open(struct kunit *test, struct kx *kx, enum nflb_dir dir)
{
	u8 family = kx_family(kx, dir);
	const union nflb_addr *addr = dir == NFLB_DIR_IN ?
				      &kx->backend->addr :
				      &kx->conn->in.tuple.src;
	struct neighbour *neigh;

	eth_random_addr(kx->mac[dir]);
	neigh = __neigh_create(family == AF_INET ? &arp_tbl : &nd_tbl, addr,
			       kx->dev[dir], true);
	KUNIT_ASSERT_FALSE(test, IS_ERR(neigh));
	kx->neigh[dir] = neigh;
}

/**
 * kx_open() - a flow
 * @test: gets it as priv
 * @kind: of which kind
 */
struct kx *kx_open(struct kunit *test, const struct kx_kind *kind)
{
	struct kx *kx = kunit_kzalloc(test, sizeof(*kx), GFP_KERNEL);
	enum nflb_dir dir;

	test->priv = kx;
	kx->kind = kind;
	kx->seed = get_random_u32();
	prandom_seed_state(&kx->rnd, kx->seed);
	kx->prog = kunit_kzalloc(test, sizeof(*kx->prog), GFP_KERNEL);
	kx->prog->aux = kunit_kzalloc(test, sizeof(*kx->prog->aux), GFP_KERNEL);
	for (dir = 0; dir < NFLB_DIR_COUNT; dir++)
		device_open(test, kx, dir);
	service_open(test, kx);
	backend_open(test, kx);
	conn_open(test, kx);
	for (dir = 0; dir < NFLB_DIR_COUNT; dir++)
		neighbour_open(test, kx, dir);
	kx_renew(kx);
	return kx;
}

/**
 * kx_close() - the end of it; of every case, whether it failed or not
 * @test: has it
 */
void kx_close(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();
	struct netlink_ext_ack extack;
	struct kx *kx = test->priv;
	enum nflb_dir dir;

	test->priv = NULL;
	if (!kx)
		return;
	rcu_read_lock();
	if (kx->conn)
		nflb_conn_unlink(nn, kx->conn);
	rcu_read_unlock();
	if (kx->svc)
		ku_service_del(kx->svc);
	mutex_lock(&nn->mutex);
	if (kx->laddr.addr_count)
		nflb_laddr_del(nn, &kx->laddr, true, &extack);
	mutex_unlock(&nn->mutex);
	nflb_config_drain();
	/* A connection goes first, then its routes. */
	rcu_barrier();
	rcu_barrier();
	for (dir = 0; dir < NFLB_DIR_COUNT; dir++) {
		if (kx->neigh[dir])
			neigh_release(kx->neigh[dir]);
		if (!kx->dev[dir])
			continue;
		WRITE_ONCE(kx->dev[dir]->xdp_state[XDP_MODE_DRV].prog, NULL);
		kx->dev[dir]->dev.parent = NULL;
		unregister_netdev(kx->dev[dir]);
		free_netdev(kx->dev[dir]);
	}
}

/**
 * kx_route() - the route of a direction
 * @kx: the flow
 * @dir: the direction
 * @any: if there is any
 *
 * Return: the new one.
 */
struct dst_entry *kx_route(struct kx *kx, enum nflb_dir dir, bool any)
{
	struct net_device *dev = kx->dev[dir];
	struct dst_entry *dst = NULL;
	struct rt6_info *rt6;
	struct rtable *rt;

	if (any && kx_family(kx, dir) == AF_INET) {
		rt = rt_dst_alloc(dev, 0, RTN_UNICAST, true);
		dst = rt ? &rt->dst : NULL;
	} else if (any) {
		rt6 = ip6_dst_alloc(&init_net, dev, 0);
		dst = rt6 ? &rt6->dst : NULL;
		/* Without a rule that it is from, this says if it is good. */
		if (rt6)
			rt6->sernum = rt_genid_ipv6(&init_net);
	}
	dst_release(unrcu_pointer(xchg(nflb_conn_dst(kx->conn, dir),
				       RCU_INITIALIZER(dst))));
	return dst;
}

/**
 * kx_mtu() - set the MTU of the device that packets of a direction leave by
 * @kx: the flow
 * @dir: the direction
 * @mtu: bytes
 *
 * Return: @mtu
 */
unsigned int kx_mtu(struct kx *kx, enum nflb_dir dir, unsigned int mtu)
{
	struct inet6_dev *idev;

	WRITE_ONCE(kx->dev[dir]->mtu, mtu);
	rcu_read_lock();
	idev = __in6_dev_get(kx->dev[dir]);
	if (idev)
		WRITE_ONCE(idev->cnf.mtu6, mtu);
	rcu_read_unlock();
	return mtu;
}

static void neighbour_renew(struct kx *kx, enum nflb_dir dir)
{
	struct neighbour *neigh = kx->neigh[dir];
	struct hh_cache *hh = &neigh->hh;

	neigh_update(neigh, kx->mac[dir], NUD_PERMANENT,
		     NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN, 0);
	write_lock_bh(&neigh->lock);
	WRITE_ONCE(neigh->nud_state, NUD_PERMANENT);
	neigh->dev->header_ops->cache(neigh, hh,
				      htons(kx_family(kx, dir) == AF_INET ?
					    ETH_P_IP : ETH_P_IPV6));
	write_unlock_bh(&neigh->lock);
}

void kx_conn_renew(struct kx *kx)
{
	struct nflb_conn *conn = kx->conn;

	conn->how = kx->how;
	WRITE_ONCE(conn->now, NFLB_NOW_ASSURED);
	WRITE_ONCE(conn->timeout, 900 * HZ);
	WRITE_ONCE(conn->state, kx->kind->proto == IPPROTO_TCP ?
				NFLB_CONN_ESTABLISHED : NFLB_CONN_UDP);
	nflb_conn_renew(conn, nflb_now());
	WRITE_ONCE(kx->backend->gone, NFLB_GONE_NOT);
}

void kx_renew(struct kx *kx)
{
	enum nflb_dir dir;

	kx_conn_renew(kx);
	for (dir = 0; dir < NFLB_DIR_COUNT; dir++) {
		struct net_device *dev = kx->dev[dir];

		dev->netdev_ops = &kx_ops;
		/* Before 6.3, devices with a program are taken to send frames. */
		WRITE_ONCE(dev->xdp_state[XDP_MODE_DRV].prog, kx->prog);
#ifdef NFLB_HAVE_XDP_FEATURES
		WRITE_ONCE(dev->xdp_features, NETDEV_XDP_ACT_NDO_XMIT);
#endif
		kx_mtu(kx, dir, 1500);
		neighbour_renew(kx, dir);
		if (dir == NFLB_DIR_IN || !kx_dsr(kx))
			kx_route(kx, dir, true);
	}
}
