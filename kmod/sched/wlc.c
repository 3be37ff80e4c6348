// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: weighted least connections (wlc)
 *
 * The backend with the fewest connections for its weight is picked, the first of
 * equals. Load and cost are those of lc.
 */
#include "sched/least.h"

static const struct nflb_least_rule wlc_rule = {
	.load = nflb_load_conns,
	.weighted = true,
};

static int wlc_pick(const struct nflb_snapshot *snapshot,
		    const struct nflb_tuple *tuple)
{
	return nflb_least_pick(snapshot, &wlc_rule, true);
}

static int wlc_peek(const struct nflb_snapshot *snapshot,
		    const struct nflb_tuple *tuple, u32 after)
{
	return nflb_least_pick(snapshot, &wlc_rule, false);
}

const struct nflb_sched_ops nflb_sched_wlc = {
	.name = "wlc",
	.build = nflb_least_build,
	.pick = wlc_pick,
	.peek = wlc_peek,
};
