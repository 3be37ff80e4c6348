/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/sys/net/nflb
 */
#ifndef NFLB_SYSCTL_H
#define NFLB_SYSCTL_H

struct nflb_net;

int nflb_sysctl_init(struct nflb_net *nn);
void nflb_sysctl_exit(struct nflb_net *nn);

#endif /* NFLB_SYSCTL_H */
