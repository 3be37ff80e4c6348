/* SPDX-License-Identifier: GPL-2.0 */
/*
 * XDP: packets of known flows as a device's driver received them.
 */
#ifndef NFLB_XDP_H
#define NFLB_XDP_H

#include <linux/types.h>

struct net_device;
struct sk_buff;
struct xdp_md;

int nflb_xdp(struct xdp_md *ctx);
bool nflb_xdp_would(struct net_device *dev, struct sk_buff *skb, u8 family);
void nflb_xdp_init(void);

#endif /* NFLB_XDP_H */
