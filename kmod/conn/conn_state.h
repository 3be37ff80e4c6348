/* SPDX-License-Identifier: GPL-2.0 */
/*
 * State of a connection, and how long it may be idle in it.
 */
#ifndef NFLB_CONN_STATE_H
#define NFLB_CONN_STATE_H

#include "packet/packet.h"
#include "service/service.h"
#include "conn/conn.h"
#include "conn/conn_probe.h"

/* Seconds, not settable: the end of a connection */
#define NFLB_TIMEOUT_TIME_WAIT			60
#define NFLB_TIMEOUT_CLOSE			10
/* Seconds, at most: a UDP flow that is not nflb_conn_assured() */
#define NFLB_TIMEOUT_UNASSURED			30
/* The same of nflb_conn_one_packet(), which never is */
#define NFLB_TIMEOUT_ONE_PACKET			10

void nflb_conn_state_timeouts(u32 *jiffies_by_state, const u32 *seconds);
u8 nflb_conn_state_one_sided(u8 state, u8 tcp_flags);
u8 nflb_conn_state_next(u8 state, u8 tcp_flags, enum nflb_dir dir);
void nflb_conn_state_packet(struct nflb_conn *conn, const struct nflb_pkt *pkt,
			    enum nflb_dir dir);
const char *nflb_conn_state_name(u8 state);

/* The service's timeout of a connection in @state */
static inline u32 nflb_conn_state_timeout(const struct nflb_conn *conn,
					  u8 state)
{
	const struct nflb_snapshot *snapshot;

	if (unlikely(nflb_conn_is(conn, NFLB_CONN_PROBE)))
		return NFLB_PROBE_TIMEOUT;
	snapshot = rcu_dereference(conn->backend->service->snapshot);
	if (nflb_conn_assured(conn))
		return snapshot->timeouts[state];
	if (state == NFLB_CONN_UDP)
		return min_t(u32, snapshot->timeouts[state],
			     (conn->how & NFLB_HOW_ONE_PACKET ?
			      NFLB_TIMEOUT_ONE_PACKET :
			      NFLB_TIMEOUT_UNASSURED) * HZ);
	/* Only where one side is seen: the handshake may be made up. */
	if (state == NFLB_CONN_ESTABLISHED)
		return min(snapshot->timeouts[state],
			   snapshot->timeouts[NFLB_CONN_SYN_SENT]);
	return snapshot->timeouts[state];
}

/* With the timeout for it, from @now on. Context: rcu_read_lock() held. */
static inline void nflb_conn_state_enter(struct nflb_conn *conn, u8 state,
					 u32 now)
{
	WRITE_ONCE(conn->timeout, nflb_conn_state_timeout(conn, state));
	nflb_conn_renew(conn, now);
	WRITE_ONCE(conn->state, state);
}

/*
 * The first state of a new connection, whose tuple and backend are set. Context:
 * rcu_read_lock() held.
 */
static inline void nflb_conn_state_init(struct nflb_conn *conn, u32 now)
{
	nflb_conn_state_enter(conn, conn->in.tuple.proto == IPPROTO_UDP ?
				    NFLB_CONN_UDP : NFLB_CONN_NONE, now);
}

/*
 * Does a datagram bring a flow nearer to being assured? If not,
 * nflb_conn_state_packet() has nothing to do but nflb_conn_touch().
 */
static __always_inline bool nflb_conn_udp_news(const struct nflb_conn *conn,
					       enum nflb_dir dir, u32 now)
{
	if (likely(nflb_conn_assured(conn)))
		return false;
	/* The client alone is seen: it comes again, and not in one burst. */
	if (conn->how & NFLB_HOW_ONE_SIDED)
		return READ_ONCE(conn->tick) != nflb_conn_tick(now);
	return nflb_conn_now(conn, NFLB_NOW_HEARD_OUT) ==
	       (dir == NFLB_DIR_IN);
}

/*
 * Is a plain segment of an established connection in another step of sequence
 * numbers than the last? Where the backend is not seen, what the client
 * acknowledges counts too. If not, nflb_conn_state_packet() has nothing to do
 * but nflb_conn_touch().
 */
static __always_inline bool nflb_conn_seq_moved(const struct nflb_conn *conn,
						enum nflb_dir dir, u32 seq,
						u32 ack)
{
	u16 aux = READ_ONCE((dir == NFLB_DIR_IN ? &conn->in :
						  &conn->out)->tuple.aux);

	if ((aux & NFLB_AUX_SEQ_MASK) != seq >> NFLB_AUX_SEQ_SHIFT)
		return true;
	return conn->how & NFLB_HOW_ONE_SIDED &&
	       READ_ONCE(conn->outer.aux) != ack >> NFLB_AUX_SEQ_SHIFT;
}

/* Does a connection in this state count as active? UDP has no end to see. */
static inline bool nflb_conn_state_active(u8 state)
{
	return state <= NFLB_CONN_ESTABLISHED || state == NFLB_CONN_UDP;
}

/* Is the handshake of TCP not through? */
static inline bool nflb_conn_state_half_open(const struct nflb_conn *conn)
{
	return READ_ONCE(conn->state) < NFLB_CONN_ESTABLISHED;
}

/* Is a connection in this state over? */
static inline bool nflb_conn_state_is_over(u8 state)
{
	return state == NFLB_CONN_TIME_WAIT || state == NFLB_CONN_CLOSE ||
	       state == NFLB_CONN_ENDED;
}

/* Is it over, so that its tuple may be taken by a new connection? */
static inline bool nflb_conn_state_over(const struct nflb_conn *conn)
{
	return nflb_conn_state_is_over(READ_ONCE(conn->state));
}

/**
 * nflb_conn_lasts() - is it neither timed out nor without its backend?
 * @conn: the connection
 * @now: jiffies
 *
 * It is timed out even when the sweep has not come yet; and not every backend
 * that goes away ends its connections. A probe always counts as timed out here.
 */
static inline bool nflb_conn_lasts(const struct nflb_conn *conn, u32 now)
{
	u8 gone = READ_ONCE(conn->backend->gone);

	if (unlikely(gone) &&
	    (gone == NFLB_GONE_ALL || conn->in.tuple.proto == IPPROTO_UDP))
		return false;
	return likely(!nflb_conn_expired(conn, now));
}

/**
 * nflb_conn_alive() - may this connection take packets?
 * @conn: the connection
 * @now: jiffies
 *
 * A probe does not go the way of others: path/probe.h.
 */
static inline bool nflb_conn_alive(const struct nflb_conn *conn, u32 now)
{
	return likely(READ_ONCE(conn->state) != NFLB_CONN_ENDED) &&
	       (likely(nflb_conn_lasts(conn, now)) ||
		unlikely(nflb_probe_alive(conn, now)));
}

#endif /* NFLB_CONN_STATE_H */
