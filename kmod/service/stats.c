// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of backends and services.
 */
#include "service/service.h"
#include "service/stats.h"

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
	int cpu, dir, i;

	for_each_possible_cpu(cpu) {
		const struct nflb_stats *s = per_cpu_ptr(stats, cpu);
		struct nflb_stats_sum one = { };

		do {
			start = u64_stats_fetch_begin(&s->sync);
			one.connections = u64_stats_read(&s->connections);
			one.drops = u64_stats_read(&s->drops);
			for (dir = 0; dir < NFLB_DIR_COUNT; dir++) {
				one.packets[dir] =
					u64_stats_read(&s->packets[dir]);
				one.bytes[dir] = u64_stats_read(&s->bytes[dir]);
			}
			for (i = 0; i < NFLB_PASSIVE_COUNT; i++)
				one.passive[i] = u64_stats_read(&s->passive[i]);
		} while (u64_stats_fetch_retry(&s->sync, start));
		nflb_stats_add(sum, &one);
	}
}
NFLB_EXPORT_KUNIT(nflb_stats_read);

/**
 * nflb_service_drops() - packets that no backend was picked for, and were dropped
 * @svc: their service
 *
 * Return: the sum over all CPUs.
 */
u64 nflb_service_drops(const struct nflb_service *svc)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(svc->drops, cpu));
	return sum;
}

/**
 * nflb_stats_add() - add counters to a sum
 * @sum: the sum
 * @more: the addend
 */
void nflb_stats_add(struct nflb_stats_sum *sum,
		    const struct nflb_stats_sum *more)
{
	int dir, i;

	sum->active += more->active;
	sum->inactive += more->inactive;
	sum->connections += more->connections;
	sum->drops += more->drops;
	for (dir = 0; dir < NFLB_DIR_COUNT; dir++) {
		sum->packets[dir] += more->packets[dir];
		sum->bytes[dir] += more->bytes[dir];
	}
	for (i = 0; i < NFLB_PASSIVE_COUNT; i++)
		sum->passive[i] += more->passive[i];
}

/**
 * nflb_stats_sub() - subtract a baseline from a sum
 * @sum: the sum
 * @base: the baseline
 */
void nflb_stats_sub(struct nflb_stats_sum *sum,
		    const struct nflb_stats_sum *base)
{
	int dir, i;

	sum->connections -= base->connections;
	sum->drops -= base->drops;
	for (dir = 0; dir < NFLB_DIR_COUNT; dir++) {
		sum->packets[dir] -= base->packets[dir];
		sum->bytes[dir] -= base->bytes[dir];
	}
	for (i = 0; i < NFLB_PASSIVE_COUNT; i++)
		sum->passive[i] -= base->passive[i];
}
