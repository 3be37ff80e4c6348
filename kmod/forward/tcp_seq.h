/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a connection with a local address does to TCP segments besides
 * addresses: sequence numbers, and options of the handshake.
 */
#ifndef NFLB_TCP_SEQ_H
#define NFLB_TCP_SEQ_H

#include "packet/packet.h"
#include "conn/conn.h"

enum nflb_verdict nflb_tcp_rewrite(struct nflb_pkt *pkt, struct nflb_conn *conn,
				   enum nflb_dir dir, unsigned int mtu);

#endif /* NFLB_TCP_SEQ_H */
