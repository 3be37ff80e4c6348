/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sizes of Maglev's tables.
 */
#ifndef NFLB_SCHED_MAGLEV_H
#define NFLB_SCHED_MAGLEV_H

#include "sched/sched.h"

/* Slots of a table: a prime. Two bytes each. */
#define NFLB_MAGLEV_MIN		251
#define NFLB_MAGLEV_MAX		1048573
#define NFLB_MAGLEV_DEFAULT	65537

u32 nflb_maglev_slot(const struct nflb_snapshot *snapshot, u32 slot);
u32 nflb_maglev_steps(const struct nflb_snapshot *snapshot);
bool nflb_maglev_size_ok(u32 size);

#endif /* NFLB_SCHED_MAGLEV_H */
