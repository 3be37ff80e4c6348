/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Modes of forwarding. One mode a file.
 */
#ifndef NFLB_FORWARD_H
#define NFLB_FORWARD_H

#include "datapath/conn.h"
#include "datapath/packet.h"
#include "datapath/service.h"

/**
 * struct nflb_forward_ops - one mode
 * @mode: enum nflb_mode
 * @has_seq: connections are struct nflb_conn_seq
 * @hairpin: a backend can be its own client
 * @out_tuple: set the tuple of the backend's packets, conn->out.tuple but aux,
 *	of a connection with client and backend that is not in the table yet;
 *	and with @attempt 0, conn->nat. @attempt counts the tuples that were
 *	taken. Returns false, with a reason, when there is none to try.
 * @inherit: @conn takes its tuple from @old, which is over; may be NULL
 * @forward: rewrite and send a packet of a connection. Softirq or BH disabled,
 *	RCU held. Any verdict but NFLB_CONTINUE; see there who owns the skb.
 */
struct nflb_forward_ops {
	u8			mode;
	bool			has_seq;
	bool			hairpin;
	bool			(*out_tuple)(struct nflb_net *nn,
					     struct nflb_conn *conn,
					     unsigned int attempt,
					     enum nflb_reason *reason);
	void			(*inherit)(struct nflb_conn *conn,
					   const struct nflb_conn *old);
	enum nflb_verdict	(*forward)(struct nflb_pkt *pkt,
					   struct nflb_conn *conn,
					   enum nflb_dir dir);
};

const struct nflb_forward_ops *nflb_forward_find(u8 mode);

/* How packets go to a backend: its own way, or that of its service. */
static inline const struct nflb_forward_ops *
nflb_forward_of(const struct nflb_snapshot *snapshot,
		const struct nflb_backend *backend)
{
	u8 mode = READ_ONCE(backend->mode);

	return mode == NFLB_MODE_INHERIT ? snapshot->forward :
					   nflb_forward_find(mode);
}

extern const struct nflb_forward_ops nflb_forward_dnat;
extern const struct nflb_forward_ops nflb_forward_fullnat;

#endif /* NFLB_FORWARD_H */
