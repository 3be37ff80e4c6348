// SPDX-License-Identifier: GPL-2.0
/*
 * The candidate with the least load for its weight.
 *
 * Up to LEAST_GROUP candidates are all looked at: exact. A thousand would be a
 * thousand cache lines that other CPUs write, so more are held in groups, and
 * each group remembers its best candidate with the load that it had. A pick
 * takes the group whose best is the least and looks at that group anew; if
 * another turns out to be better now, at that one, and so on, a few times. While
 * connections only begin, remembered loads are never too high, and the pick is
 * right but for one in a thousand. What became less because connections ended is
 * found since every pick also looks at one more group, in turn: after as many
 * picks as there are groups. Until then another of nearly the least load is
 * picked. A pick among 1,000 looks at some 64 of them and at 32 groups, which
 * stand side by side.
 */
#include <linux/atomic.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "sched/least.h"

#define LEAST_GROUP	32
/* Groups looked at before the best so far will do. */
#define LEAST_TRIES	4

/* A group's best: load << LEAST_INDEX_BITS | index; all ones when none. */
#define LEAST_INDEX_BITS 16
#define LEAST_NONE	U64_MAX

static_assert(NFLB_BACKENDS_MAX <= 1 << LEAST_INDEX_BITS);

/**
 * struct least_groups - what is remembered
 * @turn: the group that the next pick looks at besides
 * @count: how many
 * @best: of each group
 *
 * CPUs write @best without a lock: whoever comes last is right, and one that
 * was wrong is found by its turn.
 */
struct least_groups {
	atomic_t	turn;
	u32		count;
	u64		best[];
};

static u32 best_index(u64 best)
{
	return best & ((1 << LEAST_INDEX_BITS) - 1);
}

static bool best_less(const struct nflb_snapshot *snapshot,
		      const struct nflb_least_rule *rule, u64 a, u64 b)
{
	u32 a_weight = 1, b_weight = 1;

	if (a == LEAST_NONE || b == LEAST_NONE)
		return b == LEAST_NONE && a != LEAST_NONE;
	if (rule->weighted) {
		a_weight = snapshot->candidates[best_index(a)].weight;
		b_weight = snapshot->candidates[best_index(b)].weight;
	}
	return nflb_load_less(a >> LEAST_INDEX_BITS, a_weight,
			      b >> LEAST_INDEX_BITS, b_weight);
}

/* The best of candidates @from to @to - 1 that has room: the first of equals. */
static u64 scan(const struct nflb_snapshot *snapshot,
		const struct nflb_least_rule *rule, u32 from, u32 to)
{
	u64 best = LEAST_NONE;
	u32 i;

	for (i = from; i < to; i++) {
		const struct nflb_candidate *c = &snapshot->candidates[i];
		u64 one;

		if (!nflb_candidate_ok(c))
			continue;
		one = rule->load(c) << LEAST_INDEX_BITS | i;
		if (best_less(snapshot, rule, one, best))
			best = one;
	}
	return best;
}

static u64 scan_group(const struct nflb_snapshot *snapshot,
		      const struct nflb_least_rule *rule,
		      struct least_groups *groups, u32 group)
{
	u32 from = group * LEAST_GROUP;
	u64 best = scan(snapshot, rule, from,
			min(from + LEAST_GROUP, snapshot->count));

	WRITE_ONCE(groups->best[group], best);
	return best;
}

/**
 * nflb_least_build() - nflb_sched_ops.build of the schedulers that use this
 * @snapshot: the new snapshot
 * @old: not used: what is remembered starts at nothing, and is found
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_least_build(struct nflb_snapshot *snapshot,
		     const struct nflb_snapshot *old)
{
	u32 count = DIV_ROUND_UP(snapshot->count, LEAST_GROUP), i;
	struct least_groups *groups;

	if (count <= 1)
		return 0;
	groups = kvzalloc(struct_size(groups, best, count),
			  GFP_KERNEL_ACCOUNT);
	if (!groups)
		return -ENOMEM;
	groups->count = count;
	/* Load 0: each is looked at before it is believed. */
	for (i = 0; i < count; i++)
		groups->best[i] = i * LEAST_GROUP;
	snapshot->sched_data = groups;
	return 0;
}

/* All groups at once: when those that were remembered had no room. */
static u64 scan_all(const struct nflb_snapshot *snapshot,
		    const struct nflb_least_rule *rule,
		    struct least_groups *groups)
{
	u64 best = LEAST_NONE, one;
	u32 i;

	for (i = 0; i < groups->count; i++) {
		one = scan_group(snapshot, rule, groups, i);
		if (best_less(snapshot, rule, one, best))
			best = one;
	}
	return best;
}

static u32 least_group(const struct nflb_snapshot *snapshot,
		       const struct nflb_least_rule *rule,
		       const struct least_groups *groups)
{
	u64 best = LEAST_NONE, one;
	u32 i, group = 0;

	for (i = 0; i < groups->count; i++) {
		one = READ_ONCE(groups->best[i]);
		if (best_less(snapshot, rule, one, best)) {
			best = one;
			group = i;
		}
	}
	return group;
}

/**
 * nflb_least_pick() - the candidate with the least load
 * @snapshot: made with nflb_least_build(); its count is not 0
 * @rule: what load is
 *
 * Return: its index, or -1 when none has room.
 */
int nflb_least_pick(const struct nflb_snapshot *snapshot,
		    const struct nflb_least_rule *rule)
{
	struct least_groups *groups = snapshot->sched_data;
	u64 best = LEAST_NONE, one;
	u32 group, last, tries;

	if (!groups) {
		best = scan(snapshot, rule, 0, snapshot->count);
		return best == LEAST_NONE ? -1 : best_index(best);
	}
	last = (u32)atomic_fetch_inc(&groups->turn) % groups->count;
	best = scan_group(snapshot, rule, groups, last);
	for (tries = 0; tries < LEAST_TRIES; tries++) {
		group = least_group(snapshot, rule, groups);
		if (group == last)
			break;
		last = group;
		one = scan_group(snapshot, rule, groups, group);
		if (best_less(snapshot, rule, one, best))
			best = one;
	}
	if (best == LEAST_NONE)
		best = scan_all(snapshot, rule, groups);
	return best == LEAST_NONE ? -1 : best_index(best);
}
