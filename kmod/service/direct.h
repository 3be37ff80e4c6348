/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flows between clients and backends past the services.
 */
#ifndef NFLB_DIRECT_H
#define NFLB_DIRECT_H

#include "packet/packet.h"

struct nflb_direct;

int nflb_direct_alloc(struct nflb_net *nn);
void nflb_direct_free(struct nflb_net *nn);
bool nflb_direct_holds(struct nflb_net *nn, const struct nflb_tuple *answer,
		       bool draft);
void nflb_direct_note(struct nflb_direct *direct, const struct nflb_pkt *pkt,
		      const struct nflb_tuple *answer);
bool nflb_direct_answers(struct nflb_direct *direct,
			 const struct nflb_pkt *pkt);

#endif /* NFLB_DIRECT_H */
