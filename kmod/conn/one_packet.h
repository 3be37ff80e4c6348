/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections of UDP services that schedule each datagram by itself.
 */
#ifndef NFLB_CONN_ONE_PACKET_H
#define NFLB_CONN_ONE_PACKET_H

#include "conn/conn.h"

bool nflb_one_packet_is(const struct nflb_conn *conn,
			const struct nflb_conn *other, enum nflb_dir dir);
struct nflb_conn *nflb_one_packet_conn(struct nflb_net *nn,
				       struct nflb_backend *backend,
				       const struct nflb_forward_ops *ops,
				       const struct nflb_tuple *in,
				       enum nflb_reason *reason);

#endif /* NFLB_CONN_ONE_PACKET_H */
