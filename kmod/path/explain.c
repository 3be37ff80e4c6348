// SPDX-License-Identifier: GPL-2.0
/*
 * The fate of a hypothetical packet. It is constructed, and takes the path of all others
 * (pipeline.c), by the same functions, and leaves no trace (dry.h): the scheduler's
 * turn and the client's entry stay as they are, the connection is a draft, nothing
 * is counted, sent or answered.
 */
#include <linux/in.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "service/service.h"
#include "service/source.h"
#include "conn/conn.h"
#include "conn/conn_state.h"
#include "forward/forward.h"
#include "forward/route.h"
#include "path/classify.h"
#include "path/explain.h"
#include "path/fastpath.h"
#include "path/ingress.h"
#include "path/pipeline.h"
#include "path/probe.h"
#include "path/schedule.h"
#include "path/xdp.h"
#include "netns.h"

/* Headroom for any device, and any outer header */
#define HEADROOM (LL_MAX_HEADER + 128)

static struct nflb_explain *explained(struct nflb_dry *dry)
{
	return container_of(dry, struct nflb_explain, dry);
}

void __nflb_explain_service(struct nflb_dry *dry,
			    const struct nflb_service *svc)
{
	explained(dry)->service = svc;
}

void __nflb_explain_strayed(struct nflb_dry *dry)
{
	explained(dry)->strayed = true;
}

void __nflb_explain_tried(struct nflb_dry *dry,
			  const struct nflb_backend *backend, bool remembered)
{
	explained(dry)->picks[dry->tried++] = (struct nflb_explain_pick){
		.backend = backend,
		.remembered = remembered,
	};
}

void __nflb_explain_refused(struct nflb_dry *dry, enum nflb_reason reason)
{
	struct nflb_explain_pick *pick;

	pick = &explained(dry)->picks[dry->tried - 1];
	pick->refused = true;
	pick->reason = reason;
}

static void put_l4(struct sk_buff *skb, const struct nflb_tuple *t, bool syn)
{
	struct tcphdr *th;
	struct udphdr *uh;

	if (t->proto == IPPROTO_TCP) {
		th = skb_put_zero(skb, sizeof(*th));
		th->source = t->sport;
		th->dest = t->dport;
		th->doff = sizeof(*th) / 4;
		th->syn = syn;
		th->ack = !syn;
		th->window = htons(U16_MAX);
		return;
	}
	uh = skb_put_zero(skb, sizeof(*uh));
	uh->source = t->sport;
	uh->dest = t->dport;
	uh->len = htons(sizeof(*uh));
	/* It has one, as far as anybody asks before it is sent. */
	uh->check = CSUM_MANGLED_0;
}

static void put_l3(struct sk_buff *skb, const struct nflb_tuple *t)
{
	unsigned int l4_len = nflb_l4_len(t->proto);
	struct ipv6hdr *ip6h;
	struct iphdr *iph;

	skb_reset_network_header(skb);
	if (t->family == AF_INET) {
		iph = skb_put_zero(skb, sizeof(*iph));
		iph->version = 4;
		iph->ihl = sizeof(*iph) / 4;
		iph->tot_len = htons(sizeof(*iph) + l4_len);
		iph->frag_off = htons(IP_DF);
		iph->ttl = IPDEFTTL;
		iph->protocol = t->proto;
		iph->saddr = t->src.ip;
		iph->daddr = t->dst.ip;
		ip_send_check(iph);
		skb->protocol = htons(ETH_P_IP);
	} else {
		ip6h = skb_put_zero(skb, sizeof(*ip6h));
		ip6h->version = 6;
		ip6h->payload_len = htons(l4_len);
		ip6h->nexthdr = t->proto;
		ip6h->hop_limit = IPDEFTTL;
		ip6h->saddr = t->src.in6;
		ip6h->daddr = t->dst.in6;
		skb->protocol = htons(ETH_P_IPV6);
	}
	skb_set_transport_header(skb, skb->len);
}

/* A segment without data: @syn, or an ACK; or a datagram without. */
static struct sk_buff *packet(const struct nflb_tuple *t, bool syn)
{
	struct sk_buff *skb;

	skb = alloc_skb(HEADROOM + sizeof(struct ipv6hdr) +
			sizeof(struct tcphdr), GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, HEADROOM);
	put_l3(skb, t);
	put_l4(skb, t, syn);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->pkt_type = PACKET_HOST;
	return skb;
}

/*
 * Where it comes from: out of a socket of this host, if that is whose address it
 * has; or from where an answer would go.
 */
static int set_origin(struct nflb_explain *ex, const struct nflb_pkt *pkt)
{
	const struct nflb_tuple *t = &ex->arrives;
	struct dst_entry *dst;
	bool local;

	local = !ex->dev && nflb_addr_is_local(ex->nn->net, &t->src, t->family);
	ex->dry.state.hook = local ? NF_INET_LOCAL_OUT : NF_INET_PRE_ROUTING;
	ex->skb->dev = ex->dev;
	if (ex->dev)
		return 0;
	ex->skb->dev = ex->nn->net->loopback_dev;
	if (local)
		dst = nflb_route_lookup(pkt, t->family, &t->src, &t->dst,
					t->sport, t->dport);
	else
		dst = nflb_route_lookup(pkt, t->family, &t->dst, &t->src,
					t->dport, t->sport);
	if (!dst)
		return local ? -ENETUNREACH : -EHOSTUNREACH;
	ex->dev = dst_dev_rcu(dst);
	ex->skb->dev = ex->dev;
	/* A socket's packet has its route. */
	if (local)
		skb_dst_set(ex->skb, dst);
	else
		dst_release(dst);
	return 0;
}

/* Which doors before the hook would take it? It was not changed yet. */
static void try_doors(struct nflb_explain *ex, u8 family)
{
	if (ex->dry.state.hook == NF_INET_LOCAL_OUT)
		return;
	ex->by_ingress = nflb_ingress_find(ex->nn, ex->dev) &&
			 !rcu_access_pointer(ex->dev->rx_handler) &&
			 nflb_fast_would(ex->nn, ex->skb, family);
	ex->by_xdp = nflb_xdp_would(ex->dev, ex->skb, family);
}

static enum nflb_verdict settle(struct nflb_explain *ex, struct nflb_pkt *pkt,
				struct nflb_conn *conn)
{
	bool probe = conn && nflb_conn_is(conn, NFLB_CONN_PROBE);

	if (conn && (probe ? nflb_probe_serves(pkt, conn, ex->dir) :
			     nflb_conn_serves(pkt, conn, ex->dir))) {
		ex->known = conn;
		ex->service = conn->backend->service;
		try_doors(ex, pkt->tuple.family);
		ex->draft = nflb_conn_draft_of(conn);
		return ex->draft ? NFLB_CONTINUE :
				   nflb_drop(pkt, NFLB_REASON_NO_MEMORY);
	}
	if (probe && nflb_probe_holds(conn, nflb_now()))
		return nflb_drop(pkt, nflb_probe_reason(pkt, ex->dir));
	/* An expired connection gives way, as in pipeline.c. */
	ex->dir = NFLB_DIR_IN;
	return nflb_schedule(pkt, &ex->draft);
}

static enum nflb_verdict run(struct nflb_explain *ex, struct nflb_pkt *pkt)
{
	enum nflb_verdict verdict;
	struct nflb_conn *conn;

	verdict = nflb_classify(pkt);
	if (verdict != NFLB_CONTINUE)
		return verdict;
	conn = nflb_conn_lookup(ex->nn, &pkt->tuple, &ex->dir);
	verdict = settle(ex, pkt, conn);
	if (verdict != NFLB_CONTINUE)
		return verdict;
	return nflb_conn_ops(ex->draft)->forward(pkt, ex->draft, ex->dir);
}

/* The resulting packet */
static void read_leaves(struct nflb_explain *ex)
{
	struct nf_hook_state state = ex->dry.state;
	struct nflb_pkt pkt = {
		.skb = ex->skb,
		.nn = ex->nn,
		.state = &state,
	};

	state.pf = ex->skb->protocol == htons(ETH_P_IP) ? NFPROTO_IPV4 :
							  NFPROTO_IPV6;
	/* Of packets that are neither TCP nor UDP it learns addresses and protocol. */
	nflb_packet_parse(&pkt);
	ex->leaves = pkt.tuple;
}

/**
 * nflb_explain() - trace a hypothetical packet
 * @ex: all zeros, but for nn, arrives and perhaps dev
 *
 * Of TCP it is a SYN, or of a connection that is known a segment without data.
 *
 * Context: BH disabled, rcu_read_lock() held until nflb_explain_free(). Return:
 * 0; -EHOSTUNREACH when there is no device that it could come from, -ENETUNREACH
 * when a socket of this host could not send it, or -ENOMEM.
 */
int nflb_explain(struct nflb_explain *ex)
{
	struct nflb_pkt pkt = {
		.nn = ex->nn,
		.state = &ex->dry.state,
		.tuple = ex->arrives,
	};
	struct nflb_conn *conn;
	enum nflb_dir dir;
	int err;

	ex->dry.state.pf = ex->arrives.family == AF_INET ? NFPROTO_IPV4 :
						       NFPROTO_IPV6;
	ex->dry.state.net = ex->nn->net;
	ex->dry.state.okfn = nflb_dry_okfn;
	conn = nflb_conn_lookup(ex->nn, &ex->arrives, &dir);
	ex->skb = packet(&ex->arrives,
			 !conn || !nflb_conn_alive(conn, nflb_now()));
	if (!ex->skb)
		return -ENOMEM;
	pkt.skb = ex->skb;
	err = set_origin(ex, &pkt);
	if (err)
		return err;
	ex->dry.state.in = ex->dev;
	ex->verdict = run(ex, &pkt);
	ex->reason = pkt.reason;
	if (ex->draft)
		read_leaves(ex);
	return 0;
}

/**
 * nflb_explain_free() - forget a packet
 * @ex: it
 */
void nflb_explain_free(struct nflb_explain *ex)
{
	if (ex->draft)
		nflb_conn_draft_free(ex->draft);
	kfree_skb(ex->skb);
}
