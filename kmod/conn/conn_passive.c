// SPDX-License-Identifier: GPL-2.0
/*
 * What clients' connections show of their backend: counters for a health checker, and
 * an event for the first failure in a second.
 *
 * A connection counts at most once as established and at most once as a failure, so
 * that one client cannot count for many. Probes do not count.
 *
 * Anybody can forge a packet, so a failure counts only with proof:
 *
 * - A SYN that the client repeats says nothing where the backend's answers are not seen
 *   (mode dsr): the sender may have had its answer. Elsewhere it counts when the backend
 *   had NFLB_PASSIVE_PATIENCE to answer. A sender that repeats its SYNs at once, to a
 *   backend that answers, counts for nothing.
 * - A reset of the backend was believed by nflb_proof_rst().
 * - An ICMP error passed nflb_icmp_check().
 * - A next hop without a link-layer address is known by the host itself.
 *
 * All of this is off the path of established packets: each is counted where the state
 * of a connection changes, or where a packet failed.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/skbuff.h>

#include "service/service.h"
#include "service/stats.h"
#include "conn/conn_passive.h"
#include "conn/event.h"

/* Events of a namespace in a second; the rest of them is counted only. */
#define EVENTS_MAX 256

/* Probes are not, nor the copies that explain.c works with. */
static bool is_counted(const struct nflb_conn *conn)
{
	return !nflb_conn_is(conn, NFLB_CONN_PROBE | NFLB_CONN_DYING);
}

/* The first in a second of a backend, and not too many of a namespace */
static bool may_tell(struct nflb_net *nn, struct nflb_backend *backend)
{
	u32 now = nflb_now(), since = READ_ONCE(backend->troubled);

	if (now - since < HZ || cmpxchg(&backend->troubled, since, now) != since)
		return false;
	since = READ_ONCE(nn->troubled);
	if (now - since >= HZ && cmpxchg(&nn->troubled, since, now) == since)
		atomic_set(&nn->troubles, 0);
	return atomic_inc_return(&nn->troubles) <= EVENTS_MAX;
}

static void tell(struct nflb_backend *backend, enum nflb_passive what)
{
	struct nflb_net *nn = backend->service->nn;

	if (!READ_ONCE(backend->deleted) && may_tell(nn, backend))
		nflb_event_trouble(nn, backend, what);
}

/**
 * nflb_passive_established() - the backend took a connection
 * @conn: the connection
 *
 * Of UDP, the backend answered. Mode dsr has the word of the client alone.
 *
 * Context: softirq or BH disabled.
 */
noinline void nflb_passive_established(const struct nflb_conn *conn)
{
	if (is_counted(conn))
		nflb_stats_passive(conn->backend->stats,
				   NFLB_PASSIVE_ESTABLISHED);
}

/**
 * nflb_passive_failed() - the backend did not take a connection, or lost it
 * @conn: the connection
 * @what: how
 *
 * Context: softirq or BH disabled, rcu_read_lock() held.
 */
noinline void nflb_passive_failed(struct nflb_conn *conn,
				  enum nflb_passive what)
{
	if (!is_counted(conn) || nflb_conn_set(conn, NFLB_CONN_FAILED))
		return;
	nflb_stats_passive(conn->backend->stats, what);
	tell(conn->backend, what);
}

/**
 * nflb_passive_syn() - a client repeats its SYN
 * @conn: its connection, in SYN_SENT
 * @now: nflb_now()
 *
 * Context: softirq or BH disabled, rcu_read_lock() held.
 */
noinline void nflb_passive_syn(struct nflb_conn *conn, u32 now)
{
	u32 last = READ_ONCE(conn->expires) - READ_ONCE(conn->timeout);

	if (!(conn->how & NFLB_HOW_ONE_SIDED) &&
	    (s32)(now - last) >= NFLB_PASSIVE_PATIENCE)
		nflb_passive_failed(conn, NFLB_PASSIVE_SYN_REPEATED);
}

/**
 * nflb_passive_reset() - a RST of the backend that nflb_proof_rst() believes
 * @conn: its connection
 * @state: in which it was
 *
 * Applications end established connections by a RST, so that is no failure.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held.
 */
noinline void nflb_passive_reset(struct nflb_conn *conn, u8 state)
{
	if (state == NFLB_CONN_SYN_SENT)
		nflb_passive_failed(conn, NFLB_PASSIVE_REFUSED);
	else if (state == NFLB_CONN_ESTABLISHED && is_counted(conn))
		nflb_stats_passive(conn->backend->stats, NFLB_PASSIVE_RESET);
}

/* Says it that the backend cannot be reached? "Too big" does not. */
static bool is_unreachable(const struct nflb_pkt *pkt)
{
	const u8 *at;
	u8 buf[2];

	at = skb_header_pointer(pkt->skb, pkt->l4, sizeof(buf), buf);
	if (!at)
		return false;
	if (pkt->tuple.family == AF_INET6)
		return at[0] == ICMPV6_DEST_UNREACH;
	return at[0] == ICMP_DEST_UNREACH && at[1] != ICMP_FRAG_NEEDED;
}

/**
 * nflb_passive_icmp() - an ICMP error that passed nflb_icmp_check()
 * @pkt: the error
 * @conn: the connection that it is about
 * @dir: its direction; what it quotes went the other way
 *
 * Context: softirq or BH disabled, rcu_read_lock() held.
 */
noinline void nflb_passive_icmp(const struct nflb_pkt *pkt,
				struct nflb_conn *conn, enum nflb_dir dir)
{
	if (dir == NFLB_DIR_OUT && is_unreachable(pkt))
		nflb_passive_failed(conn, NFLB_PASSIVE_UNREACHABLE);
}
NFLB_EXPORT_KUNIT(nflb_passive_icmp);
NFLB_EXPORT_KUNIT(nflb_passive_failed);
