/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packet path.
 */
#ifndef NFLB_PIPELINE_H
#define NFLB_PIPELINE_H

#include <linux/netfilter.h>
#include "packet/packet.h"
#include "conn/conn.h"

bool nflb_conn_serves(const struct nflb_pkt *pkt, const struct nflb_conn *conn,
		      enum nflb_dir dir);
unsigned int nflb_pipeline_end(struct nflb_pkt *pkt,
			       enum nflb_verdict verdict);
unsigned int nflb_pipeline(struct nflb_net *nn, struct sk_buff *skb,
			   const struct nf_hook_state *state);

#endif /* NFLB_PIPELINE_H */
