/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A packet on its way through the balancer.
 */
#ifndef NFLB_PACKET_H
#define NFLB_PACKET_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/dsfield.h>
#include <net/ip.h>

#include "nflb.h"
#include "packet/tuple.h"
#include "packet/wire.h"

/* nflb_pkt.tcp_flags: of byte 13 of the TCP header, RFC 9293 section 3.1 */
#define NFLB_TCP_FIN	0x01
#define NFLB_TCP_SYN	0x02
#define NFLB_TCP_RST	0x04
#define NFLB_TCP_ACK	0x10

/* Kinds of packets, nflb_pkt.kind */
enum nflb_kind {
	NFLB_KIND_FLOW,		/* TCP or UDP */
	NFLB_KIND_ICMP_ERROR,	/* quotes a packet; tuple is the quoted one */
	NFLB_KIND_ECHO,		/* echo request; tuple has addresses only */
	NFLB_KIND_TUNNEL_ERROR,	/* ICMP; quotes neither TCP nor UDP */
	NFLB_KIND_FRAGMENT,	/* of the packet nothing else is known */
};

/**
 * struct nflb_pkt - a packet, its parsed fields, and its fate
 * @skb: the packet; skb->data is its network header
 * @nn: the namespace
 * @state: of the hook that took it
 * @conn: its connection as fastpath.h found it, or NULL; when @plain
 * @tuple: addresses and ports as they arrived
 * @kind: enum nflb_kind
 * @quiet: of a probe: it is not counted
 * @reason: why it is dropped, when the verdict is NFLB_DROP
 * @l4: offset of the transport (or ICMP) header
 * @inner: offset of the quoted network header, for NFLB_KIND_*_ERROR
 * @inner_l4: offset of the quoted transport header
 * @inner_proto: protocol of the quoted packet
 * @tcp_flags: NFLB_TCP_*, 0 for UDP
 * @tcp_doff: length of the TCP header in bytes
 * @tcp_seq: sequence number
 * @tcp_ack: acknowledgment number
 * @len: network-layer bytes as it arrived
 * @wire: what it was on the wire as it arrived; of what is sent only
 * @plain: fastpath.h could parse it
 * @no_neighbour: its next hop does not answer; when it was sent
 * @dir: direction within @conn
 *
 * Offsets, not pointers, for everything that may write moves the headers.
 */
struct nflb_pkt {
	struct sk_buff			*skb;
	struct nflb_net			*nn;
	const struct nf_hook_state	*state;
	struct nflb_conn		*conn;
	struct nflb_tuple		tuple;
	u8				kind;
	bool				quiet;
	u8				reason;
	u8				inner_proto;
	u8				tcp_flags;
	u16				l4;
	u16				inner;
	u16				inner_l4;
	u16				tcp_doff;
	u32				tcp_seq;
	u32				tcp_ack;
	u32				len;
	struct nflb_wire		wire;
	bool				plain;
	bool				no_neighbour;
	u8				dir;
};

static inline enum nflb_verdict nflb_drop(struct nflb_pkt *pkt,
					  enum nflb_reason reason)
{
	pkt->reason = reason;
	return NFLB_DROP;
}

/* Is it a packet of a local socket, not one that was received? */
static inline bool nflb_pkt_is_local_out(const struct nflb_pkt *pkt)
{
	return pkt->state->hook == NF_INET_LOCAL_OUT;
}

/*
 * The index of the device that it came by, or leaves by if it is a local sender's.
 * skb->dev is NULL when that sender used a raw socket.
 */
static inline int nflb_pkt_ifindex(const struct nflb_pkt *pkt)
{
	const struct net_device *dev = pkt->state->in ?: pkt->state->out;

	return dev ? dev->ifindex : 0;
}

/* Hops that it may still go, as it is now. */
static inline u8 nflb_ttl(const struct nflb_pkt *pkt)
{
	return pkt->tuple.family == AF_INET ? ip_hdr(pkt->skb)->ttl :
					      ipv6_hdr(pkt->skb)->hop_limit;
}

/* DSCP and ECN, as they are now; the family may be about to change. */
static inline u8 nflb_dsfield(const struct nflb_pkt *pkt)
{
	return pkt->tuple.family == AF_INET ?
	       ip_hdr(pkt->skb)->tos : ipv6_get_dsfield(ipv6_hdr(pkt->skb));
}

/* Of the fragments that it was put together from, or 0. */
static inline unsigned int nflb_frag_max_size(const struct sk_buff *skb,
					      u8 family)
{
	return family == AF_INET ? IPCB(skb)->frag_max_size :
				   IP6CB(skb)->frag_max_size;
}

/* Length of the part of a transport header that nflb may write */
static inline unsigned int nflb_l4_len(u8 proto)
{
	return proto == IPPROTO_TCP ? sizeof(struct tcphdr) :
				      sizeof(struct udphdr);
}

/* What it is on the wire; nothing was written yet. */
static inline struct nflb_wire nflb_pkt_wire(const struct nflb_pkt *pkt)
{
	if (likely(!skb_is_gso(pkt->skb)))
		return (struct nflb_wire){ .bytes = pkt->len, .packets = 1 };
	return nflb_wire_of_gso(pkt->skb, pkt->l4, pkt->l4 +
				(pkt->tuple.proto == IPPROTO_TCP ?
				 pkt->tcp_doff : sizeof(struct udphdr)));
}

bool nflb_packet_flow_at(const struct sk_buff *skb, unsigned int off, u8 family,
			 struct nflb_tuple *tuple);
enum nflb_verdict nflb_packet_parse(struct nflb_pkt *pkt);

#endif /* NFLB_PACKET_H */
