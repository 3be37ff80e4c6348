/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PROXY protocol, version 2: the client's address in front of its data.
 */
#ifndef NFLB_PROXY_H
#define NFLB_PROXY_H

#include "packet/packet.h"
#include "packet/proxy_len.h"
#include "conn/conn.h"

enum nflb_verdict nflb_proxy_tcp(struct nflb_pkt *pkt, struct nflb_conn *conn);
void nflb_proxy_acked(const struct nflb_pkt *pkt, struct nflb_conn *conn);
enum nflb_verdict nflb_proxy_udp(struct nflb_pkt *pkt, struct nflb_conn *conn);

#endif /* NFLB_PROXY_H */
