// SPDX-License-Identifier: GPL-2.0
/*
 * What a packet is, and whether it is the balancer's. What it cannot serve for its
 * shape is its business only when it is for a VIP: then the host must not try to
 * make sense of it either.
 */
#include "service/service.h"
#include "forward/encap.h"
#include "path/classify.h"
#include "netns.h"

static bool for_vip(const struct nflb_pkt *pkt)
{
	const struct nflb_host *host;

	host = nflb_host_lookup(pkt->nn, &pkt->tuple.dst, pkt->tuple.family);
	return host && READ_ONCE(host->vips);
}

/* About a tunnel to a backend, or nothing of ours */
static enum nflb_verdict tunnel_error(struct nflb_pkt *pkt)
{
	struct nflb_tuple quoted;

	nflb_tuple_invert(&quoted, &pkt->tuple);
	nflb_encap_icmp(pkt, &quoted, pkt->inner_proto, pkt->inner_l4);
	return NFLB_ACCEPT;
}

/* Of the whole packet, or of one that is not to be reassembled. */
static noinline enum nflb_verdict fragment(struct nflb_pkt *pkt)
{
	enum nflb_verdict verdict = nflb_defrag(pkt);

	if (verdict == NFLB_CONTINUE)
		verdict = nflb_packet_parse(pkt);
	if (verdict == NFLB_CONTINUE && pkt->kind == NFLB_KIND_FRAGMENT)
		return nflb_drop(pkt, NFLB_REASON_FRAGMENT);
	return verdict;
}

/**
 * nflb_classify() - parse a packet, if it is the balancer's
 * @pkt: skb, nn and state are set; the rest is filled in
 *
 * Warning: fragments are put together, which may change the skb's head.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_CONTINUE
 * when the tuple is set, NFLB_ACCEPT when the packet is none of the balancer's,
 * NFLB_STOLEN for a fragment that waits, NFLB_DROP.
 */
enum nflb_verdict nflb_classify(struct nflb_pkt *pkt)
{
	enum nflb_verdict verdict = nflb_packet_parse(pkt);

	if (verdict == NFLB_CONTINUE && unlikely(pkt->kind == NFLB_KIND_FRAGMENT))
		verdict = fragment(pkt);
	if (verdict == NFLB_CONTINUE &&
	    unlikely(pkt->kind == NFLB_KIND_TUNNEL_ERROR))
		return tunnel_error(pkt);
	if (verdict == NFLB_DROP && pkt->reason != NFLB_REASON_FRAGMENT &&
	    !for_vip(pkt))
		return NFLB_ACCEPT;
	return verdict;
}
NFLB_EXPORT_KUNIT(nflb_classify);
