// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: round robin (rr)
 *
 * Backends take turns in the order in which they were added; weights are
 * ignored but for 0, which gets nothing. A pick costs one atomic increment of
 * a counter that all CPUs share, so that the turns are exact and not merely so
 * on each CPU; a backend without room is passed over.
 */
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/slab.h>

#include "sched/sched.h"

static int rr_build(struct nflb_snapshot *snapshot,
		    const struct nflb_snapshot *old)
{
	atomic_t *turn;

	/* A line of its own: every new connection writes it. */
	turn = kvzalloc(max_t(size_t, sizeof(*turn), L1_CACHE_BYTES),
			GFP_KERNEL_ACCOUNT);
	if (!turn)
		return -ENOMEM;
	if (old)
		atomic_set(turn, atomic_read((atomic_t *)old->sched_data));
	snapshot->sched_data = turn;
	return 0;
}

static __always_inline int rr_from(const struct nflb_snapshot *snapshot,
				   u32 turn)
{
	u32 i = turn % snapshot->count;
	u32 tries;

	for (tries = 0; tries < snapshot->count; tries++) {
		if (nflb_candidate_ok(&snapshot->candidates[i]))
			return i;
		if (++i == snapshot->count)
			i = 0;
	}
	return -1;
}

static int rr_pick(const struct nflb_snapshot *snapshot,
		   const struct nflb_tuple *tuple)
{
	atomic_t *turn = snapshot->sched_data;

	return rr_from(snapshot, atomic_fetch_inc(turn));
}

static int rr_peek(const struct nflb_snapshot *snapshot,
		   const struct nflb_tuple *tuple, u32 after)
{
	const atomic_t *turn = snapshot->sched_data;

	return rr_from(snapshot, atomic_read(turn) + after);
}

const struct nflb_sched_ops nflb_sched_rr = {
	.name = "rr",
	.build = rr_build,
	.pick = rr_pick,
	.peek = rr_peek,
};
