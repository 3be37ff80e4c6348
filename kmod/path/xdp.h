/* SPDX-License-Identifier: GPL-2.0 */
/*
 * XDP: packets of known flows as a device's driver received them.
 */
#ifndef NFLB_XDP_H
#define NFLB_XDP_H

struct xdp_md;

int nflb_xdp(struct xdp_md *ctx);
void nflb_xdp_init(void);

#endif /* NFLB_XDP_H */
