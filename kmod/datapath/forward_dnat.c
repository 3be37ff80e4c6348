// SPDX-License-Identifier: GPL-2.0
/*
 * Mode dnat: towards the backend the VIP becomes the backend, towards the
 * client the backend becomes the VIP. The client's end is never touched, so
 * replies have to come back through the balancer.
 */
#include <net/ip.h>
#include <net/ipv6.h>

#include "datapath/forward.h"
#include "datapath/icmp.h"
#include "datapath/icmp_reply.h"
#include "datapath/mangle.h"
#include "datapath/route.h"
#include "datapath/tcp_option.h"

static void dnat_out_tuple(struct nflb_tuple *out, const struct nflb_tuple *in,
			   const struct nflb_backend *backend)
{
	nflb_tuple_invert(out, in);
	out->src = backend->addr;
	if (backend->port)
		out->sport = backend->port;
}

static void dnat_rewrite(struct nflb_pkt *pkt, struct nflb_conn *conn,
			 enum nflb_dir dir)
{
	if (unlikely(pkt->kind == NFLB_KIND_ICMP_ERROR)) {
		nflb_icmp_translate(pkt, conn, dir);
	} else if (dir == NFLB_DIR_IN) {
		const struct nflb_tuple *out = &conn->out.tuple;

		if (pkt->tuple.proto == IPPROTO_TCP)
			nflb_tcp_scrub_address(pkt);
		nflb_mangle_end(pkt, NFLB_END_DST, &out->src, out->sport);
	} else {
		const struct nflb_tuple *in = &conn->in.tuple;

		nflb_mangle_end(pkt, NFLB_END_SRC, &in->dst, in->dport);
	}
}

static u8 ttl(const struct nflb_pkt *pkt)
{
	return pkt->tuple.family == AF_INET ? ip_hdr(pkt->skb)->ttl :
					      ipv6_hdr(pkt->skb)->hop_limit;
}

/* Received, and to be sent on: what a router does. */
static enum nflb_verdict dnat_route(struct nflb_pkt *pkt,
				    struct nflb_conn *conn, enum nflb_dir dir,
				    struct dst_entry *dst)
{
	unsigned int mtu = nflb_route_mtu(dst, pkt->tuple.family);

	/* Merged by hardware, it cannot be taken apart as it was. */
	if (unlikely(skb_warn_if_lro(pkt->skb)))
		return nflb_drop(pkt, NFLB_REASON_LRO);
	if (unlikely(ttl(pkt) <= 1))
		return nflb_ttl_exceeded(pkt);
	if (unlikely(nflb_exceeds_mtu(pkt, mtu)))
		return nflb_too_big(pkt, mtu);
	if (unlikely(nflb_mangle_writable(pkt)))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	dnat_rewrite(pkt, conn, dir);
	nflb_mangle_ttl(pkt);
	return nflb_xmit(pkt, dst);
}

/*
 * From or for a socket of this host: rewrite, and let the stack go on. A client
 * on this host was routed to the VIP, so its packets get their new route here.
 */
static enum nflb_verdict dnat_local(struct nflb_pkt *pkt,
				    struct nflb_conn *conn, enum nflb_dir dir,
				    struct dst_entry *dst)
{
	bool local_out = nflb_pkt_is_local_out(pkt);

	if (nflb_mangle_writable(pkt))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	if (!local_out && dir == NFLB_DIR_OUT && nflb_route_input_local(pkt))
		return nflb_drop(pkt, NFLB_REASON_NO_ROUTE);
	dnat_rewrite(pkt, conn, dir);
	if (local_out && dir == NFLB_DIR_IN) {
		skb_dst_drop(pkt->skb);
		skb_dst_set(pkt->skb, dst_clone(dst));
	}
	nflb_untrack(pkt->skb);
	return NFLB_ACCEPT;
}

static enum nflb_verdict dnat_forward(struct nflb_pkt *pkt,
				      struct nflb_conn *conn, enum nflb_dir dir)
{
	struct dst_entry *dst;

	dst = nflb_route(pkt, conn, dir);
	if (unlikely(!dst))
		return nflb_drop(pkt, NFLB_REASON_NO_ROUTE);
	if (unlikely(nflb_pkt_is_local_out(pkt) ||
		     nflb_route_is_local(dst, pkt->tuple.family)))
		return dnat_local(pkt, conn, dir, dst);
	return dnat_route(pkt, conn, dir, dst);
}

const struct nflb_forward_ops nflb_forward_dnat = {
	.mode = NFLB_MODE_DNAT,
	.out_tuple = dnat_out_tuple,
	.forward = dnat_forward,
};
