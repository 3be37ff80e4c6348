// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: smooth weighted round robin (wrr)
 *
 * Every turn, each backend's credit grows by its weight; the backend with the
 * most credit is picked and pays the sum of all weights. Weights 5, 1, 1 give
 * a a b a c a a: in proportion, and never in bursts (the rule that nginx
 * introduced in 1.3.1).
 *
 * Among many backends that rule is too slow; beyond WRR_CREDITS_MAX the backend
 * is picked whose next turn is due: turn k of weight w at (k + 1/2) / w. That is
 * as even, and as exact.
 *
 * The turns repeat after (sum of weights / their greatest common divisor), so
 * one period is written down when the configuration changes, and a pick costs
 * one atomic increment and one look into that table, whatever the number of
 * backends. The distribution over a period is exact. A period of more than
 * WRR_SLOTS_MAX turns is made shorter by dividing the weights; each backend
 * then keeps at least one turn, and shares are right to 1 in WRR_SLOTS_MAX. A
 * table costs two bytes a turn.
 */
#include <linux/atomic.h>
#include <linux/gcd.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "sched/heap.h"
#include "sched/sched.h"

#define WRR_SLOTS_MAX 32768
#define WRR_CREDITS_MAX 64

/**
 * struct wrr_table - one period
 * @turn: next slot, modulo @size
 * @size: how many slots
 * @slots: index of a candidate
 */
struct wrr_table {
	atomic_t	turn;
	u32		size;
	u16		slots[];
};

static_assert(NFLB_BACKENDS_MAX <= U16_MAX);

/* Working state of one backend while a period is written down. */
struct wrr_credit {
	u32	weight;
	s64	credit;
};

/* Weights without their common divisor, small enough; returns their sum. */
static u32 wrr_reduce(const struct nflb_snapshot *snapshot,
		      struct wrr_credit *credits)
{
	unsigned long divisor = 0;
	u64 sum = 0;
	u32 i, total = 0;

	for (i = 0; i < snapshot->count; i++) {
		divisor = gcd(divisor, snapshot->candidates[i].weight);
		sum += snapshot->candidates[i].weight;
	}
	divisor = max(divisor, 1UL);
	sum = div64_u64(sum, divisor);

	for (i = 0; i < snapshot->count; i++) {
		u64 weight = snapshot->candidates[i].weight / divisor;

		if (sum > WRR_SLOTS_MAX) {
			weight = div64_u64(weight * WRR_SLOTS_MAX + sum / 2,
					   sum);
			weight = max_t(u64, weight, 1);
		}
		credits[i].weight = weight;
		total += weight;
	}
	return total;
}

static u16 wrr_turn(struct wrr_credit *credits, u32 count, u32 total)
{
	u32 i, best = 0;

	for (i = 0; i < count; i++) {
		credits[i].credit += credits[i].weight;
		if (credits[i].credit > credits[best].credit)
			best = i;
	}
	credits[best].credit -= total;
	return best;
}

static void wrr_fill_credits(struct wrr_table *table,
			     struct wrr_credit *credits, u32 count)
{
	u32 i;

	for (i = 0; i < table->size; i++) {
		table->slots[i] = wrr_turn(credits, count, table->size);
		cond_resched();
	}
}

/* A backend's next turn; credit counts the halves that it had, and one. */
static bool wrr_due_before(const void *ctx, u16 a, u16 b)
{
	const struct wrr_credit *credits = ctx;
	u64 left = (u64)credits[a].credit * credits[b].weight;
	u64 right = (u64)credits[b].credit * credits[a].weight;

	return left != right ? left < right : a < b;
}

static int wrr_fill_due(struct wrr_table *table, struct wrr_credit *credits,
			u32 count)
{
	u16 *heap = kvmalloc_array(count, sizeof(*heap), GFP_KERNEL_ACCOUNT);
	u32 i;

	if (!heap)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		credits[i].credit = 1;
	nflb_heap_make(heap, count, wrr_due_before, credits);
	for (i = 0; i < table->size; i++) {
		table->slots[i] = heap[0];
		credits[heap[0]].credit += 2;
		nflb_heap_sink(heap, 0, count, wrr_due_before, credits);
		cond_resched();
	}
	kvfree(heap);
	return 0;
}

static int wrr_build(struct nflb_snapshot *snapshot,
		     const struct nflb_snapshot *old)
{
	u32 count = snapshot->count, total, turn = 0;
	struct wrr_credit *credits;
	struct wrr_table *table;
	int err = -ENOMEM;

	if (!count)
		return 0;
	credits = kvcalloc(count, sizeof(*credits), GFP_KERNEL_ACCOUNT);
	if (!credits)
		return -ENOMEM;

	total = wrr_reduce(snapshot, credits);
	table = kvmalloc(struct_size(table, slots, total), GFP_KERNEL_ACCOUNT);
	if (!table)
		goto out;
	table->size = total;
	/* Frequent changes would favour whoever is first. */
	if (old && old->sched_data)
		turn = atomic_read(&((struct wrr_table *)old->sched_data)->turn);
	atomic_set(&table->turn, turn);
	if (count <= WRR_CREDITS_MAX)
		wrr_fill_credits(table, credits, count);
	else if (wrr_fill_due(table, credits, count))
		goto out;
	snapshot->sched_data = table;
	snapshot->slots = total;
	table = NULL;
	err = 0;
out:
	kvfree(table);
	kvfree(credits);
	return err;
}

/* Turns that are passed over before any backend with room will do. */
#define WRR_TRIES_MAX 64

static __always_inline int wrr_from(const struct nflb_snapshot *snapshot,
				    const struct wrr_table *table, u32 turn)
{
	u32 i = turn % table->size;
	u32 tries;

	for (tries = 0; tries < min_t(u32, table->size, WRR_TRIES_MAX); tries++) {
		u16 slot = table->slots[i];

		if (nflb_candidate_ok(&snapshot->candidates[slot]))
			return slot;
		if (++i == table->size)
			i = 0;
	}
	for (i = 0; i < snapshot->count; i++)
		if (nflb_candidate_ok(&snapshot->candidates[i]))
			return i;
	return -1;
}

static int wrr_pick(const struct nflb_snapshot *snapshot,
		    const struct nflb_tuple *tuple)
{
	struct wrr_table *table = snapshot->sched_data;

	return wrr_from(snapshot, table, atomic_fetch_inc(&table->turn));
}

static int wrr_peek(const struct nflb_snapshot *snapshot,
		    const struct nflb_tuple *tuple, u32 after)
{
	const struct wrr_table *table = snapshot->sched_data;

	return wrr_from(snapshot, table, atomic_read(&table->turn) + after);
}

const struct nflb_sched_ops nflb_sched_wrr = {
	.name = "wrr",
	.build = wrr_build,
	.pick = wrr_pick,
	.peek = wrr_peek,
};
