// SPDX-License-Identifier: GPL-2.0
/*
 * The TCP state of a connection, followed in both directions by flags alone,
 * but for one thing: a RST is believed only when its sequence number is near
 * the last that was seen of its sender. A forged RST with a number out of thin
 * air is passed on (its receiver knows better, RFC 5961 section 3) and does not
 * shorten the life of the connection.
 *
 * "Near" is told by 15 bits of the sequence number, in steps of 128 KiB, which
 * are written only when they change: a flow that is idle or slow does not dirty
 * its cache line. They move forward by small steps, or by a larger one when the
 * acknowledgment number fits what the other side sent. So one forged segment in
 * some three thousand is believed, be it a RST or one to prepare for it.
 */
#include <linux/jiffies.h>

#include "datapath/conn_state.h"
#include "datapath/service.h"
#include "datapath/tcp_seq.h"

/* In steps of 128 KiB: how far a RST may be behind or ahead of the last, */
#define SEQ_BEHIND	8
#define SEQ_AHEAD	2
/* and how far a segment may leap when much before it was lost on the way here:
 * by a window, and what it acknowledges was sent within the last window.
 */
#define LEAP_MAX	256
#define LEAP_ACK_BEHIND	64
#define LEAP_ACK_AHEAD	1

static const char * const state_names[] = {
	[NFLB_CONN_NONE]	= "none",
	[NFLB_CONN_SYN_SENT]	= "syn-sent",
	[NFLB_CONN_SYN_RECV]	= "syn-recv",
	[NFLB_CONN_ESTABLISHED]	= "established",
	[NFLB_CONN_FIN_WAIT]	= "fin-wait",
	[NFLB_CONN_CLOSE_WAIT]	= "close-wait",
	[NFLB_CONN_LAST_ACK]	= "last-ack",
	[NFLB_CONN_TIME_WAIT]	= "time-wait",
	[NFLB_CONN_CLOSE]	= "close",
	[NFLB_CONN_UDP]		= "udp",
	[NFLB_CONN_ENDED]	= "ended",
};

static_assert(ARRAY_SIZE(state_names) == NFLB_CONN_STATE_MAX + 1);

/**
 * nflb_conn_state_name() - the name of a state
 * @state: enum nflb_conn_state
 *
 * Return: a constant string.
 */
const char *nflb_conn_state_name(u8 state)
{
	return state_names[state];
}

/**
 * nflb_conn_state_timeouts() - timeouts by state
 * @jiffies_by_state: NFLB_CONN_STATE_MAX + 1 values to fill in
 * @seconds: what is configured, by enum nflb_timeout
 */
void nflb_conn_state_timeouts(u32 *jiffies_by_state, const u32 *seconds)
{
	u32 syn = seconds[NFLB_TIMEOUT_SYN] * HZ;
	u32 fin = seconds[NFLB_TIMEOUT_FIN] * HZ;

	jiffies_by_state[NFLB_CONN_NONE] = syn;
	jiffies_by_state[NFLB_CONN_SYN_SENT] = syn;
	jiffies_by_state[NFLB_CONN_SYN_RECV] = syn;
	jiffies_by_state[NFLB_CONN_ESTABLISHED] =
		seconds[NFLB_TIMEOUT_ESTABLISHED] * HZ;
	jiffies_by_state[NFLB_CONN_FIN_WAIT] = fin;
	jiffies_by_state[NFLB_CONN_CLOSE_WAIT] = fin;
	jiffies_by_state[NFLB_CONN_LAST_ACK] = fin;
	jiffies_by_state[NFLB_CONN_TIME_WAIT] = NFLB_TIMEOUT_TIME_WAIT * HZ;
	jiffies_by_state[NFLB_CONN_CLOSE] = NFLB_TIMEOUT_CLOSE * HZ;
	jiffies_by_state[NFLB_CONN_UDP] = seconds[NFLB_TIMEOUT_UDP] * HZ;
	jiffies_by_state[NFLB_CONN_ENDED] = NFLB_TIMEOUT_CLOSE * HZ;
}
NFLB_EXPORT_KUNIT(nflb_conn_state_timeouts);

static void state_set(struct nflb_conn *conn, u8 state)
{
	nflb_conn_state_enter(conn, state, nflb_now());
	if (!nflb_conn_state_active(state))
		nflb_conn_inactive(conn);
}

static u8 next_on_fin(u8 state, enum nflb_dir dir)
{
	bool client = dir == NFLB_DIR_IN;

	switch (state) {
	case NFLB_CONN_SYN_RECV:
	case NFLB_CONN_ESTABLISHED:
		return client ? NFLB_CONN_FIN_WAIT : NFLB_CONN_CLOSE_WAIT;
	case NFLB_CONN_FIN_WAIT:
		return client ? state : NFLB_CONN_LAST_ACK;
	case NFLB_CONN_CLOSE_WAIT:
		return client ? NFLB_CONN_LAST_ACK : state;
	default:
		return state;
	}
}

static u8 next_on_ack(u8 state, enum nflb_dir dir)
{
	if (state == NFLB_CONN_SYN_RECV && dir == NFLB_DIR_IN)
		return NFLB_CONN_ESTABLISHED;
	if (state == NFLB_CONN_LAST_ACK)
		return NFLB_CONN_TIME_WAIT;
	return state;
}

/**
 * nflb_conn_state_next() - the state after a TCP segment
 * @state: the state before
 * @tcp_flags: NFLB_TCP_* of the segment; a RST must have been believed
 * @dir: its direction
 *
 * RST goes before SYN before FIN before ACK. Return: the state after.
 */
u8 nflb_conn_state_next(u8 state, u8 tcp_flags, enum nflb_dir dir)
{
	if (tcp_flags & NFLB_TCP_RST)
		return NFLB_CONN_CLOSE;
	if (tcp_flags & NFLB_TCP_SYN) {
		if (dir == NFLB_DIR_IN && state == NFLB_CONN_NONE)
			return NFLB_CONN_SYN_SENT;
		if (dir == NFLB_DIR_OUT && state == NFLB_CONN_SYN_SENT)
			return NFLB_CONN_SYN_RECV;
		return state;
	}
	if (tcp_flags & NFLB_TCP_FIN)
		return next_on_fin(state, dir);
	if (tcp_flags & NFLB_TCP_ACK)
		return next_on_ack(state, dir);
	return state;
}
NFLB_EXPORT_KUNIT(nflb_conn_state_next);

/**
 * nflb_conn_state_one_sided() - the state after a TCP segment of the client
 * @state: the state before
 * @tcp_flags: NFLB_TCP_* of the segment; a RST must have been believed
 *
 * For connections whose backend answers past the balancer. The client's ACK
 * tells that it got the backend's SYN-ACK; what the backend closes is not seen.
 * A client that goes on after a RST did not send it: then it was forged.
 *
 * Return: the state after.
 */
u8 nflb_conn_state_one_sided(u8 state, u8 tcp_flags)
{
	if (tcp_flags & NFLB_TCP_RST)
		return NFLB_CONN_CLOSE;
	if (tcp_flags & NFLB_TCP_SYN)
		return state == NFLB_CONN_NONE ? NFLB_CONN_SYN_SENT : state;
	if (tcp_flags & NFLB_TCP_FIN)
		return NFLB_CONN_FIN_WAIT;
	if (tcp_flags & NFLB_TCP_ACK &&
	    (state == NFLB_CONN_SYN_SENT || state == NFLB_CONN_CLOSE))
		return NFLB_CONN_ESTABLISHED;
	return state;
}
NFLB_EXPORT_KUNIT(nflb_conn_state_one_sided);

/* Is @seq at most so many steps behind or ahead of what @aux noted? */
static bool seq_near(u16 aux, u32 seq, u16 behind, u16 ahead)
{
	u16 distance = (seq >> NFLB_AUX_SEQ_SHIFT) - aux + behind;

	return (distance & NFLB_AUX_SEQ_MASK) <= behind + ahead;
}

/*
 * Did much before this segment get lost, or is it forged? Where the backend is
 * not seen, its numbers are those that the client acknowledged last; and after
 * a SYN, which may have begun a new connection, any are taken.
 */
static bool leap_believed(struct nflb_conn *conn, u16 aux, u16 other, u32 seq,
			  u32 ack)
{
	if (nflb_conn_now(conn, NFLB_NOW_SYN_AGAIN)) {
		nflb_conn_now_clear(conn, NFLB_NOW_SYN_AGAIN);
		return true;
	}
	if (!seq_near(aux, seq, 0, LEAP_MAX))
		return false;
	return conn->how & NFLB_HOW_ONE_SIDED ?
	       seq_near(other, ack, 0, LEAP_MAX) :
	       seq_near(other, ack, LEAP_ACK_BEHIND, LEAP_ACK_AHEAD);
}

/* Note how far the sender is; see the head of this file. */
static noinline void seq_move(struct nflb_conn *conn,
			      const struct nflb_pkt *pkt, enum nflb_dir dir,
			      u16 aux)
{
	u16 other = READ_ONCE(*nflb_conn_aux(conn, !dir));
	u32 seq = pkt->tcp_seq, ack = pkt->tcp_ack;

	/* All numbers are kept as the client knows its own. */
	if (dir == NFLB_DIR_OUT)
		ack -= nflb_tcp_seq_delta(conn);

	if (READ_ONCE(conn->state) >= NFLB_CONN_ESTABLISHED &&
	    !seq_near(aux, seq, 0, SEQ_AHEAD) &&
	    !leap_believed(conn, aux, other, seq, ack))
		return;
	WRITE_ONCE(*nflb_conn_aux(conn, dir),
		   (aux & NFLB_AUX_DIR) | seq >> NFLB_AUX_SEQ_SHIFT);
}

static void seq_note(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		     enum nflb_dir dir, u16 aux)
{
	if (unlikely((aux & NFLB_AUX_SEQ_MASK) !=
		     pkt->tcp_seq >> NFLB_AUX_SEQ_SHIFT))
		seq_move(conn, pkt, dir, aux);
}

/* How far the backend is, by what the client acknowledges. */
static void ack_note(struct nflb_conn *conn, const struct nflb_pkt *pkt)
{
	u16 aux = READ_ONCE(conn->outer.aux);

	if (likely(aux == pkt->tcp_ack >> NFLB_AUX_SEQ_SHIFT) ||
	    !(pkt->tcp_flags & NFLB_TCP_ACK))
		return;
	if (READ_ONCE(conn->state) < NFLB_CONN_ESTABLISHED ||
	    nflb_conn_now(conn, NFLB_NOW_SYN_AGAIN) ||
	    seq_near(aux, pkt->tcp_ack, 0, LEAP_MAX))
		WRITE_ONCE(conn->outer.aux,
			   pkt->tcp_ack >> NFLB_AUX_SEQ_SHIFT);
}

static bool rst_believed(const struct nflb_conn *conn, u16 aux, u32 seq)
{
	/* Before the handshake is through nothing is worth forging, and a
	 * backend that refuses a connection was not seen before.
	 */
	return READ_ONCE(conn->state) < NFLB_CONN_ESTABLISHED ||
	       seq_near(aux, seq, SEQ_BEHIND, SEQ_AHEAD);
}

static void assure(struct nflb_conn *conn)
{
	nflb_conn_now_set(conn, NFLB_NOW_ASSURED);
	nflb_conn_state_enter(conn, READ_ONCE(conn->state), nflb_now());
}

static noinline void udp_news(struct nflb_conn *conn, enum nflb_dir dir)
{
	if (dir == NFLB_DIR_OUT)
		nflb_conn_now_set(conn, NFLB_NOW_HEARD_OUT);
	else
		assure(conn);
}

/**
 * nflb_conn_state_packet() - follow a packet
 * @conn: its connection
 * @pkt: the packet
 * @dir: its direction
 *
 * Context: rcu_read_lock() held. Two CPUs with packets of one connection may
 * each miss what the other saw; the next packet puts that right.
 */
void nflb_conn_state_packet(struct nflb_conn *conn, const struct nflb_pkt *pkt,
			    enum nflb_dir dir)
{
	u32 now = nflb_now();
	u8 state, next;

	if (pkt->tuple.proto == IPPROTO_UDP && nflb_conn_udp_news(conn, dir, now))
		udp_news(conn, dir);
	nflb_conn_touch(conn, now);
	if (pkt->tuple.proto == IPPROTO_TCP) {
		bool one_sided = conn->how & NFLB_HOW_ONE_SIDED;
		u16 aux = READ_ONCE(*nflb_conn_aux(conn, dir));

		if (unlikely(pkt->tcp_flags & NFLB_TCP_RST)) {
			if (!rst_believed(conn, aux, pkt->tcp_seq))
				return;
		} else if (likely(!(pkt->tcp_flags & NFLB_TCP_SYN) ||
				  READ_ONCE(conn->state) <
				  NFLB_CONN_ESTABLISHED)) {
			if (one_sided)
				ack_note(conn, pkt);
			seq_note(conn, pkt, dir, aux);
		} else if (one_sided) {
			nflb_conn_now_set(conn, NFLB_NOW_SYN_AGAIN);
		}
		state = READ_ONCE(conn->state);
		next = one_sided ?
		       nflb_conn_state_one_sided(state, pkt->tcp_flags) :
		       nflb_conn_state_next(state, pkt->tcp_flags, dir);
		if (unlikely(next != state)) {
			if (next == NFLB_CONN_ESTABLISHED)
				nflb_conn_now_set(conn, NFLB_NOW_ASSURED);
			state_set(conn, next);
		}
	}
}
NFLB_EXPORT_KUNIT(nflb_conn_state_packet);
