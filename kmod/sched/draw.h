/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Drawing candidates in proportion to their weights, for the schedulers that
 * draw lots or go by a hash.
 */
#ifndef NFLB_SCHED_DRAW_H
#define NFLB_SCHED_DRAW_H

#include <linux/kernel.h>

#include "sched/sched.h"

int nflb_draw_build(struct nflb_snapshot *snapshot,
		    const struct nflb_snapshot *old);
void nflb_draw_lots_init(void);
u64 nflb_draw_lot(void);
u32 nflb_draw(const struct nflb_snapshot *snapshot, u64 lot);
int nflb_draw_walk(const struct nflb_snapshot *snapshot, u32 start);

#endif /* NFLB_SCHED_DRAW_H */
