// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: flow hash (hash)
 *
 * A hash of addresses, ports and protocol says which backend, in proportion to
 * the weights: nothing is shared between CPUs, and balancers with the same
 * configuration and the same net.nflb.hash_seed agree. When backends come or go
 * most flows are dealt anew; maglev moves few. A backend without room is passed
 * over by hashing again, a few times, then by taking the next that has room. A
 * pick costs one SipHash and one look into a table (draw.c).
 */
#include "sched/draw.h"
#include "sched/flow.h"

#define HASH_TRIES 4

static int hash_pick(const struct nflb_snapshot *snapshot,
		     const struct nflb_tuple *tuple)
{
	u32 i = 0, try;

	for (try = 0; try < HASH_TRIES; try++) {
		i = nflb_draw(snapshot, nflb_flow_tuple(snapshot, tuple, try));
		if (nflb_candidate_ok(&snapshot->candidates[i]))
			return i;
	}
	return nflb_draw_walk(snapshot, i);
}

const struct nflb_sched_ops nflb_sched_hash = {
	.name = "hash",
	.build = nflb_draw_build,
	.pick = hash_pick,
};
