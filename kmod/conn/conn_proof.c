// SPDX-License-Identifier: GPL-2.0
/*
 * Is this still the same connection, and who says so?
 *
 * Anybody can send a packet with a client's address in it. So nothing that ends
 * a connection, shortens its life, lets another take its place or lengthens its
 * life for good is done on the word of a packet alone. The packet has to show a
 * number that only the two sides know.
 *
 * The connection records the highest sequence number of each side: all 32 bits in
 * nflb_conn.at, and the upper 15 bits in nflb_tuple.aux, where the fast path
 * (fastpath.h) sees whether there is anything to record. A one-sided connection has
 * only the upper 15 bits of its client's sequence and acknowledgment numbers. They are
 * written only when they change, so an idle or slow flow does not dirty its cache
 * lines. Hence a recorded number may lag by up to STEP bytes.
 *
 * The numbers move forward by small steps, or by a leap if the acknowledgment number
 * fits the other side's sequence numbers, too. All of them are in the client's
 * numbering, without the offset towards the backend (tcp_seq.c).
 *
 * A SYN proves nothing: it begins with a number of its sender's choice. One that
 * comes to a live connection is passed on to the same backend, and the entry
 * stays. A backend that still has the connection answers with the number that it
 * expects (RFC 5961, section 4). A client that lost it resets that number, and
 * this reset is believed; its next SYN begins a new connection. When backend and
 * client are both silent, the balancer asks the client in the same way
 * (nflb_conn_ask()). Nobody who still has the connection leaves that unanswered,
 * so when nothing is heard the next SYN begins anew, too.
 *
 * Where the backend is not seen, a SYN and an ACK that goes on from it may be
 * made up by one who knows no number at all. They are followed, for client and
 * backend may have begun anew; but no FIN and no RST is believed after them, and
 * only silence lets a SYN take the connection's place.
 */
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include "conn/conn_proof.h"
#include "conn/conn_seq.h"
#include "conn/conn_state.h"
#include "netns.h"

#define STEP		BIT(NFLB_AUX_SEQ_SHIFT)

/* How far a RST may be behind or ahead of its sender's recorded number: it may
 * carry the number that the other side acknowledged last.
 */
#define RST_BEHIND	(8 * STEP)
#define AHEAD		(2 * STEP)
/* A sender sends nothing new after its FIN. */
#define FIN_BEHIND	STEP
/* How far a segment may leap if many segments before it were lost on the way here: by
 * a window, and its acknowledgment number must be within the last window.
 */
#define LEAP_MAX	(256 * STEP)
#define LEAP_ACK_BEHIND	(64 * STEP)
#define LEAP_ACK_AHEAD	STEP
/* An ICMP error may quote the oldest segment in flight. */
#define QUOTED_BEHIND	(64 * STEP)
/* Data that Fast Open puts into or directly behind a SYN */
#define EARLY_DATA	U16_MAX

static bool one_sided(const struct nflb_conn *conn)
{
	return conn->how & NFLB_HOW_ONE_SIDED;
}

/* The number noted of the sender of @dir */
static u32 noted(const struct nflb_conn *conn, enum nflb_dir dir)
{
	u16 aux;

	if (!one_sided(conn))
		return READ_ONCE(conn->at[dir]);
	aux = dir == NFLB_DIR_IN ? READ_ONCE(conn->in.tuple.aux) :
				   READ_ONCE(conn->outer.aux);
	return (u32)aux << NFLB_AUX_SEQ_SHIFT;
}

/* Is @seq at most so many bytes behind or ahead of the recorded number? */
static bool near(const struct nflb_conn *conn, enum nflb_dir dir, u32 seq,
		 u32 behind, u32 ahead)
{
	/* Of a one-sided connection the lower bits are not known. */
	if (one_sided(conn))
		ahead += STEP - 1;
	return seq - noted(conn, dir) + behind <= behind + ahead;
}

/* The offset of a SYN's number: it precedes the PROXY header. */
static u32 syn_delta(const struct nflb_conn *conn)
{
	return nflb_conn_now(conn, NFLB_NOW_SEQ) ? READ_ONCE(conn->seq.delta) :
						   0;
}

/* The acknowledgment number, as the other side knows its own numbers */
static u32 acked(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		 enum nflb_dir dir)
{
	return dir == NFLB_DIR_OUT ? pkt->tcp_ack - nflb_conn_seq_delta(conn) :
				     pkt->tcp_ack;
}

static u32 payload(const struct nflb_pkt *pkt)
{
	return pkt->len - pkt->l4 - pkt->tcp_doff;
}

/* Did much before this segment get lost, or is it forged? */
static bool leaps(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		  enum nflb_dir dir)
{
	/* A SYN's number has replaced the number to compare with. */
	if (one_sided(conn) && nflb_conn_now(conn, NFLB_NOW_SYN_AGAIN))
		return false;
	return near(conn, dir, pkt->tcp_seq, 0, LEAP_MAX) &&
	       (one_sided(conn) ?
		near(conn, NFLB_DIR_OUT, pkt->tcp_ack, 0, LEAP_MAX) :
		near(conn, !dir, acked(conn, pkt, dir), LEAP_ACK_BEHIND,
		     LEAP_ACK_AHEAD));
}

/*
 * Does a one-sided connection go on from a SYN that was passed on? So it does
 * when client and backend began anew past us; but not with a FIN.
 */
static bool follows_syn(const struct nflb_conn *conn,
			const struct nflb_pkt *pkt)
{
	return one_sided(conn) && nflb_conn_now(conn, NFLB_NOW_SYN_AGAIN) &&
	       !(pkt->tcp_flags & NFLB_TCP_FIN) &&
	       near(conn, NFLB_DIR_OUT, pkt->tcp_seq, 0, EARLY_DATA);
}

/**
 * nflb_proof_near() - is a segment's number near its sender's recorded one?
 * @conn: its connection
 * @pkt: the segment
 * @dir: its direction
 *
 * Return: whether it is.
 */
bool nflb_proof_near(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		     enum nflb_dir dir)
{
	return near(conn, dir, pkt->tcp_seq, RST_BEHIND, AHEAD);
}

/* Does it acknowledge the SYN that was passed on last, and no more than that? */
static bool acks_syn(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		     u32 syn)
{
	return pkt->tcp_flags & NFLB_TCP_ACK &&
	       pkt->tcp_ack - syn_delta(conn) - syn <= EARLY_DATA;
}

/**
 * nflb_proof_rst() - is a RST to be believed?
 * @conn: its connection
 * @pkt: the RST
 * @dir: its direction
 *
 * Its number must be near its sender's recorded one. A backend without the connection
 * has no number of its own: its RST acknowledges the SYN.
 *
 * Return: whether it ends the connection.
 */
bool nflb_proof_rst(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		    enum nflb_dir dir)
{
	u8 state = READ_ONCE(conn->state);

	if (state == NFLB_CONN_NONE || nflb_conn_adopted(conn))
		return false;
	if (dir == NFLB_DIR_IN)
		return nflb_proof_near(conn, pkt, dir);
	if (state <= NFLB_CONN_SYN_RECV &&
	    acks_syn(conn, pkt, READ_ONCE(conn->at[NFLB_DIR_IN])))
		return true;
	if (nflb_conn_now(conn, NFLB_NOW_SYN_AGAIN) &&
	    acks_syn(conn, pkt, READ_ONCE(conn->seq.end)))
		return true;
	return state > NFLB_CONN_SYN_SENT && nflb_proof_near(conn, pkt, dir);
}

/**
 * nflb_proof_fin() - is a FIN to be believed?
 * @conn: its connection, whose handshake is through
 * @pkt: the FIN
 * @dir: its direction
 *
 * Return: whether its sender closes.
 */
bool nflb_proof_fin(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		    enum nflb_dir dir)
{
	if (nflb_conn_adopted(conn))
		return false;
	return near(conn, dir, pkt->tcp_seq, FIN_BEHIND, AHEAD) ||
	       leaps(conn, pkt, dir);
}

/**
 * nflb_proof_handshake() - does an ACK of the client complete the handshake?
 * @conn: its connection, in SYN_RECV, or in SYN_SENT if it is one-sided
 * @pkt: the ACK
 *
 * It acknowledges the SYN-ACK, whose number only its receiver knows. With Fast
 * Open the backend may have sent more than that before. Where the SYN-ACK is not
 * seen here, only the client's own number can be compared.
 *
 * Return: whether it does.
 */
bool nflb_proof_handshake(const struct nflb_conn *conn,
			  const struct nflb_pkt *pkt)
{
	if (one_sided(conn))
		return near(conn, NFLB_DIR_IN, pkt->tcp_seq, 0, EARLY_DATA);
	if (nflb_conn_now(conn, NFLB_NOW_HEARD_OUT))
		return near(conn, NFLB_DIR_OUT, pkt->tcp_ack, EARLY_DATA,
			    EARLY_DATA);
	/* The SYN-ACK's own number is as hard to guess. */
	return near(conn, NFLB_DIR_OUT, pkt->tcp_ack, 1, 0);
}

/**
 * nflb_proof_last_ack() - does an ACK acknowledge the last FIN?
 * @conn: its connection, in LAST_ACK
 * @pkt: the ACK
 * @dir: its direction
 *
 * Return: whether nothing is left to be sent.
 */
bool nflb_proof_last_ack(const struct nflb_conn *conn,
			 const struct nflb_pkt *pkt, enum nflb_dir dir)
{
	return nflb_proof_near(conn, pkt, dir) &&
	       near(conn, !dir, acked(conn, pkt, dir), AHEAD, AHEAD);
}

/**
 * nflb_proof_goes_on() - does its sender send more, though it closed?
 * @conn: its connection, in a state that a FIN led to
 * @pkt: a segment without FIN
 * @dir: its direction
 *
 * Then the FIN was forged by somebody who was lucky. Of a one-sided connection
 * a segment that is sent again looks the same, which does no harm.
 *
 * Return: whether there is data beyond the FIN.
 */
bool nflb_proof_goes_on(const struct nflb_conn *conn,
			const struct nflb_pkt *pkt, enum nflb_dir dir)
{
	u32 end = pkt->tcp_seq + payload(pkt);

	if (!payload(pkt) || !nflb_proof_near(conn, pkt, dir))
		return false;
	return one_sided(conn) || (s32)(end - noted(conn, dir)) > 0;
}

/**
 * nflb_proof_means_it() - is a one-sided connection more than a made-up one?
 * @conn: the connection, established, but not assured
 * @pkt: a segment of the client after the one that established it
 *
 * A third segment with consistent numbers is all the proof that a client can give: the
 * backend's answers do not pass here.
 *
 * Return: whether the connection is assured.
 */
bool nflb_proof_means_it(const struct nflb_conn *conn,
			 const struct nflb_pkt *pkt)
{
	return near(conn, NFLB_DIR_IN, pkt->tcp_seq, 0, AHEAD) &&
	       near(conn, NFLB_DIR_OUT, pkt->tcp_ack, 0, LEAP_MAX);
}

/* Did no packet come for so long that each side may be asked, and would answer?
 * Linux answers at most twice a second (tcp_invalid_ratelimit).
 */
static bool quiet(const struct nflb_conn *conn, u32 now)
{
	u8 tick = READ_ONCE(conn->tick);

	return !tick || (u8)(nflb_conn_tick(now) - tick) >= 2;
}

/* RFC 6191, section 2, without timestamps; RFC 9293, section 3.6.1 */
static bool beyond(const struct nflb_conn *conn, const struct nflb_pkt *pkt)
{
	return (s32)(pkt->tcp_seq - noted(conn, NFLB_DIR_IN)) > 0;
}

/**
 * nflb_proof_anew() - does a SYN begin a new connection in place of this one?
 * @conn: the connection, which is alive
 * @pkt: a SYN of its client
 * @now: nflb_now()
 *
 * It does when the old one was reset; when it is in TIME_WAIT and the SYN's
 * number is beyond it; when the backend did not answer a SYN before this one, and
 * gets no new connections any more; and when neither side answered for it when it
 * was asked.
 *
 * Of a one-sided connection the end is seen only by the client's FIN: it is left
 * by a SYN beyond it when the client has sent nothing since for a while. A client
 * that still receives would have acknowledged something. And while its backend
 * takes new connections, every other SYN may as well go there.
 *
 * Return: whether it does.
 */
bool nflb_proof_anew(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		     u32 now)
{
	switch (READ_ONCE(conn->state)) {
	case NFLB_CONN_CLOSE:
	case NFLB_CONN_ENDED:
		return true;
	case NFLB_CONN_NONE:
	case NFLB_CONN_SYN_SENT:
		return nflb_backend_leaves(conn->backend);
	case NFLB_CONN_SYN_RECV:
		return false;
	case NFLB_CONN_TIME_WAIT:
		if (beyond(conn, pkt))
			return true;
		break;
	case NFLB_CONN_FIN_WAIT:
		if (one_sided(conn) && !nflb_conn_adopted(conn) && beyond(conn, pkt) &&
		    quiet(conn, now))
			return true;
		break;
	}
	/* Some clients do not answer a question without timestamps (RFC 7323,
	 * section 3.2). A backend that is not seen answers none of its own.
	 */
	if (one_sided(conn) && !nflb_backend_leaves(conn->backend))
		return false;
	return nflb_conn_now(conn, NFLB_NOW_ASKED) && quiet(conn, now);
}
NFLB_EXPORT_KUNIT(nflb_proof_anew);

/**
 * nflb_proof_syn() - a SYN goes the way of a connection that it does not belong to
 * @conn: the connection, whose handshake is through
 * @pkt: the SYN, which is not nflb_proof_anew()
 * @now: nflb_now()
 *
 * Its number is kept, for the backend's answer to it: when the backend has no
 * such connection it either accepts the SYN (nflb_proof_accepted()) or resets it.
 *
 * Return: true when nothing was heard of the connection for a while, and the
 * client is to be asked for it.
 */
bool nflb_proof_syn(struct nflb_conn *conn, const struct nflb_pkt *pkt, u32 now)
{
	if (one_sided(conn))
		WRITE_ONCE(conn->outer.aux, pkt->tcp_seq >> NFLB_AUX_SEQ_SHIFT);
	else
		WRITE_ONCE(conn->seq.end, pkt->tcp_seq);
	nflb_conn_now_set(conn, NFLB_NOW_SYN_AGAIN);
	if (nflb_conn_now(conn, NFLB_NOW_ASKED) || !quiet(conn, now) ||
	    (one_sided(conn) && !READ_ONCE(conn->backend->service->nn->reject)))
		return false;
	nflb_conn_now_set(conn, NFLB_NOW_ASKED);
	nflb_conn_renew(conn, now);
	return true;
}
NFLB_EXPORT_KUNIT(nflb_proof_syn);

/**
 * nflb_proof_accepted() - did the backend accept the SYN kept last?
 * @conn: the connection, whose handshake is through
 * @pkt: a SYN-ACK of its backend
 *
 * Then the backend had lost the connection, and has a new one now.
 *
 * Return: whether it did.
 */
bool nflb_proof_accepted(const struct nflb_conn *conn,
			 const struct nflb_pkt *pkt)
{
	return nflb_conn_now(conn, NFLB_NOW_SYN_AGAIN) &&
	       acks_syn(conn, pkt, READ_ONCE(conn->seq.end));
}

/* The sequence number of the segment that an ICMP error quotes. Each error quotes that
 * much (RFC 792; RFC 4443, section 3).
 */
static bool quoted_seq(const struct nflb_pkt *pkt, u32 *seq)
{
	const __be32 *at;
	__be32 buf;

	at = skb_header_pointer(pkt->skb,
				pkt->inner_l4 + offsetof(struct tcphdr, seq),
				sizeof(buf), &buf);
	if (at)
		*seq = ntohl(*at);
	return at;
}

/**
 * nflb_proof_quoted() - does an ICMP error quote a segment of a connection?
 * @conn: the connection, which is alive
 * @pkt: the error
 * @dir: its direction; the quoted segment went the other way
 *
 * RFC 5927, section 4.1: the quoted segment must possibly be in flight. UDP has no
 * numbers to compare.
 *
 * Return: whether it may be.
 */
bool nflb_proof_quoted(const struct nflb_conn *conn, const struct nflb_pkt *pkt,
		       enum nflb_dir dir)
{
	u8 state = READ_ONCE(conn->state);
	u32 seq;

	if (pkt->inner_proto != IPPROTO_TCP)
		return true;
	if (!quoted_seq(pkt, &seq) || state == NFLB_CONN_NONE)
		return false;
	if (dir == NFLB_DIR_OUT)
		return near(conn, NFLB_DIR_IN, seq - nflb_conn_seq_delta(conn),
			    QUOTED_BEHIND, AHEAD);
	/* Of the backend nothing is known before it answered. */
	if (state == NFLB_CONN_SYN_SENT)
		return false;
	/* If one-sided, only the client's acknowledgments show it. */
	return near(conn, NFLB_DIR_OUT, seq,
		    one_sided(conn) ? AHEAD : QUOTED_BEHIND,
		    one_sided(conn) ? QUOTED_BEHIND : AHEAD);
}

/**
 * nflb_proof_begin() - note where the sender of a direction is, whatever was
 *	noted before
 * @conn: the connection
 * @dir: the direction
 * @seq: its number
 */
void nflb_proof_begin(struct nflb_conn *conn, enum nflb_dir dir, u32 seq)
{
	u16 *aux = nflb_conn_aux(conn, dir);

	if (!one_sided(conn)) {
		WRITE_ONCE(conn->at[dir], seq);
		WRITE_ONCE(*aux, (READ_ONCE(*aux) & NFLB_AUX_DIR) |
				 seq >> NFLB_AUX_SEQ_SHIFT);
	} else {
		WRITE_ONCE(*aux, seq >> NFLB_AUX_SEQ_SHIFT);
	}
}
NFLB_EXPORT_KUNIT(nflb_proof_begin);

/* Record the backend's progress from the client's acknowledgments. */
static void note_ack(struct nflb_conn *conn, const struct nflb_pkt *pkt)
{
	if (pkt->tcp_flags & NFLB_TCP_ACK &&
	    near(conn, NFLB_DIR_OUT, pkt->tcp_ack, 0, LEAP_MAX))
		nflb_proof_begin(conn, NFLB_DIR_OUT, pkt->tcp_ack);
}

/**
 * nflb_proof_note() - note how far the sender of a segment is
 * @conn: its connection, whose handshake is through
 * @pkt: the segment, no SYN and no RST; a FIN must have been believed
 * @dir: its direction
 */
void nflb_proof_note(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		     enum nflb_dir dir)
{
	u32 seq = pkt->tcp_seq;

	if (unlikely(follows_syn(conn, pkt))) {
		nflb_conn_now_clear(conn, NFLB_NOW_SYN_AGAIN | NFLB_NOW_ASKED);
		nflb_conn_now_set(conn, NFLB_NOW_ADOPTED);
		nflb_proof_begin(conn, NFLB_DIR_IN, seq);
		nflb_proof_begin(conn, NFLB_DIR_OUT, pkt->tcp_ack);
		return;
	}
	if (!near(conn, dir, seq, 0, AHEAD) && !leaps(conn, pkt, dir))
		return;
	if (pkt->tcp_flags & NFLB_TCP_FIN)
		seq += payload(pkt) + 1;
	nflb_proof_begin(conn, dir, seq);
	if (one_sided(conn) && !nflb_conn_now(conn, NFLB_NOW_SYN_AGAIN))
		note_ack(conn, pkt);
}
