/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ICMP errors that belong to connections.
 */
#ifndef NFLB_ICMP_H
#define NFLB_ICMP_H

#include "packet/packet.h"
#include "conn/conn.h"

bool nflb_icmp_checksum_ok(struct nflb_pkt *pkt);
enum nflb_verdict nflb_icmp_check(struct nflb_pkt *pkt,
				  const struct nflb_conn *conn,
				  enum nflb_dir dir);
enum nflb_verdict nflb_icmp_translate(struct nflb_pkt *pkt,
				      struct nflb_conn *conn,
				      enum nflb_dir dir);

#endif /* NFLB_ICMP_H */
