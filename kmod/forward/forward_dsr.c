// SPDX-License-Identifier: GPL-2.0
/*
 * Mode dsr (direct server return): the backend gets the client's packet as it
 * is, for the VIP, which is an address of the backend too, and answers the
 * client without the balancer. On the way it is either only given another
 * link-layer address (encap none) or travels in a tunnel (encap.c).
 *
 * The balancer sees one half of each connection. Its table has only the client's
 * side, and instead of the other what the outer header needs, nflb_conn.outer.
 */
#include <net/ip.h>
#include <net/ipv6.h>

#include "packet/dry.h"
#include "packet/mangle.h"
#include "packet/mtu.h"
#include "packet/tcp_option.h"
#include "forward/encap.h"
#include "forward/forward.h"
#include "forward/gso.h"
#include "forward/icmp_reply.h"
#include "forward/route.h"
#include "netns.h"
#include "sched/flow.h"

/* GUE's source port is one of these: draft-ietf-intarea-gue, section 5.5.1 */
#define ENTROPY_PORT_FIRST	0xc000
#define ENTROPY_PORT_MASK	0x3fff

/* An address of the prefix for each flow; not the first or last of it. */
static void spread(union nflb_addr *addr, const struct nflb_encap_source *src,
		   u8 family, u64 entropy)
{
	unsigned int bits = (family == AF_INET ? 32 : 128) - src->prefix;
	unsigned int word = family == AF_INET ? 0 : 3;
	u32 mask, host;

	*addr = src->addr;
	if (!bits)
		return;
	/* More than 32 bits would not spread better. */
	mask = bits >= 32 ? ~0U : (1U << bits) - 1;
	host = (u32)entropy & mask;
	if (bits > 1 && (!host || host == mask))
		host = mask >> 1;
	addr->all[word] = htonl((ntohl(addr->all[word]) & ~mask) | host);
}

static bool choose_source(struct nflb_net *nn, struct nflb_conn *conn,
			  const struct nflb_snapshot *snapshot)
{
	const struct nflb_backend *backend = conn->backend;
	struct nflb_conn_outer *outer = &conn->outer;
	const struct nflb_encap_source *src;
	u64 entropy = nflb_flow_tuple(snapshot, &conn->in.tuple, 0);

	outer->port = htons(ENTROPY_PORT_FIRST |
			    (entropy >> 32 & ENTROPY_PORT_MASK));
	src = &snapshot->encap_source[backend->family == AF_INET6];
	if (!src->set)
		return nflb_route_source(nn->net, &backend->addr,
					 backend->family, &outer->source);
	spread(&outer->source, src, backend->family, entropy);
	return true;
}

static bool dsr_out_tuple(struct nflb_net *nn, struct nflb_conn *conn,
			  unsigned int attempt, enum nflb_reason *reason)
{
	const struct nflb_service *svc = conn->backend->service;

	if (nflb_conn_ops(conn)->encap == NFLB_ENCAP_NONE)
		return true;
	if (choose_source(nn, conn, rcu_dereference(svc->snapshot)))
		return true;
	*reason = NFLB_REASON_NO_ROUTE;
	return false;
}

/* What fits in. The tunnel begins here, so what is known of its path counts. */
static unsigned int tunnel_mtu(const struct nflb_conn *conn,
			       const struct dst_entry *dst)
{
	return nflb_encap_mtu(dst, nflb_conn_ops(conn)->encap,
			      conn->backend->family);
}

/*
 * How long a packet may be. What every link carries a sender does not have to
 * split: for those packets a tunnel has to fragment itself.
 */
static unsigned int mtu_of(const struct nflb_pkt *pkt,
			   const struct nflb_conn *conn,
			   const struct dst_entry *dst)
{
	if (nflb_conn_ops(conn)->encap == NFLB_ENCAP_NONE)
		return nflb_route_mtu(dst, conn->backend->family);
	return nflb_mtu_floor(tunnel_mtu(conn, dst), pkt->tuple.family);
}

/* A socket of this host learns it from its route. */
static enum nflb_verdict too_big(struct nflb_pkt *pkt, unsigned int mtu)
{
	if (!nflb_pkt_is_local_out(pkt) || !nflb_pkt_leaves_traces(pkt))
		return nflb_too_big(pkt, mtu);
	nflb_route_tell_socket(pkt->skb, mtu);
	return nflb_drop(pkt, NFLB_REASON_MTU_EXCEEDED);
}

static enum nflb_verdict encapsulate(struct nflb_pkt *pkt,
				     struct nflb_conn *conn,
				     struct dst_entry *dst, unsigned int mtu)
{
	unsigned int fits = tunnel_mtu(conn, dst);
	bool split = pkt->skb->len > fits && !skb_is_gso(pkt->skb);
	enum nflb_verdict verdict;

	if (unlikely(split)) {
		nflb_pkt_count(pkt, NFLB_COUNTER_ENCAP_FRAGMENTED);
		if (pkt->tuple.family == AF_INET &&
		    nflb_pkt_leaves_traces(pkt) &&
		    (READ_ONCE(pkt->nn->encap_fragment_inside) ||
		     pkt->skb->len > U16_MAX - NFLB_GROWTH_MAX))
			return nflb_encap_split(pkt, conn, dst, mtu);
	}
	verdict = nflb_encap_push(pkt, conn, dst, split || fits < mtu);
	if (unlikely(verdict != NFLB_CONTINUE))
		return verdict;
	verdict = unlikely(split) ? nflb_xmit_fragments(pkt, dst) :
				    nflb_xmit(pkt, dst);
	/* A drop is reported with the packet's own tuple. */
	pkt->tuple.family = conn->in.tuple.family;
	return verdict;
}

/* Would a source that is good on one link only go to another? */
static bool leaves_scope(const struct nflb_pkt *pkt,
			 const struct dst_entry *dst)
{
	return pkt->kind == NFLB_KIND_FLOW && nflb_pkt_is_link_local(pkt) &&
	       !nflb_pkt_is_local_out(pkt) && dst_dev_rcu(dst) != pkt->skb->dev;
}

/*
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: any verdict
 * but NFLB_CONTINUE.
 */
static enum nflb_verdict dsr_forward(struct nflb_pkt *pkt,
				     struct nflb_conn *conn, enum nflb_dir dir)
{
	const struct nflb_backend *backend = conn->backend;
	bool local_out = nflb_pkt_is_local_out(pkt);
	u8 family = backend->family;
	struct dst_entry *dst;
	unsigned int mtu;

	dst = nflb_route(pkt, conn, NFLB_DIR_IN);
	if (unlikely(!dst))
		return nflb_no_route(pkt);
	if (unlikely(nflb_route_is_local(dst, family))) {
		/* The backend is this host. */
		nflb_untrack(pkt->skb);
		return NFLB_ACCEPT;
	}
	if (nflb_conn_ops(conn)->encap == NFLB_ENCAP_NONE &&
	    unlikely(nflb_route_has_gateway(dst, family)))
		return nflb_unreachable(pkt, NFLB_REASON_NOT_ON_LINK);
	if (unlikely(leaves_scope(pkt, dst)))
		return nflb_beyond_scope(pkt);
	if (unlikely(skb_warn_if_lro(pkt->skb)))
		return nflb_drop(pkt, NFLB_REASON_LRO);
	if (unlikely(nflb_ttl(pkt) <= 1 && !local_out))
		return nflb_ttl_exceeded(pkt);
	mtu = mtu_of(pkt, conn, dst);
	if (unlikely(nflb_exceeds_mtu(pkt, mtu)))
		return too_big(pkt, mtu);
	if (unlikely(nflb_mangle_writable(pkt)))
		return nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	if (pkt->tuple.proto == IPPROTO_TCP && pkt->kind == NFLB_KIND_FLOW)
		nflb_tcp_scrub_address(pkt);
	if (!local_out)
		nflb_mangle_ttl(pkt);
	if (nflb_conn_ops(conn)->encap == NFLB_ENCAP_NONE)
		return nflb_xmit_via(pkt, dst, &backend->addr);
	return encapsulate(pkt, conn, dst, mtu);
}

#define DSR_OPS(e) {				\
	.id = NFLB_FORWARD_DSR + (e),		\
	.mode = NFLB_MODE_DSR,			\
	.encap = (e),				\
	.one_sided = true,			\
	.out_tuple = dsr_out_tuple,		\
	.forward = dsr_forward,			\
}

const struct nflb_forward_ops nflb_forward_dsr[NFLB_ENCAP_MAX + 1] = {
	[NFLB_ENCAP_NONE] = DSR_OPS(NFLB_ENCAP_NONE),
	[NFLB_ENCAP_IPIP] = DSR_OPS(NFLB_ENCAP_IPIP),
	[NFLB_ENCAP_GRE] = DSR_OPS(NFLB_ENCAP_GRE),
	[NFLB_ENCAP_GUE] = DSR_OPS(NFLB_ENCAP_GUE),
};
