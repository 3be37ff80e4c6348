// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: never queue (nq)
 *
 * A backend without an active connection is picked before all others, the first
 * of them; when there is none, as sed does. So nobody waits behind another while
 * a backend is idle, however light it is. The rule is that of IPVS, the cost
 * that of lc.
 */
#include "sched/least.h"

static u64 nq_load(const struct nflb_candidate *c)
{
	u32 active = atomic_read(&c->backend->active);

	return active ? (u64)active + 1 : 0;
}

static const struct nflb_least_rule nq_rule = {
	.load = nq_load,
	.weighted = true,
};

static int nq_pick(const struct nflb_snapshot *snapshot,
		   const struct nflb_tuple *tuple)
{
	return nflb_least_pick(snapshot, &nq_rule, true);
}

static int nq_peek(const struct nflb_snapshot *snapshot,
		   const struct nflb_tuple *tuple, u32 after)
{
	return nflb_least_pick(snapshot, &nq_rule, false);
}

const struct nflb_sched_ops nflb_sched_nq = {
	.name = "nq",
	.build = nflb_least_build,
	.pick = nq_pick,
	.peek = nq_peek,
};
