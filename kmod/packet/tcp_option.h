/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP options that tell a client's address.
 */
#ifndef NFLB_TCP_OPTION_H
#define NFLB_TCP_OPTION_H

#include "packet/packet.h"

void nflb_tcp_scrub_address(struct nflb_pkt *pkt);
unsigned int nflb_tcp_option_len(const u8 *opts, unsigned int len,
				 unsigned int i);
u8 *nflb_tcp_option(const struct nflb_pkt *pkt, u8 kind);
__wsum nflb_tcp_options_sum(const struct nflb_pkt *pkt);
void nflb_tcp_options_changed(struct nflb_pkt *pkt, __wsum before);
void nflb_tcp_remove_option(struct nflb_pkt *pkt, u8 kind);
bool nflb_tcp_remove_fast_open(struct nflb_pkt *pkt);
void nflb_tcp_lower_mss(struct nflb_pkt *pkt, unsigned int by);

#endif /* NFLB_TCP_OPTION_H */
