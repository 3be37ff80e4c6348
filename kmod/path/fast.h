/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The short way, which almost all packets take: plain TCP and UDP packets of an
 * established flow, whose next hop is known and reachable. They are checked
 * (fast_decide()), then changed and sent, in one order of stages for every buffer that
 * a packet may be in. A packet that fails a check goes the long way (pipeline.c)
 * unchanged, and what is decided there is decided nowhere else.
 *
 * This is a template. Who includes it defines the door: the functions that are
 * declared here, which reach and change the buffer. All of it is inline in each door,
 * once a family, so it has to be worth its instructions: docs/performance-appendix.md.
 */
#ifndef NFLB_FAST_H
#define NFLB_FAST_H

#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "packet/ident.h"
#include "packet/mangle_tuple.h"
#include "service/service.h"
#include "service/stats.h"
#include "conn/conn_lookup.h"
#include "conn/conn_state.h"
#include "forward/encap.h"
#include "forward/forward.h"
#include "forward/route_fast.h"
#include "forward/way.h"
#include "netns.h"

unsigned int nflb_fast_tunnel_mtu(const struct nflb_conn *conn,
				  const struct dst_entry *dst, u8 family);

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

/* Bytes that must be linear: the network header and the shortest transport header */
#define FAST_LEN_V4 (sizeof(struct iphdr) + sizeof(struct udphdr))
#define FAST_LEN_V6 (sizeof(struct ipv6hdr) + sizeof(struct udphdr))

/**
 * struct nflb_view - a packet on the short way
 * @skb: its buffer, at the doors of skbs
 * @xdp: its buffer, at the door of XDP
 * @l3: its network header, at the door of XDP
 * @len: network-layer bytes, at the door of XDP
 * @linear: how many bytes from @l3 on are in one piece, at the door of XDP
 * @action: the driver's action, from door_send() of XDP
 * @nn: the namespace
 * @key: its flow
 * @l4: offset of the transport header
 * @end: offset of the payload, behind TCP's options
 * @word: nflb_conn.word as it was read once
 * @tcp_flags: NFLB_TCP_*, 0 for UDP
 * @gso: it stands for several
 *
 * Less than struct nflb_pkt, and in registers: its address goes nowhere, and members
 * that a door has no use for cost nothing.
 */
struct nflb_view {
	struct sk_buff		*skb;
	struct xdp_buff		*xdp;
	void			*l3;
	unsigned int		len;
	unsigned int		linear;
	int			action;
	struct nflb_net		*nn;
	struct nflb_flow_key	key;
	unsigned int		l4;
	unsigned int		end;
	u32			word;
	u8			tcp_flags;
	bool			gso;
};

/**
 * struct nflb_plan - how a packet leaves
 * @dst: its route, without a reference
 * @neigh: the neighbour that it goes to, without a reference
 */
struct nflb_plan {
	struct dst_entry	*dst;
	struct neighbour	*neigh;
};

/* --- the door: who includes this defines these */

/* The network header; it moves when door_linear() or door_ready() say so. */
static __always_inline void *door_l3(const struct nflb_view *v);
/* Bytes from there on */
static __always_inline unsigned int door_len(const struct nflb_view *v);
/* Are so many bytes in one piece? May move them. */
static __always_inline bool door_linear(struct nflb_view *v, unsigned int len);
/* Has it a mark, which rules of routing look at? */
static __always_inline bool door_is_marked(const struct nflb_view *v);
/* Note what it is on the wire, the bytes only if it is merged. Nothing was written yet.
 * XDP has no @pkt, and no merged packets.
 */
static __always_inline void door_note_wire(struct nflb_pkt *pkt,
					   const struct nflb_view *v);
/* Is it no longer than @mtu? @encap: it gets more headers. */
static __always_inline bool door_fits(const struct nflb_view *v,
				      unsigned int mtu, bool encap);
/* Is the door up to these TCP options of a client, which might tell an address? */
static __always_inline bool door_takes_options(const struct nflb_view *v);
/* May headers be written, and does it get out this way? The last thing asked. */
static __always_inline bool door_ready(struct nflb_view *v,
				       struct nflb_conn *conn, u8 to,
				       const struct nflb_plan *plan);
/* Follow the connection's state; and take the options away that tell an address. */
static __always_inline void door_follow(struct nflb_pkt *pkt,
					const struct nflb_view *v,
					struct nflb_conn *conn,
					enum nflb_dir dir, u8 from, u32 now);
/* Is the transport checksum not complete yet? check_is_partial() */
static __always_inline bool door_is_partial(const struct nflb_view *v);
/* Both ends were rewritten. */
static __always_inline void door_mangled(const struct nflb_view *v);
/* Put outer headers in front of it; false: it is to be dropped, with a reason. */
static __always_inline bool door_encap(struct nflb_pkt *pkt,
				       struct nflb_view *v,
				       struct nflb_conn *conn, u8 from, u8 to,
				       const struct nflb_plan *plan);
/* Send it. */
static __always_inline enum nflb_verdict
door_send(struct nflb_view *v, u8 to, const struct nflb_plan *plan);

/* --- parsed fields of a packet */

static __always_inline bool fast_is_tcp(const struct nflb_view *v)
{
	return v->key.proto == IPPROTO_TCP;
}

static __always_inline void *fast_l4(const struct nflb_view *v)
{
	return door_l3(v) + v->l4;
}

/* All of @pkt, as nflb_packet_parse() does it; nothing was written yet. */
static __always_inline void fast_fill(struct nflb_pkt *pkt,
				      const struct nflb_view *v, u8 family)
{
	struct nflb_tuple *t = &pkt->tuple;
	const struct tcphdr *th;

	if (family == AF_INET) {
		nflb_addr_set_v4(&t->src, (__force __be32)(u32)v->key.src[0]);
		nflb_addr_set_v4(&t->dst, (__force __be32)(u32)v->key.dst[0]);
	} else {
		t->src.words[0] = v->key.src[0];
		t->src.words[1] = v->key.src[1];
		t->dst.words[0] = v->key.dst[0];
		t->dst.words[1] = v->key.dst[1];
	}
	*(u32 *)&t->sport = v->key.ports;
	t->proto = v->key.proto;
	t->family = family;
	t->aux = 0;
	pkt->kind = NFLB_KIND_FLOW;
	pkt->quiet = false;
	pkt->l4 = v->l4;
	pkt->len = door_len(v);
	pkt->tcp_flags = v->tcp_flags;
	if (!fast_is_tcp(v))
		return;
	th = fast_l4(v);
	pkt->tcp_doff = v->end - v->l4;
	pkt->tcp_seq = ntohl(th->seq);
	pkt->tcp_ack = ntohl(th->ack_seq);
}

static __always_inline bool fast_parse_tcp(struct nflb_view *v)
{
	const struct tcphdr *th;

	if (unlikely(!door_linear(v, v->l4 + sizeof(*th))))
		return false;
	th = fast_l4(v);
	v->end = v->l4 + th->doff * 4;
	if (unlikely(v->end < v->l4 + sizeof(*th) || !door_linear(v, v->end)))
		return false;
	th = fast_l4(v);
	v->tcp_flags = tcp_flag_byte(th);
	return true;
}

static __always_inline bool fast_parse_udp(struct nflb_view *v)
{
	const struct udphdr *uh = fast_l4(v);
	unsigned int len = ntohs(uh->len);

	v->end = v->l4 + sizeof(*uh);
	v->tcp_flags = 0;
	return v->gso || (len >= sizeof(*uh) && len <= door_len(v) - v->l4);
}

/*
 * The same as nflb_packet_parse() finds; false when the packet is not TCP or UDP
 * without extras: IP options, extension headers, fragments.
 */
static __always_inline bool fast_parse(struct nflb_view *v, u8 family)
{
	unsigned int l4 = family == AF_INET ? sizeof(struct iphdr) :
					      sizeof(struct ipv6hdr);
	void *l3 = door_l3(v);

	if (family == AF_INET) {
		const struct iphdr *iph = l3;

		if (*(const u8 *)iph != IPV4_PLAIN || ip_is_fragment(iph))
			return false;
		v->key.src[0] = (__force u32)iph->saddr;
		v->key.dst[0] = (__force u32)iph->daddr;
		v->key.proto = iph->protocol;
	} else {
		const struct ipv6hdr *ip6h = l3;

		if (ip6h->version != 6)
			return false;
		v->key.src[0] = get_unaligned((const u64 *)&ip6h->saddr);
		v->key.src[1] = get_unaligned((const u64 *)&ip6h->saddr + 1);
		v->key.dst[0] = get_unaligned((const u64 *)&ip6h->daddr);
		v->key.dst[1] = get_unaligned((const u64 *)&ip6h->daddr + 1);
		v->key.proto = ip6h->nexthdr;
	}
	/* TCP and UDP both begin with them. */
	v->key.ports = get_unaligned((const u32 *)(l3 + l4));
	v->l4 = l4;
	if (fast_is_tcp(v))
		return fast_parse_tcp(v);
	return likely(v->key.proto == IPPROTO_UDP) && fast_parse_udp(v);
}

/* Is any of these bits of the connection's how and now set? */
static __always_inline bool fast_any(const struct nflb_view *v, u8 how, u8 now)
{
	return v->word & nflb_conn_word_of(0, how, now);
}

/* enum nflb_forward_id */
static __always_inline u8 fast_forward_id(const struct nflb_view *v)
{
	return nflb_conn_word_how(v->word) & NFLB_HOW_FORWARD;
}

static __always_inline bool fast_encapsulates(const struct nflb_view *v)
{
	return fast_forward_id(v) > NFLB_FORWARD_DSR + NFLB_ENCAP_NONE;
}

static __always_inline u8 fast_ttl(const struct nflb_view *v, u8 family)
{
	const void *l3 = door_l3(v);

	return family == AF_INET ? ((const struct iphdr *)l3)->ttl :
				   ((const struct ipv6hdr *)l3)->hop_limit;
}

/* May it have an option that tells the client's address? */
static __always_inline bool fast_has_options(const struct nflb_view *v,
					     enum nflb_dir dir)
{
	return fast_is_tcp(v) && dir == NFLB_DIR_IN &&
	       v->end - v->l4 > sizeof(struct tcphdr);
}

/* Is there something new for nflb_conn_state_packet()? */
static __always_inline bool fast_moved(const struct nflb_view *v,
				       const struct nflb_conn *conn,
				       enum nflb_dir dir, u32 now)
{
	const struct tcphdr *th = fast_l4(v);

	if (!fast_is_tcp(v))
		return unlikely(!fast_any(v, 0, NFLB_NOW_ASSURED) &&
				nflb_conn_udp_news(conn, dir, now));
	return unlikely(nflb_conn_seq_moved(conn, dir, ntohl(th->seq),
					    ntohl(th->ack_seq)));
}

/* --- decide: nothing is written */

/* Will the packet leave the connection's state as it is? Reads @v->word. */
static __always_inline bool fast_steady(struct nflb_view *v,
					const struct nflb_conn *conn)
{
	v->word = atomic_read(&conn->word);
	if (!fast_is_tcp(v))
		return (v->word & nflb_conn_word_of(U8_MAX, SLOW_UDP, 0)) ==
		       nflb_conn_word_of(NFLB_CONN_UDP, 0, 0);
	return (v->tcp_flags & FLAGS_LOOKED_AT) == NFLB_TCP_ACK &&
	       (v->word & nflb_conn_word_of(U8_MAX, SLOW_TCP_HOW,
					    SLOW_TCP_NOW | NFLB_NOW_ASSURED)) ==
	       nflb_conn_word_of(NFLB_CONN_ESTABLISHED, 0, NFLB_NOW_ASSURED);
}

/* May a packet of @conn, which may be NULL, take the short way at all? */
static __always_inline bool fast_takes(struct nflb_view *v,
				       const struct nflb_conn *conn, u8 family,
				       u32 now)
{
	return likely(conn) && fast_steady(v, conn) &&
	       nflb_conn_lasts(conn, now) && fast_ttl(v, family) > 1;
}

/* Rules do not look at ECN (RFC 3168). */
static __always_inline bool fast_has_dscp(const struct nflb_view *v, u8 family)
{
	void *l3 = door_l3(v);
	u8 dsfield = family == AF_INET ? ((const struct iphdr *)l3)->tos :
					 ipv6_get_dsfield(l3);

	return dsfield & ~INET_ECN_MASK;
}

/* By the way of its backend, as nflb_route_renew() has it */
static __always_inline bool fast_plan_way(const struct nflb_view *v,
					  const struct nflb_conn *conn, u8 from,
					  u8 to, struct nflb_plan *plan)
{
	const struct nflb_way *way;

	if (unlikely(door_is_marked(v) || fast_has_dscp(v, from)))
		return false;
	way = nflb_way_good(v->nn->net, conn->backend, to);
	if (unlikely(!way || (fast_forward_id(v) == NFLB_FORWARD_DSR &&
			      way->gateway)))
		return false;
	plan->dst = way->dst;
	plan->neigh = way->neigh;
	return true;
}

/* By the route that it has itself */
static __always_inline bool fast_plan_own(const struct nflb_view *v,
					  struct nflb_conn *conn,
					  enum nflb_dir dir, u8 to,
					  struct nflb_plan *plan)
{
	plan->dst = nflb_route_cached(v->nn->net, conn, dir, to);
	if (unlikely(!plan->dst))
		return false;
	plan->neigh = nflb_neighbour_ready(plan->dst, dir == NFLB_DIR_IN ?
					   &conn->backend->addr :
					   &conn->in.tuple.src, to,
					   fast_forward_id(v) ==
					   NFLB_FORWARD_DSR);
	return likely(plan->neigh);
}

/* How long may it be, to go into a tunnel? Almost always nothing bounds that. */
static __always_inline unsigned int
fast_tunnel_mtu(const struct nflb_view *v, const struct nflb_conn *conn,
		const struct dst_entry *dst, u8 to)
{
	u8 encap = fast_forward_id(v) - NFLB_FORWARD_DSR;
	unsigned int overhead = nflb_encap_overhead(encap, to);
	unsigned int mtu = nflb_route_pmtu_fast(dst, to);

	if (likely(mtu >= IPV6_MIN_MTU + overhead))
		return mtu - overhead;
	return nflb_fast_tunnel_mtu(conn, dst, to);
}

/*
 * How does the packet leave? False when only the long way can tell.
 *
 * @from: its family
 * @to: its family as it leaves, of its outer header if it gets one
 */
static __always_inline bool fast_decide(struct nflb_view *v,
					struct nflb_conn *conn,
					enum nflb_dir dir, u8 from, u8 to,
					struct nflb_plan *plan)
{
	const struct net *net = v->nn->net;
	bool encap = fast_encapsulates(v);

	if (dir == NFLB_DIR_IN &&
	    likely(!rcu_access_pointer(*nflb_conn_dst(conn, dir)))) {
		if (!fast_plan_way(v, conn, from, to, plan))
			return false;
	} else if (!fast_plan_own(v, conn, dir, to, plan)) {
		return false;
	}
	if (unlikely(!door_fits(v, encap ?
				fast_tunnel_mtu(v, conn, plan->dst, to) :
				nflb_route_mtu_fast(net, plan->dst, to), encap)))
		return false;
	if (fast_has_options(v, dir) && !door_takes_options(v))
		return false;
	return likely(door_ready(v, conn, to, plan));
}

/* --- apply: nothing can go wrong any more, but memory */

/* One hop less */
static __always_inline void fast_hop(const struct nflb_view *v, u8 family)
{
	void *l3 = door_l3(v);

	if (family == AF_INET)
		ip_decrease_ttl(l3);
	else
		((struct ipv6hdr *)l3)->hop_limit--;
}

/* Rewrite the headers: by NAT both ends, else a hop less. */
static __always_inline void fast_apply(struct nflb_view *v,
				       struct nflb_conn *conn,
				       enum nflb_dir dir, u8 family)
{
	const struct nflb_tuple *answer;
	u32 more = 0;

	if (fast_forward_id(v) >= NFLB_FORWARD_DSR) {
		fast_hop(v, family);
		return;
	}
	answer = nflb_conn_answer(conn, dir);
	if (family == AF_INET && (dir == NFLB_DIR_OUT ||
				  fast_any(v, NFLB_HOW_LADDR, 0)))
		more = nflb_ident_renew(v->nn, v->skb, door_l3(v), door_len(v),
					*(const u32 *)&answer->sport);
	mangle_tuple(door_l3(v), fast_l4(v), v->key.proto, door_is_partial(v),
		     answer, family, true, more);
	door_mangled(v);
}

/*
 * @pkt: for functions that need more than a view; the door's
 * @from: family of the packet as it is
 * @to: as it leaves, of its outer header if it gets one
 * @now: nflb_now()
 */
static __always_inline enum nflb_verdict
fast_forward(struct nflb_pkt *pkt, struct nflb_view *v, struct nflb_conn *conn,
	     enum nflb_dir dir, u8 from, u8 to, u32 now)
{
	unsigned int len = door_len(v);
	struct nflb_plan plan;

	if (!fast_decide(v, conn, dir, from, to, &plan))
		return NFLB_CONTINUE;
	door_note_wire(pkt, v);
	door_follow(pkt, v, conn, dir, from, now);
	fast_apply(v, conn, dir, from);
	if (fast_encapsulates(v) &&
	    unlikely(!door_encap(pkt, v, conn, from, to, &plan))) {
		nflb_stats_drop(conn->backend->stats,
				v->gso ? pkt->wire.packets : 1);
		return NFLB_DROP;
	}
	if (unlikely(v->gso))
		nflb_stats_packet(conn->backend->stats, dir, pkt->wire);
	else
		nflb_stats_packet(conn->backend->stats, dir,
				  (struct nflb_wire){ len, 1 });
	return door_send(v, to, &plan);
}

/* Would fast_forward() take it? Changes no packet and no connection. */
static __always_inline bool fast_would(struct nflb_view *v, u8 family)
{
	u32 now = nflb_now();
	struct nflb_plan plan;
	struct nflb_conn *conn;
	enum nflb_dir dir;

	if (!fast_parse(v, family))
		return false;
	conn = conn_lookup(v->nn, &v->key, family, &dir);
	return fast_takes(v, conn, family, now) &&
	       fast_decide(v, conn, dir, family, fast_encapsulates(v) ?
			   conn->backend->family : family, &plan);
}

#endif /* NFLB_FAST_H */
