/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The candidate with the least load, for the schedulers that differ in what
 * load is.
 */
#ifndef NFLB_SCHED_LEAST_H
#define NFLB_SCHED_LEAST_H

#include <linux/atomic.h>
#include <linux/math64.h>

#include "sched/sched.h"

/* An active connection weighs as much as so many that are ending (IPVS). */
#define NFLB_LOAD_ACTIVE 256

/* Load of lc, wlc and p2c: less than 2^40 */
static inline u64 nflb_load_conns(const struct nflb_candidate *c)
{
	return (u64)(u32)atomic_read(&c->backend->active) * NFLB_LOAD_ACTIVE +
	       (u32)atomic_read(&c->backend->conns);
}

/* Is load @a less than @b, each for its weight? Weights are below 2^24. */
static inline bool nflb_load_less(u64 a, u32 a_weight, u64 b, u32 b_weight)
{
	return a * b_weight < b * a_weight;
}

/**
 * struct nflb_least_rule - the order of loads
 * @load: of a candidate, less than 2^40; it is compared divided by the weight
 * @weighted: false compares loads alone
 */
struct nflb_least_rule {
	u64	(*load)(const struct nflb_candidate *c);
	bool	weighted;
};

int nflb_least_build(struct nflb_snapshot *snapshot,
		     const struct nflb_snapshot *old);
int nflb_least_pick(const struct nflb_snapshot *snapshot,
		    const struct nflb_least_rule *rule, bool turn);

#endif /* NFLB_SCHED_LEAST_H */
