/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets beside the services: between clients and backends, with no connection.
 */
#ifndef NFLB_BESIDE_H
#define NFLB_BESIDE_H

#include "datapath/packet.h"

int nflb_direct_alloc(struct nflb_net *nn);
void nflb_direct_free(struct nflb_net *nn);
bool nflb_direct_holds(struct nflb_net *nn, const struct nflb_tuple *answer,
		       bool draft);
enum nflb_verdict nflb_beside(struct nflb_pkt *pkt);
enum nflb_verdict nflb_beside_icmp(struct nflb_pkt *pkt);

#endif /* NFLB_BESIDE_H */
