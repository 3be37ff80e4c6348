/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A binary heap of candidates' indices, for tables in which candidates take
 * turns: who is due first stands at the root.
 */
#ifndef NFLB_SCHED_HEAP_H
#define NFLB_SCHED_HEAP_H

#include <linux/minmax.h>
#include <linux/types.h>

/**
 * nflb_heap_sink() - let an element sink to where it belongs
 * @heap: indices
 * @root: position of the element
 * @count: of the whole heap
 * @before: is candidate @a due before @b? A strict order without ties
 * @ctx: for @before
 */
static __always_inline void
nflb_heap_sink(u16 *heap, u32 root, u32 count,
	       bool (*before)(const void *ctx, u16 a, u16 b), const void *ctx)
{
	for (;;) {
		u32 child = 2 * root + 1;

		if (child >= count)
			return;
		if (child + 1 < count &&
		    before(ctx, heap[child + 1], heap[child]))
			child++;
		if (!before(ctx, heap[child], heap[root]))
			return;
		swap(heap[child], heap[root]);
		root = child;
	}
}

/**
 * nflb_heap_make() - all candidates, as a heap
 * @heap: room for @count indices
 * @count: how many
 * @before: as for nflb_heap_sink()
 * @ctx: for @before
 */
static __always_inline void
nflb_heap_make(u16 *heap, u32 count,
	       bool (*before)(const void *ctx, u16 a, u16 b), const void *ctx)
{
	u32 i;

	for (i = 0; i < count; i++)
		heap[i] = i;
	for (i = count / 2; i--;)
		nflb_heap_sink(heap, i, count, before, ctx);
}

#endif /* NFLB_SCHED_HEAP_H */
