/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a packet does besides being rewritten: it is counted, sent, answered and
 * remembered. One that is made up (explain.c) goes the same way and does none of
 * it; the omitted steps are noted.
 */
#ifndef NFLB_DRY_H
#define NFLB_DRY_H

#include <linux/netfilter.h>

#include "count.h"
#include "netns.h"
#include "packet/packet.h"

struct dst_entry;

/**
 * struct nflb_dry - a packet that is made up
 * @state: of the hook that would take it; tells that it is one
 * @told: its sender would be told
 * @tried: backends that were chosen for it
 * @dst: its route at its end, or NULL
 * @via: the neighbour that it would go to, if not the one that the route has
 */
struct nflb_dry {
	struct nf_hook_state	state;
	bool			told;
	u8			tried;
	struct dst_entry	*dst;
	const union nflb_addr	*via;
};

int nflb_dry_okfn(struct net *net, struct sock *sk, struct sk_buff *skb);

/* The omitted steps of a constructed packet, else NULL. */
static inline struct nflb_dry *nflb_dry(const struct nflb_pkt *pkt)
{
	if (likely(pkt->state->okfn != nflb_dry_okfn))
		return NULL;
	return (struct nflb_dry *)container_of(pkt->state,
					       const struct nflb_dry, state);
}

/* nflb_count() for the fate of a packet. Softirq or BH disabled. */
#define nflb_pkt_count(pkt, counter) do {		\
	if (!nflb_dry(pkt) && !(pkt)->quiet)		\
		nflb_count((pkt)->nn, counter);		\
} while (0)

/* May anything but its connection be changed by it? */
static inline bool nflb_pkt_leaves_traces(const struct nflb_pkt *pkt)
{
	return likely(!nflb_dry(pkt));
}

/* Is an answer to be sent to its sender? */
static inline bool nflb_pkt_is_answered(const struct nflb_pkt *pkt)
{
	struct nflb_dry *dry = nflb_dry(pkt);

	if (unlikely(dry))
		dry->told = true;
	return likely(!dry);
}

/* Is it to be sent, by @dst, to @via if that is not NULL? Else it is noted. */
static inline bool nflb_pkt_is_sent(const struct nflb_pkt *pkt,
				    struct dst_entry *dst,
				    const union nflb_addr *via)
{
	struct nflb_dry *dry = nflb_dry(pkt);

	if (unlikely(dry)) {
		dry->dst = dst;
		dry->via = via;
	}
	return likely(!dry);
}

#endif /* NFLB_DRY_H */
