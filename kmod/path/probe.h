/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets of probes.
 */
#ifndef NFLB_PROBE_H
#define NFLB_PROBE_H

#include "packet/packet.h"
#include "conn/conn.h"
#include "conn/conn_probe.h"

bool nflb_probe_serves(const struct nflb_pkt *pkt, const struct nflb_conn *conn,
		       enum nflb_dir dir);
enum nflb_reason nflb_probe_reason(const struct nflb_pkt *pkt,
				   enum nflb_dir dir);
enum nflb_verdict nflb_probe_packet(struct nflb_pkt *pkt,
				    struct nflb_conn *conn, enum nflb_dir dir);

#endif /* NFLB_PROBE_H */
