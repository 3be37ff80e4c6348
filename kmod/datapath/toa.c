// SPDX-License-Identifier: GPL-2.0
/*
 * TCP Option Address (TOA), as Alibaba's LVS and DPVS have it: kind 254, length
 * 8, port and IPv4 address; or length 20, port and IPv6 address. It is an
 * experimental kind without an ExID (RFC 6994), and no RFC describes it.
 *
 * A server takes it from the segment that makes the connection. That is the
 * handshake's ACK; or, if that was lost, or ignored (TCP_DEFER_ACCEPT), the
 * first segment with data. So all that the client sends carries it, until it
 * acknowledges something of what the backend sent; and so does the SYN, for
 * servers that save it (TCP_SAVE_SYN).
 *
 * The option stands directly behind the base header, before all others, since
 * most receivers take the first. A segment that has no room for it goes
 * without: it is never dropped for that, nor made longer than the MTU. That
 * rarely happens, since the backend's MSS is lowered (tcp_seq.c).
 */
#include <linux/tcp.h>
#include <net/tcp.h>

#include "datapath/explain.h"
#include "datapath/mangle.h"
#include "datapath/service.h"
#include "datapath/tcp_option.h"
#include "datapath/toa.h"
#include "netns.h"

/* Offset of data offset, flags and window in the TCP header. */
#define TCP_WORD_FLAGS	12

/* Read as an experiment's identifier (RFC 6994), what a port would mean. */
#define PORT_FASTOPEN	0xf989
#define PORT_SMC	0xe2d4

static bool is_syn(const struct nflb_pkt *pkt)
{
	return pkt->tcp_flags & NFLB_TCP_SYN;
}

/*
 * In a SYN, a receiver of these experiments would take the option for theirs:
 * tcp_parse_options() of net/ipv4/tcp_input.c.
 */
static bool is_ambiguous(const struct nflb_pkt *pkt,
			 const struct nflb_tuple *client)
{
	u16 port = ntohs(client->sport);

	return is_syn(pkt) && (port == PORT_FASTOPEN || port == PORT_SMC);
}

/* Does this segment carry it? When no later one will, that is noted. */
static bool wanted(const struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	const struct nflb_conn_seq *seq = &conn->seq;

	if (is_syn(pkt))
		return !(pkt->tcp_flags & NFLB_TCP_ACK);
	if (pkt->tcp_flags & NFLB_TCP_RST || !(pkt->tcp_flags & NFLB_TCP_ACK))
		return false;
	if (likely(pkt->tcp_ack == READ_ONCE(seq->first_ack)))
		return true;
	if (READ_ONCE(conn->state) >= NFLB_CONN_ESTABLISHED)
		nflb_conn_now_clear(conn, NFLB_NOW_TOA);
	return false;
}

static bool fits_mtu(const struct sk_buff *skb, unsigned int mtu,
		     unsigned int len)
{
	if (skb->len + len > U16_MAX)
		return false;
	if (skb_is_gso(skb))
		return mtu > len &&
		       skb_gso_validate_network_len(skb, mtu - len);
	return skb->len + len <= mtu;
}

static void write_option(u8 *opt, u8 kind, u8 len,
			 const struct nflb_tuple *client)
{
	opt[0] = kind;
	opt[1] = len;
	memcpy(opt + 2, &client->sport, sizeof(client->sport));
	memcpy(opt + 4, &client->src, len - 4);
}

static u8 kind_of(const struct nflb_conn *conn)
{
	const struct nflb_snapshot *snapshot;

	snapshot = rcu_dereference(conn->backend->service->snapshot);
	return snapshot->toa_kind;
}

/**
 * nflb_toa_insert() - tell the backend who the client is, if this is the time
 * @pkt: a TCP segment of the client, writable, addresses not rewritten yet
 * @conn: its connection, with NFLB_NOW_TOA
 * @mtu: how long the packet may become
 *
 * Return: NFLB_CONTINUE, with the option or without; or NFLB_DROP when there is
 * no memory.
 */
enum nflb_verdict nflb_toa_insert(struct nflb_pkt *pkt, struct nflb_conn *conn,
				  unsigned int mtu)
{
	const struct nflb_tuple *client = &conn->in.tuple;
	unsigned int at = pkt->l4 + sizeof(struct tcphdr);
	unsigned int len = nflb_toa_len(conn);
	u8 kind = kind_of(conn);
	u32 word;

	if (!kind || !wanted(pkt, conn) || is_ambiguous(pkt, client) ||
	    nflb_tcp_is_signed(pkt))
		return NFLB_CONTINUE;
	if (pkt->tcp_doff + len > 60) {
		nflb_pkt_count(pkt, NFLB_COUNTER_TOA_NO_ROOM);
		return NFLB_CONTINUE;
	}
	if (!fits_mtu(pkt->skb, mtu, len)) {
		nflb_pkt_count(pkt, NFLB_COUNTER_TOA_OVER_MTU);
		return NFLB_CONTINUE;
	}
	if (nflb_mangle_grow(pkt, at, len))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	write_option(pkt->skb->data + at, kind, len, client);
	nflb_mangle_added(pkt, at, len);
	/* The header's length stands in the upper four bits of this word. */
	word = get_unaligned_be32(pkt->skb->data + pkt->l4 + TCP_WORD_FLAGS);
	nflb_mangle_field(pkt, TCP_WORD_FLAGS,
			  htonl(word + ((len / 4) << 28)));
	pkt->tcp_doff += len;
	nflb_pkt_count(pkt, NFLB_COUNTER_TOA_INSERTED);
	return NFLB_CONTINUE;
}
