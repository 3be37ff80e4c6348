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

#include "packet/ident.h"
#include "packet/mangle.h"
#include "packet/mangle_tuple.h"
#include "packet/tcp_option.h"
#include "service/service.h"
#include "service/stats.h"
#include "conn/conn_lookup.h"
#include "conn/conn_state.h"
#include "forward/encap.h"
#include "forward/forward.h"
#include "forward/gso.h"
#include "forward/route_fast.h"
#include "netns.h"

unsigned int nflb_fast_tunnel_mtu(const struct nflb_conn *conn,
				  const struct dst_entry *dst, u8 family);
enum nflb_verdict nflb_fast_again(struct nflb_pkt *pkt, struct nflb_conn *conn,
				  enum nflb_dir dir);

/* First byte of an IPv4 header without options */
#define IPV4_PLAIN 0x45

/*
 * nflb_conn.how and .now for which a TCP segment, or a datagram, goes the long
 * way. So does a segment of what is not NFLB_NOW_ASSURED.
 */
#define SLOW_TCP_HOW (NFLB_HOW_FAMILY | NFLB_HOW_PROXY)
#define SLOW_TCP_NOW (NFLB_NOW_SEQ | NFLB_NOW_TOA | NFLB_NOW_SYN_AGAIN | \
		      NFLB_NOW_ASKED)
#define SLOW_UDP (NFLB_HOW_FAMILY | NFLB_HOW_PROXY)

#define FLAGS_LOOKED_AT (NFLB_TCP_FIN | NFLB_TCP_SYN | NFLB_TCP_RST | \
			 NFLB_TCP_ACK)

/**
 * struct nflb_fast_pkt - a packet on the short way
 * @skb: skb->data is its network header
 * @nn: the namespace
 * @key: its flow
 * @l4: offset of the transport header
 * @end: offset of what is behind it, TCP's options included
 * @word: nflb_conn.word as it was read once
 * @tcp_flags: NFLB_TCP_*, 0 for UDP
 * @gso: skb_is_gso()
 *
 * Less than struct nflb_pkt, and in registers: its address goes nowhere.
 */
struct nflb_fast_pkt {
	struct sk_buff		*skb;
	struct nflb_net		*nn;
	struct nflb_flow_key	key;
	unsigned int		l4;
	unsigned int		end;
	u32			word;
	u8			tcp_flags;
	bool			gso;
};

static __always_inline bool fast_is_tcp(const struct nflb_fast_pkt *f)
{
	return f->key.proto == IPPROTO_TCP;
}

/* What has to be linear: the network header, and the shortest behind it. */
#define FAST_LEN_V4 (sizeof(struct iphdr) + sizeof(struct udphdr))
#define FAST_LEN_V6 (sizeof(struct ipv6hdr) + sizeof(struct udphdr))

/* Are that many bytes linear? */
static __always_inline bool fast_linear(struct sk_buff *skb, unsigned int len)
{
	return likely(skb_headlen(skb) >= len) || pskb_may_pull(skb, len);
}

/* All of @pkt, as nflb_packet_parse() does it; nothing was written yet. */
static __always_inline void fast_fill(struct nflb_pkt *pkt,
				      const struct nflb_fast_pkt *f, u8 family)
{
	struct nflb_tuple *t = &pkt->tuple;
	const struct tcphdr *th;

	if (family == AF_INET) {
		nflb_addr_set_v4(&t->src, (__force __be32)(u32)f->key.src[0]);
		nflb_addr_set_v4(&t->dst, (__force __be32)(u32)f->key.dst[0]);
	} else {
		t->src.words[0] = f->key.src[0];
		t->src.words[1] = f->key.src[1];
		t->dst.words[0] = f->key.dst[0];
		t->dst.words[1] = f->key.dst[1];
	}
	*(u32 *)&t->sport = f->key.ports;
	t->proto = f->key.proto;
	t->family = family;
	t->aux = 0;
	pkt->kind = NFLB_KIND_FLOW;
	pkt->l4 = f->l4;
	pkt->len = f->skb->len;
	pkt->tcp_flags = f->tcp_flags;
	if (!fast_is_tcp(f))
		return;
	th = (const struct tcphdr *)(f->skb->data + f->l4);
	pkt->tcp_doff = f->end - f->l4;
	pkt->tcp_seq = ntohl(th->seq);
	pkt->tcp_ack = ntohl(th->ack_seq);
}

static __always_inline bool fast_parse_tcp(struct nflb_fast_pkt *f)
{
	const struct tcphdr *th;

	if (unlikely(!fast_linear(f->skb, f->l4 + sizeof(*th))))
		return false;
	th = (const struct tcphdr *)(f->skb->data + f->l4);
	f->end = f->l4 + th->doff * 4;
	if (unlikely(f->end < f->l4 + sizeof(*th) ||
		     !fast_linear(f->skb, f->end)))
		return false;
	th = (const struct tcphdr *)(f->skb->data + f->l4);
	f->tcp_flags = tcp_flag_byte(th);
	return true;
}

static __always_inline bool fast_parse_udp(struct nflb_fast_pkt *f)
{
	const struct udphdr *uh;
	unsigned int len;

	uh = (const struct udphdr *)(f->skb->data + f->l4);
	len = ntohs(uh->len);
	f->end = f->l4 + sizeof(*uh);
	f->tcp_flags = 0;
	return f->gso || (len >= sizeof(*uh) && len <= f->skb->len - f->l4);
}

/*
 * The same as nflb_packet_parse() finds; false when the packet is not TCP or UDP
 * without extras: IP options, extension headers, fragments.
 */
static __always_inline bool fast_parse(struct nflb_fast_pkt *f, u8 family)
{
	unsigned int l4 = family == AF_INET ? sizeof(struct iphdr) :
					      sizeof(struct ipv6hdr);
	struct sk_buff *skb = f->skb;
	void *l3 = skb->data;

	if (family == AF_INET) {
		const struct iphdr *iph = l3;

		if (*(const u8 *)iph != IPV4_PLAIN || ip_is_fragment(iph))
			return false;
		f->key.src[0] = (__force u32)iph->saddr;
		f->key.dst[0] = (__force u32)iph->daddr;
		f->key.proto = iph->protocol;
	} else {
		const struct ipv6hdr *ip6h = l3;

		if (ip6h->version != 6)
			return false;
		f->key.src[0] = get_unaligned((const u64 *)&ip6h->saddr);
		f->key.src[1] = get_unaligned((const u64 *)&ip6h->saddr + 1);
		f->key.dst[0] = get_unaligned((const u64 *)&ip6h->daddr);
		f->key.dst[1] = get_unaligned((const u64 *)&ip6h->daddr + 1);
		f->key.proto = ip6h->nexthdr;
	}
	/* TCP and UDP both begin with them. */
	f->key.ports = get_unaligned((const u32 *)(l3 + l4));
	f->l4 = l4;
	f->gso = skb_is_gso(skb);
	if (fast_is_tcp(f))
		return fast_parse_tcp(f);
	return likely(f->key.proto == IPPROTO_UDP) && fast_parse_udp(f);
}

/* Is any of these bits of the connection's how and now set? */
static __always_inline bool fast_any(const struct nflb_fast_pkt *f, u8 how,
				     u8 now)
{
	return f->word & nflb_conn_word_of(0, how, now);
}

/* enum nflb_forward_id */
static __always_inline u8 fast_forward_id(const struct nflb_fast_pkt *f)
{
	return nflb_conn_word_how(f->word) & NFLB_HOW_FORWARD;
}

static __always_inline bool fast_encapsulates(const struct nflb_fast_pkt *f)
{
	return fast_forward_id(f) > NFLB_FORWARD_DSR + NFLB_ENCAP_NONE;
}

/* Will the packet leave the connection's state as it is? Reads @f->word. */
static __always_inline bool fast_steady(struct nflb_fast_pkt *f,
					const struct nflb_conn *conn)
{
	f->word = atomic_read(&conn->word);
	if (!fast_is_tcp(f))
		return (f->word & nflb_conn_word_of(U8_MAX, SLOW_UDP, 0)) ==
		       nflb_conn_word_of(NFLB_CONN_UDP, 0, 0);
	return (f->tcp_flags & FLAGS_LOOKED_AT) == NFLB_TCP_ACK &&
	       (f->word & nflb_conn_word_of(U8_MAX, SLOW_TCP_HOW,
					    SLOW_TCP_NOW | NFLB_NOW_ASSURED)) ==
	       nflb_conn_word_of(NFLB_CONN_ESTABLISHED, 0, NFLB_NOW_ASSURED);
}

static __always_inline u8 fast_ttl(const struct nflb_fast_pkt *f, u8 family)
{
	const void *l3 = f->skb->data;

	return family == AF_INET ? ((const struct iphdr *)l3)->ttl :
				   ((const struct ipv6hdr *)l3)->hop_limit;
}

/* One hop less */
static __always_inline void fast_hop(const struct nflb_fast_pkt *f, u8 family)
{
	void *l3 = f->skb->data;

	if (family == AF_INET)
		ip_decrease_ttl(l3);
	else
		((struct ipv6hdr *)l3)->hop_limit--;
}

/*
 * May headers be written, and @room bytes put in front of them? VLANs and tunnels
 * want more than a packet may have; then the skb's head moves.
 */
static __always_inline bool fast_writable(const struct nflb_fast_pkt *f,
					  unsigned int room)
{
	struct sk_buff *skb = f->skb;

	if (unlikely(skb_cloned(skb) && !skb_clone_writable(skb, f->end)))
		return false;
	return likely(skb_headroom(skb) >= room) || !skb_cow_head(skb, room);
}

/*
 * @mtu: of a packet as it is now
 * @encap: it gets more headers
 */
static __always_inline bool fast_fits(const struct nflb_fast_pkt *f,
				      unsigned int mtu, bool encap)
{
	const struct sk_buff *skb = f->skb;
	unsigned int type;

	if (likely(!f->gso))
		return skb->len <= mtu;
	/* Not what hardware merged, which cannot be taken apart; and not what may
	 * have to be segmented first, nflb_may_rewrite_gso().
	 */
	type = skb_shinfo(skb)->gso_type;
	if (unlikely(!type || type & SKB_GSO_FRAGLIST ||
		     (encap && (skb->encapsulation || nflb_gso_is_big(skb)))))
		return false;
	return skb->len <= mtu || skb_gso_validate_network_len(skb, mtu);
}

/* Is there something new for nflb_conn_state_packet()? */
static __always_inline bool fast_moved(const struct nflb_fast_pkt *f,
				       const struct nflb_conn *conn,
				       enum nflb_dir dir, u32 now)
{
	const struct tcphdr *th = (const struct tcphdr *)(f->skb->data + f->l4);

	if (!fast_is_tcp(f))
		return unlikely(!fast_any(f, 0, NFLB_NOW_ASSURED) &&
				nflb_conn_udp_news(conn, dir, now));
	return unlikely(nflb_conn_seq_moved(conn, dir, ntohl(th->seq),
					    ntohl(th->ack_seq)));
}

/* May it have an option that tells the client's address? */
static __always_inline bool fast_has_options(const struct nflb_fast_pkt *f,
					     enum nflb_dir dir)
{
	return fast_is_tcp(f) && dir == NFLB_DIR_IN &&
	       f->end - f->l4 > sizeof(struct tcphdr);
}

/*
 * @from: family of the packet as it is
 * @to: as it leaves, of its outer header if it gets one
 * @now: nflb_now()
 */
static __always_inline enum nflb_verdict
fast_forward(struct nflb_pkt *pkt, const struct nflb_fast_pkt *f,
	     struct nflb_conn *conn, enum nflb_dir dir, u8 from, u8 to, u32 now)
{
	const struct net *net = f->nn->net;
	struct sk_buff *skb = f->skb;
	unsigned int len = skb->len;
	bool encap = fast_encapsulates(f), moved, options;
	u8 forward = fast_forward_id(f);
	struct neighbour *neigh;
	struct dst_entry *dst;

	dst = nflb_route_cached(net, conn, dir, to);
	if (unlikely(!dst))
		return NFLB_CONTINUE;
	/* At the ingress hook it is not set; a segment's length depends on it. */
	skb->transport_header = skb->network_header + f->l4;
	if (unlikely(!fast_fits(f, encap ? nflb_fast_tunnel_mtu(conn, dst, to) :
				nflb_route_mtu_fast(net, dst, to), encap)))
		return NFLB_CONTINUE;
	neigh = nflb_neighbour_ready(dst, dir == NFLB_DIR_IN ?
				     &conn->backend->addr : &conn->in.tuple.src,
				     to, forward == NFLB_FORWARD_DSR);
	if (unlikely(!neigh || !fast_writable(f, LL_RESERVED_SPACE(neigh->dev))))
		return NFLB_CONTINUE;

	/* Nothing can go wrong from here on, but memory. */
	moved = fast_moved(f, conn, dir, now);
	options = fast_has_options(f, dir);
	if (moved || options || encap)
		fast_fill(pkt, f, from);
	if (moved)
		nflb_conn_state_packet(conn, pkt, dir);
	else
		nflb_conn_touch(conn, now);
	if (options)
		nflb_tcp_scrub_address(pkt);
	if (forward < NFLB_FORWARD_DSR) {
		const struct nflb_tuple *answer = nflb_conn_answer(conn, dir);
		u32 more = 0;

		if (from == AF_INET && (dir == NFLB_DIR_OUT ||
					fast_any(f, NFLB_HOW_LADDR, 0)))
			more = nflb_ident_renew(f->nn, skb, ip_hdr(skb),
						*(const u32 *)&answer->sport);
		mangle_tuple(skb, skb->data, skb->data + f->l4, f->key.proto,
			     answer, from, true, more);
	} else {
		fast_hop(f, from);
	}
	if (encap && unlikely(nflb_encap_push(pkt, conn, dst, false) !=
			      NFLB_CONTINUE))
		return NFLB_DROP;
	nflb_stats_packet(conn->backend->stats, dir, len);
	nflb_xmit_ready(f->nn, skb, to, dst, neigh);
	return NFLB_STOLEN;
}

/**
 * nflb_fast() - the short way
 * @pkt: the packet; skb, nn and state are set
 * @skb: the same as in @pkt; was received; its network header is skb->data, and
 *	was checked; FAST_LEN_V4 or FAST_LEN_V6 bytes are linear
 * @nn: the same as in @pkt
 * @family: of the packet
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_STOLEN
 * when it is sent; NFLB_DROP with a reason; NFLB_CONTINUE when it has to go the
 * long way. Then nothing was changed, and when @pkt->plain says so, all of @pkt
 * is set as by nflb_packet_parse(), and the connection was looked up.
 */
static __always_inline enum nflb_verdict
nflb_fast(struct nflb_pkt *pkt, struct sk_buff *skb, struct nflb_net *nn,
	  u8 family)
{
	struct nflb_fast_pkt f = { .skb = skb, .nn = nn };
	enum nflb_verdict verdict = NFLB_CONTINUE;
	u32 now = nflb_now();
	struct nflb_conn *conn;
	enum nflb_dir dir;

	if (unlikely(!fast_parse(&f, family))) {
		pkt->plain = false;
		return NFLB_CONTINUE;
	}
	conn = conn_lookup(nn, &f.key, family, &dir);
	if (likely(conn && fast_steady(&f, conn) &&
		   nflb_conn_lasts(conn, now) && fast_ttl(&f, family) > 1)) {
		/* What changes family by NAT is not steady. */
		if (unlikely(fast_encapsulates(&f) &&
			     conn->backend->family != family)) {
			fast_fill(pkt, &f, family);
			verdict = nflb_fast_again(pkt, conn, dir);
		} else {
			verdict = fast_forward(pkt, &f, conn, dir, family,
					       family, now);
		}
		if (likely(verdict != NFLB_CONTINUE))
			return verdict;
	}
	fast_fill(pkt, &f, family);
	pkt->plain = true;
	pkt->conn = conn;
	pkt->dir = dir;
	return NFLB_CONTINUE;
}

#endif /* NFLB_FASTPATH_H */
