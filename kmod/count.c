// SPDX-License-Identifier: GPL-2.0
/*
 * What is counted in a network namespace, and the names of it.
 */
#include "count.h"
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
