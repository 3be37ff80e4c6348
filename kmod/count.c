// SPDX-License-Identifier: GPL-2.0
/*
 * What is counted in a network namespace, and the names of it.
 */
#include "count.h"
#include "netns.h"

/* Segments of the balancer's own, a CPU: so many in so many jiffies */
#define ANSWER_WINDOW		(HZ / 20)
#define ANSWERS_PER_WINDOW	500

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

/**
 * nflb_may_answer() - may a TCP segment be sent that nobody forwarded?
 * @nn: the namespace
 *
 * Resets and the like cost more than what they answer, and anybody can ask for
 * them: so many a second are sent by each CPU, and the rest is counted.
 *
 * Context: softirq or BH disabled. Return: whether it may.
 */
bool nflb_may_answer(struct nflb_net *nn)
{
	struct nflb_drops *drops = this_cpu_ptr(nn->drops);
	u32 window = nflb_now() / ANSWER_WINDOW;

	if (drops->answer_window != window) {
		drops->answer_window = window;
		drops->answers = 0;
	}
	if (likely(drops->answers < ANSWERS_PER_WINDOW)) {
		drops->answers++;
		return true;
	}
	nflb_count(nn, NFLB_COUNTER_ANSWER_LIMITED);
	return false;
}
NFLB_EXPORT_KUNIT(nflb_may_answer);
