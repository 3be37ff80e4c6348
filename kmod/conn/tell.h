/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a connection has to say to its two sides. How it gets there is the business
 * of a later room: forward/tell.c.
 */
#ifndef NFLB_TELL_H
#define NFLB_TELL_H

#include "conn/conn.h"

void nflb_conn_tell(struct nflb_net *nn, struct nflb_conn *conn);
void nflb_conn_ask(struct nflb_net *nn, struct nflb_conn *conn);
void nflb_conn_withdraw(struct nflb_net *nn, struct nflb_conn *conn);

#endif /* NFLB_TELL_H */
