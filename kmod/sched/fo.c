// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: weighted failover (fo)
 *
 * All connections go to the heaviest backend that is up and has room, the one
 * added first of equals: the others stand by. The rule is that of IPVS. A pick
 * looks at the backends that are full and at the one that is not.
 */
#include "sched/heaviest.h"

static int fo_pick(const struct nflb_snapshot *snapshot,
		   const struct nflb_tuple *tuple)
{
	const u16 *order = nflb_heaviest(snapshot);
	u32 i;

	for (i = 0; i < snapshot->count; i++)
		if (nflb_candidate_ok(&snapshot->candidates[order[i]]))
			return order[i];
	return -1;
}

const struct nflb_sched_ops nflb_sched_fo = {
	.name = "fo",
	.build = nflb_heaviest_build,
	.pick = fo_pick,
};
