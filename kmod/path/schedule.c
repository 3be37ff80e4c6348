// SPDX-License-Identifier: GPL-2.0
/*
 * A packet without a connection: find its service, pick a backend, make the
 * connection. What cannot be served is answered as a host would answer it.
 */
#include <linux/in.h>
#include <net/dst_metadata.h>

#include "service/service.h"
#include "service/source.h"
#include "conn/conn.h"
#include "conn/conn_evict.h"
#include "conn/persist.h"
#include "forward/forward.h"
#include "forward/icmp_reply.h"
#include "forward/route.h"
#include "path/beside.h"
#include "path/explain.h"
#include "path/host_socket.h"
#include "path/schedule.h"
#include "netns.h"
#include "sched/sched.h"

/*
 * How many picks, when the client's tuple is taken at the backend picked, it is
 * the client itself, or it was deleted a moment ago.
 */
#define PICK_TRIES NFLB_PICKS_MAX

/* A new connection of TCP begins with a SYN alone. */
static bool begins(const struct nflb_pkt *pkt)
{
	const u8 mask = NFLB_TCP_SYN | NFLB_TCP_ACK | NFLB_TCP_RST |
			NFLB_TCP_FIN;

	return pkt->tuple.proto != IPPROTO_TCP ||
	       (pkt->tcp_flags & mask) == NFLB_TCP_SYN;
}

/* Does it answer a client's packet of a connection in mode dsr? */
static bool answers_one_sided(const struct nflb_pkt *pkt)
{
	struct nflb_tuple asked;
	struct nflb_conn *conn;
	enum nflb_dir dir;

	nflb_tuple_invert(&asked, &pkt->tuple);
	conn = nflb_conn_lookup(pkt->nn, &asked, &dir);
	return conn && dir == NFLB_DIR_IN && conn->how & NFLB_HOW_ONE_SIDED;
}

/*
 * A backend of mode dsr answers its clients past the balancer. A client on this host gets
 * the answer like any other; but if the VIP is the host's own, or its way back is another
 * (rp_filter), IPv4 would call the answer a martian, so it gets its route here. And
 * conntrack has not seen what it answers to, and would call it invalid.
 *
 * Any other answer that comes here took the wrong route. The host drops it as a martian
 * if the VIP is its own (IPv4), and forwards it only if it is a router. It is counted,
 * and left to the host. Anybody can send such a packet, so nothing else may follow from
 * it.
 *
 * Return: whether the host takes it.
 */
static bool takes_answer(struct nflb_pkt *pkt)
{
	bool routed = nflb_pkt_is_local_out(pkt) || skb_valid_dst(pkt->skb);
	bool host = READ_ONCE(pkt->nn->host_one_sided);

	if (likely(!nflb_source_may_be_vip(pkt)) || (routed && !host) ||
	    !answers_one_sided(pkt))
		return false;
	if (host && (routed || nflb_route_to_host(pkt))) {
		nflb_untrack(pkt->skb);
		return true;
	}
	nflb_pkt_count(pkt, NFLB_COUNTER_DSR_REPLY_HERE);
	nflb_explain_strayed(pkt);
	return false;
}

/*
 * The VIP has no service on this port. If the address is the host's own, the
 * host knows best (it may have a server there); else nobody would answer.
 */
static enum nflb_verdict no_service(struct nflb_pkt *pkt,
				    const struct nflb_host *host)
{
	if (!host || !READ_ONCE(host->vips) ||
	    nflb_addr_is_local(pkt->nn->net, &pkt->tuple.dst,
			       pkt->tuple.family))
		return NFLB_ACCEPT;
	/* Nothing is answered to many, or to the balancer. */
	if (!nflb_source_ok(pkt))
		return nflb_drop(pkt, NFLB_REASON_BAD_SOURCE);
	return nflb_refuse(pkt, NFLB_REASON_NO_SERVICE);
}

/* No service is for the packet: it is another's, or passes by. */
static noinline enum nflb_verdict not_served(struct nflb_pkt *pkt,
					     const struct nflb_host *host)
{
	enum nflb_verdict verdict;

	if (unlikely(takes_answer(pkt)))
		return NFLB_ACCEPT;
	verdict = nflb_beside(pkt);
	return verdict == NFLB_CONTINUE ? no_service(pkt, host) : verdict;
}

/*
 * A segment without a connection, that begins none. A server of the host may
 * have been here before the service.
 */
static noinline enum nflb_verdict no_connection(struct nflb_pkt *pkt)
{
	return nflb_host_socket_has(pkt) ?
	       NFLB_ACCEPT : nflb_refuse(pkt, NFLB_REASON_NO_CONNECTION);
}

/* Ports that nobody can have: an answer would go nowhere. */
static bool ports_ok(const struct nflb_tuple *t)
{
	return t->dport && (t->sport || t->proto == IPPROTO_UDP);
}

/* The backend would see a packet from itself, and drop it as forged. So it would
 * one from the VIP, where it has that, too: see connect_to().
 */
static bool hairpin(const struct nflb_pkt *pkt,
		    const struct nflb_backend *backend)
{
	return nflb_addr_equal(&backend->addr, &pkt->tuple.src) &&
	       backend->family == pkt->tuple.family &&
	       !nflb_pkt_is_local_out(pkt);
}

/*
 * Such a source means another host, or nobody, on another link (RFC 4291, 2.5.6)
 * and may leave for none. Mode fullnat replaces it. Without a tunnel, mode dsr
 * may stay on the link: forward_dsr.c sees to it. Whatever a socket of this host
 * sends goes by the device that it chose.
 */
static bool keeps_scope(const struct nflb_pkt *pkt,
			const struct nflb_forward_ops *ops)
{
	return ops->mode == NFLB_MODE_FULLNAT ||
	       (ops->mode == NFLB_MODE_DSR && ops->encap == NFLB_ENCAP_NONE) ||
	       nflb_pkt_is_local_out(pkt);
}

static struct nflb_conn *connect_to(struct nflb_pkt *pkt,
				    const struct nflb_snapshot *snapshot,
				    struct nflb_backend *backend,
				    enum nflb_reason *reason)
{
	const struct nflb_forward_ops *ops = READ_ONCE(backend->forward);

	if ((!ops->hairpin && hairpin(pkt, backend)) ||
	    (ops->mode == NFLB_MODE_DSR &&
	     nflb_addr_equal(&pkt->tuple.src, &pkt->tuple.dst))) {
		*reason = NFLB_REASON_HAIRPIN;
		return NULL;
	}
	if (unlikely(nflb_pkt_is_link_local(pkt)) && !keeps_scope(pkt, ops)) {
		*reason = NFLB_REASON_LINK_LOCAL;
		return NULL;
	}
	if (!nflb_pkt_leaves_traces(pkt))
		return nflb_conn_draft(pkt->nn, backend, ops, &pkt->tuple,
				       reason);
	if (ops->mode == NFLB_MODE_DSR && nflb_pkt_is_local_out(pkt))
		WRITE_ONCE(pkt->nn->host_one_sided, true);
	return nflb_conn_create(pkt->nn, backend, ops, &pkt->tuple, reason);
}

static int picked(const struct nflb_pkt *pkt,
		  const struct nflb_snapshot *snapshot)
{
	const struct nflb_sched_ops *sched = snapshot->sched;

	if (unlikely(!snapshot->count))
		return -1;
	if (nflb_pkt_leaves_traces(pkt) || !sched->peek)
		return sched->pick(snapshot, &pkt->tuple);
	return sched->peek(snapshot, &pkt->tuple, nflb_dry(pkt)->tried);
}

/*
 * Whom the scheduler picks; when all are full, one that can make room. Returns the
 * index of a candidate, or -1.
 */
static int pick(const struct nflb_pkt *pkt,
		const struct nflb_snapshot *snapshot)
{
	int i = picked(pkt, snapshot);

	return likely(i >= 0) ? i : nflb_evict_candidate(pkt->nn, snapshot);
}

/* Where the packet's client went before; or NULL. */
static struct nflb_persist *recall(const struct nflb_pkt *pkt,
				   const struct nflb_service *svc,
				   const struct nflb_snapshot *snapshot)
{
	struct nflb_persist *entry, *stale;

	entry = nflb_persist_find(pkt->nn, svc, snapshot, &pkt->tuple.src,
				  &stale);
	if (stale && nflb_pkt_leaves_traces(pkt))
		nflb_persist_forget(pkt->nn, stale);
	return entry;
}

/*
 * The backend for a packet: where its client went before, or whom the scheduler
 * picks. @entry is what remembers the client, if anything does.
 */
static struct nflb_backend *choose(struct nflb_pkt *pkt,
				   struct nflb_service *svc,
				   const struct nflb_snapshot *snapshot,
				   bool persist, struct nflb_persist **entry)
{
	struct nflb_backend *backend;
	int i;

	*entry = unlikely(persist) ? recall(pkt, svc, snapshot) : NULL;
	if (*entry) {
		backend = nflb_persist_backend(*entry);
	} else {
		i = pick(pkt, snapshot);
		if (i < 0)
			return NULL;
		backend = snapshot->candidates[i].backend;
	}
	nflb_explain_tried(pkt, backend, *entry);
	if (likely(!persist) || *entry || !nflb_pkt_leaves_traces(pkt))
		return backend;
	*entry = nflb_persist_claim(pkt->nn, svc, snapshot, &pkt->tuple.src,
				    backend);
	return *entry ? nflb_persist_backend(*entry) : backend;
}

/* Can another backend succeed where this one failed, for that reason? */
static bool elsewhere(enum nflb_reason reason)
{
	return reason == NFLB_REASON_TUPLE_CLASH ||
	       reason == NFLB_REASON_NO_BACKEND ||
	       reason == NFLB_REASON_PORTS_EXHAUSTED ||
	       reason == NFLB_REASON_HAIRPIN ||
	       reason == NFLB_REASON_DIRECT_CLASH ||
	       reason == NFLB_REASON_LINK_LOCAL;
}

/*
 * Returns the connection, or NULL with a reason. A client that is remembered
 * may still go elsewhere when its tuple is taken at its backend.
 */
static struct nflb_conn *pick_and_connect(struct nflb_pkt *pkt,
					  struct nflb_service *svc,
					  enum nflb_reason *reason)
{
	const struct nflb_snapshot *snapshot;
	struct nflb_backend *backend;
	struct nflb_persist *entry;
	struct nflb_conn *conn;
	bool persist;
	int i;

	*reason = NFLB_REASON_NO_BACKEND;
	for (i = 0; i < PICK_TRIES; i++) {
		snapshot = rcu_dereference(svc->snapshot);
		persist = snapshot->persist &&
			  *reason == NFLB_REASON_NO_BACKEND;
		backend = choose(pkt, svc, snapshot, persist, &entry);
		if (!backend)
			return NULL;
		conn = connect_to(pkt, snapshot, backend, reason);
		if (conn) {
			/* The settings may be others by now. */
			if (unlikely(entry) && nflb_pkt_leaves_traces(pkt) &&
			    !nflb_conn_loose(conn))
				nflb_conn_remember(conn, entry);
			return conn;
		}
		nflb_explain_refused(pkt, *reason);
		if (!elsewhere(*reason))
			return NULL;
	}
	return NULL;
}

/* No connection could be made. Its sender is told, unless memory ran short. */
static noinline enum nflb_verdict cannot(struct nflb_pkt *pkt,
					 enum nflb_reason reason)
{
	switch (reason) {
	case NFLB_REASON_NO_BACKEND:
	case NFLB_REASON_PORTS_EXHAUSTED:
	case NFLB_REASON_NO_LOCAL_ADDRESS:
	case NFLB_REASON_HAIRPIN:
	case NFLB_REASON_DIRECT_CLASH:
		return nflb_refuse(pkt, reason);
	case NFLB_REASON_NO_ROUTE:
		return nflb_no_route(pkt);
	case NFLB_REASON_LINK_LOCAL:
		return nflb_beyond_scope(pkt);
	default:
		return nflb_drop(pkt, reason);
	}
}

static enum nflb_verdict serve(struct nflb_pkt *pkt, struct nflb_service *svc,
			       struct nflb_conn **conn)
{
	enum nflb_reason reason;

	if (!nflb_source_ok(pkt))
		return nflb_drop(pkt, NFLB_REASON_BAD_SOURCE);
	if (unlikely(!ports_ok(&pkt->tuple)))
		return nflb_drop(pkt, NFLB_REASON_MALFORMED);
	if (!begins(pkt))
		return no_connection(pkt);

	*conn = pick_and_connect(pkt, svc, &reason);
	if (unlikely(!*conn))
		return cannot(pkt, reason);
	if (unlikely(nflb_pkt_is_link_local(pkt)) &&
	    !((*conn)->how & NFLB_HOW_ONE_SIDED))
		WRITE_ONCE((*conn)->dst_cookie[NFLB_DIR_OUT],
			   nflb_pkt_ifindex(pkt) | NFLB_COOKIE_DEV);
	return NFLB_CONTINUE;
}

/**
 * nflb_schedule() - make a connection for a packet that has none
 * @pkt: a packet of NFLB_KIND_FLOW
 * @conn: the connection that was made
 *
 * Context: RCU held, BH disabled. Return: NFLB_CONTINUE when @conn is set,
 * NFLB_ACCEPT when the packet is none of the balancer's, or NFLB_DROP.
 */
enum nflb_verdict nflb_schedule(struct nflb_pkt *pkt, struct nflb_conn **conn)
{
	enum nflb_verdict verdict;
	struct nflb_service *svc;
	struct nflb_host *host;

	svc = nflb_service_lookup(pkt->nn, &pkt->tuple, &host);
	if (!svc)
		return not_served(pkt, host);
	nflb_explain_service(pkt, svc);
	verdict = serve(pkt, svc, conn);
	if (unlikely(verdict == NFLB_DROP) && nflb_pkt_leaves_traces(pkt))
		this_cpu_add(*svc->drops, nflb_wire_packets(pkt->skb));
	return verdict;
}
