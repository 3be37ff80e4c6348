// SPDX-License-Identifier: GPL-2.0
/*
 * A packet without a connection: find its service, pick a backend, make the
 * connection. What cannot be served is answered as a host would answer it.
 */
#include <linux/in.h>

#include "datapath/conn.h"
#include "datapath/forward.h"
#include "datapath/icmp_reply.h"
#include "datapath/schedule.h"
#include "datapath/service.h"
#include "netns.h"
#include "sched/sched.h"

/*
 * How many picks, when the client's tuple is taken at the backend picked, it is
 * the client itself, or it was deleted a moment ago.
 */
#define PICK_TRIES 3

/* A new connection of TCP begins with a SYN alone. */
static bool begins(const struct nflb_pkt *pkt)
{
	const u8 mask = NFLB_TCP_SYN | NFLB_TCP_ACK | NFLB_TCP_RST |
			NFLB_TCP_FIN;

	return pkt->tuple.proto != IPPROTO_TCP ||
	       (pkt->tcp_flags & mask) == NFLB_TCP_SYN;
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
	return nflb_refuse(pkt, NFLB_REASON_NO_SERVICE);
}

/* The backend would see a packet from itself, and drop it as forged. */
static bool hairpin(const struct nflb_pkt *pkt,
		    const struct nflb_backend *backend)
{
	return nflb_addr_equal(&backend->addr, &pkt->tuple.src) &&
	       backend->family == pkt->tuple.family &&
	       !nflb_pkt_is_local_out(pkt);
}

static struct nflb_conn *connect_to(struct nflb_pkt *pkt,
				    const struct nflb_snapshot *snapshot,
				    struct nflb_backend *backend,
				    enum nflb_reason *reason)
{
	struct nflb_tuple out;

	if (hairpin(pkt, backend)) {
		*reason = NFLB_REASON_HAIRPIN;
		return NULL;
	}
	snapshot->forward->out_tuple(&out, &pkt->tuple, backend);
	return nflb_conn_create(pkt->nn, backend, snapshot->forward,
				&pkt->tuple, &out, reason);
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
	enum nflb_reason reason = NFLB_REASON_NO_BACKEND;
	const struct nflb_snapshot *snapshot;
	struct nflb_service *svc;
	struct nflb_host *host;
	int i, pick;

	svc = nflb_service_lookup(pkt->nn, &pkt->tuple, &host);
	if (!svc)
		return no_service(pkt, host);
	if (!nflb_source_ok(pkt))
		return nflb_drop(pkt, NFLB_REASON_BAD_SOURCE);
	if (!begins(pkt))
		return nflb_refuse(pkt, NFLB_REASON_NO_CONNECTION);

	for (i = 0; i < PICK_TRIES; i++) {
		snapshot = rcu_dereference(svc->snapshot);
		pick = snapshot->count ?
		       snapshot->sched->pick(snapshot, &pkt->tuple) : -1;
		if (pick < 0)
			break;
		*conn = connect_to(pkt, snapshot,
				   snapshot->candidates[pick].backend, &reason);
		if (*conn)
			return NFLB_CONTINUE;
		if (reason != NFLB_REASON_TUPLE_CLASH &&
		    reason != NFLB_REASON_NO_BACKEND &&
		    reason != NFLB_REASON_HAIRPIN)
			return nflb_drop(pkt, reason);
	}
	if (reason == NFLB_REASON_NO_BACKEND)
		return nflb_refuse(pkt, reason);
	return nflb_drop(pkt, reason);
}
