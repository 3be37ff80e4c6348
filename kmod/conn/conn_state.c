// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a connection, tracked in both directions. A segment changes it only with
 * proof that its sender is genuine: conn_proof.c.
 */
#include <linux/jiffies.h>

#include "service/service.h"
#include "conn/conn_passive.h"
#include "conn/conn_proof.h"
#include "conn/conn_state.h"
#include "conn/tell.h"

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
 * @seconds: configured timeouts, by enum nflb_timeout
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
	nflb_conn_recount(conn, state);
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
 * @tcp_flags: NFLB_TCP_* of the segment, which was believed
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
 * @tcp_flags: NFLB_TCP_* of the segment, which was believed
 *
 * For connections whose backend answers past the balancer. The client's ACK shows that
 * it got the backend's SYN-ACK; the backend's FIN does not pass here. If the client
 * continues after a RST, the RST was forged.
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

static void follow(struct nflb_conn *conn, u8 state, u8 next)
{
	if (unlikely(next != state))
		state_set(conn, next);
}

static void assure(struct nflb_conn *conn)
{
	u8 state = READ_ONCE(conn->state);

	nflb_conn_now_set(conn, NFLB_NOW_ASSURED);
	nflb_conn_state_enter(conn, state, nflb_now());
	nflb_conn_recount(conn, state);
}

static void reset(struct nflb_conn *conn)
{
	nflb_conn_now_clear(conn, NFLB_NOW_HEARD_IN | NFLB_NOW_HEARD_OUT);
	state_set(conn, NFLB_CONN_CLOSE);
}

/*
 * The backend lost the connection and accepted a SYN that went its way: it is
 * like a new one with the same tuples.
 */
static void begin_afresh(struct nflb_conn *conn, const struct nflb_pkt *pkt)
{
	const struct nflb_snapshot *snapshot;

	snapshot = rcu_dereference(conn->backend->service->snapshot);
	nflb_proof_begin(conn, NFLB_DIR_IN, READ_ONCE(conn->seq.end));
	nflb_proof_begin(conn, NFLB_DIR_OUT, pkt->tcp_seq + 1);
	WRITE_ONCE(conn->seq.isn, conn->seq.end);
	nflb_conn_now_clear(conn, NFLB_NOW_SYN_AGAIN | NFLB_NOW_ASKED |
				  NFLB_NOW_ASSURED | NFLB_NOW_PROXY_ACKED |
				  NFLB_NOW_HEARD_IN | NFLB_NOW_HEARD_OUT);
	if (conn->how & NFLB_HOW_LADDR && !(conn->how & NFLB_HOW_PROXY) &&
	    snapshot->toa)
		nflb_conn_now_set(conn, NFLB_NOW_TOA);
	state_set(conn, NFLB_CONN_SYN_RECV);
}

static void syn_in(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		   u8 state, u32 now)
{
	if (state >= NFLB_CONN_ESTABLISHED) {
		if (nflb_proof_syn(conn, pkt, now))
			nflb_conn_ask(conn->backend->service->nn, conn);
		return;
	}
	if (state == NFLB_CONN_SYN_SENT)
		nflb_passive_syn(conn, now);
	/* Once the backend answered, another number is none of this client. */
	if (state < NFLB_CONN_SYN_RECV)
		nflb_proof_begin(conn, NFLB_DIR_IN, pkt->tcp_seq);
	if (state == NFLB_CONN_NONE)
		state_set(conn, NFLB_CONN_SYN_SENT);
}

/* A backend that uses SYN cookies may answer with another number each time. */
static void syn_out(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		    u8 state)
{
	if (state >= NFLB_CONN_ESTABLISHED) {
		if (nflb_proof_accepted(conn, pkt))
			begin_afresh(conn, pkt);
		return;
	}
	if (state == NFLB_CONN_NONE)
		return;
	nflb_proof_begin(conn, NFLB_DIR_OUT, pkt->tcp_seq + 1);
	if (state == NFLB_CONN_SYN_SENT)
		state_set(conn, NFLB_CONN_SYN_RECV);
}

/* Before the handshake is through; returns whether it is now. */
static bool handshake(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		      enum nflb_dir dir, u8 state)
{
	if (state != NFLB_CONN_SYN_RECV || !(pkt->tcp_flags & NFLB_TCP_ACK))
		return false;
	if (dir == NFLB_DIR_OUT) {
		/* A challenge ACK, which anybody can provoke by a segment out of the window. */
		if (pkt->tcp_seq == READ_ONCE(conn->at[NFLB_DIR_OUT]) &&
		    pkt->len == pkt->l4 + pkt->tcp_doff)
			return false;
		/* Ahead of the client's ACK: Fast Open, or that went past us. */
		nflb_proof_begin(conn, NFLB_DIR_OUT, pkt->tcp_seq);
		nflb_conn_now_set(conn, NFLB_NOW_HEARD_OUT);
		return false;
	}
	if (!nflb_proof_handshake(conn, pkt))
		return false;
	nflb_proof_begin(conn, NFLB_DIR_IN, pkt->tcp_seq);
	nflb_conn_now_set(conn, NFLB_NOW_ASSURED);
	state_set(conn, NFLB_CONN_ESTABLISHED);
	nflb_passive_established(conn);
	return true;
}

/* The same of a one-sided connection, which is not assured by that. */
static bool handshake_one_sided(struct nflb_conn *conn,
				const struct nflb_pkt *pkt, u8 state)
{
	/* In NONE, it was made for a segment in its middle. */
	if (!(pkt->tcp_flags & NFLB_TCP_ACK) ||
	    (state != NFLB_CONN_NONE && !nflb_proof_handshake(conn, pkt)))
		return false;
	nflb_proof_begin(conn, NFLB_DIR_IN, pkt->tcp_seq);
	nflb_proof_begin(conn, NFLB_DIR_OUT, pkt->tcp_ack);
	state_set(conn, NFLB_CONN_ESTABLISHED);
	if (state != NFLB_CONN_NONE)
		nflb_passive_established(conn);
	return true;
}

/* The state of a connection that was ended by mistake: its sender goes on. */
static u8 revived(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		  enum nflb_dir dir, u8 state)
{
	const u8 both = NFLB_NOW_HEARD_IN | NFLB_NOW_HEARD_OUT;
	bool client = dir == NFLB_DIR_IN;

	if (state == NFLB_CONN_CLOSE) {
		nflb_conn_now_set(conn, client ? NFLB_NOW_HEARD_IN :
						 NFLB_NOW_HEARD_OUT);
		return conn->how & NFLB_HOW_ONE_SIDED ||
		       (READ_ONCE(conn->now) & both) == both ?
		       NFLB_CONN_ESTABLISHED : state;
	}
	if (pkt->tcp_flags & NFLB_TCP_FIN || !nflb_proof_goes_on(conn, pkt, dir))
		return state;
	switch (state) {
	case NFLB_CONN_FIN_WAIT:
		return client ? NFLB_CONN_ESTABLISHED : state;
	case NFLB_CONN_CLOSE_WAIT:
		return client ? state : NFLB_CONN_ESTABLISHED;
	default:
		return client ? NFLB_CONN_CLOSE_WAIT : NFLB_CONN_FIN_WAIT;
	}
}

/* A segment of a side that still has the connection */
static void heard(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		  enum nflb_dir dir)
{
	const u8 doubts = NFLB_NOW_SYN_AGAIN | NFLB_NOW_ASKED;
	u8 state = READ_ONCE(conn->state);

	if (likely(state == NFLB_CONN_ESTABLISHED &&
		   !nflb_conn_now(conn, doubts)))
		return;
	if (!nflb_proof_near(conn, pkt, dir)) {
		/* Of two senders, one has it, whichever that is. */
		if (nflb_conn_adopted(conn))
			nflb_conn_now_clear(conn, NFLB_NOW_ASKED);
		return;
	}
	if (nflb_conn_now(conn, doubts)) {
		nflb_conn_now_clear(conn, doubts);
		/* A SYN's number stood in the place of this one. */
		if (conn->how & NFLB_HOW_ONE_SIDED)
			nflb_proof_begin(conn, NFLB_DIR_OUT, pkt->tcp_ack);
	}
	if (state > NFLB_CONN_ESTABLISHED && state <= NFLB_CONN_CLOSE)
		follow(conn, state, revived(conn, pkt, dir, state));
}

static void two_sided(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		      enum nflb_dir dir, u32 now)
{
	u8 state = READ_ONCE(conn->state), flags = pkt->tcp_flags;

	if (unlikely(flags & NFLB_TCP_RST)) {
		if (!nflb_proof_rst(conn, pkt, dir))
			return;
		if (dir == NFLB_DIR_OUT)
			nflb_passive_reset(conn, state);
		reset(conn);
		return;
	}
	if (unlikely(flags & NFLB_TCP_SYN)) {
		if (dir == NFLB_DIR_IN)
			syn_in(conn, pkt, state, now);
		else
			syn_out(conn, pkt, state);
		return;
	}
	if (unlikely(state < NFLB_CONN_ESTABLISHED) &&
	    !handshake(conn, pkt, dir, state))
		return;
	if (flags & NFLB_TCP_FIN && !nflb_proof_fin(conn, pkt, dir))
		return;
	heard(conn, pkt, dir);
	state = READ_ONCE(conn->state);
	if (state != NFLB_CONN_LAST_ACK ||
	    nflb_proof_last_ack(conn, pkt, dir))
		follow(conn, state, nflb_conn_state_next(state, flags, dir));
	nflb_proof_note(conn, pkt, dir);
}

static void one_sided(struct nflb_conn *conn, const struct nflb_pkt *pkt,
		      u32 now)
{
	u8 state = READ_ONCE(conn->state), flags = pkt->tcp_flags;
	bool through = state >= NFLB_CONN_ESTABLISHED;

	if (unlikely(flags & NFLB_TCP_RST)) {
		if (nflb_proof_rst(conn, pkt, NFLB_DIR_IN))
			reset(conn);
		return;
	}
	if (unlikely(flags & NFLB_TCP_SYN)) {
		syn_in(conn, pkt, state, now);
		return;
	}
	if (unlikely(!through) && !handshake_one_sided(conn, pkt, state))
		return;
	if (flags & NFLB_TCP_FIN && !nflb_proof_fin(conn, pkt, NFLB_DIR_IN))
		return;
	heard(conn, pkt, NFLB_DIR_IN);
	if (unlikely(!nflb_conn_assured(conn)) && through &&
	    nflb_proof_means_it(conn, pkt))
		assure(conn);
	state = READ_ONCE(conn->state);
	/* From CLOSE back, only heard() leads. */
	if (state != NFLB_CONN_CLOSE)
		follow(conn, state, nflb_conn_state_one_sided(state, flags));
	nflb_proof_note(conn, pkt, NFLB_DIR_IN);
}

static void datagram(struct nflb_conn *conn, enum nflb_dir dir, u32 now)
{
	if (!nflb_conn_udp_news(conn, dir, now))
		return;
	if (dir == NFLB_DIR_OUT) {
		nflb_conn_now_set(conn, NFLB_NOW_HEARD_OUT);
		nflb_passive_established(conn);
	} else if (!nflb_conn_one_packet(conn)) {
		assure(conn);
	}
}

/* Does it say nothing of whether the connection is still there? */
static bool is_late_syn(const struct nflb_conn *conn,
			const struct nflb_pkt *pkt)
{
	return (pkt->tcp_flags & (NFLB_TCP_SYN | NFLB_TCP_RST)) ==
	       NFLB_TCP_SYN && !nflb_conn_state_half_open(conn);
}

/**
 * nflb_conn_state_packet() - follow a packet
 * @conn: its connection
 * @pkt: the packet
 * @dir: its direction
 *
 * Context: rcu_read_lock() held. If two CPUs have packets of one connection, each may
 * miss the other's change; the next packet corrects that.
 */
void nflb_conn_state_packet(struct nflb_conn *conn, const struct nflb_pkt *pkt,
			    enum nflb_dir dir)
{
	u32 now = nflb_now();

	if (pkt->tuple.proto != IPPROTO_TCP)
		datagram(conn, dir, now);
	else if (conn->how & NFLB_HOW_ONE_SIDED)
		one_sided(conn, pkt, now);
	else
		two_sided(conn, pkt, dir, now);
	if (likely(!is_late_syn(conn, pkt)))
		nflb_conn_touch(conn, now);
}
NFLB_EXPORT_KUNIT(nflb_conn_state_packet);
