/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whole connections, to leave the module and to enter it again.
 */
#ifndef NFLB_CONN_RECORD_H
#define NFLB_CONN_RECORD_H

#include <linux/nflb.h>

#include "conn/conn.h"

bool nflb_record_fill(const struct nflb_conn *conn,
		      struct nflb_conn_record *record);
enum nflb_record_result nflb_record_check(const struct nflb_conn_record *record);
void nflb_record_tuple(const struct nflb_conn_record *record,
		       struct nflb_tuple *in);
enum nflb_record_result nflb_record_restore(struct nflb_net *nn,
					    struct nflb_backend *backend,
					    const struct nflb_conn_record *record);

#endif /* NFLB_CONN_RECORD_H */
