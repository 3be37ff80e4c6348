// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: weighted random (random)
 *
 * Backends are drawn in proportion to their weights, each draw independent of
 * all others: nothing is shared between CPUs. A pick costs a random number and
 * one look into a table (draw.c), whatever the number of backends. A backend
 * without room is drawn again a few times, then the next one with room is taken.
 * Shares are right in the long run only: of N connections, a share p varies by
 * the square root of N p (1 - p).
 */
#include "sched/draw.h"

#define RANDOM_TRIES 4

static int random_pick(const struct nflb_snapshot *snapshot,
		       const struct nflb_tuple *tuple)
{
	u32 i = 0, tries;

	for (tries = 0; tries < RANDOM_TRIES; tries++) {
		i = nflb_draw(snapshot, nflb_draw_lot());
		if (nflb_candidate_ok(&snapshot->candidates[i]))
			return i;
	}
	return nflb_draw_walk(snapshot, i);
}

const struct nflb_sched_ops nflb_sched_random = {
	.name = "random",
	.build = nflb_draw_build,
	.pick = random_pick,
	.by_lot = true,
};
