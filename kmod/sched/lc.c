// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: least connections (lc)
 *
 * The backend with the fewest connections is picked, the first of equals;
 * weights are ignored but for 0. An active connection counts as much as 256 that
 * are ending, as in IPVS. least.c says what a pick costs: a look at each of up
 * to 16 backends; beyond, a tournament, whose cost grows with the logarithm of
 * their number.
 */
#include "sched/least.h"

static const struct nflb_least_rule lc_rule = {
	.load = nflb_load_conns,
};

static int lc_pick(const struct nflb_snapshot *snapshot,
		   const struct nflb_tuple *tuple)
{
	return nflb_least_pick(snapshot, &lc_rule, true);
}

static int lc_peek(const struct nflb_snapshot *snapshot,
		   const struct nflb_tuple *tuple, u32 after)
{
	return nflb_least_pick(snapshot, &lc_rule, false);
}

const struct nflb_sched_ops nflb_sched_lc = {
	.name = "lc",
	.build = nflb_least_build,
	.pick = lc_pick,
	.peek = lc_peek,
};
