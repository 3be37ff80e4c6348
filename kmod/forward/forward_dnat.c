// SPDX-License-Identifier: GPL-2.0
/*
 * Mode dnat: towards the backend the VIP becomes the backend, towards the
 * client the backend becomes the VIP. The client's end is never touched, so
 * replies have to come back through the balancer.
 */
#include "service/direct.h"
#include "conn/conn.h"
#include "forward/forward_nat.h"
#include "netns.h"

static bool dnat_out_tuple(struct nflb_net *nn, struct nflb_conn *conn,
			   unsigned int attempt, enum nflb_reason *reason)
{
	const struct nflb_backend *backend = conn->backend;
	struct nflb_tuple *out = &conn->out.tuple;

	if (attempt) {
		*reason = NFLB_REASON_TUPLE_CLASH;
		return false;
	}
	nflb_tuple_invert(out, &conn->in.tuple);
	out->src = backend->addr;
	if (backend->port)
		out->sport = backend->port;
	if (unlikely(READ_ONCE(nn->direct_used)) &&
	    nflb_direct_holds(nn, out, nflb_conn_is(conn, NFLB_CONN_DRAFT))) {
		*reason = NFLB_REASON_DIRECT_CLASH;
		return false;
	}
	return true;
}

const struct nflb_forward_ops nflb_forward_dnat = {
	.id = NFLB_FORWARD_DNAT,
	.mode = NFLB_MODE_DNAT,
	.out_tuple = dnat_out_tuple,
	.forward = nflb_nat_forward,
};
