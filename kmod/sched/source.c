// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: source hash (source)
 *
 * As hash, by the client's address alone: a client stays with its backend while
 * the configuration stays, without anything being remembered. Clients behind one
 * address translator are one client. The cost is that of hash.
 */
#include "sched/draw.h"
#include "sched/flow.h"

#define SOURCE_TRIES 4

static int source_pick(const struct nflb_snapshot *snapshot,
		       const struct nflb_tuple *tuple)
{
	u32 i = 0, try;

	for (try = 0; try < SOURCE_TRIES; try++) {
		i = nflb_draw(snapshot, nflb_flow_source(snapshot, tuple, try));
		if (nflb_candidate_ok(&snapshot->candidates[i]))
			return i;
	}
	return nflb_draw_walk(snapshot, i);
}

const struct nflb_sched_ops nflb_sched_source = {
	.name = "source",
	.build = nflb_draw_build,
	.pick = source_pick,
};
