// SPDX-License-Identifier: GPL-2.0
/*
 * Candidates from the heaviest to the lightest, sorted when the configuration
 * changes.
 */
#include <linux/slab.h>
#include <linux/sort.h>

#include "sched/heaviest.h"

static int heavier(const void *a, const void *b, const void *priv)
{
	const struct nflb_snapshot *snapshot = priv;
	u16 i = *(const u16 *)a, j = *(const u16 *)b;
	u32 wi = snapshot->candidates[i].weight;
	u32 wj = snapshot->candidates[j].weight;

	if (wi != wj)
		return wi > wj ? -1 : 1;
	return i < j ? -1 : 1;
}

/**
 * nflb_heaviest_build() - nflb_sched_ops.build of the schedulers that use this
 * @snapshot: the new snapshot
 * @old: not used
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_heaviest_build(struct nflb_snapshot *snapshot,
			const struct nflb_snapshot *old)
{
	u16 *order;
	u32 i;

	order = kvmalloc_array(max(snapshot->count, 1U), sizeof(*order),
			       GFP_KERNEL_ACCOUNT);
	if (!order)
		return -ENOMEM;
	for (i = 0; i < snapshot->count; i++)
		order[i] = i;
	sort_r(order, snapshot->count, sizeof(*order), heavier, NULL, snapshot);
	snapshot->sched_data = order;
	return 0;
}
