/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The short way, which almost all packets take: plain TCP and UDP packets of an
 * established flow, whose next hop is known and reachable. They are checked
 * first, then changed and sent. A packet that fails a check goes the long way
 * (pipeline.c) unchanged, and what is decided there is decided nowhere else.
 *
 * All of it is inline in the two hooks, once a family. What is here has to be
 * worth its instructions: docs/performance.md.
 */
#ifndef NFLB_FASTPATH_H
#define NFLB_FASTPATH_H

#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "datapath/conn_lookup.h"
#include "datapath/conn_state.h"
#include "datapath/encap.h"
#include "datapath/forward.h"
#include "datapath/mangle.h"
#include "datapath/mangle_tuple.h"
#include "datapath/route_fast.h"
#include "datapath/service.h"
#include "datapath/stats.h"
#include "datapath/tcp_option.h"
#include "netns.h"

unsigned int nflb_fast_tunnel_mtu(const struct nflb_conn *conn,
				  const struct dst_entry *dst, u8 family);
enum nflb_verdict nflb_fast_other(struct nflb_pkt *pkt, struct nflb_conn *conn,
				  enum nflb_dir dir, u8 family);

/* First byte of an IPv4 header without options */
#define IPV4_PLAIN 0x45

/* nflb_conn.nat for which a TCP segment, or a datagram, goes the long way. */
#define SLOW_TCP (NFLB_NAT_FAMILY | NFLB_NAT_SEQ | NFLB_NAT_TOA | \
		  NFLB_NAT_PROXY | NFLB_NAT_SYN_AGAIN)
#define SLOW_UDP (NFLB_NAT_FAMILY | NFLB_NAT_PROXY)

#define FLAGS_LOOKED_AT (NFLB_TCP_FIN | NFLB_TCP_SYN | NFLB_TCP_RST | \
			 NFLB_TCP_ACK)

static __always_inline bool fast_parse_l3(struct nflb_pkt *pkt, u8 family)
{
	struct nflb_tuple *t = &pkt->tuple;

	if (family == AF_INET) {
		const struct iphdr *iph = ip_hdr(pkt->skb);

		if (*(const u8 *)iph != IPV4_PLAIN || ip_is_fragment(iph))
			return false;
		nflb_addr_set_v4(&t->src, iph->saddr);
		nflb_addr_set_v4(&t->dst, iph->daddr);
		t->proto = iph->protocol;
		pkt->l4 = sizeof(*iph);
	} else {
		const struct ipv6hdr *ip6h = ipv6_hdr(pkt->skb);

		if (ip6h->version != 6)
			return false;
		t->src.in6 = ip6h->saddr;
		t->dst.in6 = ip6h->daddr;
		t->proto = ip6h->nexthdr;
		pkt->l4 = sizeof(*ip6h);
	}
	t->family = family;
	t->aux = 0;
	return true;
}

static __always_inline bool fast_parse_tcp(struct nflb_pkt *pkt)
{
	const struct tcphdr *th;

	if (unlikely(!pskb_may_pull(pkt->skb, pkt->l4 + sizeof(*th))))
		return false;
	th = (const struct tcphdr *)(pkt->skb->data + pkt->l4);
	pkt->tcp_doff = th->doff * 4;
	if (unlikely(pkt->tcp_doff < sizeof(*th) ||
		     !pskb_may_pull(pkt->skb, pkt->l4 + pkt->tcp_doff)))
		return false;
	th = (const struct tcphdr *)(pkt->skb->data + pkt->l4);
	pkt->tuple.sport = th->source;
	pkt->tuple.dport = th->dest;
	pkt->tcp_flags = tcp_flag_byte(th);
	pkt->tcp_seq = ntohl(th->seq);
	pkt->tcp_ack = ntohl(th->ack_seq);
	return true;
}

static __always_inline bool fast_parse_udp(struct nflb_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;
	const struct udphdr *uh;
	unsigned int len;

	if (unlikely(!pskb_may_pull(skb, pkt->l4 + sizeof(*uh))))
		return false;
	uh = (const struct udphdr *)(skb->data + pkt->l4);
	len = ntohs(uh->len);
	if (!skb_is_gso(skb) &&
	    (len < sizeof(*uh) || len > skb->len - pkt->l4))
		return false;
	pkt->tuple.sport = uh->source;
	pkt->tuple.dport = uh->dest;
	pkt->tcp_flags = 0;
	return true;
}

/*
 * The same as nflb_packet_parse() finds; false when the packet is not TCP or UDP
 * without extras: IP options, extension headers, fragments.
 */
static __always_inline bool fast_parse(struct nflb_pkt *pkt, u8 family)
{
	if (unlikely(!fast_parse_l3(pkt, family)))
		return false;
	pkt->kind = NFLB_KIND_FLOW;
	pkt->len = pkt->skb->len;
	if (pkt->tuple.proto == IPPROTO_TCP)
		return fast_parse_tcp(pkt);
	return likely(pkt->tuple.proto == IPPROTO_UDP) && fast_parse_udp(pkt);
}

/* Will the packet leave the connection's state as it is? */
static __always_inline bool fast_steady(const struct nflb_pkt *pkt, const struct nflb_conn *conn)
{
	u8 nat = READ_ONCE(conn->nat);

	if (pkt->tuple.proto == IPPROTO_UDP)
		return !(nat & SLOW_UDP);
	return READ_ONCE(conn->state) == NFLB_CONN_ESTABLISHED &&
	       (pkt->tcp_flags & FLAGS_LOOKED_AT) == NFLB_TCP_ACK &&
	       !(nat & SLOW_TCP);
}

static __always_inline unsigned int fast_header_len(const struct nflb_pkt *pkt)
{
	return pkt->l4 + (pkt->tuple.proto == IPPROTO_TCP ?
			  pkt->tcp_doff : sizeof(struct udphdr));
}

/* May headers be written, and @room bytes put in front of them? */
static __always_inline bool fast_writable(const struct nflb_pkt *pkt, unsigned int room)
{
	const struct sk_buff *skb = pkt->skb;

	if (unlikely(skb_cloned(skb) &&
		     !skb_clone_writable(skb, fast_header_len(pkt))))
		return false;
	return skb_headroom(skb) >= room;
}

/* @mtu: of a packet as it is now */
static __always_inline bool fast_fits(const struct sk_buff *skb, unsigned int mtu)
{
	if (likely(!skb_is_gso(skb)))
		return skb->len <= mtu;
	/* gso_type: not what hardware merged, which cannot be taken apart */
	return skb_shinfo(skb)->gso_type &&
	       (skb->len <= mtu || skb_gso_validate_network_len(skb, mtu));
}

static __always_inline void fast_follow(const struct nflb_pkt *pkt,
					struct nflb_conn *conn,
					enum nflb_dir dir)
{
	if (pkt->tuple.proto == IPPROTO_TCP)
		nflb_conn_state_packet(conn, pkt, dir);
	else
		nflb_conn_touch(conn, nflb_now());
}

/* @family: of the packet as it leaves, of its outer header if it gets one */
static __always_inline enum nflb_verdict
fast_forward(struct nflb_pkt *pkt, struct nflb_conn *conn, enum nflb_dir dir,
	     u8 family)
{
	const struct nflb_tuple *to = nflb_conn_answer(conn, dir);
	const struct net *net = pkt->nn->net;
	struct sk_buff *skb = pkt->skb;
	struct neighbour *neigh;
	struct dst_entry *dst;
	bool encap;

	dst = nflb_route_cached(net, conn, dir, family);
	if (unlikely(!dst))
		return NFLB_CONTINUE;
	encap = conn->forward > NFLB_FORWARD_DSR + NFLB_ENCAP_NONE;
	if (unlikely(!fast_fits(skb, encap ? nflb_fast_tunnel_mtu(conn, dst, family) :
			   nflb_route_mtu_fast(net, dst, family))))
		return NFLB_CONTINUE;
	neigh = nflb_neighbour_ready(dst, to, family,
				     conn->forward == NFLB_FORWARD_DSR);
	if (unlikely(!neigh ||
		     !fast_writable(pkt, LL_RESERVED_SPACE(neigh->dev))))
		return NFLB_CONTINUE;

	/* Nothing can go wrong from here on, but memory. */
	skb_set_transport_header(skb, pkt->l4);
	fast_follow(pkt, conn, dir);
	if (pkt->tuple.proto == IPPROTO_TCP && dir == NFLB_DIR_IN &&
	    pkt->tcp_doff > sizeof(struct tcphdr))
		nflb_tcp_scrub_address(pkt);
	if (conn->forward < NFLB_FORWARD_DSR)
		mangle_tuple(pkt, to, family);
	nflb_mangle_ttl(pkt);
	if (encap && unlikely(nflb_encap_push(pkt, conn, dst, false) !=
			      NFLB_CONTINUE))
		return NFLB_DROP;
	nflb_stats_packet(conn->backend->stats, dir, pkt->len);
	nflb_xmit_ready(pkt, family, dst, neigh);
	return NFLB_STOLEN;
}

/**
 * nflb_fast() - the short way
 * @pkt: a packet that was received; skb, nn and state are set, its network
 *	header is linear and was checked
 * @family: of the packet
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_STOLEN
 * when it is sent; NFLB_DROP with a reason; NFLB_CONTINUE when it has to go the
 * long way. Then nothing was changed, and when @pkt->plain says so, all of @pkt
 * is set as by nflb_packet_parse(), and the connection was looked up.
 */
static __always_inline enum nflb_verdict nflb_fast(struct nflb_pkt *pkt,
						   u8 family)
{
	struct nflb_conn *conn;
	enum nflb_dir dir;

	pkt->plain = fast_parse(pkt, family);
	if (unlikely(!pkt->plain))
		return NFLB_CONTINUE;
	conn = conn_lookup(pkt->nn, &pkt->tuple, &dir);
	pkt->conn = conn;
	if (unlikely(!conn))
		return NFLB_CONTINUE;
	pkt->dir = dir;
	if (unlikely(!nflb_conn_alive(conn, nflb_now()) ||
		     !fast_steady(pkt, conn) || nflb_ttl(pkt) <= 1))
		return NFLB_CONTINUE;
	if (unlikely(nflb_conn_answer(conn, dir)->family != family))
		return nflb_fast_other(pkt, conn, dir, family);
	return fast_forward(pkt, conn, dir, family);
}

#endif /* NFLB_FASTPATH_H */
