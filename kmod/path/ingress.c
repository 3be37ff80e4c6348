// SPDX-License-Identifier: GPL-2.0
/*
 * The fast path: packets of known flows are taken where a device hands them to
 * the stack, before ip_rcv() and all of netfilter's hooks for IP. What is not
 * plain, not known or not for this host is left to the stack, unchanged, and
 * comes to PRE_ROUTING (hook.c) if it is the balancer's.
 *
 * What ip_rcv_core() and ip6_rcv_core() check before PRE_ROUTING is checked here,
 * as far as packets of a known flow can be wrong.
 */
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "packet/packet.h"
#include "path/fastpath.h"
#include "path/ingress.h"
#include "path/pipeline.h"
#include "netns.h"

/* Cut the link's padding behind the packet; it is @len long, and @least. */
static bool trim(struct sk_buff *skb, unsigned int len, unsigned int least)
{
	if (likely(skb->len == len))
		return true;
	return skb->len > len && len >= least && !pskb_trim_rcsum(skb, len);
}

/* Version and options are looked at by the parser. */
static bool valid_v4(struct sk_buff *skb)
{
	const struct iphdr *iph;

	if (unlikely(!fast_linear(skb, FAST_LEN_V4)))
		return false;
	iph = (const struct iphdr *)skb->data;
	return iph->ihl == 5 && !ip_fast_csum(iph, 5) &&
	       trim(skb, ntohs(iph->tot_len), FAST_LEN_V4);
}

/* Of length 0 are jumbograms. */
static bool valid_v6(struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h;

	if (unlikely(!fast_linear(skb, FAST_LEN_V6)))
		return false;
	ip6h = (const struct ipv6hdr *)skb->data;
	return ip6h->payload_len &&
	       trim(skb, sizeof(*ip6h) + ntohs(ip6h->payload_len), FAST_LEN_V6);
}

/*
 * Another's frame, one that goes on to a VLAN, bridge or bond, one that a socket
 * was chosen for, and one that somebody else holds too are the stack's.
 */
static bool ours(struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST && !skb_vlan_tag_present(skb) &&
	       !rcu_access_pointer(skb->dev->rx_handler) &&
	       (!skb->sk || !skb_sk_is_prefetched(skb)) &&
	       !skb_shared(skb);
}

static unsigned int nflb_ingress(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	enum nflb_verdict verdict;
	struct nflb_pkt pkt __uninitialized;

	if (unlikely(!ours(skb)))
		return NF_ACCEPT;
	/* A sender on this host, in another namespace, waits for it. */
	skb_orphan(skb);
	pkt.skb = skb;
	pkt.nn = priv;
	pkt.state = state;
	if (skb->protocol == htons(ETH_P_IP)) {
		if (unlikely(!valid_v4(skb)))
			return NF_ACCEPT;
		verdict = nflb_fast(&pkt, skb, priv, AF_INET);
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		if (unlikely(!valid_v6(skb)))
			return NF_ACCEPT;
		verdict = nflb_fast(&pkt, skb, priv, AF_INET6);
	} else {
		return NF_ACCEPT;
	}
	if (likely(verdict == NFLB_STOLEN)) {
		nflb_count_add((struct nflb_net *)priv, NFLB_COUNTER_FAST_PATH,
			       pkt.wire.packets);
		return NF_STOLEN;
	}
	return nflb_pipeline_end(&pkt, verdict);
}

/**
 * nflb_ingress_find() - is the fast path attached to a device?
 * @nn: the namespace; RTNL or rcu_read_lock() is held
 * @dev: the device
 *
 * Return: the attachment, or NULL.
 */
struct nflb_device *nflb_ingress_find(struct nflb_net *nn,
				      const struct net_device *dev)
{
	struct nflb_device *device;

	list_for_each_entry_rcu(device, &nn->devices, list,
				lockdep_rtnl_is_held())
		if (device->dev == dev)
			return device;
	return NULL;
}

/**
 * nflb_ingress_attach() - begin to take packets from a device
 * @nn: the namespace; RTNL is held
 * @dev: the device, which nothing is attached to
 *
 * Context: process. Return: 0 or a negative errno.
 */
int nflb_ingress_attach(struct nflb_net *nn, struct net_device *dev)
{
	struct nflb_device *device;
	int err;

	ASSERT_RTNL();
	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device)
		return -ENOMEM;
	device->dev = dev;
	device->ops.hook = nflb_ingress;
	device->ops.priv = nn;
	device->ops.dev = dev;
	device->ops.pf = NFPROTO_NETDEV;
	device->ops.hooknum = NF_NETDEV_INGRESS;
	device->ops.priority = NFLB_INGRESS_PRIORITY;
	err = nf_register_net_hook(nn->net, &device->ops);
	if (err) {
		kfree(device);
		return err;
	}
	WRITE_ONCE(nn->had_devices, true);
	list_add_tail_rcu(&device->list, &nn->devices);
	return 0;
}

/**
 * nflb_ingress_detach() - take no more packets from a device
 * @nn: the namespace; RTNL is held
 * @device: the attachment; freed
 *
 * Context: process.
 */
void nflb_ingress_detach(struct nflb_net *nn, struct nflb_device *device)
{
	ASSERT_RTNL();
	nf_unregister_net_hook(nn->net, &device->ops);
	list_del_rcu(&device->list);
	/* nfnetlink_hook reads the ops under RCU; dumps read the list. */
	kfree_rcu(device, rcu);
}

/**
 * nflb_ingress_detach_all() - take no more packets from any device
 * @nn: the namespace; RTNL is held
 *
 * Context: process. Packets may still be under way until a grace period after.
 */
void nflb_ingress_detach_all(struct nflb_net *nn)
{
	struct nflb_device *device, *next;

	list_for_each_entry_safe(device, next, &nn->devices, list)
		nflb_ingress_detach(nn, device);
}
