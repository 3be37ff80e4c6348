/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the packet path tells whoever listens. control/genl_notify.c does it.
 */
#ifndef NFLB_EVENT_H
#define NFLB_EVENT_H

#include <linux/types.h>

struct nflb_net;
struct nflb_conn;

void nflb_notify_conn(struct nflb_net *nn, const struct nflb_conn *conn,
		      u8 cmd);

#endif /* NFLB_EVENT_H */
