/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A packet without a connection: make one, or say why not.
 */
#ifndef NFLB_SCHEDULE_H
#define NFLB_SCHEDULE_H

#include "packet/packet.h"

enum nflb_verdict nflb_schedule(struct nflb_pkt *pkt, struct nflb_conn **conn);

#endif /* NFLB_SCHEDULE_H */
