// SPDX-License-Identifier: GPL-2.0
/*
 * PROXY protocol, version 2 (haproxy's doc/proxy-protocol.txt): who the client
 * is and what it asked for, as the first bytes of a TCP connection, or of every
 * datagram.
 *
 * In TCP the header is a segment of its own, sent in the place of the
 * handshake's ACK, so that a server which speaks first gets it too. Whatever
 * the client sends is moved behind it (tcp_seq.c). Nobody but the balancer can
 * repeat it when it is lost: that is done whenever the client sends something,
 * until the backend has acknowledged it. A backend that got nothing repeats its
 * SYN-ACK, which the client answers.
 */
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#include "packet/dry.h"
#include "packet/mangle.h"
#include "service/stats.h"
#include "conn/conn_seq.h"
#include "forward/family.h"
#include "forward/forward.h"
#include "forward/gso.h"
#include "forward/proxy.h"
#include "forward/route.h"
#include "forward/tcp_seq.h"
#include "netns.h"

#define PROXY_COMMAND	0x21	/* version 2, PROXY */
#define PROXY_INET	0x10
#define PROXY_INET6	0x20
#define PROXY_STREAM	0x01
#define PROXY_DGRAM	0x02

static const u8 signature[12] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
};

/* The fields after the signature */
struct proxy_head {
	u8	signature[sizeof(signature)];
	u8	command;
	u8	family;
	__be16	len;
};

static_assert(sizeof(struct proxy_head) == NFLB_PROXY_HEAD);

#define ADDRS_LEN(family) (NFLB_PROXY_LEN(family) - NFLB_PROXY_HEAD)
#define PROXY_LEN_MAX NFLB_PROXY_LEN(AF_INET6)

static void write_header(u8 *at, const struct nflb_tuple *client)
{
	unsigned int addr = client->family == AF_INET ? 4 : 16;
	struct proxy_head head = {
		.command = PROXY_COMMAND,
		.family = (addr == 4 ? PROXY_INET : PROXY_INET6) |
			  (client->proto == IPPROTO_TCP ? PROXY_STREAM :
							  PROXY_DGRAM),
		.len = htons(ADDRS_LEN(client->family)),
	};

	memcpy(head.signature, signature, sizeof(signature));
	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	memcpy(at, &client->src, addr);
	memcpy(at + addr, &client->dst, addr);
	memcpy(at + 2 * addr, &client->sport, 2);
	memcpy(at + 2 * addr + 2, &client->dport, 2);
}

static void write_lengths(struct sk_buff *skb, u8 family)
{
	if (family == AF_INET) {
		ip_hdr(skb)->tot_len = htons(skb->len);
		ip_send_check(ip_hdr(skb));
	} else {
		ipv6_hdr(skb)->payload_len =
			htons(skb->len - sizeof(struct ipv6hdr));
	}
}

static void write_checksum(struct sk_buff *skb, const struct nflb_pkt *pkt)
{
	struct tcphdr *th = (struct tcphdr *)(skb->data + pkt->l4);
	const struct nflb_tuple *t = &pkt->tuple;
	unsigned int len = skb->len - pkt->l4;
	__wsum sum;

	th->check = 0;
	sum = csum_partial(th, len, 0);
	th->check = t->family == AF_INET ?
		csum_tcpudp_magic(t->src.ip, t->dst.ip, len, IPPROTO_TCP, sum) :
		csum_ipv6_magic(&t->src.in6, &t->dst.in6, len, IPPROTO_TCP,
				sum);
}

/* A segment like @pkt that has the header and nothing else. */
static struct sk_buff *header_segment(const struct nflb_pkt *pkt,
				      const struct nflb_conn *conn)
{
	const struct nflb_conn_seq *seq = &conn->seq;
	unsigned int headers = pkt->l4 + pkt->tcp_doff;
	unsigned int len = nflb_proxy_len(conn->in.tuple.family);
	struct sk_buff *skb;
	struct tcphdr *th;

	skb = alloc_skb(LL_MAX_HEADER + sizeof(struct ipv6hdr) + headers +
			PROXY_LEN_MAX, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER + sizeof(struct ipv6hdr));
	skb_put_data(skb, pkt->skb->data, headers);
	write_header(skb_put(skb, len), &conn->in.tuple);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, pkt->l4);
	skb->protocol = pkt->skb->protocol;
	skb->mark = pkt->skb->mark;
	skb->priority = pkt->skb->priority;
	skb->dev = pkt->skb->dev;
	th = (struct tcphdr *)(skb->data + pkt->l4);
	th->seq = htonl(READ_ONCE(seq->isn) + 1 + nflb_conn_seq_delta(conn) -
			len);
	th->fin = 0;
	th->psh = 1;
	/* An urgent byte is taken out of the stream. */
	th->urg = 0;
	th->urg_ptr = 0;
	write_lengths(skb, pkt->tuple.family);
	write_checksum(skb, pkt);
	return skb;
}

/* Returns whether it went. */
static bool send_header(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	const struct nflb_tuple *to = &conn->out.tuple;
	struct nflb_pkt own = *pkt;
	struct dst_entry *dst;

	dst = nflb_route(pkt, conn, NFLB_DIR_IN);
	if (!dst)
		return false;
	own.skb = header_segment(pkt, conn);
	if (!own.skb)
		return false;
	if (conn->how & NFLB_HOW_FAMILY) {
		if (nflb_family_rewrite(&own, to) != NFLB_CONTINUE)
			goto err_free;
	} else {
		nflb_mangle_tuple(&own, to);
	}
	if (!nflb_pkt_is_local_out(pkt))
		nflb_mangle_ttl(&own);
	if (nflb_xmit(&own, dst) != NFLB_STOLEN)
		goto err_free;
	nflb_pkt_count(pkt, NFLB_COUNTER_PROXY_HEADER);
	return true;

err_free:
	kfree_skb(own.skb);
	return false;
}

/*
 * May this segment come to a backend that may not have the header yet? It could
 * make the connection there in the header's place: when it stands where the
 * header does, or acknowledges another SYN-ACK than the header does (a server
 * that sends SYN cookies takes either).
 */
static bool is_ahead(const struct nflb_pkt *pkt, const struct nflb_conn *conn)
{
	const struct nflb_conn_seq *seq = &conn->seq;

	if (!(pkt->tcp_flags & NFLB_TCP_ACK))
		return true;
	if (!nflb_conn_is(conn, NFLB_CONN_ACCEPTED) &&
	    pkt->tcp_ack != READ_ONCE(seq->first_ack))
		return true;
	return (pkt->skb->len > pkt->l4 + pkt->tcp_doff ||
		pkt->tcp_flags & NFLB_TCP_FIN) &&
	       (s32)(pkt->tcp_seq - (READ_ONCE(seq->isn) + 1)) < 0;
}

/**
 * nflb_proxy_tcp() - send the header, unless the backend has it
 * @pkt: a segment of the client, writable, not rewritten yet
 * @conn: its connection, with NFLB_HOW_PROXY
 *
 * Return: NFLB_CONTINUE; NFLB_STOLEN when the header went in its place; or
 * NFLB_DROP when it could not be sent.
 */
enum nflb_verdict nflb_proxy_tcp(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	if (likely(nflb_conn_now(conn, NFLB_NOW_PROXY_ACKED)) ||
	    pkt->tcp_flags & (NFLB_TCP_SYN | NFLB_TCP_RST))
		return NFLB_CONTINUE;
	if (unlikely(is_ahead(pkt, conn)))
		return nflb_drop(pkt, NFLB_REASON_NO_CLIENT_ADDRESS);
	if (!send_header(pkt, conn))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	if (pkt->tcp_flags & NFLB_TCP_FIN ||
	    pkt->skb->len > pkt->l4 + pkt->tcp_doff)
		return NFLB_CONTINUE;
	consume_skb(pkt->skb);
	return NFLB_STOLEN;
}

/**
 * nflb_proxy_acked() - see whether the backend has the header
 * @pkt: a segment of the backend, with an acknowledgment
 * @conn: its connection, with NFLB_HOW_PROXY
 */
void nflb_proxy_acked(const struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	struct nflb_conn_seq *seq = &conn->seq;
	u32 behind;

	if (likely(nflb_conn_now(conn, NFLB_NOW_PROXY_ACKED)) ||
	    pkt->tcp_flags & (NFLB_TCP_SYN | NFLB_TCP_RST))
		return;
	/* The header ends where the client's first byte is. */
	behind = READ_ONCE(seq->isn) + 1 + nflb_conn_seq_delta(conn);
	if ((s32)(pkt->tcp_ack - behind) >= 0)
		nflb_conn_now_set(conn, NFLB_NOW_PROXY_ACKED);
}

/**
 * nflb_proxy_udp() - put the header into a datagram
 * @pkt: a datagram of the client, writable, not rewritten yet
 * @conn: its connection, with NFLB_HOW_PROXY
 *
 * Return: NFLB_CONTINUE; NFLB_STOLEN when it went in parts; or NFLB_DROP with a
 * reason.
 */
enum nflb_verdict nflb_proxy_udp(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	unsigned int at = pkt->l4 + sizeof(struct udphdr);
	unsigned int len = nflb_proxy_len(conn->in.tuple.family);

	/* Merged datagrams go one by one, each with its header. */
	if (unlikely(skb_is_gso(pkt->skb)))
		return nflb_gso_split(pkt, conn, NFLB_DIR_IN);
	if (pkt->skb->len + len > U16_MAX)
		return nflb_drop(pkt, NFLB_REASON_UNTRANSLATABLE);
	if (nflb_mangle_grow(pkt, at, len))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	write_header(pkt->skb->data + at, &conn->in.tuple);
	nflb_mangle_added(pkt, at, len);
	nflb_mangle_udp_len(pkt, len);
	nflb_pkt_count(pkt, NFLB_COUNTER_PROXY_HEADER);
	return NFLB_CONTINUE;
}
