// SPDX-License-Identifier: GPL-2.0
/*
 * Packets beside the services: they go between a client and a backend, on the
 * backend's port of a service, and have no connection.
 *
 * Such a packet of a backend is either late - its connection timed out, was
 * flushed, or was another balancer's -, or answers a client that asked the
 * backend directly, which a balancer that is also a router sees. The first must
 * not reach the client: it would come from an address that the client does not
 * know. The second must. So what clients send to a backend directly is noted
 * (direct.c).
 *
 * A client that asks a backend directly and by a VIP from the same port has two
 * flows that are one for the backend. The one that comes second is refused, or
 * goes to another backend.
 */
#include <linux/netfilter.h>
#include <net/dst_metadata.h>
#include <net/netfilter/nf_conntrack_tuple.h>

#include "packet/dry.h"
#include "service/direct.h"
#include "service/endpoint.h"
#include "service/source.h"
#include "conn/conn.h"
#include "conn/conn_probe.h"
#include "conn/conn_state.h"
#include "forward/icmp_reply.h"
#include "path/beside.h"
#include "path/host_socket.h"
#include "netns.h"

static bool is_tcp(const struct nflb_pkt *pkt)
{
	return pkt->tuple.proto == IPPROTO_TCP;
}

/* A SYN without ACK: whoever sends it begins a connection. */
static bool begins(const struct nflb_pkt *pkt)
{
	return (pkt->tcp_flags & (NFLB_TCP_SYN | NFLB_TCP_ACK)) == NFLB_TCP_SYN;
}

/*
 * Is it none that a client just sent? The balancer's own have no socket: resets,
 * and what nflb_conn_tell() sends. A packet from the host to itself comes back by
 * the loopback device with its route, perhaps rewritten for a backend on the host;
 * so does one that was translated to the other family (forward_nat.c). Both were
 * looked at before, and have the ports of their own connection.
 */
static bool is_known(const struct nflb_pkt *pkt)
{
	return nflb_pkt_is_local_out(pkt) ? !pkt->skb->sk :
					    skb_valid_dst(pkt->skb);
}

/*
 * The packet goes where packets of @conn go. The balancer itself sent it if it is
 * from a local address: routers sent it back, or somebody forged it. A reset would
 * end the connection, for it would be from the backend.
 */
static enum nflb_verdict clash(struct nflb_pkt *pkt,
			       const struct nflb_conn *conn)
{
	return conn->how & NFLB_HOW_LADDR && !nflb_pkt_is_local_out(pkt) ?
	       nflb_drop(pkt, NFLB_REASON_BAD_SOURCE) :
	       nflb_refuse(pkt, NFLB_REASON_DIRECT_CLASH);
}

/* Is the tuple of the backend's answers @conn's? */
static bool is_taken(const struct nflb_conn *conn, u32 now)
{
	if (unlikely(nflb_conn_is(conn, NFLB_CONN_PROBE)))
		return nflb_probe_holds(conn, now);
	return nflb_conn_alive(conn, now) && !nflb_conn_state_over(conn);
}

/* From a client to a backend, directly. */
static enum nflb_verdict request(struct nflb_direct *direct,
				 struct nflb_pkt *pkt)
{
	struct nflb_tuple answer;
	struct nflb_conn *conn;
	enum nflb_dir dir;

	if (is_known(pkt))
		return NFLB_ACCEPT;
	nflb_tuple_invert(&answer, &pkt->tuple);
	conn = nflb_conn_lookup(pkt->nn, &answer, &dir);
	if (conn && dir == NFLB_DIR_OUT) {
		if (is_taken(conn, nflb_now()))
			return clash(pkt, conn);
		if (nflb_pkt_leaves_traces(pkt))
			nflb_conn_unlink(pkt->nn, conn);
	}
	if (nflb_pkt_leaves_traces(pkt))
		nflb_direct_note(direct, pkt, &answer);
	return NFLB_ACCEPT;
}

/*
 * Does conntrack know the flow? Then it is none of the balancer's, which are not
 * tracked: a rule of NAT leads to the same port. It can tell of IPv4 only.
 */
static bool tracked(const struct nflb_pkt *pkt)
{
	struct nf_conntrack_tuple tuple;

	return pkt->tuple.family == AF_INET &&
	       nf_ct_get_tuple_skb(&tuple, pkt->skb);
}

/* Is it for a socket of the host, which asked the backend itself? */
static bool host_waits(const struct nflb_pkt *pkt)
{
	if (is_tcp(pkt))
		return nflb_host_socket_has(pkt);
	return nflb_addr_is_local(pkt->nn->net, &pkt->tuple.dst,
				  pkt->tuple.family);
}

/* From where a backend answers, and no answer of a connection: is it late? */
static bool late(struct nflb_direct *direct, const struct nflb_pkt *pkt)
{
	return !nflb_direct_answers(direct, pkt) && !host_waits(pkt) &&
	       !tracked(pkt);
}

static bool from_backend(const struct nflb_pkt *pkt)
{
	const struct nflb_tuple *t = &pkt->tuple;

	/* Packets of a socket of the host have the host's address at worst. */
	return !nflb_pkt_is_local_out(pkt) &&
	       READ_ONCE(pkt->nn->refuse_late) &&
	       nflb_endpoint_answers(pkt->nn, &t->src, t->sport, t->proto,
				     t->family);
}

/**
 * nflb_beside() - a packet that no service is for
 * @pkt: a packet of NFLB_KIND_FLOW, without a connection
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_CONTINUE
 * when it is neither from nor for a backend's port of a service; NFLB_ACCEPT;
 * or NFLB_DROP.
 */
enum nflb_verdict nflb_beside(struct nflb_pkt *pkt)
{
	struct nflb_direct *direct = READ_ONCE(pkt->nn->direct);
	const struct nflb_tuple *t = &pkt->tuple;

	if (!direct)
		return NFLB_CONTINUE;
	if (nflb_endpoint_answers(pkt->nn, &t->dst, t->dport, t->proto,
				  t->family))
		return request(direct, pkt);
	if (begins(pkt) || !from_backend(pkt))
		return NFLB_CONTINUE;
	return late(direct, pkt) ? nflb_refuse(pkt, NFLB_REASON_LATE_REPLY) :
				   NFLB_ACCEPT;
}

/**
 * nflb_beside_icmp() - an ICMP error about a packet that has no connection
 * @pkt: the error
 *
 * A backend's about what a client sent through a VIP tells the client of the
 * backend's address, and nothing that it could make sense of.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_ACCEPT, or
 * NFLB_DROP.
 */
enum nflb_verdict nflb_beside_icmp(struct nflb_pkt *pkt)
{
	struct nflb_direct *direct = READ_ONCE(pkt->nn->direct);

	if (!direct || !from_backend(pkt) || nflb_direct_answers(direct, pkt) ||
	    nflb_addr_is_local(pkt->nn->net, &pkt->tuple.dst,
			       pkt->tuple.family))
		return NFLB_ACCEPT;
	return nflb_drop(pkt, NFLB_REASON_LATE_REPLY);
}
