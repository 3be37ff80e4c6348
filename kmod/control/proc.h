/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/net/nflb
 */
#ifndef NFLB_PROC_H
#define NFLB_PROC_H

struct nflb_net;

int nflb_proc_init(struct nflb_net *nn);
void nflb_proc_exit(struct nflb_net *nn);

#endif /* NFLB_PROC_H */
