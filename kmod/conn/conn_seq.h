/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sequence numbers that differ between client and backend.
 */
#ifndef NFLB_CONN_SEQ_H
#define NFLB_CONN_SEQ_H

#include "packet/proxy_len.h"
#include "conn/conn.h"

/**
 * nflb_conn_seq_delta() - by how much the client's sequence numbers are moved
 * @conn: any connection
 *
 * Return: the offset to add to them towards the backend.
 */
static inline u32 nflb_conn_seq_delta(const struct nflb_conn *conn)
{
	u32 delta = 0;

	if (nflb_conn_now(conn, NFLB_NOW_SEQ))
		delta = READ_ONCE(conn->seq.delta);
	if (conn->how & NFLB_HOW_PROXY)
		delta += nflb_proxy_len(conn->in.tuple.family);
	return delta;
}

#endif /* NFLB_CONN_SEQ_H */
