/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by modes dnat and fullnat.
 */
#ifndef NFLB_FORWARD_NAT_H
#define NFLB_FORWARD_NAT_H

#include "forward/forward.h"

enum nflb_verdict nflb_nat_forward(struct nflb_pkt *pkt,
				   struct nflb_conn *conn, enum nflb_dir dir);

#endif /* NFLB_FORWARD_NAT_H */
