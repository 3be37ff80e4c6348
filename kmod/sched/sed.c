// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: shortest expected delay (sed)
 *
 * The backend on which the new connection would have the fewest active ones for
 * the weight, itself counted: (active + 1) / weight, as in IPVS. Unlike wlc it
 * sends the first connections to the heaviest backends. The cost is that of lc.
 */
#include "sched/least.h"

static u64 sed_load(const struct nflb_candidate *c)
{
	return (u64)(u32)atomic_read(&c->backend->active) + 1;
}

static const struct nflb_least_rule sed_rule = {
	.load = sed_load,
	.weighted = true,
};

static int sed_pick(const struct nflb_snapshot *snapshot,
		    const struct nflb_tuple *tuple)
{
	return nflb_least_pick(snapshot, &sed_rule, true);
}

static int sed_peek(const struct nflb_snapshot *snapshot,
		    const struct nflb_tuple *tuple, u32 after)
{
	return nflb_least_pick(snapshot, &sed_rule, false);
}

const struct nflb_sched_ops nflb_sched_sed = {
	.name = "sed",
	.build = nflb_least_build,
	.pick = sed_pick,
	.peek = sed_peek,
};
