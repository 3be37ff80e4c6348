// SPDX-License-Identifier: GPL-2.0
/*
 * Fragments to or from an address that the balancer knows are put together
 * first, since only the first of them has ports. Others are left alone: the
 * kernel's own defragmentation hooks would take every packet that the host
 * forwards.
 */
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/ipv6_frag.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>

#include "service/service.h"
#include "path/classify.h"
#include "netns.h"

static bool ours(struct nflb_pkt *pkt)
{
	const struct nflb_tuple *t = &pkt->tuple;
	struct nflb_host *host;

	host = nflb_host_lookup(pkt->nn, &t->dst, t->family);
	if (host && READ_ONCE(host->vips))
		return true;
	host = nflb_host_lookup(pkt->nn, &t->src, t->family);
	return host && READ_ONCE(host->backends);
}

static int gather(struct nflb_pkt *pkt)
{
	struct net *net = pkt->nn->net;
	struct sk_buff *skb = pkt->skb;
	int err;

	if (pkt->tuple.family == AF_INET6)
		return nf_ct_frag6_gather(net, skb, IP6_DEFRAG_CONNTRACK_IN);

	err = ip_defrag(net, skb, IP_DEFRAG_VS_IN);
	/* Both ends were fine with fragments: output may make them again. */
	if (!err)
		skb->ignore_df = 1;
	return err;
}

/**
 * nflb_defrag() - put the packet of a fragment together
 * @pkt: a fragment; addresses are set
 *
 * Return: NFLB_CONTINUE when the skb is the whole packet now (its head may
 * have changed); NFLB_STOLEN while fragments are missing; NFLB_ACCEPT when it
 * is none of the balancer's; NFLB_DROP when it cannot be part of a packet.
 */
enum nflb_verdict nflb_defrag(struct nflb_pkt *pkt)
{
	int err;

	/* Local senders are fragmented after the hook, raw sockets aside. */
	if (nflb_pkt_is_local_out(pkt) || !ours(pkt))
		return NFLB_ACCEPT;
	err = gather(pkt);
	if (!err)
		return NFLB_CONTINUE;
	/* ip_defrag() has the skb in either case, nf_ct_frag6_gather() only
	 * when it waits.
	 */
	if (err == -EINPROGRESS || pkt->tuple.family == AF_INET)
		return NFLB_STOLEN;
	return nflb_drop(pkt, NFLB_REASON_FRAGMENT);
}
