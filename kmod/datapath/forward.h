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
 * @out_tuple: the tuple of the backend's packets, for a connection that begins
 *	with a packet of tuple @in and goes to @backend
 * @forward: rewrite and send a packet of a connection. Softirq or BH disabled,
 *	RCU held. Any verdict but NFLB_CONTINUE; see there who owns the skb.
 */
struct nflb_forward_ops {
	u8			mode;
	void			(*out_tuple)(struct nflb_tuple *out,
					     const struct nflb_tuple *in,
					     const struct nflb_backend *backend);
	enum nflb_verdict	(*forward)(struct nflb_pkt *pkt,
					   struct nflb_conn *conn,
					   enum nflb_dir dir);
};

const struct nflb_forward_ops *nflb_forward_find(u8 mode);

extern const struct nflb_forward_ops nflb_forward_dnat;

#endif /* NFLB_FORWARD_H */
