// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about a connection. An error travels against the packet that it
 * quotes; so the quoted packet, inverted, has the tuple of the direction in
 * which the error travels, and what NAT did to the quoted packet is undone.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "packet/mangle.h"
#include "conn/conn_proof.h"
#include "conn/conn_seq.h"
#include "forward/family.h"
#include "forward/icmp.h"

static void outer_addrs(const struct nflb_pkt *pkt, union nflb_addr *src,
			union nflb_addr *dst)
{
	if (pkt->tuple.family == AF_INET) {
		nflb_addr_set_v4(src, ip_hdr(pkt->skb)->saddr);
		nflb_addr_set_v4(dst, ip_hdr(pkt->skb)->daddr);
	} else {
		src->in6 = ipv6_hdr(pkt->skb)->saddr;
		dst->in6 = ipv6_hdr(pkt->skb)->daddr;
	}
}

/**
 * nflb_icmp_checksum_ok() - is the checksum of an ICMP message right?
 * @pkt: the message
 *
 * A local sender's is right, or offloaded: then it is not quoted, and this
 * returns false.
 */
bool nflb_icmp_checksum_ok(struct nflb_pkt *pkt)
{
	if (nflb_pkt_is_local_out(pkt))
		return pkt->skb->ip_summed != CHECKSUM_PARTIAL;
	return !nf_checksum(pkt->skb, pkt->state->hook, pkt->l4,
			    pkt->tuple.family == AF_INET ? 0 : IPPROTO_ICMPV6,
			    pkt->tuple.family);
}

/**
 * nflb_icmp_check() - may this error be translated?
 * @pkt: the error, of NFLB_KIND_ICMP_ERROR
 * @conn: the connection that it is about
 * @dir: its direction
 *
 * Return: NFLB_CONTINUE; NFLB_ACCEPT when it is not addressed to the sender of
 * what it quotes, so that the host may look at it; NFLB_DROP when its checksum
 * is wrong (it will be made anew), or the connection sent no such packet.
 */
enum nflb_verdict nflb_icmp_check(struct nflb_pkt *pkt,
				  const struct nflb_conn *conn,
				  enum nflb_dir dir)
{
	union nflb_addr src, dst;

	outer_addrs(pkt, &src, &dst);
	if (!nflb_addr_equal(&dst, &pkt->tuple.dst))
		return NFLB_ACCEPT;
	if (!nflb_icmp_checksum_ok(pkt))
		return nflb_drop(pkt, NFLB_REASON_BAD_CHECKSUM);
	if (!nflb_proof_quoted(conn, pkt, dir))
		return nflb_drop(pkt, NFLB_REASON_FORGED_ERROR);
	return NFLB_CONTINUE;
}

static bool too_big(const struct nflb_pkt *pkt)
{
	const struct icmphdr *icmph;

	icmph = (const struct icmphdr *)(pkt->skb->data + pkt->l4);
	if (pkt->tuple.family == AF_INET6)
		return icmph->type == ICMPV6_PKT_TOOBIG;
	return icmph->type == ICMP_DEST_UNREACH &&
	       icmph->code == ICMP_FRAG_NEEDED;
}

/*
 * A backend learns an MTU for an address, and behind a local one are all clients.
 * So one of them cannot make it less than what every IPv6 link carries.
 */
static void floor_mtu(struct nflb_pkt *pkt)
{
	struct icmphdr *icmph;

	if (pkt->tuple.family != AF_INET || !too_big(pkt))
		return;
	icmph = (struct icmphdr *)(pkt->skb->data + pkt->l4);
	icmph->un.frag.mtu = htons(max_t(u16, ntohs(icmph->un.frag.mtu),
					 IPV6_MIN_MTU));
}

/* To the backend everything is of the backend's side, outside and quoted. */
static void translate_in(struct nflb_pkt *pkt, const struct nflb_conn *conn,
			 const union nflb_addr *src)
{
	const struct nflb_tuple *out = &conn->out.tuple;

	nflb_mangle_addr(pkt, NFLB_END_DST, &out->src);
	nflb_mangle_quoted(pkt, NFLB_END_SRC, &out->src, out->sport);
	if (!(conn->how & NFLB_HOW_LADDR))
		return;
	floor_mtu(pkt);
	if (nflb_addr_equal(src, &conn->in.tuple.src))
		nflb_mangle_addr(pkt, NFLB_END_SRC, &out->dst);
	nflb_mangle_quoted(pkt, NFLB_END_DST, &out->dst, out->dport);
}

static void translate_out(struct nflb_pkt *pkt, const struct nflb_conn *conn,
			  const union nflb_addr *src)
{
	const struct nflb_tuple *in = &conn->in.tuple;

	if (nflb_addr_equal(src, &conn->out.tuple.src))
		nflb_mangle_addr(pkt, NFLB_END_SRC, &in->dst);
	nflb_mangle_quoted(pkt, NFLB_END_DST, &in->dst, in->dport);
	if (!(conn->how & NFLB_HOW_LADDR))
		return;
	nflb_mangle_addr(pkt, NFLB_END_DST, &in->src);
	nflb_mangle_quoted(pkt, NFLB_END_SRC, &in->src, in->sport);
	/* The client believes only an error that quotes a packet as the client sent it. */
	nflb_mangle_quoted_seq(pkt, nflb_conn_seq_delta(conn));
}

/**
 * nflb_icmp_translate() - rewrite an error for its receiver
 * @pkt: the error, writable; passed nflb_icmp_check()
 * @conn: the connection, of mode dnat or fullnat
 * @dir: direction of the error
 *
 * To a backend the VIP becomes the backend, outside and in the quoted source.
 * To a client the backend becomes the VIP in the quoted destination; outside
 * only when the backend itself sent the error: a router in between keeps its
 * name, for traceroute. A local address becomes the client, and the client the
 * local address.
 *
 * Behind a hop that takes less than is known here, an option that the balancer
 * adds could be what is too much: then it is added no more.
 *
 * Return: NFLB_CONTINUE, or NFLB_DROP when it cannot be translated.
 */
enum nflb_verdict nflb_icmp_translate(struct nflb_pkt *pkt,
				      struct nflb_conn *conn,
				      enum nflb_dir dir)
{
	union nflb_addr src, dst;

	if (dir == NFLB_DIR_OUT && nflb_conn_now(conn, NFLB_NOW_TOA) &&
	    nflb_conn_is(conn, NFLB_CONN_ACCEPTED) && too_big(pkt))
		nflb_conn_now_clear(conn, NFLB_NOW_TOA);
	if (unlikely(conn->how & NFLB_HOW_FAMILY))
		return nflb_family_icmp(pkt, conn, dir);
	outer_addrs(pkt, &src, &dst);
	if (dir == NFLB_DIR_IN)
		translate_in(pkt, conn, &src);
	else
		translate_out(pkt, conn, &src);
	nflb_mangle_icmp_checksum(pkt);
	return NFLB_CONTINUE;
}
