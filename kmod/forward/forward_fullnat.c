// SPDX-License-Identifier: GPL-2.0
/*
 * Mode fullnat: towards the backend the VIP becomes the backend and the client
 * a local address of the balancer, with a port of its own for each connection.
 * Replies come back to the balancer whatever the topology, and the backend may
 * be of the other address family.
 */
#include "service/laddr.h"
#include "service/stats.h"
#include "conn/conn_lookup.h"
#include "conn/conn_seq.h"
#include "conn/conn_state.h"
#include "forward/forward_nat.h"
#include "forward/proxy.h"
#include "forward/tcp_seq.h"
#include "netns.h"

static u8 how_flags(struct nflb_conn *conn)
{
	const struct nflb_backend *backend = conn->backend;
	const struct nflb_snapshot *snapshot;
	u8 how = NFLB_HOW_LADDR;

	snapshot = rcu_dereference(backend->service->snapshot);
	if (backend->family != conn->in.tuple.family)
		how |= NFLB_HOW_FAMILY;
	if (snapshot->proxy)
		how |= NFLB_HOW_PROXY;
	else if (snapshot->toa)
		nflb_conn_now_set(conn, NFLB_NOW_TOA);
	return how;
}

static bool fullnat_out_tuple(struct nflb_net *nn, struct nflb_conn *conn,
			      unsigned int attempt, enum nflb_reason *reason)
{
	const struct nflb_tuple *in = &conn->in.tuple;
	struct nflb_backend *backend = conn->backend;
	struct nflb_tuple *out = &conn->out.tuple;

	if (!attempt) {
		conn->how |= how_flags(conn);
		out->src = backend->addr;
		out->sport = backend->port ?: in->dport;
		out->proto = in->proto;
		out->family = backend->family;
	}
	/* The same ones for all datagrams of a client */
	if (unlikely(nflb_conn_one_packet(conn)))
		return nflb_laddr_fixed(nn, backend,
					nflb_tuple_hash(in, &nflb_conn_hash_key,
							0),
					attempt, out, reason);
	return nflb_conn_is(conn, NFLB_CONN_DRAFT) ?
	       nflb_laddr_peek(nn, backend, attempt, out, reason) :
	       nflb_laddr_next(nn, backend, attempt, out, reason);
}

/*
 * The backend's side may be in TIME_WAIT, where it takes a new connection only
 * when its sequence number is beyond the last one's (RFC 9293, 3.6.1; RFC 6191
 * where there are timestamps, which the new client's clock knows nothing of).
 * See tcp_seq.c.
 */
static void fullnat_inherit(struct nflb_conn *conn, const struct nflb_conn *old)
{
	if (READ_ONCE(old->state) != NFLB_CONN_TIME_WAIT)
		return;
	conn->how |= NFLB_HOW_REUSED;
	conn->seq.end = READ_ONCE(old->at[NFLB_DIR_IN]) +
			nflb_conn_seq_delta(old);
}

const struct nflb_forward_ops nflb_forward_fullnat = {
	.id = NFLB_FORWARD_FULLNAT,
	.mode = NFLB_MODE_FULLNAT,
	.hairpin = true,
	.out_tuple = fullnat_out_tuple,
	.inherit = fullnat_inherit,
	.forward = nflb_nat_forward,
};
