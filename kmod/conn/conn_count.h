/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The number of a backend's connections of each kind.
 */
#ifndef NFLB_CONN_COUNT_H
#define NFLB_CONN_COUNT_H

#include "conn/conn.h"

bool nflb_conn_count(struct nflb_net *nn, struct nflb_backend *backend);
void nflb_conn_uncount(struct nflb_conn *conn);
void nflb_conn_limit(struct nflb_conn *conn);

#endif /* NFLB_CONN_COUNT_H */
