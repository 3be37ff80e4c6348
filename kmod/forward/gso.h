/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that stand for several: which can be rewritten whole.
 */
#ifndef NFLB_GSO_H
#define NFLB_GSO_H

#include <linux/bits.h>

#include "packet/packet.h"
#include "conn/conn.h"
#include "forward/forward.h"

/* The rewritten parts of a packet */
#define NFLB_REWRITE_ENDS	BIT(0)	/* addresses and ports */
#define NFLB_REWRITE_TCP	BIT(1)	/* more of the TCP header */
#define NFLB_REWRITE_HEADERS	BIT(2)	/* headers are added or replaced */

/* By how much the balancer makes a packet longer, at most. */
#define NFLB_GROWTH_MAX		128

/* Lengths of IP have 16 bits; so long a GSO packet has none (BIG TCP). */
static inline bool nflb_gso_is_big(const struct sk_buff *skb)
{
	return skb->len > U16_MAX - NFLB_GROWTH_MAX;
}

bool nflb_may_rewrite_gso(const struct nflb_pkt *pkt, unsigned int what);
enum nflb_verdict nflb_gso_split(struct nflb_pkt *pkt, struct nflb_conn *conn,
				 enum nflb_dir dir);
enum nflb_verdict nflb_gso_forward(struct nflb_pkt *pkt, struct nflb_conn *conn,
				   enum nflb_dir dir);

/**
 * nflb_forward_packet() - nflb_forward_ops.forward, of segments where the packet
 *	cannot stay whole
 * @pkt: the packet
 * @conn: its connection
 * @dir: its direction
 */
static inline enum nflb_verdict nflb_forward_packet(struct nflb_pkt *pkt,
						    struct nflb_conn *conn,
						    enum nflb_dir dir)
{
	if (unlikely(skb_is_gso(pkt->skb)))
		return nflb_gso_forward(pkt, conn, dir);
	return nflb_conn_ops(conn)->forward(pkt, conn, dir);
}

#endif /* NFLB_GSO_H */
