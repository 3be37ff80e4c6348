/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP Option Address: the client's address and port in an option of the first
 * segments that it sends to a backend.
 */
#ifndef NFLB_TOA_H
#define NFLB_TOA_H

#include "packet/packet.h"
#include "conn/conn.h"

/* Kind and length of the option of DPVS, LVS and their receivers */
#define NFLB_TOA_KIND		254
#define NFLB_TOA_KIND6_OTHER	253
#define NFLB_TOA_LEN4		8
#define NFLB_TOA_LEN6		20

static inline unsigned int nflb_toa_len(const struct nflb_conn *conn)
{
	return conn->in.tuple.family == AF_INET ? NFLB_TOA_LEN4 :
						  NFLB_TOA_LEN6;
}

void nflb_toa_begin(struct nflb_conn *conn);
enum nflb_verdict nflb_toa_insert(struct nflb_pkt *pkt, struct nflb_conn *conn,
				  unsigned int mtu);

#endif /* NFLB_TOA_H */
