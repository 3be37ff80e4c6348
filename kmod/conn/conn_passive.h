/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What clients' connections show of their backend.
 */
#ifndef NFLB_CONN_PASSIVE_H
#define NFLB_CONN_PASSIVE_H

#include "count.h"
#include "packet/packet.h"
#include "conn/conn.h"

/*
 * Jiffies that a backend may take to answer a SYN, and a next hop to tell its
 * link-layer address. Clients repeat a SYN after a second (RFC 6298, section 2).
 */
#define NFLB_PASSIVE_PATIENCE	(HZ / 2)

void nflb_passive_established(const struct nflb_conn *conn);
void nflb_passive_failed(struct nflb_conn *conn, enum nflb_passive what);
void nflb_passive_syn(struct nflb_conn *conn, u32 now);
void nflb_passive_reset(struct nflb_conn *conn, u8 state);
void nflb_passive_icmp(const struct nflb_pkt *pkt, struct nflb_conn *conn,
		       enum nflb_dir dir);

#endif /* NFLB_CONN_PASSIVE_H */
