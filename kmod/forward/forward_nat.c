// SPDX-License-Identifier: GPL-2.0
/*
 * Shared by modes dnat and fullnat: rewrite a packet to the tuple that the
 * other side knows, and send it on as a router does, or hand it to the host.
 */
#include <net/ip.h>
#include <net/ipv6.h>

#include "packet/dry.h"
#include "packet/mangle.h"
#include "packet/mtu.h"
#include "packet/tcp_option.h"
#include "forward/family.h"
#include "forward/forward_nat.h"
#include "forward/icmp.h"
#include "forward/icmp_reply.h"
#include "forward/proxy.h"
#include "forward/route.h"
#include "forward/tcp_seq.h"
#include "netns.h"

/* Of a connection with a local address, what the slow way is for. */
static bool needs_tcp(const struct nflb_pkt *pkt, const struct nflb_conn *conn)
{
	return nflb_conn_now(conn, NFLB_NOW_SEQ | NFLB_NOW_TOA) ||
	       conn->how & NFLB_HOW_PROXY ||
	       pkt->tcp_flags & NFLB_TCP_SYN;
}

/* The balancer's own headers and options, then sequence numbers. */
static enum nflb_verdict rewrite_payload(struct nflb_pkt *pkt,
					 struct nflb_conn *conn,
					 enum nflb_dir dir, unsigned int mtu)
{
	if (pkt->tuple.proto == IPPROTO_TCP) {
		if (dir == NFLB_DIR_IN)
			nflb_tcp_scrub_address(pkt);
		if (conn->how & NFLB_HOW_LADDR &&
		    unlikely(needs_tcp(pkt, conn)))
			return nflb_tcp_rewrite(pkt, conn, dir, mtu);
	} else if (unlikely(conn->how & NFLB_HOW_PROXY) && dir == NFLB_DIR_IN) {
		return nflb_proxy_udp(pkt, conn);
	}
	return NFLB_CONTINUE;
}

/* @mtu: the longest packet, in its present family */
static enum nflb_verdict rewrite(struct nflb_pkt *pkt, struct nflb_conn *conn,
				 enum nflb_dir dir, unsigned int mtu)
{
	/* The packet leaves with this tuple, inverted. */
	const struct nflb_tuple *to = nflb_conn_answer(conn, dir);
	enum nflb_verdict verdict;

	if (unlikely(pkt->kind == NFLB_KIND_ICMP_ERROR))
		return nflb_icmp_translate(pkt, conn, dir);
	verdict = rewrite_payload(pkt, conn, dir, mtu);
	if (unlikely(verdict != NFLB_CONTINUE))
		return verdict;
	if (unlikely(conn->how & NFLB_HOW_FAMILY))
		return nflb_family_rewrite(pkt, to);
	if (dir == NFLB_DIR_OUT || conn->how & NFLB_HOW_LADDR)
		nflb_mangle_ident(pkt, to);
	if (conn->how & NFLB_HOW_LADDR)
		nflb_mangle_tuple(pkt, to);
	else if (dir == NFLB_DIR_IN)
		nflb_mangle_end(pkt, NFLB_END_DST, &to->src, to->sport);
	else
		nflb_mangle_end(pkt, NFLB_END_SRC, &to->dst, to->dport);
	return NFLB_CONTINUE;
}

/* How long a packet may be as it is now, to fit when it leaves. */
static unsigned int mtu_of(const struct nflb_pkt *pkt,
			   const struct nflb_conn *conn, enum nflb_dir dir,
			   const struct dst_entry *dst)
{
	u8 family = nflb_conn_family(conn, dir);
	unsigned int mtu = nflb_route_mtu(dst, family);

	if (unlikely(conn->how & NFLB_HOW_FAMILY))
		mtu = nflb_family_mtu(pkt, mtu);
	if (unlikely(conn->how & NFLB_HOW_PROXY) && dir == NFLB_DIR_IN &&
	    pkt->tuple.proto == IPPROTO_UDP)
		mtu = nflb_mtu_less(mtu,
				    nflb_proxy_len(conn->in.tuple.family));
	return mtu;
}

/* Received, and to be forwarded, as by a router. */
static enum nflb_verdict nat_route(struct nflb_pkt *pkt,
				   struct nflb_conn *conn, enum nflb_dir dir,
				   struct dst_entry *dst)
{
	unsigned int mtu = mtu_of(pkt, conn, dir, dst);
	enum nflb_verdict verdict;

	/* Merged by hardware, it cannot be taken apart as it was. */
	if (unlikely(skb_warn_if_lro(pkt->skb)))
		return nflb_drop(pkt, NFLB_REASON_LRO);
	if (unlikely(nflb_ttl(pkt) <= 1))
		return nflb_ttl_exceeded(pkt);
	if (unlikely(nflb_exceeds_mtu(pkt, mtu)))
		return nflb_too_big(pkt, mtu);
	if (unlikely(nflb_mangle_writable(pkt)))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	verdict = rewrite(pkt, conn, dir, mtu);
	if (unlikely(verdict != NFLB_CONTINUE))
		return verdict;
	nflb_mangle_ttl(pkt);
	return nflb_xmit(pkt, dst);
}

/*
 * From or for a socket of this host, and its family changes: the hooks of the
 * old family cannot go on with it.
 */
static enum nflb_verdict local_other_family(struct nflb_pkt *pkt,
					    struct dst_entry *dst)
{
	struct sk_buff *skb = pkt->skb;

	if (!nflb_pkt_is_sent(pkt, dst, NULL))
		return NFLB_STOLEN;
	nflb_untrack(skb);
	skb_dst_drop(skb);
	skb_dst_set(skb, dst_clone(dst));
	if (nflb_pkt_is_local_out(pkt)) {
		dst_output(pkt->nn->net, skb->sk, skb);
		return NFLB_STOLEN;
	}
	/* Once more from the start, as by the loopback device: with the route,
	 * or the VIP as source would be a martian. It may be for another
	 * service that leads back here, so it is a hop.
	 */
	nflb_mangle_ttl(pkt);
	skb_clear_tstamp(skb);
	netif_rx(skb);
	return NFLB_STOLEN;
}

/*
 * From or for a socket of this host: rewrite, and let the stack go on. A client
 * on this host was routed to the VIP, a backend on it to the local address, so
 * their packets get their new route here.
 */
static enum nflb_verdict nat_local(struct nflb_pkt *pkt,
				   struct nflb_conn *conn, enum nflb_dir dir,
				   struct dst_entry *dst)
{
	const struct nflb_tuple *to = nflb_conn_answer(conn, dir);
	bool both = conn->how & NFLB_HOW_LADDR;
	bool local_out = nflb_pkt_is_local_out(pkt);
	enum nflb_verdict verdict;

	/* It goes round once more: local_other_family() */
	if (unlikely(!local_out && conn->how & NFLB_HOW_FAMILY &&
		     nflb_ttl(pkt) <= 1))
		return nflb_ttl_exceeded(pkt);
	if (nflb_mangle_writable(pkt))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	if (!local_out && (both || dir == NFLB_DIR_OUT) &&
	    !(conn->how & NFLB_HOW_FAMILY) &&
	    nflb_route_input_local(pkt, &to->src))
		return nflb_no_route(pkt);
	verdict = rewrite(pkt, conn, dir, mtu_of(pkt, conn, dir, dst));
	if (verdict != NFLB_CONTINUE)
		return verdict;
	if (unlikely(conn->how & NFLB_HOW_FAMILY))
		return local_other_family(pkt, dst);
	if (local_out && (both || dir == NFLB_DIR_IN)) {
		skb_dst_drop(pkt->skb);
		skb_dst_set(pkt->skb, dst_clone(dst));
	}
	nflb_untrack(pkt->skb);
	return NFLB_ACCEPT;
}

/**
 * nflb_nat_forward() - nflb_forward_ops.forward of dnat and fullnat
 * @pkt: the packet
 * @conn: its connection
 * @dir: its direction
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: any verdict
 * but NFLB_CONTINUE.
 */
enum nflb_verdict nflb_nat_forward(struct nflb_pkt *pkt,
				   struct nflb_conn *conn, enum nflb_dir dir)
{
	u8 family = nflb_conn_family(conn, dir);
	struct dst_entry *dst;

	dst = nflb_route(pkt, conn, dir);
	if (unlikely(!dst))
		return nflb_no_route(pkt);
	if (unlikely(nflb_pkt_is_local_out(pkt) ||
		     nflb_route_is_local(dst, family)))
		return nat_local(pkt, conn, dir, dst);
	return nat_route(pkt, conn, dir, dst);
}
