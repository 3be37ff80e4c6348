/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is counted in a network namespace: packets that were not forwarded, by
 * reason, and the like. Per CPU.
 */
#ifndef NFLB_COUNT_H
#define NFLB_COUNT_H

#include <linux/percpu.h>

#include "nflb.h"

/* What clients' connections show of a backend, in the order of enum nflb_stats_attr. */
enum nflb_passive {
	NFLB_PASSIVE_ESTABLISHED,
	NFLB_PASSIVE_SYN_REPEATED,
	NFLB_PASSIVE_REFUSED,
	NFLB_PASSIVE_RESET,
	NFLB_PASSIVE_UNREACHABLE,
	NFLB_PASSIVE_NO_NEIGHBOUR,
	NFLB_PASSIVE_COUNT
};

/**
 * struct nflb_stats_sum - counters summed up, or a baseline to subtract
 * @active: connections in the table that have not begun to end; no baseline
 * @inactive: those in the table that have
 * @connections: made
 * @packets: by direction
 * @bytes: by direction
 * @drops: packets that were dropped
 * @passive: by enum nflb_passive
 */
struct nflb_stats_sum {
	u32 active;
	u32 inactive;
	u64 connections;
	u64 packets[NFLB_DIR_COUNT];
	u64 bytes[NFLB_DIR_COUNT];
	u64 drops;
	u64 passive[NFLB_PASSIVE_COUNT];
};

/**
 * struct nflb_drops - one CPU's packets that were not forwarded, and the like
 * @packets: by reason
 * @counters: what else is counted
 * @answer_window: when @answers began, see nflb_may_answer()
 * @answers: sent since
 */
struct nflb_drops {
	u64 packets[NFLB_REASON_COUNT];
	u64 counters[NFLB_COUNTER_COUNT];
	u32 answer_window;
	u32 answers;
};

/* Context: softirq or BH disabled. */
#define nflb_count_add(nn, counter, n) \
	this_cpu_add((nn)->drops->counters[counter], n)
#define nflb_count(nn, counter) nflb_count_add(nn, counter, 1)

bool nflb_may_answer(struct nflb_net *nn);
u64 nflb_drops_read(const struct nflb_net *nn, enum nflb_reason reason);
const char *nflb_reason_name(enum nflb_reason reason);
u64 nflb_counter_read(const struct nflb_net *nn, enum nflb_counter counter);
const char *nflb_counter_name(enum nflb_counter counter);

#endif /* NFLB_COUNT_H */
