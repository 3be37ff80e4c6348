/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets beside the services: between clients and backends, with no connection.
 */
#ifndef NFLB_BESIDE_H
#define NFLB_BESIDE_H

#include "packet/packet.h"

enum nflb_verdict nflb_beside(struct nflb_pkt *pkt);
enum nflb_verdict nflb_beside_icmp(struct nflb_pkt *pkt);

#endif /* NFLB_BESIDE_H */
