// SPDX-License-Identifier: GPL-2.0
/*
 * The whole path of a packet, stage by stage. Begin to read here.
 */
#include "packet/packet.h"
#include "service/service.h"
#include "conn/conn.h"
#include "conn/conn_passive.h"
#include "conn/conn_proof.h"
#include "conn/conn_state.h"
#include "conn/trace.h"
#include "forward/encap.h"
#include "forward/forward.h"
#include "forward/gso.h"
#include "forward/icmp.h"
#include "forward/icmp_reply.h"
#include "forward/route.h"
#include "path/beside.h"
#include "path/classify.h"
#include "path/fastpath.h"
#include "path/pipeline.h"
#include "path/probe.h"
#include "path/schedule.h"
#include "netns.h"

/* A client's SYN: it reopens a connection that the table holds as ending. */
static bool client_syn(const struct nflb_pkt *pkt, enum nflb_dir dir)
{
	return unlikely((pkt->tcp_flags & (NFLB_TCP_SYN | NFLB_TCP_ACK)) ==
			NFLB_TCP_SYN) && dir == NFLB_DIR_IN &&
	       pkt->kind == NFLB_KIND_FLOW;
}

/*
 * A connection was found, but the packet is not to go its way: it is over, or
 * begins anew. NFLB_CONTINUE means that the packet has none.
 */
static noinline enum nflb_verdict conn_over(struct nflb_pkt *pkt,
					    struct nflb_conn *conn,
					    enum nflb_dir dir)
{
	if (pkt->kind != NFLB_KIND_FLOW)
		return NFLB_CONTINUE;
	if (!client_syn(pkt, dir) &&
	    nflb_conn_ending(pkt->nn, conn, nflb_now())) {
		nflb_conn_end(pkt->nn, conn);
		return nflb_refuse(pkt, NFLB_REASON_NO_CONNECTION);
	}
	nflb_conn_unlink(pkt->nn, conn);
	return NFLB_CONTINUE;
}

/**
 * nflb_conn_serves() - does a packet go the way of this connection?
 * @pkt: a packet
 * @conn: the connection that has its tuple
 * @dir: its direction
 *
 * Return: false when the connection is over, or the packet begins a new one; or
 *	when it is a probe, which path/probe.h is for.
 */
bool nflb_conn_serves(const struct nflb_pkt *pkt, const struct nflb_conn *conn,
		      enum nflb_dir dir)
{
	u32 now = nflb_now();

	return likely(READ_ONCE(conn->state) != NFLB_CONN_ENDED &&
		      nflb_conn_lasts(conn, now) &&
		      !(client_syn(pkt, dir) &&
			nflb_proof_anew(conn, pkt, now)));
}

/*
 * A packet that was dropped, and its connection's backend is known. Those of probes,
 * and what has a probe's tuple, count by reason only.
 */
static noinline enum nflb_verdict drop_of(const struct nflb_pkt *pkt,
					  const struct nflb_conn *conn)
{
	if (likely(!nflb_conn_is(conn, NFLB_CONN_PROBE)))
		nflb_stats_drop(conn->backend->stats, nflb_wire_packets(pkt->skb));
	return NFLB_DROP;
}

/*
 * The connection of a packet: @conn, what was found in the table, if it is alive
 * and the packet does not begin a new one, else one made for it.
 */
static enum nflb_verdict settle_conn(struct nflb_pkt *pkt,
				     struct nflb_conn **conn,
				     enum nflb_dir *dir)
{
	enum nflb_verdict verdict;

	if (likely(*conn)) {
		if (nflb_conn_serves(pkt, *conn, *dir))
			return NFLB_CONTINUE;
		if (unlikely(nflb_conn_is(*conn, NFLB_CONN_PROBE)))
			verdict = nflb_probe_packet(pkt, *conn, *dir);
		else
			verdict = conn_over(pkt, *conn, *dir);
		if (verdict == NFLB_DROP)
			return drop_of(pkt, *conn);
		if (verdict != NFLB_CONTINUE)
			return verdict;
	}
	if (pkt->kind == NFLB_KIND_ECHO)
		return nflb_echo(pkt);
	if (pkt->kind == NFLB_KIND_ICMP_ERROR) {
		struct nflb_tuple quoted;

		nflb_tuple_invert(&quoted, &pkt->tuple);
		nflb_encap_icmp(pkt, &quoted, pkt->inner_proto,
				pkt->inner_l4);
		return nflb_beside_icmp(pkt);
	}
	*dir = NFLB_DIR_IN;
	return nflb_schedule(pkt, conn);
}

static __always_inline enum nflb_verdict short_way(struct nflb_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;

	if (pkt->state->pf == NFPROTO_IPV4)
		return likely(fast_linear(skb, FAST_LEN_V4)) ?
		       nflb_fast(pkt, skb, pkt->nn, AF_INET) : NFLB_CONTINUE;
	return likely(fast_linear(skb, FAST_LEN_V6)) ?
	       nflb_fast(pkt, skb, pkt->nn, AF_INET6) : NFLB_CONTINUE;
}

/* A packet that has a connection, @made for it or not, goes its way. */
static enum nflb_verdict go_on(struct nflb_pkt *pkt, struct nflb_conn *conn,
			       enum nflb_dir dir, bool made)
{
	enum nflb_verdict verdict;

	/* A datagram can go the short way from here, once there is a route. */
	if (made && pkt->plain && pkt->tuple.proto == IPPROTO_UDP &&
	    nflb_route_renew(pkt, conn, dir)) {
		verdict = nflb_fast_again(pkt, conn, dir);
		if (verdict != NFLB_CONTINUE)
			return verdict;
	}
	if (likely(pkt->kind == NFLB_KIND_FLOW)) {
		nflb_conn_state_packet(conn, pkt, dir);
	} else {
		verdict = nflb_icmp_check(pkt, conn, dir);
		if (verdict == NFLB_DROP)
			return drop_of(pkt, conn);
		if (verdict != NFLB_CONTINUE)
			return verdict;
		nflb_passive_icmp(pkt, conn, dir);
	}
	pkt->wire = nflb_pkt_wire(pkt);
	pkt->no_neighbour = false;
	verdict = nflb_forward_packet(pkt, conn, dir);
	if (unlikely(verdict == NFLB_DROP))
		return drop_of(pkt, conn);
	if (unlikely(pkt->no_neighbour) && dir == NFLB_DIR_IN)
		nflb_passive_failed(conn, NFLB_PASSIVE_NO_NEIGHBOUR);
	nflb_stats_packet(conn->backend->stats, dir, pkt->wire);
	return verdict;
}

static enum nflb_verdict run(struct nflb_pkt *pkt)
{
	enum nflb_verdict verdict;
	struct nflb_conn *conn;
	enum nflb_dir dir;
	bool made;

	pkt->plain = false;
	/* A packet that was reassembled before keeps the size of its fragments. */
	if (likely(!nflb_pkt_is_local_out(pkt) &&
		   !nflb_frag_max_size(pkt->skb, pkt->state->pf))) {
		verdict = short_way(pkt);
		if (likely(verdict != NFLB_CONTINUE))
			return verdict;
	}
	if (likely(pkt->plain)) {
		conn = pkt->conn;
		dir = pkt->dir;
	} else {
		verdict = nflb_classify(pkt);
		if (verdict != NFLB_CONTINUE)
			return verdict;
		conn = nflb_conn_lookup(pkt->nn, &pkt->tuple, &dir);
	}
	made = !conn;
	verdict = settle_conn(pkt, &conn, &dir);
	if (verdict != NFLB_CONTINUE)
		return verdict;
	verdict = go_on(pkt, conn, dir, made);
	if (unlikely(nflb_conn_loose(conn)))
		nflb_conn_free(conn);
	return verdict;
}

/**
 * nflb_pipeline_end() - carry out the verdict on a packet
 * @pkt: the packet
 * @verdict: of the last stage
 *
 * Context: rcu_read_lock() held, BH disabled. Return: a netfilter verdict.
 */
unsigned int nflb_pipeline_end(struct nflb_pkt *pkt, enum nflb_verdict verdict)
{
	switch (verdict) {
	case NFLB_DROP:
		this_cpu_add(pkt->nn->drops->packets[pkt->reason],
			     nflb_wire_packets(pkt->skb));
		trace_drop(pkt->nn->net, pkt);
		return NF_DROP;
	case NFLB_STOLEN:
		return NF_STOLEN;
	default:
		return NF_ACCEPT;
	}
}

/**
 * nflb_pipeline() - balance one packet
 * @nn: the namespace
 * @skb: the packet; skb->data is its network header
 * @state: of the hook
 *
 * Context: rcu_read_lock() held, BH disabled. Return: a netfilter verdict.
 */
unsigned int nflb_pipeline(struct nflb_net *nn, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	/* Kernels may be built to fill it with zeros, which costs. */
	struct nflb_pkt pkt __uninitialized;

	pkt.skb = skb;
	pkt.nn = nn;
	pkt.state = state;
	return nflb_pipeline_end(&pkt, run(&pkt));
}
