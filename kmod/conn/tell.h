/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of a connection to its two sides. forward/tell.c, of a later room, sends them.
 */
#ifndef NFLB_TELL_H
#define NFLB_TELL_H

#include "conn/conn.h"

void nflb_conn_tell(struct nflb_net *nn, struct nflb_conn *conn);
void nflb_conn_ask(struct nflb_net *nn, struct nflb_conn *conn);
void nflb_conn_withdraw(struct nflb_net *nn, struct nflb_conn *conn);

#endif /* NFLB_TELL_H */
