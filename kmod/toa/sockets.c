// SPDX-License-Identifier: GPL-2.0
/*
 * Which socket belongs to which client.
 *
 * A hook at LOCAL_IN reads the option of each segment that could make a
 * connection, and notes it for this CPU. The stack handles that segment next,
 * on this CPU, in the same run of the softirq; if it makes a connection of it,
 * the tracepoint sock:inet_sock_set_state tells which socket became
 * established. That socket goes into the table, and leaves it when the
 * tracepoint says that it is closed. Nothing is kept for a connection that is
 * not established, so a flood of SYNs leaves nothing behind.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/tracepoint.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/tcp_states.h>

#include "toa/toa.h"

/* The segment that is being handled on this CPU. */
struct noted {
	bool			valid;
	u8			family;
	__be16			sport;
	__be16			dport;
	struct in6_addr		saddr;
	struct in6_addr		daddr;
	struct toa_client	client;
};

static DEFINE_PER_CPU(struct noted, noted);

struct rhashtable toa_sockets;
static struct kmem_cache *socket_cache;
static struct tracepoint *state_tracepoint;

static const struct rhashtable_params socket_params = {
	.head_offset = offsetof(struct toa_socket, node),
	.key_offset = offsetof(struct toa_socket, sk),
	.key_len = sizeof_field(struct toa_socket, sk),
	.automatic_shrinking = true,
};

/**
 * toa_socket_find() - look up a socket
 * @sk: the socket
 *
 * Context: rcu_read_lock() held. Return: it, or NULL.
 */
struct toa_socket *toa_socket_find(const struct sock *sk)
{
	return rhashtable_lookup(&toa_sockets, &sk, socket_params);
}

static void note(struct noted *n, const struct sk_buff *skb, u8 family,
		 const struct tcphdr *th)
{
	if (family == AF_INET) {
		memset(&n->saddr, 0, sizeof(n->saddr));
		memset(&n->daddr, 0, sizeof(n->daddr));
		n->saddr.s6_addr32[0] = ip_hdr(skb)->saddr;
		n->daddr.s6_addr32[0] = ip_hdr(skb)->daddr;
	} else {
		n->saddr = ipv6_hdr(skb)->saddr;
		n->daddr = ipv6_hdr(skb)->daddr;
	}
	n->sport = th->source;
	n->dport = th->dest;
	n->family = family;
	n->valid = true;
}

static unsigned int tcp_offset(const struct sk_buff *skb, u8 family)
{
	unsigned int off = 0;

	if (family == AF_INET)
		return ip_hdr(skb)->protocol == IPPROTO_TCP ? ip_hdrlen(skb) :
							      0;
	if (ipv6_hdr(skb)->nexthdr == IPPROTO_TCP)
		return sizeof(struct ipv6hdr);
	return ipv6_find_hdr(skb, &off, IPPROTO_TCP, NULL, NULL) < 0 ? 0 : off;
}

/* NOP, NOP, timestamp */
#define TSTAMP_ALIGNED	(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 | \
			 TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP)

static void read_segment(struct noted *n, const struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	unsigned int off = tcp_offset(skb, state->pf), len;
	const struct tcphdr *th;
	struct tcphdr buf;
	u8 opts_buf[40];
	const u8 *opts;

	if (!off)
		return;
	th = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!th || th->doff <= 5 || th->syn || th->rst || !th->ack)
		return;
	len = th->doff * 4 - sizeof(*th);
	opts = skb_header_pointer(skb, off + sizeof(*th), len, opts_buf);
	if (!opts)
		return;
	/* The case of almost all segments */
	if (len == TCPOLEN_TSTAMP_ALIGNED &&
	    get_unaligned_be32(opts) == TSTAMP_ALIGNED)
		return;
	switch (toa_option_parse(opts, len, &n->client)) {
	case TOA_FOUND:
		note(n, skb, state->pf, th);
		break;
	case TOA_BROKEN:
		toa_count(state->net, TOA_MALFORMED);
		break;
	case TOA_AMBIGUOUS:
		toa_count(state->net, TOA_AMBIGUOUS_OPTIONS);
		break;
	case TOA_NONE:
		break;
	}
}

static unsigned int toa_local_in(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct noted *n;

	local_bh_disable();
	n = this_cpu_ptr(&noted);
	n->valid = false;
	read_segment(n, skb, state);
	local_bh_enable();
	return NF_ACCEPT;
}

/* Last, so that nothing comes between it and TCP. */
static const struct nf_hook_ops hook_ops[] = {
	{
		.hook = toa_local_in,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_LAST,
	}, {
		.hook = toa_local_in,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP6_PRI_LAST,
	},
};

/**
 * toa_hooks_register() - begin to inspect packets that a namespace receives
 * @net: the namespace
 *
 * Return: 0 or a negative errno.
 */
int toa_hooks_register(struct net *net)
{
	return nf_register_net_hooks(net, hook_ops, ARRAY_SIZE(hook_ops));
}

/**
 * toa_hooks_unregister() - undo toa_hooks_register()
 * @net: the namespace
 */
void toa_hooks_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hook_ops, ARRAY_SIZE(hook_ops));
}

/* Is it the socket of that segment? An IPv6 socket may speak IPv4. */
static bool is_of(const struct sock *sk, const struct noted *n)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (inet->inet_dport != n->sport || inet->inet_sport != n->dport)
		return false;
	if (n->family == AF_INET)
		return inet->inet_daddr == n->saddr.s6_addr32[0] &&
		       inet->inet_rcv_saddr == n->daddr.s6_addr32[0];
	return sk->sk_family == AF_INET6 &&
	       ipv6_addr_equal(&sk->sk_v6_daddr, &n->saddr) &&
	       ipv6_addr_equal(&sk->sk_v6_rcv_saddr, &n->daddr);
}

static void established(const struct sock *sk)
{
	struct noted *n = this_cpu_ptr(&noted);
	struct net *net = sock_net(sk);
	struct toa_socket *s;

	if (!n->valid || !is_of(sk, n))
		return;
	n->valid = false;
	if (!toa_allowed(&n->saddr, n->family)) {
		toa_count(net, TOA_REFUSED_SOURCE);
		return;
	}
	s = kmem_cache_zalloc(socket_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!s) {
		toa_count(net, TOA_NO_MEMORY);
		return;
	}
	s->sk = sk;
	s->net = net;
	s->client = n->client;
	s->peer = n->saddr;
	s->local = n->daddr;
	s->peer_port = n->sport;
	s->local_port = n->dport;
	s->family = n->family;
	if (rhashtable_insert_fast(&toa_sockets, &s->node, socket_params)) {
		kmem_cache_free(socket_cache, s);
		toa_count(net, TOA_NO_MEMORY);
		return;
	}
	toa_count(net, TOA_BELIEVED);
}

static void free_socket(struct rcu_head *rcu)
{
	kmem_cache_free(socket_cache, container_of(rcu, struct toa_socket,
						   rcu));
}

static void closed(const struct sock *sk)
{
	struct toa_socket *s = toa_socket_find(sk);

	if (s && !rhashtable_remove_fast(&toa_sockets, &s->node,
					 socket_params))
		call_rcu(&s->rcu, free_socket);
}

/* sock:inet_sock_set_state; preemption is disabled */
static void on_state(void *data, const struct sock *sk, const int oldstate,
		     const int newstate)
{
	if (sk->sk_protocol != IPPROTO_TCP)
		return;
	local_bh_disable();
	rcu_read_lock();
	if (oldstate == TCP_SYN_RECV && newstate == TCP_ESTABLISHED)
		established(sk);
	else if (newstate == TCP_CLOSE)
		closed(sk);
	rcu_read_unlock();
	local_bh_enable();
}

static void find_tracepoint(struct tracepoint *tp, void *priv)
{
	if (!strcmp(tp->name, "inet_sock_set_state"))
		state_tracepoint = tp;
}

static void free_one(void *ptr, void *arg)
{
	kmem_cache_free(socket_cache, ptr);
}

/**
 * toa_sockets_init() - an empty table
 *
 * Return: 0 or a negative errno.
 */
int toa_sockets_init(void)
{
	int err;

	socket_cache = KMEM_CACHE(toa_socket, 0);
	if (!socket_cache)
		return -ENOMEM;
	err = rhashtable_init(&toa_sockets, &socket_params);
	if (err)
		kmem_cache_destroy(socket_cache);
	return err;
}

/**
 * toa_sockets_start() - begin to fill it
 *
 * Return: 0 or a negative errno.
 */
int toa_sockets_start(void)
{
	for_each_kernel_tracepoint(find_tracepoint, NULL);
	if (!state_tracepoint) {
		pr_err("this kernel has no tracepoint sock:inet_sock_set_state\n");
		return -EOPNOTSUPP;
	}
	return tracepoint_probe_register(state_tracepoint, on_state, NULL);
}

/**
 * toa_sockets_stop() - undo toa_sockets_start()
 */
void toa_sockets_stop(void)
{
	tracepoint_probe_unregister(state_tracepoint, on_state, NULL);
	tracepoint_synchronize_unregister();
}

/**
 * toa_sockets_exit() - forget all sockets; they live on
 */
void toa_sockets_exit(void)
{
	rcu_barrier();
	rhashtable_free_and_destroy(&toa_sockets, free_one, NULL);
	kmem_cache_destroy(socket_cache);
}
