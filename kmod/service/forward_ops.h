/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The operations of a forwarding mode: the only view of their mode that backends and
 * connections have. The modes themselves are in forward/.
 */
#ifndef NFLB_FORWARD_OPS_H
#define NFLB_FORWARD_OPS_H

#include <linux/nflb.h>

#include "nflb.h"

/* Fits in NFLB_HOW_FORWARD; those of mode dsr are in the order of enum nflb_encap. */
enum nflb_forward_id {
	NFLB_FORWARD_DNAT,
	NFLB_FORWARD_FULLNAT,
	NFLB_FORWARD_DSR,
	NFLB_FORWARD_COUNT = NFLB_FORWARD_DSR + NFLB_ENCAP_MAX + 1
};

/**
 * struct nflb_forward_ops - one mode
 * @id: enum nflb_forward_id
 * @mode: enum nflb_mode
 * @encap: enum nflb_encap
 * @one_sided: the backend answers past the balancer: NFLB_HOW_ONE_SIDED
 * @hairpin: a backend can be its own client
 * @out_tuple: set the tuple of the backend's packets, conn->out.tuple but aux
 *	(with @one_sided, conn->outer instead), of a connection with client and
 *	backend that is not in the table yet; and with @attempt 0, conn->how.
 *	@attempt counts the tuples that were taken. Returns false, with a reason,
 *	when there is none to try.
 * @inherit: @conn takes its tuple from @old, which is over; may be NULL
 * @forward: rewrite and send a packet of a connection. Softirq or BH disabled,
 *	RCU held. Any verdict but NFLB_CONTINUE; see there who owns the skb.
 */
struct nflb_forward_ops {
	u8			id;
	u8			mode;
	u8			encap;
	bool			one_sided;
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

extern const struct nflb_forward_ops *const nflb_forward[NFLB_FORWARD_COUNT];

#endif /* NFLB_FORWARD_OPS_H */
