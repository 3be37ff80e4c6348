/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the balancer answers itself.
 */
#ifndef NFLB_ICMP_REPLY_H
#define NFLB_ICMP_REPLY_H

#include "datapath/packet.h"

bool nflb_may_answer(struct nflb_net *nn);
enum nflb_verdict nflb_refuse(struct nflb_pkt *pkt, enum nflb_reason reason);
enum nflb_verdict nflb_ttl_exceeded(struct nflb_pkt *pkt);
enum nflb_verdict nflb_too_big(struct nflb_pkt *pkt, unsigned int mtu);
enum nflb_verdict nflb_echo(struct nflb_pkt *pkt);

#endif /* NFLB_ICMP_REPLY_H */
