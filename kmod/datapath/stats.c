// SPDX-License-Identifier: GPL-2.0
/*
 * Counters, and the names of the reasons.
 */
#include "datapath/stats.h"
#include "netns.h"

#define NFLB_REASON_NAME(id, name) [NFLB_REASON_##id] = name,

static const char * const reason_names[] = {
	NFLB_REASONS(NFLB_REASON_NAME)
};

static_assert(ARRAY_SIZE(reason_names) == NFLB_REASON_COUNT);

/**
 * nflb_reason_name() - the stable name of a reason
 * @reason: which
 *
 * Return: a constant string.
 */
const char *nflb_reason_name(enum nflb_reason reason)
{
	return reason_names[reason];
}
NFLB_EXPORT_KUNIT(nflb_reason_name);

#define NFLB_COUNTER_NAME(id, name) [NFLB_COUNTER_##id] = name,

static const char * const counter_names[] = {
	NFLB_COUNTERS(NFLB_COUNTER_NAME)
};

static_assert(ARRAY_SIZE(counter_names) == NFLB_COUNTER_COUNT);

/**
 * nflb_counter_name() - the stable name of a counter
 * @counter: which
 *
 * Return: a constant string.
 */
const char *nflb_counter_name(enum nflb_counter counter)
{
	return counter_names[counter];
}

/**
 * nflb_stats_alloc() - allocate zeroed per-CPU counters
 *
 * Context: process. Return: the counters, for free_percpu(), or NULL.
 */
struct nflb_stats __percpu *nflb_stats_alloc(void)
{
	struct nflb_stats __percpu *stats;
	int cpu;

	stats = alloc_percpu_gfp(struct nflb_stats, GFP_KERNEL_ACCOUNT);
	if (!stats)
		return NULL;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(stats, cpu)->sync);
	return stats;
}

/**
 * nflb_stats_read() - sum the counters of all CPUs
 * @stats: the counters
 * @sum: where the sums are added to
 */
void nflb_stats_read(const struct nflb_stats __percpu *stats,
		     struct nflb_stats_sum *sum)
{
	unsigned int start;
	int cpu, dir;

	for_each_possible_cpu(cpu) {
		const struct nflb_stats *s = per_cpu_ptr(stats, cpu);
		struct nflb_stats_sum one = { };

		do {
			start = u64_stats_fetch_begin(&s->sync);
			one.connections = u64_stats_read(&s->connections);
			for (dir = 0; dir < NFLB_DIR_COUNT; dir++) {
				one.packets[dir] =
					u64_stats_read(&s->packets[dir]);
				one.bytes[dir] = u64_stats_read(&s->bytes[dir]);
			}
		} while (u64_stats_fetch_retry(&s->sync, start));
		nflb_stats_add(sum, &one);
	}
}

/**
 * nflb_stats_add() - add counters to a sum
 * @sum: the sum
 * @more: what is added
 */
void nflb_stats_add(struct nflb_stats_sum *sum,
		    const struct nflb_stats_sum *more)
{
	int dir;

	sum->active += more->active;
	sum->inactive += more->inactive;
	sum->connections += more->connections;
	for (dir = 0; dir < NFLB_DIR_COUNT; dir++) {
		sum->packets[dir] += more->packets[dir];
		sum->bytes[dir] += more->bytes[dir];
	}
}

/**
 * nflb_stats_sub() - take a baseline from what a sum counted
 * @sum: the sum
 * @base: the baseline
 */
void nflb_stats_sub(struct nflb_stats_sum *sum,
		    const struct nflb_stats_sum *base)
{
	int dir;

	sum->connections -= base->connections;
	for (dir = 0; dir < NFLB_DIR_COUNT; dir++) {
		sum->packets[dir] -= base->packets[dir];
		sum->bytes[dir] -= base->bytes[dir];
	}
}

/**
 * nflb_drops_read() - packets that were not forwarded for one reason
 * @nn: the namespace
 * @reason: the reason
 *
 * Return: the sum over all CPUs since the module came or the last zeroing.
 */
u64 nflb_drops_read(const struct nflb_net *nn, enum nflb_reason reason)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(nn->drops, cpu)->packets[reason]);
	return sum - nn->drops_base[reason];
}

/**
 * nflb_counter_read() - how often something was done
 * @nn: the namespace
 * @counter: what
 *
 * Return: the sum over all CPUs since the module came or the last zeroing.
 */
u64 nflb_counter_read(const struct nflb_net *nn, enum nflb_counter counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(nn->drops, cpu)->counters[counter]);
	return sum - nn->counters_base[counter];
}
NFLB_EXPORT_KUNIT(nflb_counter_read);
