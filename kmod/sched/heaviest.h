/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Candidates from the heaviest to the lightest, for fo and ovf.
 */
#ifndef NFLB_SCHED_HEAVIEST_H
#define NFLB_SCHED_HEAVIEST_H

#include "sched/sched.h"

int nflb_heaviest_build(struct nflb_snapshot *snapshot,
			const struct nflb_snapshot *old);

/* Indexes of the candidates, heaviest first, of equals the eldest first. */
static inline const u16 *nflb_heaviest(const struct nflb_snapshot *snapshot)
{
	return snapshot->sched_data;
}

#endif /* NFLB_SCHED_HEAVIEST_H */
