/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Encapsulation of whole packets.
 */
#ifndef NFLB_ENCAP_H
#define NFLB_ENCAP_H

#include <net/dst.h>

#include "datapath/conn.h"
#include "datapath/packet.h"

unsigned int nflb_encap_overhead(u8 encap, u8 family);
unsigned int nflb_encap_mtu(const struct dst_entry *dst, u8 encap, u8 family);
enum nflb_verdict nflb_encap_push(struct nflb_pkt *pkt,
				  const struct nflb_conn *conn,
				  const struct dst_entry *dst, bool may_split);
enum nflb_verdict nflb_encap_split(struct nflb_pkt *pkt,
				   const struct nflb_conn *conn,
				   struct dst_entry *dst, unsigned int mtu);
void nflb_encap_icmp(struct nflb_pkt *pkt, const struct nflb_tuple *quoted,
		     u8 proto, unsigned int l4);

#endif /* NFLB_ENCAP_H */
