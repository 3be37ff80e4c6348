// SPDX-License-Identifier: GPL-2.0
/*
 * The candidate with the least load for its weight.
 *
 * Up to LEAST_SCAN candidates are all looked at: exact. A thousand would be a
 * thousand cache lines that other CPUs write, so more stand in a tournament:
 * a binary tree whose leaves remember each candidate's load, and whose nodes the
 * better of their two children. A pick takes the winner and looks at its real
 * load; if that has changed, the games on its way to the root are played again,
 * and so on, a few times. While connections only begin, remembered loads are
 * never too high, and the pick is right but for one in a hundred. What became
 * less because connections ended is found since every pick also looks at one in
 * 64 of the candidates, in turn; until then another of nearly the least load is
 * picked. A pick among 1,000 looks at some 18 of them, and plays twenty to forty
 * games.
 */
#include <linux/atomic.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "sched/draw.h"
#include "sched/least.h"

#define LEAST_SCAN	16
/* Winners that turn out to have more than was remembered. */
#define LEAST_TRIES	8
/* Every candidate is looked at once in so many picks. */
#define LEAST_ROUND	64

/* A node: load << LEAST_INDEX_BITS | index; all ones when full */
#define LEAST_INDEX_BITS 16
#define LEAST_NONE	U64_MAX

static_assert(NFLB_BACKENDS_MAX <= 1 << LEAST_INDEX_BITS);

/**
 * struct least_tree - the tournament
 * @turn: the candidate that the next pick looks at besides
 * @leaves: a power of two; leaf i is node @leaves + i
 * @node: node i has the children 2 i and 2 i + 1; 1 is the root
 *
 * CPUs write nodes without a lock: whoever comes last is right, and what a race
 * left wrong is put right when a candidate below has its turn.
 */
struct least_tree {
	atomic_t	turn;
	u32		leaves;
	u64		node[];
};

static u32 index_of(u64 one)
{
	return one & ((1 << LEAST_INDEX_BITS) - 1);
}

static bool less(const struct nflb_snapshot *snapshot,
		 const struct nflb_least_rule *rule, u64 a, u64 b)
{
	if (a == LEAST_NONE || b == LEAST_NONE)
		return a < b;
	if (!rule->weighted)
		return a >> LEAST_INDEX_BITS < b >> LEAST_INDEX_BITS;
	return nflb_load_less(a >> LEAST_INDEX_BITS,
			      snapshot->candidates[index_of(a)].weight,
			      b >> LEAST_INDEX_BITS,
			      snapshot->candidates[index_of(b)].weight);
}

static u64 look_at(const struct nflb_snapshot *snapshot,
		   const struct nflb_least_rule *rule, u32 i)
{
	const struct nflb_candidate *c = &snapshot->candidates[i];

	return nflb_candidate_ok(c) ? rule->load(c) << LEAST_INDEX_BITS | i :
				      LEAST_NONE;
}

/* The first of the least. */
static int scan(const struct nflb_snapshot *snapshot,
		const struct nflb_least_rule *rule)
{
	u64 best = LEAST_NONE, one;
	u32 i;

	for (i = 0; i < snapshot->count; i++) {
		one = look_at(snapshot, rule, i);
		if (less(snapshot, rule, one, best))
			best = one;
	}
	return best == LEAST_NONE ? -1 : index_of(best);
}

/* Remember a load, and play the games on the way to the root. */
static void play(const struct nflb_snapshot *snapshot,
		 const struct nflb_least_rule *rule, struct least_tree *tree,
		 u32 i, u64 one)
{
	u32 n = tree->leaves + i;

	WRITE_ONCE(tree->node[n], one);
	while (n > 1) {
		u64 a = READ_ONCE(tree->node[n & ~1]);
		u64 b = READ_ONCE(tree->node[n | 1]);

		n /= 2;
		WRITE_ONCE(tree->node[n],
			   less(snapshot, rule, b, a) ? b : a);
	}
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
	u32 leaves, i;
	struct least_tree *tree;

	if (snapshot->count <= LEAST_SCAN)
		return 0;
	leaves = roundup_pow_of_two(snapshot->count);
	tree = kvmalloc(struct_size(tree, node, 2 * leaves),
			GFP_KERNEL_ACCOUNT);
	if (!tree)
		return -ENOMEM;
	atomic_set(&tree->turn, 0);
	tree->leaves = leaves;
	/* Load 0: each is looked at before it is believed. */
	for (i = 0; i < leaves; i++)
		tree->node[leaves + i] = i < snapshot->count ? i : LEAST_NONE;
	for (i = leaves - 1; i; i--)
		tree->node[i] = min(tree->node[2 * i], tree->node[2 * i + 1]);
	snapshot->sched_data = tree;
	return 0;
}

/* Look at the candidates whose turn it is; then, with @turn, at the next. */
static void look_around(const struct nflb_snapshot *snapshot,
			const struct nflb_least_rule *rule,
			struct least_tree *tree, bool turn)
{
	u32 n = snapshot->count / LEAST_ROUND + 1;
	u32 i = (u32)(turn ? atomic_fetch_add(n, &tree->turn) :
			     atomic_read(&tree->turn)) % snapshot->count;
	u64 one;

	while (n--) {
		one = look_at(snapshot, rule, i);
		/* One is played anyhow, to repair the results of a race. */
		if (!n || one != READ_ONCE(tree->node[tree->leaves + i]))
			play(snapshot, rule, tree, i, one);
		if (++i == snapshot->count)
			i = 0;
	}
}

/**
 * nflb_least_pick() - the candidate with the least load
 * @snapshot: made with nflb_least_build(); its count is not 0
 * @rule: defines the load
 * @turn: false leaves everything as it is, but for loads that are remembered
 *
 * Return: its index, or -1 when none has room.
 */
int nflb_least_pick(const struct nflb_snapshot *snapshot,
		    const struct nflb_least_rule *rule, bool turn)
{
	struct least_tree *tree = snapshot->sched_data;
	u32 tries, i = 0;
	u64 won, one;

	if (!tree)
		return scan(snapshot, rule);
	look_around(snapshot, rule, tree, turn);
	for (tries = 0; tries < LEAST_TRIES; tries++) {
		won = READ_ONCE(tree->node[1]);
		if (won == LEAST_NONE)
			break;
		i = index_of(won);
		one = look_at(snapshot, rule, i);
		if (one == won)
			return i;
		play(snapshot, rule, tree, i, one);
	}
	/* The last winner, unless it has no room; then any that has. */
	return nflb_draw_walk(snapshot, i);
}
