/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP options that tell a client's address.
 */
#ifndef NFLB_TCP_OPTION_H
#define NFLB_TCP_OPTION_H

#include "datapath/packet.h"

void nflb_tcp_scrub_address(struct nflb_pkt *pkt);

#endif /* NFLB_TCP_OPTION_H */
