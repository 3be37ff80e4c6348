// SPDX-License-Identifier: GPL-2.0
/*
 * Counters, and how late checks begin: a histogram whose classes are an eighth of a
 * power of two wide, so that a percentile is at most 12 % too high.
 */
#include "figures.h"

#include <dirent.h>
#include <sys/resource.h>

#include "check.h"

#define EXPONENT 3		/* classes of a power of two, as a power of two */
#define CLASSES (40 << EXPONENT)

static struct {
	uint64_t checks[HEALTH_NONE + 1][RESULT_VOID + 1];
	uint64_t late[CLASSES], begun;
	uint64_t changes, shared, messages;
	uint64_t agents[2];	/* no answer, an answer */
	uint64_t started;
} all;

static void start_clock(void) __attribute__((constructor));

static void start_clock(void)
{
	all.started = check_clock();
}

static unsigned int class_of(uint64_t us)
{
	unsigned int shift = 0, class;

	while (us >> shift >= 2u << EXPONENT)
		shift++;
	class = (shift << EXPONENT) + (us >> shift);
	return class < CLASSES ? class : CLASSES - 1;
}

/* The most that belongs to a class */
static uint64_t class_end(unsigned int class)
{
	unsigned int shift = class >> EXPONENT;

	if (class < 2u << EXPONENT)
		return class;
	shift--;
	return ((uint64_t)(class - (shift << EXPONENT)) + 1) * (1ull << shift) - 1;
}

void figures_check(enum health_protocol protocol, enum result_kind kind)
{
	all.checks[protocol][kind]++;
}

void figures_late(uint64_t us)
{
	all.late[class_of(us)]++;
	all.begun++;
}

void figures_change(void)
{
	all.changes++;
}

void figures_shared(void)
{
	all.shared++;
}

void figures_message(void)
{
	all.messages++;
}

void figures_agent(int good)
{
	all.agents[!!good]++;
}

/* Milliseconds */
static double percentile(unsigned int percent)
{
	uint64_t rank = (all.begun * percent + 99) / 100, sum = 0;
	unsigned int class;

	for (class = 0; class < CLASSES; class++) {
		sum += all.late[class];
		if (sum >= rank)
			break;
	}
	return all.begun ? class_end(class) / 1000.0 : 0;
}

static json_t *checks_json(void)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i < HEALTH_NONE; i++)
		json_object_set_new(object, names_get(&health_protocol_names, i),
				    json_pack("{s:I, s:I, s:I}",
			"success", (json_int_t)all.checks[i][RESULT_SUCCESS],
			"failure", (json_int_t)all.checks[i][RESULT_FAILURE],
			"void", (json_int_t)all.checks[i][RESULT_VOID]));
	return object;
}

static json_int_t count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	json_int_t count = -3;		/* ".", "..", and the directory's own */

	if (!directory)
		return -1;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

json_t *figures_json(void)
{
	struct rlimit limit = { 0 };
	struct rusage usage = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	getrusage(RUSAGE_SELF, &usage);
	return json_pack("{s:o, s:{s:f, s:f}, s:I, s:I, s:I, s:{s:I, s:I}, s:f, s:f, s:I, s:I, s:I}",
		"checks", checks_json(),
		"late-ms", "p50", percentile(50), "p99", percentile(99),
		"shared-results", (json_int_t)all.shared,
		"verdict-changes", (json_int_t)all.changes,
		"kernel-messages", (json_int_t)all.messages,
		"agent", "answers", (json_int_t)all.agents[1],
		"failures", (json_int_t)all.agents[0],
		"uptime", (check_clock() - all.started) / 1e6,
		"cpu-seconds", usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
			(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
		"memory-kib", (json_int_t)usage.ru_maxrss,
		"descriptors", count_descriptors(),
		"descriptors-max", (json_int_t)limit.rlim_cur);
}
