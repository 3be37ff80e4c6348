/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that differs between the kernels nflb supports, and nothing
 * else. Force-included, so that no other file has to know. Features are probed
 * (here or in Kbuild), since distribution kernels carry backports.
 */
#ifndef NFLB_COMPAT_H
#define NFLB_COMPAT_H

#include <linux/kconfig.h>

#ifndef __ASSEMBLY__

#if !IS_ENABLED(CONFIG_IPV6)
#error "nflb needs a kernel with IPv6"
#endif
#if !IS_ENABLED(CONFIG_NF_CONNTRACK)
#error "nflb needs CONFIG_NF_CONNTRACK, to mark forwarded packets as untracked"
#endif

#include <linux/netlink.h>
#include <linux/sysctl.h>
#include <net/dst.h>
#include <net/genetlink.h>
#include <net/inet_dscp.h>
#include <net/ip6_fib.h>
#include <net/net_namespace.h>
#include <net/route.h>

/* skb_gso_validate_network_len() moved out of skbuff.h in 6.5 (d457a0e329b0). */
#ifdef NFLB_HAVE_NET_GSO_H
#include <net/gso.h>
#endif

/* dst_rtable() came in 6.10 (05d6d492097c). */
#ifndef dst_rtable
#define dst_rtable(ptr) container_of(ptr, struct rtable, dst)
#endif

/* dst_rt6_info() came in 6.10 (e8dfd42c17fa), and to 6.1.y and 6.6.y. */
#ifndef dst_rt6_info
#define dst_rt6_info(ptr) container_of(ptr, struct rt6_info, dst)
#endif

/* dst_dev_rcu() came in 6.18 (caedcc5b6df1), and to all stable trees. */
#ifndef NFLB_HAVE_DST_DEV_RCU
static inline struct net_device *dst_dev_rcu(const struct dst_entry *dst)
{
	return READ_ONCE(dst->dev);
}
#endif

/*
 * ip_route_input() takes the type of service as a dscp_t since 6.13
 * (7e863e5db618), and in 6.1.y and 6.12.y.
 */
static inline int nflb_ip_route_input(struct sk_buff *skb, __be32 dst,
				      __be32 src, const struct iphdr *iph,
				      struct net_device *dev)
{
#ifdef NFLB_HAVE_ROUTE_INPUT_DSCP
	return ip_route_input(skb, dst, src,
			      inet_dsfield_to_dscp(iph->tos), dev);
#else
	return ip_route_input(skb, dst, src, iph->tos & INET_DSCP_MASK, dev);
#endif
}

/* flowi4_tos became flowi4_dscp, a dscp_t, in 6.18 (1bec9d0c0046). */
#ifdef NFLB_HAVE_FLOWI4_DSCP
#define NFLB_FLOWI4_DSCP(dsfield) \
	.flowi4_dscp = inet_dsfield_to_dscp(dsfield)
#else
#define NFLB_FLOWI4_DSCP(dsfield) .flowi4_tos = (dsfield) & INET_DSCP_MASK
#endif

/* Lookups of sockets know their table themselves since 6.18 (cb16f4b6c73d). */
#ifdef NFLB_HAVE_LOOKUP_HASHINFO
#define nflb_inet_lookup_established(net, info, saddr, sport, daddr, port, dif) \
	__inet_lookup_established(net, info, saddr, sport, daddr, port, dif, 0)
#define nflb_inet6_lookup_established(net, info, saddr, sport, daddr, port, dif) \
	__inet6_lookup_established(net, info, saddr, sport, daddr, port, dif, 0)
#else
#define nflb_inet_lookup_established(net, info, saddr, sport, daddr, port, dif) \
	({ (void)(info);						\
	   __inet_lookup_established(net, saddr, sport, daddr, port, dif, 0); })
#define nflb_inet6_lookup_established(net, info, saddr, sport, daddr, port, dif) \
	({ (void)(info);						\
	   __inet6_lookup_established(net, saddr, sport, daddr, port, dif, 0); })
#endif

/* get_unaligned_be16() and the like moved in 6.12 (5f60d5f6bbc1). */
#ifdef NFLB_HAVE_LINUX_UNALIGNED_H
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/*
 * register_net_sysctl_sz() came in 6.6 (95d4977876af); before, a table ended at
 * an empty element, which 6.11 refuses (d7a76ec87195). Callers allocate one
 * zeroed element more than @n, which is right for all.
 */
#ifndef NFLB_HAVE_NET_SYSCTL_SZ
static inline struct ctl_table_header *
register_net_sysctl_sz(struct net *net, const char *path,
		       struct ctl_table *table, size_t n)
{
	return register_net_sysctl(net, path, table);
}
#endif

/* Handlers take a const table since 6.11 (78eb4ea25cd5). */
#ifdef NFLB_HAVE_CONST_CTL_TABLE
#define NFLB_CTL_TABLE const struct ctl_table
#else
#define NFLB_CTL_TABLE struct ctl_table
#endif

/*
 * Formatted extack messages came in 6.2 (51c352bdbcd2). Before, only the fixed
 * message can be given.
 */
#ifdef NL_SET_ERR_MSG_ATTR_FMT
#define NFLB_ERR_ATTR_FMT(extack, attr, msg, fmt, args...) \
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr, fmt, ##args)
#else
#define NFLB_ERR_ATTR_FMT(extack, attr, msg, fmt, args...) \
	NL_SET_ERR_MSG_ATTR(extack, attr, msg)
#endif

/* genl_info_dump() came in 6.6 (5aa51d9f889c). */
static inline struct nlattr **nflb_dump_attrs(struct netlink_callback *cb)
{
#ifdef NFLB_HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/*
 * Functions for BPF programs have a mark of their own since 6.3 (57e7c169cd6a), and
 * their lists another since 6.9 (6f3189f38a3e).
 */
#include <linux/btf.h>
#include <linux/btf_ids.h>

#ifndef __bpf_kfunc
#define __bpf_kfunc __used noinline
#endif
#ifndef BTF_KFUNCS_START
#define BTF_KFUNCS_START(name) BTF_SET8_START(name)
#define BTF_KFUNCS_END(name) BTF_SET8_END(name)
#endif

/* It moved from a CPU's variable to the task in 6.11 (401cb7dae813). */
#ifdef NFLB_HAVE_BPF_NET_CONTEXT
#define nflb_redirect_info() bpf_net_ctx_get_ri()
#else
#define nflb_redirect_info() this_cpu_ptr(&bpf_redirect_info)
#endif

static inline bool nflb_dev_has_program(const struct net_device *dev)
{
	return READ_ONCE(dev->xdp_state[XDP_MODE_DRV].prog) ||
	       READ_ONCE(dev->xdp_state[XDP_MODE_DRV].link);
}

/*
 * Does a device send frames back that it received (XDP_TX)? One of a veth pair only wakes
 * its peer up if that has a program, too (veth_xdp_flush()). Without one, frames are lost,
 * or wait in the peer's ring until that is full. Context: rcu_read_lock() held.
 */
static inline bool nflb_dev_sends_back(struct net_device *dev)
{
	const struct net_device *peer;

	if (likely(!dev->netdev_ops->ndo_get_peer_dev))
		return true;
	peer = dev->netdev_ops->ndo_get_peer_dev(dev);
	return peer && nflb_dev_has_program(peer);
}

/*
 * Does a device send frames that programs of XDP redirect to it? Devices tell since
 * 6.3 (d3d854fd6a1d). Before, a driver may lose them without a word unless it has a
 * program of its own: only those are trusted, and only with frames of one piece.
 *
 * One of a pair can send when the other one can receive so.
 */
#ifdef NFLB_HAVE_XDP_FEATURES
static inline bool nflb_dev_takes_frames(const struct net_device *dev,
					 bool frags)
{
	u32 wanted = NETDEV_XDP_ACT_NDO_XMIT |
		     (frags ? NETDEV_XDP_ACT_NDO_XMIT_SG : 0);

	return (READ_ONCE(dev->xdp_features) & wanted) == wanted;
}
#else
static inline bool nflb_dev_peer_takes_frames(struct net_device *dev)
{
	const struct net_device *peer;

	if (!dev->netdev_ops->ndo_get_peer_dev)
		return true;
	peer = dev->netdev_ops->ndo_get_peer_dev(dev);
	return peer && (peer->features & NETIF_F_GRO ||
			nflb_dev_has_program(peer));
}

static inline bool nflb_dev_takes_frames(struct net_device *dev, bool frags)
{
	return !frags && dev->netdev_ops->ndo_xdp_xmit &&
	       nflb_dev_has_program(dev) && nflb_dev_peer_takes_frames(dev);
}
#endif

#endif /* __ASSEMBLY__ */
#endif /* NFLB_COMPAT_H */
