/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Answers of the balancer itself.
 */
#ifndef NFLB_ICMP_REPLY_H
#define NFLB_ICMP_REPLY_H

#include "packet/packet.h"

/* Is its sender known on one link only, that an answer has to go by? */
static inline bool nflb_pkt_is_link_local(const struct nflb_pkt *pkt)
{
	return pkt->tuple.family == AF_INET6 &&
	       nflb_addr_is_link_local(&pkt->tuple.src);
}

bool nflb_answering(void);
enum nflb_verdict nflb_refuse(struct nflb_pkt *pkt, enum nflb_reason reason);
enum nflb_verdict nflb_unreachable(struct nflb_pkt *pkt,
				   enum nflb_reason reason);
enum nflb_verdict nflb_no_route(struct nflb_pkt *pkt);
enum nflb_verdict nflb_beyond_scope(struct nflb_pkt *pkt);
enum nflb_verdict nflb_ttl_exceeded(struct nflb_pkt *pkt);
enum nflb_verdict nflb_too_big(struct nflb_pkt *pkt, unsigned int mtu);
enum nflb_verdict nflb_echo(struct nflb_pkt *pkt);

#endif /* NFLB_ICMP_REPLY_H */
