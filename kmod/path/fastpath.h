/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The short way (fast.h) of packets in skbs: how their bytes are reached and changed,
 * and how they are sent. For PRE_ROUTING (pipeline.c) and the ingress hook.
 */
#ifndef NFLB_FASTPATH_H
#define NFLB_FASTPATH_H

#include "packet/mangle.h"
#include "packet/tcp_option.h"
#include "forward/encap.h"
#include "forward/gso.h"
#include "path/fast.h"

enum nflb_verdict nflb_fast_again(struct nflb_pkt *pkt, struct nflb_conn *conn,
				  enum nflb_dir dir);
bool nflb_fast_would(struct nflb_net *nn, struct sk_buff *skb, u8 family);

/* Are that many bytes linear? */
static __always_inline bool fast_linear(struct sk_buff *skb, unsigned int len)
{
	return likely(skb_headlen(skb) >= len) || pskb_may_pull(skb, len);
}

static __always_inline void *door_l3(const struct nflb_view *v)
{
	return v->skb->data;
}

static __always_inline unsigned int door_len(const struct nflb_view *v)
{
	return v->skb->len;
}

static __always_inline bool door_linear(struct nflb_view *v, unsigned int len)
{
	return fast_linear(v->skb, len);
}

static __always_inline void door_note_wire(struct nflb_pkt *pkt,
					   const struct nflb_view *v)
{
	if (unlikely(v->gso))
		pkt->wire = nflb_wire_of_gso(v->skb, v->l4, v->end);
	else
		pkt->wire.packets = 1;
}

static __always_inline bool door_fits(const struct nflb_view *v,
				      unsigned int mtu, bool encap)
{
	struct sk_buff *skb = v->skb;
	unsigned int type;

	/* At the ingress hook it is not set; a segment's length depends on it. */
	skb->transport_header = skb->network_header + v->l4;
	if (likely(!v->gso))
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

static __always_inline bool door_is_marked(const struct nflb_view *v)
{
	return v->skb->mark;
}

static __always_inline bool door_takes_options(const struct nflb_view *v)
{
	return true;
}

/* VLANs and tunnels want more room than a packet may have; then the skb's head moves. */
static __always_inline bool door_ready(struct nflb_view *v,
				       struct nflb_conn *conn, u8 to,
				       const struct nflb_plan *plan)
{
	unsigned int room = LL_RESERVED_SPACE(plan->neigh->dev);
	struct sk_buff *skb = v->skb;

	if (!hh_is_short(plan->neigh) ||
	    unlikely(skb_cloned(skb) && !skb_clone_writable(skb, v->end)))
		return false;
	return likely(skb_headroom(skb) >= room) || !skb_cow_head(skb, room);
}

static __always_inline void door_follow(struct nflb_pkt *pkt,
					const struct nflb_view *v,
					struct nflb_conn *conn,
					enum nflb_dir dir, u8 from, u32 now)
{
	bool moved = fast_moved(v, conn, dir, now);
	bool options = fast_has_options(v, dir);

	if (moved || options || fast_encapsulates(v))
		fast_fill(pkt, v, from);
	if (moved)
		nflb_conn_state_packet(conn, pkt, dir);
	else
		nflb_conn_touch(conn, now);
	if (options)
		nflb_tcp_scrub_address(pkt);
}

static __always_inline bool door_is_partial(const struct nflb_view *v)
{
	return check_is_partial(v->skb, fast_l4(v));
}

static __always_inline void door_mangled(const struct nflb_view *v)
{
	sum_forget(v->skb);
}

static __always_inline bool door_encap(struct nflb_pkt *pkt,
				       struct nflb_view *v,
				       struct nflb_conn *conn, u8 from, u8 to,
				       const struct nflb_plan *plan)
{
	return nflb_encap_push(pkt, conn, plan->dst, false) == NFLB_CONTINUE;
}

static __always_inline enum nflb_verdict
door_send(struct nflb_view *v, u8 to, const struct nflb_plan *plan)
{
	nflb_xmit_ready(v->nn, v->skb, to, plan->dst, plan->neigh);
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
	struct nflb_view v = { .skb = skb, .nn = nn, .gso = skb_is_gso(skb) };
	enum nflb_verdict verdict = NFLB_CONTINUE;
	u32 now = nflb_now();
	struct nflb_conn *conn;
	enum nflb_dir dir;

	if (unlikely(!fast_parse(&v, family))) {
		pkt->plain = false;
		return NFLB_CONTINUE;
	}
	conn = conn_lookup(nn, &v.key, family, &dir);
	if (likely(fast_takes(&v, conn, family, now))) {
		/* A packet that changes family by NAT is not steady. */
		if (unlikely(fast_encapsulates(&v) &&
			     conn->backend->family != family)) {
			fast_fill(pkt, &v, family);
			verdict = nflb_fast_again(pkt, conn, dir);
		} else {
			verdict = fast_forward(pkt, &v, conn, dir, family,
					       family, now);
		}
		if (likely(verdict != NFLB_CONTINUE))
			return verdict;
	}
	fast_fill(pkt, &v, family);
	pkt->plain = true;
	pkt->conn = conn;
	pkt->dir = dir;
	return NFLB_CONTINUE;
}

#endif /* NFLB_FASTPATH_H */
