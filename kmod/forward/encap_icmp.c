// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about packets that were encapsulated here. Anybody can send one, and
 * what it changes is the path MTU of a backend, for everybody. So it is believed
 * only when it quotes a packet that this host can have sent: outside the addresses
 * (and of GUE the ports) of a connection that is alive, inside that connection's
 * own. One that quotes less is not believed; Linux and what follows RFC 1812,
 * section 4.3.2.3, quote enough.
 *
 * A client knows its own connection, so what can be forged with it is limited, too:
 * what every IPv6 link carries still fits into the tunnel then. A path narrower
 * than that is configured, as MTU of its route.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/udp.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "service/stats.h"
#include "conn/conn_state.h"
#include "forward/encap.h"
#include "forward/forward.h"
#include "forward/icmp.h"
#include "netns.h"

/* The encapsulation of a quoted packet, behind the outer IP header */
struct tunnel {
	unsigned int	inner;		/* offset of the packet */
	u8		encap;		/* enum nflb_encap */
	u8		family;		/* of the packet */
	__be16		sport;		/* of GUE */
	__be16		dport;
};

static u32 told_mtu(const struct nflb_pkt *pkt)
{
	const struct icmp6hdr *icmp6h;
	const struct icmphdr *icmph;

	if (pkt->tuple.family == AF_INET6) {
		icmp6h = (const void *)(pkt->skb->data + pkt->l4);
		return icmp6h->icmp6_type == ICMPV6_PKT_TOOBIG ?
		       ntohl(icmp6h->icmp6_mtu) : 0;
	}
	icmph = (const void *)(pkt->skb->data + pkt->l4);
	return icmph->type == ICMP_DEST_UNREACH &&
	       icmph->code == ICMP_FRAG_NEEDED ? ntohs(icmph->un.frag.mtu) : 0;
}

static bool parse_gre(const struct sk_buff *skb, unsigned int l4,
		      struct tunnel *t)
{
	const __be16 *gre;
	__be16 buf[2];

	gre = skb_header_pointer(skb, l4, sizeof(buf), buf);
	/* Without any option */
	if (!gre || gre[0])
		return false;
	t->encap = NFLB_ENCAP_GRE;
	t->inner = l4 + sizeof(buf);
	t->family = gre[1] == htons(ETH_P_IP) ? AF_INET : AF_INET6;
	return gre[1] == htons(ETH_P_IP) || gre[1] == htons(ETH_P_IPV6);
}

static bool parse_gue(const struct sk_buff *skb, unsigned int l4,
		      struct tunnel *t)
{
	struct {
		struct udphdr	udp;
		u8		version;	/* of IP, in the upper half */
	} buf;
	const struct udphdr *uh;
	u8 version;

	uh = skb_header_pointer(skb, l4, sizeof(struct udphdr) + 1, &buf);
	if (!uh)
		return false;
	version = *(const u8 *)(uh + 1) >> 4;
	t->encap = NFLB_ENCAP_GUE;
	t->inner = l4 + sizeof(*uh);
	t->family = version == 4 ? AF_INET : AF_INET6;
	t->sport = uh->source;
	t->dport = uh->dest;
	return version == 4 || version == 6;
}

/* @l4: offset of the header behind the outer IP header */
static bool parse_tunnel(const struct sk_buff *skb, u8 proto, unsigned int l4,
			 struct tunnel *t)
{
	switch (proto) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		t->encap = NFLB_ENCAP_IPIP;
		t->inner = l4;
		t->family = proto == IPPROTO_IPIP ? AF_INET : AF_INET6;
		return true;
	case IPPROTO_GRE:
		return parse_gre(skb, l4, t);
	case IPPROTO_UDP:
		return parse_gue(skb, l4, t);
	default:
		return false;
	}
}

/* Can this host have sent the quoted packet? */
static bool is_ours(const struct nflb_pkt *pkt, const struct nflb_tuple *quoted,
		    const struct tunnel *t)
{
	const struct nflb_backend *backend;
	struct nflb_tuple inner;
	struct nflb_conn *conn;
	enum nflb_dir dir;

	if (!nflb_packet_flow_at(pkt->skb, t->inner, t->family, &inner))
		return false;
	conn = nflb_conn_lookup(pkt->nn, &inner, &dir);
	if (!conn || dir != NFLB_DIR_IN ||
	    nflb_conn_ops(conn)->encap != t->encap ||
	    !nflb_conn_alive(conn, nflb_now()))
		return false;
	backend = conn->backend;
	if (t->encap == NFLB_ENCAP_GUE &&
	    (t->sport != conn->outer.port ||
	     t->dport != READ_ONCE(backend->gue_port)))
		return false;
	return backend->family == quoted->family &&
	       nflb_addr_equal(&backend->addr, &quoted->dst) &&
	       nflb_addr_equal(&conn->outer.source, &quoted->src);
}

static void update_pmtu(struct nflb_pkt *pkt, u8 family, u8 proto, u32 mtu)
{
	struct sk_buff *skb = pkt->skb;
	struct net *net = pkt->nn->net;

	__skb_pull(skb, pkt->inner);
	if (family == AF_INET)
		ipv4_update_pmtu(skb, net, mtu, 0, proto);
	else
		ip6_update_pmtu(skb, net, htonl(mtu), 0, skb->mark,
				sock_net_uid(net, NULL));
	__skb_push(skb, pkt->inner);
}

/**
 * nflb_encap_icmp() - an ICMP error, perhaps about a packet encapsulated here
 * @pkt: the error; its inner is the quoted network header
 * @quoted: addresses of the quoted packet
 * @proto: its protocol
 * @l4: offset of the header behind its IP header
 *
 * When it says that a packet was too big, the kernel's path MTU of that backend
 * is lowered, as its own tunnels do (ipip_err()). The route is looked up again
 * then, and the client's next packet that is too long is answered.
 *
 * Warning: the skb's head may move.
 *
 * Context: softirq, rcu_read_lock() held.
 */
void nflb_encap_icmp(struct nflb_pkt *pkt, const struct nflb_tuple *quoted,
		     u8 proto, unsigned int l4)
{
	struct tunnel t = { };
	u32 mtu;

	if (nflb_pkt_is_local_out(pkt) ||
	    !parse_tunnel(pkt->skb, proto, l4, &t) ||
	    !pskb_may_pull(pkt->skb, l4))
		return;
	mtu = told_mtu(pkt);
	if (!mtu || !is_ours(pkt, quoted, &t) || !nflb_icmp_checksum_ok(pkt))
		return;
	mtu = max_t(u32, mtu, IPV6_MIN_MTU +
			      nflb_encap_overhead(t.encap, quoted->family));
	nflb_count(pkt->nn, NFLB_COUNTER_ENCAP_PMTU);
	update_pmtu(pkt, quoted->family, proto, mtu);
}
