// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: weighted overflow (ovf)
 *
 * Connections go to the heaviest backend until it has as many active ones as its
 * weight says, then to the next heaviest, and so on; when all have, there is no
 * backend. The rule is that of IPVS. A pick looks at the backends that are full
 * and at the one that is not.
 */
#include "sched/heaviest.h"

/* @weight_scale: while a backend begins slowly, weights are multiplied. */
static bool overflows(const struct nflb_snapshot *snapshot,
		      const struct nflb_candidate *c)
{
	return (u64)(u32)atomic_read(&c->backend->active) *
	       snapshot->weight_scale >= c->weight;
}

static int ovf_pick(const struct nflb_snapshot *snapshot,
		    const struct nflb_tuple *tuple)
{
	const u16 *order = nflb_heaviest(snapshot);
	u32 i;

	for (i = 0; i < snapshot->count; i++) {
		const struct nflb_candidate *c;

		c = &snapshot->candidates[order[i]];
		if (!overflows(snapshot, c) && nflb_candidate_ok(c))
			return order[i];
	}
	return -1;
}

const struct nflb_sched_ops nflb_sched_ovf = {
	.name = "ovf",
	.build = nflb_heaviest_build,
	.pick = ovf_pick,
};
