// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of probes (conn_probe.c). They go the way of all packets, but for three
 * things: the client's come from this host, or somebody else would reach a backend that
 * the administrator took down; they are not counted; and what does not belong to a probe
 * any more is dropped and not scheduled.
 */
#include "packet/dry.h"
#include "conn/conn.h"
#include "conn/conn_state.h"
#include "forward/gso.h"
#include "forward/icmp.h"
#include "path/probe.h"
#include "netns.h"

/* Did a socket of this host send it? By the loopback device it comes a second time. */
static bool from_host(const struct nflb_pkt *pkt)
{
	return nflb_pkt_is_local_out(pkt) ||
	       pkt->skb->dev->flags & IFF_LOOPBACK;
}

static bool is_forged(const struct nflb_pkt *pkt, enum nflb_dir dir)
{
	return dir == NFLB_DIR_IN && pkt->kind == NFLB_KIND_FLOW &&
	       !from_host(pkt);
}

/* Can it be part of closing a TCP connection? */
static bool may_close(const struct nflb_pkt *pkt)
{
	return pkt->kind == NFLB_KIND_FLOW &&
	       pkt->tuple.proto == IPPROTO_TCP &&
	       !(pkt->tcp_flags & NFLB_TCP_SYN);
}

/**
 * nflb_probe_serves() - does a packet go the way of this probe?
 * @pkt: a packet
 * @conn: the probe that has its tuple
 * @dir: its direction
 *
 * Return: whether it does.
 */
bool nflb_probe_serves(const struct nflb_pkt *pkt, const struct nflb_conn *conn,
		       enum nflb_dir dir)
{
	u32 now = nflb_now();

	if (is_forged(pkt, dir))
		return false;
	return nflb_probe_alive(conn, now) ||
	       (may_close(pkt) && nflb_probe_closes(conn, now));
}
NFLB_EXPORT_KUNIT(nflb_probe_serves);

/**
 * nflb_probe_reason() - why a packet does not go the way of its probe
 * @pkt: a packet that nflb_probe_serves() refused
 * @dir: its direction
 *
 * Return: the reason.
 */
enum nflb_reason nflb_probe_reason(const struct nflb_pkt *pkt,
				   enum nflb_dir dir)
{
	return is_forged(pkt, dir) ? NFLB_REASON_BAD_SOURCE :
				     NFLB_REASON_PROBE_OVER;
}

/* NFLB_CONTINUE means that the packet has no connection. */
static enum nflb_verdict refuse(struct nflb_pkt *pkt, struct nflb_conn *conn,
				enum nflb_dir dir)
{
	if (pkt->kind != NFLB_KIND_FLOW)
		return NFLB_CONTINUE;
	if (nflb_probe_holds(conn, nflb_now()))
		return nflb_drop(pkt, nflb_probe_reason(pkt, dir));
	nflb_conn_unlink(pkt->nn, conn);
	return NFLB_CONTINUE;
}

/**
 * nflb_probe_packet() - what becomes of a packet that has a probe's tuple
 * @pkt: the packet
 * @conn: the probe, or its tombstone
 * @dir: its direction
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_CONTINUE when the
 * packet has no connection, or what becomes of it.
 */
enum nflb_verdict nflb_probe_packet(struct nflb_pkt *pkt,
				    struct nflb_conn *conn, enum nflb_dir dir)
{
	enum nflb_verdict verdict;

	if (!nflb_probe_serves(pkt, conn, dir))
		return refuse(pkt, conn, dir);
	pkt->quiet = true;
	if (likely(pkt->kind == NFLB_KIND_FLOW)) {
		nflb_conn_state_packet(conn, pkt, dir);
	} else {
		verdict = nflb_icmp_check(pkt, conn, dir);
		if (verdict != NFLB_CONTINUE)
			return verdict;
	}
	return nflb_forward_packet(pkt, conn, dir);
}
NFLB_EXPORT_KUNIT(nflb_probe_packet);
