/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the balancer takes packets from the stack.
 */
#ifndef NFLB_HOOK_H
#define NFLB_HOOK_H

#include <linux/types.h>

struct nflb_net;

int nflb_hooks_register(struct nflb_net *nn);
void nflb_hooks_unregister(struct nflb_net *nn);
bool nflb_hooks_release(struct nflb_net *nn);

#endif /* NFLB_HOOK_H */
