// SPDX-License-Identifier: GPL-2.0
/*
 * The end of connections: of those that were idle for too long or flushed, and of
 * TCP connections whose backend went away. A TCP connection stays in the table for
 * some seconds then, to answer with a reset whatever its two sides still send.
 */
#include "service/service.h"
#include "conn/conn.h"
#include "conn/conn_state.h"
#include "conn/event.h"
#include "conn/tell.h"
#include "conn/trace.h"
#include "netns.h"

/**
 * nflb_conn_ending() - was a TCP connection ended, or is it to be?
 * @nn: the namespace
 * @conn: the connection, which is not alive
 * @now: jiffies
 *
 * Return: false when nothing is left of it, or nobody to answer for it.
 */
bool nflb_conn_ending(const struct nflb_net *nn, const struct nflb_conn *conn,
		      u32 now)
{
	return conn->in.tuple.proto == IPPROTO_TCP && READ_ONCE(nn->hooks) &&
	       !nflb_conn_expired(conn, now) &&
	       (READ_ONCE(conn->state) == NFLB_CONN_ENDED ||
		READ_ONCE(conn->backend->gone) == NFLB_GONE_ALL);
}

/* Returns whether it was in another state before. Not every CPU can exchange a
 * byte, so its word is.
 */
static bool set_ended(struct nflb_conn *conn)
{
	int word = atomic_read(&conn->word);
	int ended;

	do {
		if ((word & (int)nflb_conn_word_of(U8_MAX, 0, 0)) ==
		    (int)nflb_conn_word_of(NFLB_CONN_ENDED, 0, 0))
			return false;
		ended = (word & ~(int)nflb_conn_word_of(U8_MAX, 0, 0)) |
			(int)nflb_conn_word_of(NFLB_CONN_ENDED, 0, 0);
	} while (!atomic_try_cmpxchg(&conn->word, &word, ended));
	return true;
}

/**
 * nflb_conn_end() - a connection is over from now on
 * @nn: the namespace
 * @conn: the connection; nflb_conn_ending(); nothing is done when it was ended
 *
 * Context: rcu_read_lock() held; any but hard interrupts.
 */
void nflb_conn_end(struct nflb_net *nn, struct nflb_conn *conn)
{
	if (!set_ended(conn))
		return;
	WRITE_ONCE(conn->timeout, NFLB_TIMEOUT_CLOSE * HZ);
	nflb_conn_renew(conn, nflb_now());
	nflb_conn_recount(conn, NFLB_CONN_ENDED);
	trace_conn_end(nn->net, conn);
	nflb_notify_conn(nn, conn, NFLB_CMD_CONN_END);
}

/**
 * nflb_conn_silent() - would nobody learn of it if a connection went?
 * @conn: the connection
 *
 * Return: true for an assured one of TCP whose end was not seen, if packets of
 * both sides come here.
 */
bool nflb_conn_silent(const struct nflb_conn *conn)
{
	u8 state = READ_ONCE(conn->state);

	return conn->in.tuple.proto == IPPROTO_TCP &&
	       !(conn->how & NFLB_HOW_ONE_SIDED) &&
	       state >= NFLB_CONN_ESTABLISHED && state <= NFLB_CONN_LAST_ACK &&
	       nflb_conn_assured(conn);
}

/**
 * nflb_conn_dismiss() - a connection is not kept any longer
 * @nn: the namespace
 * @conn: the connection, which was idle for too long, or is not wanted
 *
 * Where both of its sides may still have it they are told, as many a second as
 * nflb_may_answer() allows. It stays to answer them; so its local port is not
 * used again before the backend knows.
 *
 * Context: rcu_read_lock() held; any but hard interrupts. Return: false when
 * somebody else had ended or removed it before.
 */
bool nflb_conn_dismiss(struct nflb_net *nn, struct nflb_conn *conn)
{
	if (!READ_ONCE(nn->hooks) || !nflb_conn_silent(conn))
		return nflb_conn_unlink(nn, conn);
	nflb_conn_end(nn, conn);
	local_bh_disable();
	if (nflb_may_answer(nn))
		nflb_conn_tell(nn, conn);
	local_bh_enable();
	return true;
}
