// SPDX-License-Identifier: GPL-2.0
/*
 * TCP Option Address (TOA), as Alibaba's LVS and DPVS have it: kind 254, length
 * 8, port and IPv4 address; or length 20, port and IPv6 address. It is an
 * experimental kind without an ExID (RFC 6994), and no RFC describes it.
 *
 * A server takes it from the segment that makes the connection. That is the
 * handshake's ACK; or, if that was lost, or ignored (TCP_DEFER_ACCEPT), the
 * first segment with data. So every segment of the client carries it until the
 * client acknowledges something that the backend sent and the backend has shown
 * that it has the connection; and so does the SYN, for servers that save it
 * (TCP_SAVE_SYN). The client's word alone does not end it: it can send whatever
 * acknowledgment number it likes.
 *
 * The option stands directly behind the base header, before all others, and is
 * the only one that a receiver could take for an address. While the backend may
 * still make the connection, a segment never goes without it. Other options
 * give way when there is no room, and a segment that does not fit the MTU is
 * refused, so that its sender sends less. That rarely happens, since the
 * backend's MSS is lowered (tcp_seq.c).
 */
#include <linux/bitmap.h>
#include <linux/tcp.h>
#include <net/dst.h>
#include <net/tcp.h>

#include "packet/dry.h"
#include "packet/mangle.h"
#include "packet/tcp_option.h"
#include "service/service.h"
#include "forward/icmp_reply.h"
#include "forward/route.h"
#include "forward/toa.h"
#include "netns.h"

/* Offset of data offset, flags and window in the TCP header. */
#define TCP_WORD_FLAGS	12

#define OPTIONS_MAX	40

/* RFC 5925; TCPOPT_AO came in 6.7 */
#define TCPOPT_AO_KIND	29

/* A port, read as an experiment's identifier (RFC 6994) */
#define PORT_FASTOPEN	0xf989
#define PORT_SMC	0xe2d4

static bool is_syn(const struct nflb_pkt *pkt)
{
	return pkt->tcp_flags & NFLB_TCP_SYN;
}

/*
 * In a SYN, a receiver of these experiments would take the option for theirs:
 * tcp_parse_options() of net/ipv4/tcp_input.c. No connection is made of such a
 * SYN, since Fast Open does not get through (tcp_seq.c).
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

	if (pkt->tcp_flags & NFLB_TCP_RST)
		return false;
	if (is_syn(pkt) || pkt->tcp_ack == READ_ONCE(seq->first_ack) ||
	    !nflb_conn_is(conn, NFLB_CONN_ACCEPTED))
		return true;
	if (READ_ONCE(conn->state) >= NFLB_CONN_ESTABLISHED &&
	    pkt->tcp_flags & NFLB_TCP_ACK)
		nflb_conn_now_clear(conn, NFLB_NOW_TOA);
	return false;
}

static u8 kind_of(const struct nflb_conn *conn)
{
	const struct nflb_snapshot *snapshot;

	snapshot = rcu_dereference(conn->backend->service->snapshot);
	return snapshot->toa_kind;
}

/**
 * nflb_toa_begin() - the client begins, perhaps anew: it is to be told again
 * @conn: its connection, with a local address
 *
 * Context: rcu_read_lock() held.
 */
void nflb_toa_begin(struct nflb_conn *conn)
{
	if (unlikely(!nflb_conn_now(conn, NFLB_NOW_TOA) &&
		     !(conn->how & NFLB_HOW_PROXY) && kind_of(conn)))
		nflb_conn_now_set(conn, NFLB_NOW_TOA);
}

/*
 * What may not stand beside the option: a second one that a receiver could take
 * for it; and a signature, which NAT has broken, and beside which receivers
 * believe nothing.
 */
static bool is_unwanted(u8 kind)
{
	return kind == NFLB_TOA_KIND || kind == NFLB_TOA_KIND6_OTHER ||
	       kind == TCPOPT_MD5SIG || kind == TCPOPT_AO_KIND;
}

/* Options whose loss harms a connection */
static bool is_essential(const u8 *opt, unsigned int len, bool syn)
{
	switch (opt[0]) {
	case TCPOPT_TIMESTAMP:
		return len == TCPOLEN_TIMESTAMP;
	case TCPOPT_MSS:
		return syn && len == TCPOLEN_MSS;
	case TCPOPT_WINDOW:
		return syn && len == TCPOLEN_WINDOW;
	case TCPOPT_SACK_PERM:
		return syn && len == TCPOLEN_SACK_PERM;
	default:
		return false;
	}
}

/* Can the client's options stay as they are behind ours? */
static bool may_stay(const u8 *opts, unsigned int len)
{
	unsigned int i = 0, opt_len;

	while ((opt_len = nflb_tcp_option_len(opts, len, i))) {
		if (is_unwanted(opts[i]))
			return false;
		i += opt_len;
	}
	/* The list ends with them, or with an EOL and padding. */
	return !memchr_inv(opts + i, TCPOPT_EOL, len - i);
}

/*
 * Copy options to @to, @room bytes long: no NOPs, none that are unwanted; only
 * essential ones, the first of each kind, if so asked. Returns how many bytes,
 * or more than @room when they do not fit.
 */
static unsigned int copy_options(u8 *to, unsigned int room, const u8 *opts,
				 unsigned int len, bool syn, bool essential)
{
	unsigned int used = 0, i = 0, opt_len;
	DECLARE_BITMAP(seen, 256) = { };

	for (; (opt_len = nflb_tcp_option_len(opts, len, i)); i += opt_len) {
		u8 kind = opts[i];

		if (opt_len == 1 || is_unwanted(kind))
			continue;
		if (essential && (!is_essential(&opts[i], opt_len, syn) ||
				  __test_and_set_bit(kind, seen)))
			continue;
		if (used + opt_len > room)
			return room + 1;
		memcpy(to + used, &opts[i], opt_len);
		used += opt_len;
	}
	return used;
}

static bool is_longer(const struct nflb_pkt *pkt, unsigned int len)
{
	return pkt->skb->len + len > U16_MAX;
}

static bool fits_mtu(const struct nflb_pkt *pkt, unsigned int mtu,
		     unsigned int len)
{
	const struct sk_buff *skb = pkt->skb;

	if (is_longer(pkt, len))
		return false;
	if (skb_is_gso(skb))
		return mtu > len &&
		       skb_gso_validate_network_len(skb, mtu - len);
	return skb->len + len <= mtu;
}

/*
 * A segment that would be too long with the option, and has to have it. If it
 * may be fragmented, it will be (NFLB_CONTINUE); else its sender is told to
 * send less, as it is for the next hop's sake.
 */
static noinline enum nflb_verdict too_long(struct nflb_pkt *pkt,
					   unsigned int mtu, unsigned int len)
{
	if (is_longer(pkt, len) || mtu <= len)
		return nflb_drop(pkt, NFLB_REASON_NO_CLIENT_ADDRESS);
	if (!nflb_exceeds_mtu(pkt, mtu - len))
		return NFLB_CONTINUE;
	nflb_pkt_count(pkt, NFLB_COUNTER_TOA_OVER_MTU);
	if (!nflb_pkt_is_local_out(pkt) || !nflb_pkt_leaves_traces(pkt))
		return nflb_too_big(pkt, mtu - len);
	nflb_route_tell_socket(pkt->skb, mtu - len);
	return nflb_drop(pkt, NFLB_REASON_MTU_EXCEEDED);
}

/* Make room for @len bytes of options; they are still to be written. */
static bool grow(struct nflb_pkt *pkt, unsigned int len)
{
	return !nflb_mangle_grow(pkt, pkt->l4 + sizeof(struct tcphdr), len);
}

/* They are written. */
static void grown(struct nflb_pkt *pkt, unsigned int len)
{
	u32 word;

	nflb_mangle_added(pkt, pkt->l4 + sizeof(struct tcphdr), len);
	/* The header's length stands in the upper four bits of this word. */
	word = get_unaligned_be32(pkt->skb->data + pkt->l4 + TCP_WORD_FLAGS);
	nflb_mangle_field(pkt, TCP_WORD_FLAGS,
			  htonl(word + ((len / 4) << 28)));
	pkt->tcp_doff += len;
}

static u8 *options(const struct nflb_pkt *pkt)
{
	return pkt->skb->data + pkt->l4 + sizeof(struct tcphdr);
}

static unsigned int options_len(const struct nflb_pkt *pkt)
{
	return pkt->tcp_doff - sizeof(struct tcphdr);
}

static void write_option(u8 *opt, u8 kind, u8 len,
			 const struct nflb_tuple *client)
{
	opt[0] = kind;
	opt[1] = len;
	memcpy(opt + 2, &client->sport, sizeof(client->sport));
	memcpy(opt + 4, &client->src, len - 4);
}

/*
 * Ours, and of the client's options what may stand beside it and has room. The
 * header does not become shorter.
 */
static noinline enum nflb_verdict replace_options(struct nflb_pkt *pkt,
						  struct nflb_conn *conn,
						  u8 kind, unsigned int mtu)
{
	unsigned int len = nflb_toa_len(conn), old = options_len(pkt);
	unsigned int room = OPTIONS_MAX - len, used, more;
	u8 list[OPTIONS_MAX] = { };
	enum nflb_verdict verdict;
	bool syn = is_syn(pkt);
	__wsum before;

	used = copy_options(list + len, room, options(pkt), old, syn, false);
	if (used > room) {
		memset(list, 0, sizeof(list));
		used = copy_options(list + len, room, options(pkt), old, syn,
				    true);
	}
	more = max(round_up(len + used, 4), old) - old;
	if (more && !fits_mtu(pkt, mtu, more)) {
		verdict = too_long(pkt, mtu, more);
		if (verdict != NFLB_CONTINUE)
			return verdict;
	}
	write_option(list, kind, len, &conn->in.tuple);
	if (more) {
		if (!grow(pkt, more))
			return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
		memset(options(pkt), 0, more);
		grown(pkt, more);
	}
	before = nflb_tcp_options_sum(pkt);
	memcpy(options(pkt), list, options_len(pkt));
	nflb_tcp_options_changed(pkt, before);
	nflb_pkt_count(pkt, NFLB_COUNTER_TOA_PRUNED);
	nflb_pkt_count(pkt, NFLB_COUNTER_TOA_INSERTED);
	return NFLB_CONTINUE;
}

/**
 * nflb_toa_insert() - tell the backend who the client is, if this is the time
 * @pkt: a TCP segment of the client, writable, not rewritten yet
 * @conn: its connection, with NFLB_NOW_TOA
 * @mtu: how long the packet may become
 *
 * Warning: may move the skb's head.
 *
 * Return: NFLB_CONTINUE, with the option, or without where it is not needed; or
 * NFLB_DROP with a reason.
 */
enum nflb_verdict nflb_toa_insert(struct nflb_pkt *pkt, struct nflb_conn *conn,
				  unsigned int mtu)
{
	const struct nflb_tuple *client = &conn->in.tuple;
	unsigned int len = nflb_toa_len(conn);
	enum nflb_verdict verdict;
	u8 kind = kind_of(conn);
	bool required;

	if (!kind || !wanted(pkt, conn) || is_ambiguous(pkt, client))
		return NFLB_CONTINUE;
	required = is_syn(pkt) || !nflb_conn_is(conn, NFLB_CONN_ACCEPTED);
	if (options_len(pkt) + len > OPTIONS_MAX ||
	    !may_stay(options(pkt), options_len(pkt))) {
		if (required)
			return replace_options(pkt, conn, kind, mtu);
		nflb_pkt_count(pkt, NFLB_COUNTER_TOA_NO_ROOM);
		return NFLB_CONTINUE;
	}
	if (!fits_mtu(pkt, mtu, len)) {
		if (!required) {
			nflb_pkt_count(pkt, NFLB_COUNTER_TOA_OVER_MTU);
			return NFLB_CONTINUE;
		}
		verdict = too_long(pkt, mtu, len);
		if (verdict != NFLB_CONTINUE)
			return verdict;
	}
	if (!grow(pkt, len))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	write_option(options(pkt), kind, len, client);
	grown(pkt, len);
	nflb_pkt_count(pkt, NFLB_COUNTER_TOA_INSERTED);
	return NFLB_CONTINUE;
}
