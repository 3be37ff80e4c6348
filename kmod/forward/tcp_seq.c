// SPDX-License-Identifier: GPL-2.0
/*
 * TCP of connections with a local address.
 *
 * A backend sees all clients from the same few addresses. When a port is used
 * again while the backend still holds the connection before in TIME_WAIT, it
 * takes the new one only if that is told from old segments: by a sequence
 * number beyond the last one's, and by timestamps that are not older (Linux:
 * tcp_timewait_state_process()). A new client knows of neither. Without help
 * its SYN is answered with an old acknowledgment, and the client loses a second
 * or more. So for such a connection, and for no other,
 *  - the client's initial sequence number is moved beyond the end of the last
 *    connection, which is known by its FIN; all later ones by as much, and
 *    what acknowledges them (ACK, SACK) back;
 *  - the timestamp option is taken from the SYN, so that none are used.
 *
 * When something is put into the client's segments, the MSS that the backend
 * announces is lowered by as much, so that full-size segments have room for it.
 * An MSS that an IPv4 host announces to an IPv6 host is lowered by what an IPv6
 * header is longer.
 *
 * Where the client's sequence numbers begin is learnt from the backend's SYN-ACK.
 * SYNs that a client sends after that change nothing until the backend answers
 * one of them: then both sides begin anew, and the client is told again. With
 * TOA or a PROXY header a SYN gets through without data and without Fast Open,
 * so that nothing of the client's comes ahead of its address.
 */
#include <linux/random.h>
#include <linux/tcp.h>
#include <net/tcp.h>

#include "packet/dry.h"
#include "packet/mangle.h"
#include "packet/tcp_option.h"
#include "service/stats.h"
#include "conn/conn_seq.h"
#include "conn/conn_state.h"
#include "forward/proxy.h"
#include "forward/tcp_seq.h"
#include "forward/toa.h"
#include "netns.h"

/* How far the next connection begins beyond the last, at random. */
#define ISN_DISTANCE_MASK	0xffffff

/* The difference in length of an IPv6 and an IPv4 header */
#define FAMILY_LEN_DIFF	(sizeof(struct ipv6hdr) - sizeof(struct iphdr))

/* The same without the PROXY header, which comes behind the SYN. */
static u32 syn_delta(const struct nflb_conn *conn)
{
	return nflb_conn_now(conn, NFLB_NOW_SEQ) ?
	       READ_ONCE(conn->seq.delta) : 0;
}

/* Where are the new connection's numbers to begin, at the backend? */
static void choose_delta(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	struct nflb_conn_seq *seq = &conn->seq;

	/* A later one is no begin; see conn_proof.c. */
	if (READ_ONCE(seq->first_ack) || !nflb_conn_state_half_open(conn))
		return;
	if (conn->how & NFLB_HOW_REUSED &&
	    !(nflb_conn_now(conn, NFLB_NOW_SEQ) &&
	      READ_ONCE(seq->isn) == pkt->tcp_seq)) {
		WRITE_ONCE(seq->delta, seq->end + 1 - pkt->tcp_seq +
				       (get_random_u32() & ISN_DISTANCE_MASK));
		nflb_conn_now_set(conn, NFLB_NOW_SEQ);
		nflb_pkt_count(pkt, NFLB_COUNTER_PORT_REUSED);
	}
	WRITE_ONCE(seq->isn, pkt->tcp_seq);
}

static bool tells_client(const struct nflb_conn *conn)
{
	return nflb_conn_now(conn, NFLB_NOW_TOA) || conn->how & NFLB_HOW_PROXY;
}

/* Neither data nor Fast Open. Returns 0 or -ENOMEM. */
static int make_plain(struct nflb_pkt *pkt)
{
	bool changed = nflb_tcp_remove_fast_open(pkt);

	if (pkt->skb->len > pkt->l4 + pkt->tcp_doff) {
		if (nflb_mangle_cut(pkt))
			return -ENOMEM;
		changed = true;
	}
	if (changed)
		nflb_pkt_count(pkt, NFLB_COUNTER_FAST_OPEN_REMOVED);
	return 0;
}

static bool is_other_family(const struct nflb_pkt *pkt,
			    const struct nflb_conn *conn)
{
	return conn->how & NFLB_HOW_FAMILY &&
	       pkt->tuple.family == AF_INET;
}

/* The client begins, or begins anew; or it repeats its SYN. */
static enum nflb_verdict syn(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	choose_delta(pkt, conn);
	if (conn->how & NFLB_HOW_REUSED)
		nflb_tcp_remove_option(pkt, TCPOPT_TIMESTAMP);
	nflb_toa_begin(conn);
	if (tells_client(conn) && make_plain(pkt))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	if (is_other_family(pkt, conn))
		nflb_tcp_lower_mss(pkt, FAMILY_LEN_DIFF);
	return NFLB_CONTINUE;
}

static enum nflb_verdict rewrite_in(struct nflb_pkt *pkt,
				    struct nflb_conn *conn, unsigned int mtu)
{
	const u8 both = NFLB_TCP_SYN | NFLB_TCP_ACK;
	enum nflb_verdict verdict = NFLB_CONTINUE;
	bool is_syn = false;
	u32 delta;

	if (unlikely(pkt->tcp_flags & NFLB_TCP_SYN)) {
		is_syn = (pkt->tcp_flags & both) == NFLB_TCP_SYN;
		if (is_syn)
			verdict = syn(pkt, conn);
		/* Linux makes a connection of one with data (tcp_check_req()). */
		else if (tells_client(conn))
			verdict = nflb_drop(pkt,
					    NFLB_REASON_NO_CLIENT_ADDRESS);
		if (verdict != NFLB_CONTINUE)
			return verdict;
	}
	if (nflb_conn_now(conn, NFLB_NOW_TOA))
		verdict = nflb_toa_insert(pkt, conn, mtu);
	else if (conn->how & NFLB_HOW_PROXY)
		verdict = nflb_proxy_tcp(pkt, conn);
	if (verdict != NFLB_CONTINUE)
		return verdict;
	delta = is_syn ? syn_delta(conn) : nflb_conn_seq_delta(conn);
	if (delta)
		nflb_mangle_field(pkt, offsetof(struct tcphdr, seq),
				  htonl(pkt->tcp_seq + delta));
	return NFLB_CONTINUE;
}

/*
 * The backend answers a SYN. If it did so before and this is another answer, it
 * has forgotten the connection that it had, and makes another one.
 */
static void begin(const struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	u32 isn = pkt->tcp_ack - 1 - syn_delta(conn);
	struct nflb_conn_seq *seq = &conn->seq;

	if (READ_ONCE(seq->first_ack) == pkt->tcp_seq + 1 &&
	    READ_ONCE(seq->isn) == isn)
		return;
	nflb_conn_unset(conn, NFLB_CONN_ACCEPTED);
	nflb_conn_now_clear(conn, NFLB_NOW_PROXY_ACKED);
	WRITE_ONCE(seq->isn, isn);
	WRITE_ONCE(seq->first_ack, pkt->tcp_seq + 1);
	/* Whatever the client sent between its SYN and this answer */
	nflb_toa_begin(conn);
}

static void synack(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	unsigned int longer = 0;

	begin(pkt, conn);
	if (nflb_conn_now(conn, NFLB_NOW_TOA))
		longer = nflb_toa_len(conn);
	if (is_other_family(pkt, conn))
		longer += FAMILY_LEN_DIFF;
	if (longer)
		nflb_tcp_lower_mss(pkt, longer);
}

/*
 * Has the backend made the connection? Before that it may send acknowledgments
 * of the client's SYN, but neither data nor a FIN, and acknowledges no data.
 */
static void note_accepted(const struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	const struct nflb_conn_seq *seq = &conn->seq;
	u32 first = READ_ONCE(seq->isn) + 1 + syn_delta(conn);

	if (likely(nflb_conn_is(conn, NFLB_CONN_ACCEPTED)) ||
	    !READ_ONCE(seq->first_ack) || pkt->tcp_flags & NFLB_TCP_RST)
		return;
	if (pkt->tcp_flags & NFLB_TCP_FIN ||
	    pkt->skb->len > pkt->l4 + pkt->tcp_doff ||
	    (s32)(pkt->tcp_ack - first) > 0)
		nflb_conn_set(conn, NFLB_CONN_ACCEPTED);
}

/*
 * A number of what the client sent, as the client knows it. What belongs to the
 * PROXY header is the first byte that the client sent.
 */
static u32 to_client(const struct nflb_conn *conn, u32 number)
{
	const struct nflb_conn_seq *seq = &conn->seq;
	u32 first, len;

	if (nflb_conn_now(conn, NFLB_NOW_SEQ))
		number -= READ_ONCE(seq->delta);
	if (!(conn->how & NFLB_HOW_PROXY))
		return number;
	first = READ_ONCE(seq->isn) + 1;
	len = nflb_proxy_len(conn->in.tuple.family);
	if ((s32)(number - first) <= 0)
		return number;
	return number - min(number - first, len);
}

static void sack_to_client(struct nflb_pkt *pkt, const struct nflb_conn *conn)
{
	__wsum before = nflb_tcp_options_sum(pkt);
	u8 *sack = nflb_tcp_option(pkt, TCPOPT_SACK);
	u32 edge;
	int i;

	if (!sack)
		return;
	for (i = TCPOLEN_SACK_BASE; i + 4 <= sack[1]; i += 4) {
		edge = get_unaligned_be32(sack + i);
		put_unaligned_be32(to_client(conn, edge), sack + i);
	}
	nflb_tcp_options_changed(pkt, before);
}

static void rewrite_out(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	const u8 both = NFLB_TCP_SYN | NFLB_TCP_ACK;

	if ((pkt->tcp_flags & both) == both)
		synack(pkt, conn);
	else if (pkt->tcp_flags & NFLB_TCP_ACK)
		note_accepted(pkt, conn);
	if (!(nflb_conn_now(conn, NFLB_NOW_SEQ) ||
	      conn->how & NFLB_HOW_PROXY) ||
	    !(pkt->tcp_flags & NFLB_TCP_ACK))
		return;
	if (conn->how & NFLB_HOW_PROXY)
		nflb_proxy_acked(pkt, conn);
	nflb_mangle_field(pkt, offsetof(struct tcphdr, ack_seq),
			  htonl(to_client(conn, pkt->tcp_ack)));
	if (pkt->tcp_doff > sizeof(struct tcphdr))
		sack_to_client(pkt, conn);
}

/**
 * nflb_tcp_rewrite() - rewrite a segment, except for its addresses
 * @pkt: a TCP packet, writable, its addresses not rewritten yet
 * @conn: its connection, with a local address
 * @dir: its direction
 * @mtu: how long the packet may become
 *
 * Return: NFLB_CONTINUE; NFLB_STOLEN when another packet went in its place; or
 * NFLB_DROP with a reason.
 */
enum nflb_verdict nflb_tcp_rewrite(struct nflb_pkt *pkt, struct nflb_conn *conn,
				   enum nflb_dir dir, unsigned int mtu)
{
	if (dir == NFLB_DIR_IN)
		return rewrite_in(pkt, conn, mtu);
	rewrite_out(pkt, conn);
	return NFLB_CONTINUE;
}
NFLB_EXPORT_KUNIT(nflb_tcp_rewrite);
