// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks: PRE_ROUTING for what is received, LOCAL_OUT for what
 * sockets of the balancer itself send, in both families; ahead of
 * defragmentation, conntrack and NAT. They are registered with the first
 * service of a namespace. They go when it has neither services nor connections.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/slab.h>

#include "packet/packet.h"
#include "conn/conn.h"
#include "forward/icmp_reply.h"
#include "path/hook.h"
#include "path/pipeline.h"
#include "netns.h"

/*
 * After an nft chain at priority raw - 160 or below, which can still keep
 * packets away from the balancer; before everything of the kernel's own.
 */
#define NFLB_HOOK_PRIORITY NF_IP_PRI_RAW_BEFORE_DEFRAG

static_assert(NFLB_HOOK_PRIORITY == (int)NF_IP6_PRI_RAW_BEFORE_DEFRAG);

static unsigned int with_bh_disabled(struct nflb_net *nn, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	unsigned int verdict = NF_ACCEPT;

	local_bh_disable();
	if (likely(!nflb_answering()))
		verdict = nflb_pipeline(nn, skb, state);
	local_bh_enable();
	return verdict;
}

/*
 * Is it a frame that a bridge of the host passes on? br_netfilter shows those to
 * the hooks for IP, as if they were for the host. What is for the host comes so,
 * too, but was for its link-layer address.
 */
static bool bridged(const struct sk_buff *skb)
{
	const struct nf_bridge_info *bridge = nf_bridge_info_get(skb);

	return unlikely(bridge) && bridge->pkt_otherhost;
}

/* Frames for other hosts, and link-layer broadcasts, are nobody's flows. */
static unsigned int nflb_pre_routing(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	if (unlikely(skb->pkt_type != PACKET_HOST &&
		     skb->pkt_type != PACKET_LOOPBACK))
		return NF_ACCEPT;
	if (bridged(skb))
		return NF_ACCEPT;
	/* A packet that comes back from a queue does so in its user's context. */
	if (unlikely(!in_softirq()))
		return with_bh_disabled(priv, skb, state);
	return nflb_pipeline(priv, skb, state);
}

static unsigned int nflb_local_out(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	/* A raw socket may send anything. */
	if (skb->len < sizeof(struct iphdr))
		return NF_ACCEPT;
	return with_bh_disabled(priv, skb, state);
}

/* As many as there are in hook_ops */
#define HOOKS 4

static const struct nf_hook_ops hook_ops[HOOKS] = {
	{
		.hook = nflb_pre_routing,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NFLB_HOOK_PRIORITY,
	}, {
		.hook = nflb_local_out,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NFLB_HOOK_PRIORITY,
	}, {
		.hook = nflb_pre_routing,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NFLB_HOOK_PRIORITY,
	}, {
		.hook = nflb_local_out,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NFLB_HOOK_PRIORITY,
	},
};

/**
 * struct nflb_hooks - the hooks of a namespace
 * @ops: hook_ops, for that namespace
 * @rcu: to free them
 */
struct nflb_hooks {
	struct nf_hook_ops	ops[HOOKS];
	struct rcu_head		rcu;
};

/**
 * nflb_hooks_register() - begin to take packets; does nothing when registered
 * @nn: the namespace; nn->mutex is held
 *
 * Context: process. Return: 0 or a negative errno.
 */
int nflb_hooks_register(struct nflb_net *nn)
{
	struct nflb_hooks *hooks;
	unsigned int i;
	int err;

	lockdep_assert_held(&nn->mutex);
	if (nn->hooks)
		return 0;
	hooks = kzalloc(sizeof(*hooks), GFP_KERNEL_ACCOUNT);
	if (!hooks)
		return -ENOMEM;
	memcpy(hooks->ops, hook_ops, sizeof(hook_ops));
	for (i = 0; i < HOOKS; i++)
		hooks->ops[i].priv = nn;
	err = nf_register_net_hooks(nn->net, hooks->ops, HOOKS);
	if (err) {
		kfree(hooks);
		return err;
	}
	WRITE_ONCE(nn->hooks, hooks);
	nflb_conn_gc_kick(nn);
	return 0;
}

/**
 * nflb_hooks_unregister() - take no more packets; does nothing when not
 *	registered
 * @nn: the namespace; nn->mutex is held
 *
 * Context: process.
 */
void nflb_hooks_unregister(struct nflb_net *nn)
{
	struct nflb_hooks *hooks = nn->hooks;

	lockdep_assert_held(&nn->mutex);
	if (!hooks)
		return;
	nf_unregister_net_hooks(nn->net, hooks->ops, HOOKS);
	WRITE_ONCE(nn->hooks, NULL);
	/* nfnetlink_hook reads the ops under RCU. */
	kfree_rcu(hooks, rcu);
}

/**
 * nflb_hooks_release() - take no more packets, unless a connection needs them
 * @nn: the namespace, which has no service; nn->mutex is held
 *
 * A connection that was ended still answers its two sides for some seconds.
 *
 * Context: process. Return: false when there is a connection: try again later.
 */
bool nflb_hooks_release(struct nflb_net *nn)
{
	if (nn->hooks && atomic_read(&nn->conn_count))
		return false;
	nflb_hooks_unregister(nn);
	return true;
}
