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
 */
#include <linux/random.h>
#include <linux/tcp.h>
#include <net/tcp.h>

#include "datapath/conn_state.h"
#include "datapath/explain.h"
#include "datapath/mangle.h"
#include "datapath/proxy.h"
#include "datapath/stats.h"
#include "datapath/tcp_option.h"
#include "datapath/tcp_seq.h"
#include "datapath/toa.h"
#include "netns.h"

/* How far the next connection begins beyond the last, at random. */
#define ISN_DISTANCE_MASK	0xffffff

/**
 * nflb_tcp_seq_delta() - by how much the client's sequence numbers are moved
 * @conn: any connection
 *
 * Return: what is to be added to them towards the backend.
 */
u32 nflb_tcp_seq_delta(const struct nflb_conn *conn)
{
	u32 delta = 0;

	if (nflb_conn_now(conn, NFLB_NOW_SEQ))
		delta = READ_ONCE(conn->seq.delta);
	if (conn->how & NFLB_HOW_PROXY)
		delta += nflb_proxy_len(conn->in.tuple.family);
	return delta;
}
NFLB_EXPORT_KUNIT(nflb_tcp_seq_delta);

/* The client begins, or begins anew; or it repeats its SYN. */
static void syn(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	struct nflb_conn_seq *seq = &conn->seq;

	if (!(conn->how & NFLB_HOW_REUSED)) {
		WRITE_ONCE(seq->isn, pkt->tcp_seq);
		return;
	}
	nflb_tcp_remove_option(pkt, TCPOPT_TIMESTAMP);
	if (nflb_conn_now(conn, NFLB_NOW_SEQ) &&
	    READ_ONCE(seq->isn) == pkt->tcp_seq)
		return;
	WRITE_ONCE(seq->isn, pkt->tcp_seq);
	WRITE_ONCE(seq->delta, seq->end + 1 - pkt->tcp_seq +
			       (get_random_u32() & ISN_DISTANCE_MASK));
	nflb_conn_now_set(conn, NFLB_NOW_SEQ);
	nflb_pkt_count(pkt, NFLB_COUNTER_PORT_REUSED);
}

static bool is_syn(const struct nflb_pkt *pkt)
{
	return (pkt->tcp_flags & (NFLB_TCP_SYN | NFLB_TCP_ACK)) == NFLB_TCP_SYN;
}

static enum nflb_verdict rewrite_in(struct nflb_pkt *pkt,
				    struct nflb_conn *conn, unsigned int mtu)
{
	enum nflb_verdict verdict;
	u32 delta;

	/* A later one is no begin; see conn_proof.c. */
	if (is_syn(pkt) && nflb_conn_state_half_open(conn))
		syn(pkt, conn);
	delta = nflb_tcp_seq_delta(conn);
	if (conn->how & NFLB_HOW_PROXY) {
		verdict = nflb_proxy_tcp(pkt, conn);
		if (verdict != NFLB_CONTINUE)
			return verdict;
		/* The header comes after the SYN. */
		if (is_syn(pkt))
			delta -= nflb_proxy_len(conn->in.tuple.family);
	}
	if (delta)
		nflb_mangle_field(pkt, offsetof(struct tcphdr, seq),
				  htonl(pkt->tcp_seq + delta));
	if (nflb_conn_now(conn, NFLB_NOW_TOA))
		return nflb_toa_insert(pkt, conn, mtu);
	return NFLB_CONTINUE;
}

static void synack(struct nflb_pkt *pkt, struct nflb_conn *conn)
{
	struct nflb_conn_seq *seq = &conn->seq;

	/* Not what a SYN on a live connection is answered with. */
	if (nflb_conn_state_half_open(conn))
		WRITE_ONCE(seq->first_ack, pkt->tcp_seq + 1);
	if (nflb_conn_now(conn, NFLB_NOW_TOA))
		nflb_tcp_lower_mss(pkt, nflb_toa_len(conn));
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
 * nflb_tcp_rewrite() - what is to be done to a segment besides its addresses
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
