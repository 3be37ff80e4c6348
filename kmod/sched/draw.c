// SPDX-License-Identifier: GPL-2.0
/*
 * Drawing candidates in proportion to their weights, by the alias method
 * (A. J. Walker 1977; M. D. Vose 1991): a table with one slot a candidate, in
 * which each slot belongs to its own candidate up to a mark and to one other
 * above it. A draw costs one multiplication and one look at one slot, whatever
 * the number of candidates, and is exact to 2^-32. A table costs eight bytes a
 * candidate.
 */
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "sched/draw.h"

/**
 * struct draw_slot - a slot of the alias table
 * @mark: share of the slot's own candidate, in 2^-32; the rest is @alias's
 * @alias: index of another candidate
 */
struct draw_slot {
	u32 mark;
	u32 alias;
};

/* Pair a candidate that has less than a slot with one that has more. */
static void draw_fill(struct draw_slot *slots, u64 *share, u32 *stack,
		      u32 count, u64 total)
{
	u32 small = 0, large = count, i;

	/* Small ones grow from the front of the stack, large from the end. */
	for (i = 0; i < count; i++)
		if (share[i] < total)
			stack[small++] = i;
		else
			stack[--large] = i;
	while (small && large < count) {
		u32 s = stack[--small], l = stack[large];

		slots[s].mark = div64_u64(share[s] << 32, total);
		slots[s].alias = l;
		share[l] -= total - share[s];
		if (share[l] < total) {
			large++;
			stack[small++] = l;
		}
	}
	/* Full slots, except for the remainder of rounding. */
	while (small)
		slots[stack[--small]].mark = U32_MAX;
	while (large < count)
		slots[stack[large++]].mark = U32_MAX;
}

/**
 * nflb_draw_build() - nflb_sched_ops.build of schedulers that draw
 * @snapshot: the new snapshot; sched_data becomes the table
 * @old: not used
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_draw_build(struct nflb_snapshot *snapshot,
		    const struct nflb_snapshot *old)
{
	u32 count = snapshot->count, i;
	struct draw_slot *slots;
	u64 *share, total = 0;
	u32 *stack;

	if (!count)
		return 0;
	slots = kvcalloc(count, sizeof(*slots), GFP_KERNEL_ACCOUNT);
	share = kvcalloc(count, sizeof(*share), GFP_KERNEL_ACCOUNT);
	stack = kvcalloc(count, sizeof(*stack), GFP_KERNEL_ACCOUNT);
	if (slots && share && stack) {
		/* A slot is worth @total: weights times their number. */
		for (i = 0; i < count; i++) {
			u32 weight = snapshot->candidates[i].weight;

			total += weight;
			share[i] = (u64)weight * count;
			slots[i].alias = i;
		}
		draw_fill(slots, share, stack, count, total);
		snapshot->sched_data = slots;
		slots = NULL;
	}
	kvfree(slots);
	kvfree(share);
	kvfree(stack);
	return snapshot->sched_data ? 0 : -ENOMEM;
}

static DEFINE_PER_CPU(struct rnd_state, lots);

/**
 * nflb_draw_lots_init() - seed the random numbers, once a module
 */
void nflb_draw_lots_init(void)
{
	prandom_seed_full_state(&lots);
}

/**
 * nflb_draw_lot() - a lot for nflb_draw()
 *
 * Not for secrets: a lot is worth a look at the dice, not a cipher.
 *
 * Context: softirq or BH disabled.
 */
u64 nflb_draw_lot(void)
{
	struct rnd_state *state = this_cpu_ptr(&lots);

	return (u64)prandom_u32_state(state) << 32 | prandom_u32_state(state);
}

/**
 * nflb_draw() - draw a candidate
 * @snapshot: its sched_data was made by nflb_draw_build(), its count is not 0
 * @lot: 64 random bits, or a hash
 *
 * Return: index of a candidate, each with the probability of its weight.
 */
u32 nflb_draw(const struct nflb_snapshot *snapshot, u64 lot)
{
	const struct draw_slot *slots = snapshot->sched_data;
	u32 i = reciprocal_scale(lot >> 32, snapshot->count);

	return (u32)lot <= slots[i].mark ? i : slots[i].alias;
}

/**
 * nflb_draw_walk() - any candidate that has room
 * @snapshot: its count is not 0
 * @start: index to begin at
 *
 * Return: its index, or -1 when none has.
 */
int nflb_draw_walk(const struct nflb_snapshot *snapshot, u32 start)
{
	u32 i = start, tries;

	for (tries = 0; tries < snapshot->count; tries++) {
		if (nflb_candidate_ok(&snapshot->candidates[i]))
			return i;
		if (++i == snapshot->count)
			i = 0;
	}
	return -1;
}
