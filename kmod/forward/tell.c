// SPDX-License-Identifier: GPL-2.0
/*
 * Segments that the balancer itself sends to the two sides of a TCP connection.
 *
 * A side that only waits would not learn that the connection was ended. The balancer
 * does not know the exact sequence number that a reset needs (RFC 5961, section 3),
 * but the side itself does: to a segment out of its window it answers with an
 * acknowledgment (RFC 9293, 3.10.7.4), and that is answered with the reset.
 */
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/tcp.h>

#include "conn/conn.h"
#include "conn/conn_seq.h"
#include "conn/conn_state.h"
#include "conn/tell.h"
#include "forward/route.h"
#include "count.h"
#include "netns.h"

/* A segment of @flag alone, NFLB_TCP_ACK or NFLB_TCP_RST */
static struct sk_buff *segment_new(const struct nflb_tuple *t, u8 flag, u32 seq,
				   u32 ack)
{
	unsigned int l3 = t->family == AF_INET ? sizeof(struct iphdr) :
						 sizeof(struct ipv6hdr);
	struct sk_buff *skb;
	struct tcphdr *th;

	skb = alloc_skb(LL_MAX_HEADER + l3 + sizeof(*th),
			GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER + l3);
	skb_reset_transport_header(skb);
	th = skb_put_zero(skb, sizeof(*th));
	th->source = t->sport;
	th->dest = t->dport;
	th->seq = htonl(seq);
	th->ack_seq = htonl(ack);
	th->doff = sizeof(*th) / 4;
	th->ack = flag == NFLB_TCP_ACK;
	th->rst = flag == NFLB_TCP_RST;
	if (t->family == AF_INET)
		th->check = csum_tcpudp_magic(t->src.ip, t->dst.ip, skb->len,
					      IPPROTO_TCP,
					      csum_partial(th, skb->len, 0));
	else
		th->check = csum_ipv6_magic(&t->src.in6, &t->dst.in6, skb->len,
					    IPPROTO_TCP,
					    csum_partial(th, skb->len, 0));
	skb_push(skb, l3);
	skb_reset_network_header(skb);
	return skb;
}

static bool finish_v4(struct net *net, struct sk_buff *skb,
		      const struct nflb_tuple *t)
{
	struct flowi4 fl4 = {
		.daddr = t->dst.ip,
		.saddr = t->src.ip,
		.flowi4_proto = IPPROTO_TCP,
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
	};
	struct iphdr *iph = ip_hdr(skb);
	struct rtable *rt;

	rt = ip_route_output_key(net, &fl4);
	if (IS_ERR(rt))
		return false;
	skb_dst_set(skb, &rt->dst);
	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->frag_off = htons(IP_DF);
	iph->ttl = READ_ONCE(net->ipv4.sysctl_ip_default_ttl);
	iph->protocol = IPPROTO_TCP;
	iph->saddr = t->src.ip;
	iph->daddr = t->dst.ip;
	skb->protocol = htons(ETH_P_IP);
	return true;
}

static bool finish_v6(struct net *net, struct sk_buff *skb,
		      const struct nflb_tuple *t)
{
	struct flowi6 fl6 = {
		.daddr = t->dst.in6,
		.saddr = t->src.in6,
		.flowi6_proto = IPPROTO_TCP,
		.flowi6_flags = FLOWI_FLAG_ANYSRC,
	};
	struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct dst_entry *dst;

	dst = ip6_route_output(net, NULL, &fl6);
	skb_dst_set(skb, dst);
	if (dst->error)
		return false;
	ip6_flow_hdr(ip6h, 0, 0);
	ip6h->payload_len = htons(sizeof(struct tcphdr));
	ip6h->nexthdr = IPPROTO_TCP;
	ip6h->hop_limit = READ_ONCE(net->ipv6.devconf_all->hop_limit);
	ip6h->saddr = t->src.in6;
	ip6h->daddr = t->dst.in6;
	skb->protocol = htons(ETH_P_IPV6);
	return true;
}

/* @to: the tuple of the packets that the other side would send now */
static void send(struct net *net, const struct nflb_tuple *to, u8 flag,
		 u32 seq, u32 ack)
{
	struct sk_buff *skb = segment_new(to, flag, seq, ack);
	bool v4 = to->family == AF_INET;

	if (!skb)
		return;
	if (!(v4 ? finish_v4(net, skb, to) : finish_v6(net, skb, to))) {
		kfree_skb(skb);
		return;
	}
	nflb_untrack(skb);
	if (v4)
		ip_local_out(net, NULL, skb);
	else
		ip6_local_out(net, NULL, skb);
}

static void tell(struct net *net, const struct nflb_tuple *to, u32 seq, u32 ack)
{
	send(net, to, NFLB_TCP_ACK, seq, ack);
}

static u32 noted_seq(struct nflb_conn *conn, enum nflb_dir dir)
{
	if (!(conn->how & NFLB_HOW_ONE_SIDED))
		return READ_ONCE(conn->at[dir]);
	return (u32)READ_ONCE(*nflb_conn_aux(conn, dir)) << NFLB_AUX_SEQ_SHIFT;
}

/* A sequence number that its sender has left behind. */
static u32 old_seq(struct nflb_conn *conn, enum nflb_dir dir)
{
	return noted_seq(conn, dir) - (1 << NFLB_AUX_SEQ_SHIFT);
}

/**
 * nflb_conn_tell() - let both sides of an ended connection find out
 * @nn: the namespace
 * @conn: the connection
 *
 * Does nothing when refusals are not to be answered (net.nflb.reject).
 *
 * Context: rcu_read_lock() held; any but hard interrupts.
 */
void nflb_conn_tell(struct nflb_net *nn, struct nflb_conn *conn)
{
	u32 client = old_seq(conn, NFLB_DIR_IN);
	u32 backend = old_seq(conn, NFLB_DIR_OUT);
	struct nflb_tuple to;

	if (!READ_ONCE(nn->reject))
		return;
	nflb_tuple_invert(&to, &conn->in.tuple);
	tell(nn->net, &to, backend, client);
	/* Nothing goes to a backend for its own address. */
	if (conn->how & NFLB_HOW_ONE_SIDED)
		return;
	nflb_tuple_invert(&to, &conn->out.tuple);
	tell(nn->net, &to, client + nflb_conn_seq_delta(conn), backend);
}

/**
 * nflb_conn_withdraw() - the backend of a half-open connection shall forget it
 * @nn: the namespace
 * @conn: the connection, which is unlinked
 *
 * Its local port may be used again at once, and a backend that holds it half open
 * would take the next SYN for a segment of this connection.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held.
 */
void nflb_conn_withdraw(struct nflb_net *nn, struct nflb_conn *conn)
{
	u8 state = READ_ONCE(conn->state);
	struct nflb_tuple to;
	u32 seq;

	if (conn->in.tuple.proto != IPPROTO_TCP ||
	    !(conn->how & NFLB_HOW_LADDR) || state < NFLB_CONN_SYN_SENT ||
	    state > NFLB_CONN_ESTABLISHED || !READ_ONCE(nn->reject) ||
	    !nflb_may_answer(nn))
		return;
	seq = READ_ONCE(conn->seq.isn) + 1;
	if (nflb_conn_now(conn, NFLB_NOW_SEQ))
		seq += READ_ONCE(conn->seq.delta);
	nflb_tuple_invert(&to, &conn->out.tuple);
	send(nn->net, &to, NFLB_TCP_RST, seq, 0);
}

/**
 * nflb_conn_ask() - ask the client of a connection whether it still has it
 * @nn: the namespace
 * @conn: the connection, which is alive
 *
 * A client that has it gets a segment out of its window, and answers with an
 * acknowledgment. One that began anew answers with a RST that has the number
 * acknowledged here (RFC 9293, 3.10.7.3). Nothing is sent when refusals are not
 * to be answered (net.nflb.reject).
 *
 * Context: rcu_read_lock() held; any but hard interrupts.
 */
void nflb_conn_ask(struct nflb_net *nn, struct nflb_conn *conn)
{
	struct nflb_tuple to;

	if (!READ_ONCE(nn->reject))
		return;
	nflb_tuple_invert(&to, &conn->in.tuple);
	tell(nn->net, &to, old_seq(conn, NFLB_DIR_OUT),
	     noted_seq(conn, NFLB_DIR_IN));
	/* Where the backend is not seen, the number of the SYN that made us ask may
	 * stand in its place, chosen to be within the client's window. No window
	 * has two numbers that are so far apart.
	 */
	if (conn->how & NFLB_HOW_ONE_SIDED)
		tell(nn->net, &to, old_seq(conn, NFLB_DIR_OUT) + BIT(31),
		     noted_seq(conn, NFLB_DIR_IN));
}
