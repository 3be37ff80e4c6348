// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that stand for several (GRO, or a sender that leaves segmentation to the
 * device): they are rewritten whole where whoever segments them makes of it what
 * it would be of each. Else they are segmented here first.
 */
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "service/stats.h"
#include "forward/gso.h"
#include "netns.h"

/* Timestamps and their padding: no option that matters here. */
#define ONLY_TIMESTAMP	(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 | \
			 TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP)

/**
 * nflb_may_rewrite_gso() - may a packet be rewritten whole?
 * @pkt: the packet
 * @what: NFLB_REWRITE_*
 *
 * A list of packets as they arrived (SKB_GSO_FRAGLIST) is given its addresses and
 * ports by the kernel when it is taken apart, and nothing else; not even those,
 * for UDP over IPv6 before 6.10. A tunnel's packet has one pair of inner headers,
 * which are taken; and one of more than 64 KiB is as long as no outer header can
 * say.
 *
 * Return: false when it has to be segmented first.
 */
bool nflb_may_rewrite_gso(const struct nflb_pkt *pkt, unsigned int what)
{
	const struct sk_buff *skb = pkt->skb;

	if (!skb_is_gso(skb) || !what)
		return true;
	if (skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST &&
	    (what != NFLB_REWRITE_ENDS ||
	     (pkt->tuple.proto == IPPROTO_UDP &&
	      pkt->tuple.family == AF_INET6)))
		return false;
	if (what & NFLB_REWRITE_HEADERS && skb->encapsulation)
		return false;
	return what == NFLB_REWRITE_ENDS || !nflb_gso_is_big(skb);
}
NFLB_EXPORT_KUNIT(nflb_may_rewrite_gso);

/* May a segment have an option that is overwritten or inserted? */
static bool options_change(const struct nflb_pkt *pkt)
{
	const __be32 *word;
	__be32 buf;

	if (pkt->tcp_doff == sizeof(struct tcphdr))
		return false;
	if (pkt->tcp_doff != sizeof(struct tcphdr) + TCPOLEN_TSTAMP_ALIGNED)
		return true;
	word = skb_header_pointer(pkt->skb, pkt->l4 + sizeof(struct tcphdr),
				  sizeof(buf), &buf);
	return !word || get_unaligned_be32(word) != ONLY_TIMESTAMP;
}

/* The parts of a packet that forwarding of this connection rewrites, NFLB_REWRITE_* */
static unsigned int rewrites(const struct nflb_pkt *pkt,
			     const struct nflb_conn *conn, enum nflb_dir dir)
{
	bool tcp = pkt->tuple.proto == IPPROTO_TCP;
	unsigned int what = 0;

	if (nflb_conn_ops(conn)->mode != NFLB_MODE_DSR)
		what |= NFLB_REWRITE_ENDS;
	if (nflb_conn_ops(conn)->encap != NFLB_ENCAP_NONE ||
	    conn->how & NFLB_HOW_FAMILY)
		what |= NFLB_REWRITE_HEADERS;
	if (tcp && (nflb_conn_now(conn, NFLB_NOW_SEQ | NFLB_NOW_TOA) ||
		    conn->how & NFLB_HOW_PROXY ||
		    (dir == NFLB_DIR_IN && options_change(pkt))))
		what |= NFLB_REWRITE_TCP;
	return what;
}

/*
 * ipv6_gso_segment() cuts the header of a jumbogram out, but takes it for granted
 * that there is an Ethernet header to move.
 */
static int cut_jumbo_header(struct nflb_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;
	u8 next;

	if (pkt->l4 != sizeof(struct ipv6hdr) + NFLB_JUMBO_LEN ||
	    !nflb_has_jumbo_header(skb))
		return 0;
	if (skb_ensure_writable(skb, pkt->l4) || skb_cow_head(skb, 0))
		return -ENOMEM;
	next = skb->data[sizeof(struct ipv6hdr)];
	memmove(skb->data + NFLB_JUMBO_LEN, skb->data, sizeof(struct ipv6hdr));
	__skb_pull(skb, NFLB_JUMBO_LEN);
	skb_reset_network_header(skb);
	ipv6_hdr(skb)->nexthdr = next;
	pkt->l4 -= NFLB_JUMBO_LEN;
	skb_set_transport_header(skb, pkt->l4);
	return 0;
}

/* A segment that is sent is counted in @whole. */
static void forward_segment(struct nflb_pkt *whole, struct sk_buff *skb,
			    struct nflb_conn *conn, enum nflb_dir dir)
{
	const struct nf_hook_state *state = whole->state;
	struct nflb_pkt one = *whole;
	unsigned int len = skb->len;
	enum nflb_verdict verdict;

	one.skb = skb;
	skb_reset_network_header(skb);
	verdict = nflb_packet_parse(&one);
	one.quiet = whole->quiet;
	if (verdict == NFLB_CONTINUE) {
		skb_set_transport_header(skb, one.l4);
		verdict = nflb_conn_ops(conn)->forward(&one, conn, dir);
	}
	switch (verdict) {
	case NFLB_STOLEN:
		break;
	case NFLB_ACCEPT:
		/* For this host; hooks behind this one are left out. */
		state->okfn(state->net, state->sk, skb);
		break;
	default:
		this_cpu_inc(whole->nn->drops->packets[one.reason]);
		if (likely(!one.quiet))
			nflb_stats_drop(conn->backend->stats, 1);
		kfree_skb(skb);
		return;
	}
	whole->wire.packets++;
	whole->wire.bytes += len;
}

/**
 * nflb_gso_split() - forward the segments of a packet one by one
 * @pkt: a GSO packet
 * @conn: its connection
 * @dir: its direction
 *
 * Then @pkt->wire has those that were not dropped.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_STOLEN, or
 * NFLB_DROP with a reason.
 */
enum nflb_verdict nflb_gso_split(struct nflb_pkt *pkt, struct nflb_conn *conn,
				 enum nflb_dir dir)
{
	struct sk_buff *segs, *next;

	if (cut_jumbo_header(pkt))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	skb_set_transport_header(pkt->skb, pkt->l4);
	segs = skb_gso_segment(pkt->skb, NETIF_F_SG | NETIF_F_HW_CSUM);
	if (IS_ERR_OR_NULL(segs))
		return nflb_drop(pkt, NFLB_REASON_UNTRANSLATABLE);
	consume_skb(pkt->skb);
	pkt->wire = (struct nflb_wire){ };
	skb_list_walk_safe(segs, segs, next) {
		skb_mark_not_on_list(segs);
		forward_segment(pkt, segs, conn, dir);
	}
	return NFLB_STOLEN;
}

/**
 * nflb_gso_forward() - forward a GSO packet, whole or in segments
 * @pkt: the packet
 * @conn: its connection
 * @dir: its direction
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: any verdict but
 * NFLB_CONTINUE.
 */
enum nflb_verdict nflb_gso_forward(struct nflb_pkt *pkt, struct nflb_conn *conn,
				   enum nflb_dir dir)
{
	if (pkt->kind == NFLB_KIND_FLOW && skb_shinfo(pkt->skb)->gso_type &&
	    !nflb_may_rewrite_gso(pkt, rewrites(pkt, conn, dir)))
		return nflb_gso_split(pkt, conn, dir);
	return nflb_conn_ops(conn)->forward(pkt, conn, dir);
}
