/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Modes of forwarding. One mode a file.
 */
#ifndef NFLB_FORWARD_H
#define NFLB_FORWARD_H

#include "packet/packet.h"
#include "service/forward_ops.h"
#include "service/service.h"
#include "conn/conn.h"

extern const struct nflb_forward_ops nflb_forward_dnat;
extern const struct nflb_forward_ops nflb_forward_fullnat;
extern const struct nflb_forward_ops nflb_forward_dsr[NFLB_ENCAP_MAX + 1];

const struct nflb_forward_ops *nflb_forward_find(u8 mode, u8 encap);

/* The family in which packets of @dir leave, or that of their outer header */
static inline u8 nflb_conn_family(const struct nflb_conn *conn,
				  enum nflb_dir dir)
{
	return dir == NFLB_DIR_IN ? conn->backend->family :
				    conn->in.tuple.family;
}

#endif /* NFLB_FORWARD_H */
