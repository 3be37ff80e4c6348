// SPDX-License-Identifier: GPL-2.0
/*
 * Where packets go next. The route to a client is looked up once a connection and kept
 * in it, checked at every packet (dst_check()) and looked up again when the routing
 * changed. So is the route to a backend, unless its address alone decides it: then
 * the backend keeps the way for all (way.c).
 */
#include <net/dst_cache.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/dsfield.h>
#include <net/lwtunnel.h>
#include <net/ndisc.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/nexthop.h>
#include <net/dst_metadata.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "packet/dry.h"
#include "packet/mtu.h"
#include "packet/wire.h"
#include "service/service.h"
#include "forward/forward.h"
#include "forward/route.h"
#include "forward/route_fast.h"
#include "forward/way.h"
#include "netns.h"

/* The device that a packet has to take: @oif, or its socket's; or 0. */
static int bound_device(const struct nflb_pkt *pkt, int oif)
{
	const struct sock *sk = pkt->state->sk;

	if (unlikely(oif))
		return oif;
	return nflb_pkt_is_local_out(pkt) && sk ?
	       READ_ONCE(sk->sk_bound_dev_if) : 0;
}

static __be32 flowinfo(const struct nflb_pkt *pkt)
{
	return pkt->tuple.family == AF_INET6 ?
	       ip6_flowinfo(ipv6_hdr(pkt->skb)) :
	       ip6_make_flowinfo(nflb_dsfield(pkt), 0);
}

static struct dst_entry *lookup_v4(const struct nflb_pkt *pkt,
				   const union nflb_addr *src,
				   const union nflb_addr *dst,
				   __be16 sport, __be16 dport, u8 flags,
				   int oif)
{
	struct flowi4 fl4 = {
		.daddr = dst->ip,
		.saddr = src->ip,
		.flowi4_oif = bound_device(pkt, oif),
		.flowi4_mark = pkt->skb->mark,
		.flowi4_proto = pkt->tuple.proto,
		.fl4_sport = sport,
		.fl4_dport = dport,
		/* The source need not be an address of this host. */
		.flowi4_flags = FLOWI_FLAG_ANYSRC | flags,
		NFLB_FLOWI4_DSCP(nflb_dsfield(pkt)),
	};
	struct rtable *rt;

	rt = ip_route_output_key(pkt->nn->net, &fl4);
	if (IS_ERR(rt))
		return NULL;
	/* One flow has one receiver. */
	if (!(rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)))
		return &rt->dst;
	ip_rt_put(rt);
	return NULL;
}

static struct dst_entry *lookup_v6(const struct nflb_pkt *pkt,
				   const union nflb_addr *src,
				   const union nflb_addr *dst,
				   __be16 sport, __be16 dport, u8 flags,
				   int oif)
{
	struct flowi6 fl6 = {
		.daddr = dst->in6,
		.saddr = src->in6,
		.flowi6_oif = bound_device(pkt, oif),
		.flowi6_mark = pkt->skb->mark,
		.flowi6_proto = pkt->tuple.proto,
		.fl6_sport = sport,
		.fl6_dport = dport,
		.flowi6_flags = FLOWI_FLAG_ANYSRC | flags,
		.flowlabel = flowinfo(pkt),
	};
	struct dst_entry *found;

	found = ip6_route_output(pkt->nn->net, NULL, &fl6);
	if (!found->error)
		return found;
	dst_release(found);
	return NULL;
}

/**
 * nflb_route_find() - route of a packet as it leaves
 * @pkt: the packet; its mark, DSCP and protocol count
 * @family: its family then
 * @src: its source then
 * @dst: its destination then
 * @sport: its source port then
 * @dport: its destination port then
 * @flags: FLOWI_FLAG_* besides
 * @oif: index of the device that it has to take, or 0
 *
 * Return: a route, with a reference, or NULL.
 */
struct dst_entry *nflb_route_find(const struct nflb_pkt *pkt, u8 family,
				  const union nflb_addr *src,
				  const union nflb_addr *dst, __be16 sport,
				  __be16 dport, u8 flags, int oif)
{
	return family == AF_INET ?
	       lookup_v4(pkt, src, dst, sport, dport, flags, oif) :
	       lookup_v6(pkt, src, dst, sport, dport, flags, oif);
}

/**
 * nflb_route_back() - route of an answer to a packet
 * @pkt: the packet, which was received and is not rewritten
 *
 * A link-local source is on the link that the packet came by.
 *
 * Return: a route, with a reference, or NULL.
 */
struct dst_entry *nflb_route_back(const struct nflb_pkt *pkt)
{
	const struct nflb_tuple *t = &pkt->tuple;

	return nflb_route_find(pkt, t->family, &t->dst, &t->src, 0, 0, 0,
			       nflb_addr_is_link_local(&t->src) ?
			       nflb_pkt_ifindex(pkt) : 0);
}

/* Of a packet to a client. A link-local one is on the link that it came by. */
static struct dst_entry *route_to_client(const struct nflb_pkt *pkt,
					 const struct nflb_conn *conn)
{
	const struct nflb_tuple *t = &conn->in.tuple;
	u32 cookie = READ_ONCE(conn->dst_cookie[NFLB_DIR_OUT]);

	return nflb_route_find(pkt, t->family, &t->dst, &t->src, t->dport,
			       t->sport, 0, cookie & NFLB_COOKIE_DEV ?
					    cookie & ~NFLB_COOKIE_DEV : 0);
}

/* A look at all devices, once a second at most, that packets can wait for. */
#define VRF_DEVICES_MAX 512

static bool has_vrf(struct nflb_net *nn)
{
	unsigned long now = jiffies, seen = READ_ONCE(nn->vrf_looked);
	const struct net_device *dev;
	unsigned int devices = 0;
	bool found = false;

	if ((seen && time_before(now, seen + HZ)) ||
	    cmpxchg(&nn->vrf_looked, seen, now ?: 1) != seen)
		return READ_ONCE(nn->vrf_found);
	for_each_netdev_rcu(nn->net, dev) {
		found = netif_is_l3_master(dev);
		if (found || ++devices > VRF_DEVICES_MAX)
			break;
	}
	WRITE_ONCE(nn->vrf_found, found);
	return found;
}

/**
 * nflb_route_misses_vrf() - may the route that was not found be in a VRF?
 * @pkt: the packet
 *
 * Routes are looked up outside of VRFs. Context: rcu_read_lock() held.
 */
bool nflb_route_misses_vrf(const struct nflb_pkt *pkt)
{
	const struct net_device *dev = pkt->skb->dev;

	return (dev && (netif_is_l3_slave(dev) || netif_is_l3_master(dev))) ||
	       has_vrf(pkt->nn);
}

/**
 * nflb_route_source() - the address by which this host reaches another
 * @net: the namespace
 * @dst: the other
 * @family: its family
 * @src: set to the address
 *
 * Return: false when there is no route.
 */
bool nflb_route_source(struct net *net, const union nflb_addr *dst, u8 family,
		       union nflb_addr *src)
{
	struct flowi6 fl6 = { .daddr = dst->in6 };
	struct flowi4 fl4 = { .daddr = dst->ip };
	struct dst_entry *found;
	struct rtable *rt;
	bool ok;

	if (family == AF_INET) {
		rt = ip_route_output_key(net, &fl4);
		if (IS_ERR(rt))
			return false;
		ip_rt_put(rt);
		nflb_addr_set_v4(src, fl4.saddr);
		return true;
	}
	found = ip6_route_output(net, NULL, &fl6);
	ok = !found->error &&
	     !ipv6_dev_get_saddr(net, dst_dev_rcu(found), &dst->in6, 0,
				 &src->in6);
	dst_release(found);
	return ok;
}

/* Has a packet only its address for rules to go by? They do not look at ECN (RFC 3168). */
static bool is_plain(const struct nflb_pkt *pkt)
{
	return !pkt->skb->mark && !(nflb_dsfield(pkt) & ~INET_ECN_MASK) &&
	       !nflb_pkt_is_local_out(pkt);
}

/*
 * Does nothing but its address decide the way of a plain packet to a backend? Not where
 * rules or transformations look at more. When they change, every way is too old.
 */
static bool goes_by_address(const struct net *net, u8 family)
{
#ifdef CONFIG_XFRM
	if (net->xfrm.policy_count[XFRM_POLICY_OUT])
		return false;
#endif
	return family == AF_INET ? !fib4_has_custom_rules(net) :
				   !fib6_has_custom_rules(net) &&
				   !fib6_routes_require_src(net);
}

/* Has a route several ways, of which each flow takes one? */
static bool is_multipath(struct net *net, struct dst_entry *dst,
			 const union nflb_addr *to, u8 family)
{
	struct flowi4 fl4 = { .daddr = to->ip };
	const struct fib6_info *from;
	struct fib_result res;

	if (family == AF_INET)
		return fib_lookup(net, &fl4, &res, FIB_LOOKUP_NOREF) ||
		       fib_info_num_path(res.fi) > 1;
	from = rcu_dereference(dst_rt6_info(dst)->from);
	return !from || READ_ONCE(from->fib6_nsiblings) ||
	       (from->nh && nexthop_is_multipath(from->nh));
}

/*
 * nflb_route_lookup() of a packet to a backend, which remembers the route, a CPU
 * at a time, as tunnels do; and for all of them, once the neighbour is known, the way.
 *
 * @generation: nflb_way_generation() from before @remember was found out. What changes
 *	from then on makes the way too old.
 * @kept: set to whether the backend has a way, which is by that route
 */
static __always_inline struct dst_entry *
route_to_backend(const struct nflb_pkt *pkt, struct nflb_backend *backend,
		 const struct nflb_tuple *t, bool remember, u32 generation,
		 bool *kept)
{
	struct nflb_net *nn = pkt->nn;
	struct dst_entry *dst;

	if (likely(remember)) {
		dst = dst_cache_get(&backend->route);
		if (likely(dst)) {
			*kept = nflb_way_renew(nn, backend, dst, generation);
			return dst;
		}
	}
	dst = nflb_route_lookup(pkt, t->family, &t->dst, &t->src, t->dport,
				t->sport);
	if (!dst || !remember ||
	    is_multipath(pkt->nn->net, dst, &t->src, t->family))
		return dst;
	if (t->family == AF_INET)
		dst_cache_set_ip4(&backend->route, dst, 0);
	else
		dst_cache_set_ip6(&backend->route, dst, &in6addr_any);
	/* It may have got a cookie that is newer than the route. */
	smp_rmb();
	if (unlikely(nflb_way_generation(nn->net, t->family) != generation)) {
		dst_cache_reset(&backend->route);
		return dst;
	}
	*kept = nflb_way_renew(nn, backend, dst, generation);
	return dst;
}

/* Of a one-sided connection; the headers of its outgoing packets are not cached. */
static noinline struct dst_entry *route_one_sided(const struct nflb_pkt *pkt,
						  const struct nflb_conn *conn,
						  bool remember, u32 generation,
						  bool *kept)
{
	struct nflb_backend *backend = conn->backend;
	struct nflb_tuple outer;

	nflb_tuple_invert(&outer, &conn->in.tuple);
	outer.src = backend->addr;
	outer.family = backend->family;
	if (nflb_conn_ops(conn)->encap != NFLB_ENCAP_NONE) {
		outer.dst = conn->outer.source;
		outer.sport = READ_ONCE(backend->gue_port);
		outer.dport = conn->outer.port;
	}
	return route_to_backend(pkt, backend, &outer, remember, generation,
				kept);
}

/* It goes its backend's way. A route is freed after a grace period at the earliest. */
static void give_up(struct nflb_conn *conn, enum nflb_dir dir)
{
	struct dst_entry __rcu **own = nflb_conn_dst(conn, dir);
	struct dst_entry *old;

	if (likely(!rcu_access_pointer(*own)))
		return;
	old = unrcu_pointer(xchg(own, NULL));
	if (old)
		dst_release(old);
}

/* @remember: its backend may have a way, since @generation */
static noinline struct dst_entry *look_up(const struct nflb_pkt *pkt,
					  struct nflb_conn *conn,
					  enum nflb_dir dir, bool remember,
					  u32 generation)
{
	const struct nflb_tuple *t = nflb_conn_answer(conn, dir);
	struct dst_entry *dst, *old;
	bool kept = false;
	u32 *cookie;

	if (conn->how & NFLB_HOW_ONE_SIDED)
		dst = route_one_sided(pkt, conn, remember, generation, &kept);
	else if (dir == NFLB_DIR_IN)
		dst = route_to_backend(pkt, conn->backend, t, remember,
				       generation, &kept);
	else
		dst = route_to_client(pkt, conn);
	if (!dst)
		return NULL;
	if (kept) {
		give_up(conn, dir);
		dst_release(dst);
		return dst;
	}
	cookie = nflb_conn_dst_cookie(conn, dir);
	if (likely(!(READ_ONCE(*cookie) & NFLB_COOKIE_DEV)))
		WRITE_ONCE(*cookie,
			   nflb_route_cookie(dst, nflb_conn_family(conn, dir)));
	old = unrcu_pointer(xchg(nflb_conn_dst(conn, dir),
				 RCU_INITIALIZER(dst)));
	/* Freed after a grace period at the earliest, net/core/dst.c. */
	if (unlikely(old))
		dst_release(old);
	return dst;
}

/**
 * nflb_route_renew() - look the route of a connection's packet up
 * @pkt: the packet
 * @conn: its connection
 * @dir: its direction
 *
 * Packets on other CPUs may still use the one that it had. A connection whose packets
 * go the way that its backend keeps has none.
 *
 * Context: rcu_read_lock() held; the route is good for as long. Return: the
 * route without a reference, or NULL when there is none.
 */
struct dst_entry *nflb_route_renew(const struct nflb_pkt *pkt,
				   struct nflb_conn *conn, enum nflb_dir dir)
{
	const struct net *net = pkt->nn->net;
	u8 family = nflb_conn_family(conn, dir);
	const struct nflb_way *way;
	u32 generation;

	if (dir != NFLB_DIR_IN || !is_plain(pkt))
		return look_up(pkt, conn, dir, false, 0);
	way = nflb_way_good(net, conn->backend, family);
	if (unlikely(!way)) {
		generation = nflb_way_generation(net, family);
		/* Rules and transformations are there before it changes. */
		smp_rmb();
		return look_up(pkt, conn, dir, goes_by_address(net, family),
			       generation);
	}
	give_up(conn, dir);
	return way->dst;
}

/**
 * nflb_route_is_local() - does this route end on this host?
 * @dst: the route
 * @family: its family
 */
bool nflb_route_is_local(const struct dst_entry *dst, u8 family)
{
	if (family == AF_INET)
		return dst_rtable(dst)->rt_flags & RTCF_LOCAL;
	return dst_rt6_info(dst)->rt6i_flags & RTF_LOCAL;
}

/**
 * nflb_route_has_gateway() - does this route lead to another router?
 * @dst: the route
 * @family: its family
 */
bool nflb_route_has_gateway(const struct dst_entry *dst, u8 family)
{
	if (family == AF_INET)
		return dst_rtable(dst)->rt_uses_gateway;
	return dst_rt6_info(dst)->rt6i_flags & RTF_GATEWAY;
}

/*
 * Anybody can make the host learn an MTU: udp_err() and icmp_err() ask for no
 * socket. Forwarding does not look at it, unless it is below
 * net.ipv4.route.min_pmtu; then the kernel locks it, and would.
 */
static unsigned int mtu_v4(const struct dst_entry *dst)
{
	const struct net_device *dev = dst_dev_rcu(dst);
	unsigned int mtu;

	if (likely(!dst_rtable(dst)->rt_mtu_locked) ||
	    READ_ONCE(dev_net(dev)->ipv4.sysctl_ip_fwd_use_pmtu))
		return ip_dst_mtu_maybe_forward(dst, true);
	mtu = min_t(unsigned int, dst_metric_raw(dst, RTAX_MTU) ?:
				  READ_ONCE(dev->mtu), IP_MAX_MTU);
	return mtu - lwtunnel_headroom(dst->lwtstate, mtu);
}

/**
 * nflb_route_mtu() - MTU of a route for a packet that is forwarded
 * @dst: the route
 * @family: its family
 *
 * As for a router: path MTUs that this host learnt are not asked, since the
 * ends of the connection learn them for themselves.
 *
 * Return: at least the minimum MTU of that family.
 */
unsigned int nflb_route_mtu(const struct dst_entry *dst, u8 family)
{
	return nflb_mtu_floor(family == AF_INET ?
			      mtu_v4(dst) :
			      ip6_dst_mtu_maybe_forward(dst, true), family);
}

/**
 * nflb_exceeds_mtu() - must the sender be told to send less?
 * @pkt: the packet
 * @mtu: of the next hop
 *
 * The rules of ip_exceeds_mtu() and ip6_pkt_too_big(). Return: true when the
 * packet may be sent neither as it is nor in fragments or segments.
 */
bool nflb_exceeds_mtu(const struct nflb_pkt *pkt, unsigned int mtu)
{
	const struct sk_buff *skb = pkt->skb;
	unsigned int frag_max;

	if (likely(skb->len <= mtu))
		return false;
	if (pkt->tuple.family == AF_INET) {
		if (!(ip_hdr(skb)->frag_off & htons(IP_DF)))
			return false;
		frag_max = IPCB(skb)->frag_max_size;
	} else {
		frag_max = IP6CB(skb)->frag_max_size;
	}
	if (unlikely(frag_max > mtu))
		return true;
	if (skb->ignore_df)
		return false;
	return !(skb_is_gso(skb) && nflb_gso_fits(skb, mtu));
}

/**
 * nflb_route_input_local() - let the host take a packet whose source changes
 * @pkt: a packet for a local socket, not rewritten yet
 * @to: its destination then
 *
 * Once its source is the VIP or a local address, which may be an address of
 * this host, IPv4's input route lookup would call it a martian
 * (fib_validate_source()). So it is made before.
 *
 * Return: 0, or a negative errno when the host would not take it.
 */
int nflb_route_input_local(struct nflb_pkt *pkt, const union nflb_addr *to)
{
	const struct iphdr *iph = ip_hdr(pkt->skb);

	if (pkt->tuple.family != AF_INET || skb_valid_dst(pkt->skb))
		return 0;
	return nflb_ip_route_input(pkt->skb, to->ip, iph->saddr, iph,
				   pkt->skb->dev) ? -EHOSTUNREACH : 0;
}

/**
 * nflb_route_to_host() - let the host take a packet, whatever its source
 * @pkt: a packet that was received
 *
 * The input route lookup of IPv4 refuses a source that is the host's own, or that is
 * elsewhere (rp_filter). An output route to an address of the host leads to its sockets
 * as well. Packets for other hosts stay unchanged.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: whether it is for the
 * host.
 */
bool nflb_route_to_host(struct nflb_pkt *pkt)
{
	const struct nflb_tuple *t = &pkt->tuple;
	struct dst_entry *dst;

	dst = nflb_route_find(pkt, t->family, &t->dst, &t->dst, 0, 0, 0, 0);
	if (!dst)
		return false;
	if (!nflb_route_is_local(dst, t->family)) {
		dst_release(dst);
		return false;
	}
	skb_dst_drop(pkt->skb);
	skb_dst_set(pkt->skb, dst);
	return true;
}

/**
 * nflb_route_tell_socket() - let a socket of this host send shorter packets
 * @skb: its packet, with its route, on its way out
 * @mtu: the longest that would pass
 *
 * The routes of IPv4 look for the namespace at the packet's device, which a packet of a
 * raw socket does not have yet.
 *
 * Context: softirq or BH disabled.
 */
void nflb_route_tell_socket(struct sk_buff *skb, unsigned int mtu)
{
	struct net_device *dev = skb->dev;

	if (!skb_dst(skb))
		return;
	if (!dev)
		skb->dev = dst_dev_rcu(skb_dst(skb));
	skb_dst_update_pmtu(skb, mtu);
	skb->dev = dev;
}
