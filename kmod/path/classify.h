/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parse a packet, and decide whether it is the balancer's.
 */
#ifndef NFLB_CLASSIFY_H
#define NFLB_CLASSIFY_H

#include "packet/packet.h"

enum nflb_verdict nflb_classify(struct nflb_pkt *pkt);
enum nflb_verdict nflb_defrag(struct nflb_pkt *pkt);

#endif /* NFLB_CLASSIFY_H */
