// SPDX-License-Identifier: GPL-2.0
/*
 * IPIP (RFC 2003, RFC 2473, RFC 4213), GRE (RFC 2784) and GUE (version 1 of
 * draft-ietf-intarea-gue: IP directly in UDP), over IPv4 and IPv6: what is put
 * in front of a packet. The stock kernel's ipip, gre and fou take it off.
 *
 * The outer source and its port are the connection's, so one flow always has the
 * same ones. DSCP, ECN (RFC 6040, normal mode), TTL and DF are those of the packet.
 *
 * A GSO packet stays whole: its segments get their headers from the device or,
 * if that cannot, from the stack.
 */
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "packet/mtu.h"
#include "forward/encap.h"
#include "forward/encap_write.h"
#include "forward/forward.h"
#include "forward/route.h"
#include "netns.h"

/* Names of IPv4 packets that a CPU takes at once. */
#define IDENT_BATCH 64

/**
 * nflb_encap_mtu() - how long a packet may be that goes into a tunnel
 * @dst: route to the backend
 * @encap: enum nflb_encap
 * @family: of the outer header
 *
 * The tunnel begins here, so the path MTU that the host learnt counts. But the
 * host learns it from anybody: udp_err() of IPv4 asks for no socket. So a learnt
 * MTU leaves room for what every IPv6 link carries; a configured one need not.
 *
 * Return: bytes, the overhead not counted.
 */
unsigned int nflb_encap_mtu(const struct dst_entry *dst, u8 encap, u8 family)
{
	unsigned int overhead = nflb_encap_overhead(encap, family);
	unsigned int mtu = nflb_mtu_path(dst, family);

	if (unlikely(mtu < IPV6_MIN_MTU + overhead))
		mtu = max(mtu, min_t(unsigned int, nflb_route_mtu(dst, family),
				     IPV6_MIN_MTU + overhead));
	return nflb_mtu_less(mtu, overhead);
}

/* How the segments of a GSO packet are to be made. */
static int gso_type(u8 encap, bool v4)
{
	int ip = v4 ? SKB_GSO_IPXIP4 : SKB_GSO_IPXIP6;

	switch (encap) {
	case NFLB_ENCAP_GRE:
		return SKB_GSO_GRE;
	case NFLB_ENCAP_GUE:
		return ip | (v4 ? SKB_GSO_UDP_TUNNEL : SKB_GSO_UDP_TUNNEL_CSUM);
	default:
		return ip;
	}
}

static void push_gre(struct sk_buff *skb, const struct nflb_inherited *in)
{
	struct gre_base_hdr *gre = skb_push(skb, sizeof(*gre));

	nflb_gre_write(gre, in);
	skb_set_inner_protocol(skb, gre->protocol);
}

/*
 * Over IPv4 the checksum is left out, the inner packet has its own (RFC 768);
 * over IPv6 most receivers insist on one (RFC 6935, section 5).
 */
static void push_udp(struct sk_buff *skb, const struct nflb_conn *conn)
{
	const struct nflb_backend *backend = conn->backend;
	struct udphdr *uh = skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	nflb_outer_udp_write(uh, conn, skb->len);
	if (backend->family == AF_INET6)
		udp6_set_csum(false, skb, &conn->outer.source.in6,
			      &backend->addr.in6, skb->len);
}

/**
 * nflb_encap_ident() - identifications of outer IPv4 headers
 * @backend: where the packets go
 * @count: how many packets
 *
 * Each CPU takes some at a time, and none is given again until all 65,536 were (RFC
 * 6864 section 4.2). __ip_select_ident() costs ten times as much.
 *
 * Context: softirq or BH disabled. Return: the first of @count in a row.
 */
__be16 nflb_encap_ident(struct nflb_backend *backend, u16 count)
{
	struct nflb_stats *s = this_cpu_ptr(backend->stats);
	u16 ident, batch;

	if (unlikely(s->ident_left < count)) {
		batch = max_t(u16, IDENT_BATCH, count);
		s->ident = atomic_fetch_add(batch, &backend->ident);
		s->ident_left = batch;
	}
	ident = s->ident;
	s->ident += count;
	s->ident_left -= count;
	return htons(ident);
}

static void push_ipv4(struct nflb_pkt *pkt, const struct nflb_conn *conn,
		      const struct nflb_inherited *in, u8 proto)
{
	struct sk_buff *skb = pkt->skb;

	skb_push(skb, sizeof(struct iphdr));
	skb_reset_network_header(skb);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	nflb_outer_v4_write(ip_hdr(skb), conn, in, proto, skb->len,
			    max_t(u16, skb_shinfo(skb)->gso_segs, 1));
	skb->protocol = htons(ETH_P_IP);
}

static void push_ipv6(struct nflb_pkt *pkt, const struct nflb_conn *conn,
		      const struct nflb_inherited *in, u8 proto)
{
	struct sk_buff *skb = pkt->skb;
	unsigned int len = skb->len;

	skb_push(skb, sizeof(struct ipv6hdr));
	skb_reset_network_header(skb);
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	nflb_outer_v6_write(ipv6_hdr(skb), conn, in, proto, len);
	skb->protocol = htons(ETH_P_IPV6);
}

/* Returns the protocol of the header behind the outer IP header. */
static u8 push_tunnel(struct sk_buff *skb, u8 encap,
		      const struct nflb_conn *conn,
		      const struct nflb_inherited *in)
{
	/* For GSO: the inner packet begins here. */
	skb_set_inner_ipproto(skb, in->ipproto);
	skb_set_inner_mac_header(skb, skb_inner_network_offset(skb));
	skb->transport_header = skb->network_header;
	switch (encap) {
	case NFLB_ENCAP_GRE:
		push_gre(skb, in);
		skb_reset_transport_header(skb);
		return IPPROTO_GRE;
	case NFLB_ENCAP_GUE:
		push_udp(skb, conn);
		return IPPROTO_UDP;
	default:
		return in->ipproto;
	}
}

/**
 * nflb_encap_push() - put outer headers in front of a packet
 * @pkt: the packet; then that around it
 * @conn: its connection, of a mode that encapsulates
 * @dst: route to the backend
 * @may_split: the result may be sent in fragments in any case
 *
 * Warning: the skb's head may move.
 *
 * Context: softirq or BH disabled. Return: NFLB_CONTINUE, or NFLB_DROP with a
 * reason.
 */
enum nflb_verdict nflb_encap_push(struct nflb_pkt *pkt,
				  const struct nflb_conn *conn,
				  const struct dst_entry *dst, bool may_split)
{
	u8 family = conn->backend->family;
	bool v4 = family == AF_INET;
	u8 encap = nflb_conn_ops(conn)->encap, proto;
	unsigned int overhead = nflb_encap_overhead(encap, family);
	struct sk_buff *skb = pkt->skb;
	struct nflb_inherited in;

	if (unlikely(skb->len + overhead > U16_MAX))
		return nflb_drop(pkt, NFLB_REASON_UNTRANSLATABLE);
	/* Its payload has taken the place of inner headers. */
	if (unlikely(skb->encapsulation) &&
	    skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	if (skb_cow_head(skb, LL_RESERVED_SPACE(dst_dev_rcu(dst)) + overhead))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	skb_set_transport_header(skb, pkt->l4);
	if (iptunnel_handle_offloads(skb, gso_type(encap, v4)))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	in = nflb_inherit(skb->data, pkt->tuple.family, may_split);
	proto = push_tunnel(skb, encap, conn, &in);
	if (v4)
		push_ipv4(pkt, conn, &in, proto);
	else
		push_ipv6(pkt, conn, &in, proto);
	skb->ignore_df = !in.df;
	pkt->tuple.family = family;
	return NFLB_CONTINUE;
}

/* One fragment, whose owner is @pkt. */
static void send_fragment(const struct nflb_pkt *pkt, struct sk_buff *skb,
			  const struct nflb_conn *conn, struct dst_entry *dst)
{
	struct nflb_pkt part = *pkt;
	enum nflb_verdict verdict;

	part.skb = skb;
	part.l4 = ip_hdrlen(skb);
	verdict = nflb_encap_push(&part, conn, dst, false);
	if (verdict == NFLB_CONTINUE)
		verdict = nflb_xmit(&part, dst);
	if (verdict == NFLB_DROP) {
		this_cpu_inc(pkt->nn->drops->packets[part.reason]);
		if (likely(!pkt->quiet))
			nflb_stats_drop(conn->backend->stats, 1);
		kfree_skb(skb);
	}
}

/**
 * nflb_encap_split() - encapsulate and send a packet in fragments of its own
 * @pkt: an IPv4 packet that may be fragmented
 * @conn: its connection
 * @dst: route to the backend
 * @mtu: how long a fragment may be, before it is encapsulated
 *
 * Context: softirq or BH disabled. Return: NFLB_STOLEN, or NFLB_DROP with a
 * reason, such as no fragment with data being that short.
 */
enum nflb_verdict nflb_encap_split(struct nflb_pkt *pkt,
				   const struct nflb_conn *conn,
				   struct dst_entry *dst, unsigned int mtu)
{
	unsigned int room = LL_RESERVED_SPACE(dst_dev_rcu(dst)) +
		nflb_encap_overhead(nflb_conn_ops(conn)->encap,
				    conn->backend->family);
	struct sk_buff *skb = pkt->skb, *part;
	struct ip_frag_state state;
	unsigned int payload;

	/* ip_frag_next() takes as much each time: never nothing. */
	payload = nflb_mtu_fragment(mtu, ip_hdrlen(skb));
	if (!payload)
		return nflb_drop(pkt, NFLB_REASON_MTU_EXCEEDED);
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	ip_frag_init(skb, ip_hdrlen(skb), room, payload, false, &state);
	while (state.left > 0) {
		unsigned int left = state.left;

		part = ip_frag_next(skb, &state);
		if (IS_ERR(part))
			return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
		if (WARN_ON_ONCE(state.left >= left)) {
			kfree_skb(part);
			return nflb_drop(pkt, NFLB_REASON_MTU_EXCEEDED);
		}
		skb_dst_drop(part);
		send_fragment(pkt, part, conn, dst);
	}
	consume_skb(skb);
	return NFLB_STOLEN;
}
NFLB_EXPORT_KUNIT(nflb_encap_split);
