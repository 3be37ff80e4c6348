// SPDX-License-Identifier: GPL-2.0
/*
 * The verdict machine, by table: results in, verdicts out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "result.h"
#include "verdict.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Results: + success, - failure, 0 void. Verdicts after each: u unknown, c checking,
 * H healthy, d unhealthy.
 */
struct machine_case {
	const char *about;
	const char *start;	/* "up", "down": new; H, d, e, u: of the kernel */
	unsigned int rise, fall;
	const char *results, *verdicts;
};

static const struct machine_case machine_cases[] = {
	{ "the first success decides alone", "up", 2, 3, "+", "H" },
	{ "the first failure decides alone", "up", 2, 3, "-", "d" },
	{ "initial down, first success", "down", 2, 3, "+", "H" },
	{ "initial down, first failure", "down", 2, 3, "-", "d" },
	{ "a void result decides nothing", "up", 2, 3, "00+", "uuH" },
	{ "a void result decides nothing, initial down", "down", 2, 3, "0-", "cd" },
	{ "failures up to the threshold", "up", 2, 3, "+---", "HHHd" },
	{ "a success begins a new row", "up", 2, 3, "+--+---", "HHHHHHd" },
	{ "successes up to the threshold", "up", 2, 3, "-++", "ddH" },
	{ "a failure begins a new row", "up", 2, 3, "-+-++", "ddddH" },
	{ "void results do not interrupt a row", "up", 2, 3, "+-0-00-", "HHHHHHd" },
	{ "void results do not interrupt a recovery", "up", 2, 3, "-+0+", "dddH" },
	{ "thresholds of 1", "up", 1, 1, "+-+-", "HdHd" },
	{ "thresholds of 10", "up", 10, 10, "+----------", "HHHHHHHHHHd" },
	{ "back after as many successes", "up", 3, 2, "+--+++", "HHdddH" },
	{ "resumed healthy: full threshold", "H", 2, 3, "---", "HHd" },
	{ "resumed healthy stays", "H", 2, 3, "+", "H" },
	{ "resumed unhealthy: full threshold", "d", 2, 3, "++", "dH" },
	{ "resumed ejected is unhealthy", "e", 2, 3, "++", "dH" },
	{ "resumed unknown: the first decides", "u", 2, 3, "-", "d" },
};

static struct health_check keys(unsigned int rise, unsigned int fall)
{
	return (struct health_check){
		.health_threshold = rise, .unhealth_threshold = fall,
		.interval = 5000, .fast_interval = 1000, .down_interval = 20000,
	};
}

static char letter(enum nflb_health health)
{
	return "ucHde"[health];
}

static void begin(struct verdict *v, struct health_check *check, const char *start)
{
	if (!strcmp(start, "up") || !strcmp(start, "down")) {
		check->initial = *start == 'u' ? NFLB_HEALTH_INITIAL_UP :
						 NFLB_HEALTH_INITIAL_DOWN;
		verdict_begin(v, check, 0);
	} else {
		verdict_resume(v, strchr("ucHde", *start) - "ucHde", 0);
	}
}

static bool take(struct verdict *v, const struct health_check *check, char what,
		 uint64_t now)
{
	struct result result = {
		.kind = what == '+' ? RESULT_SUCCESS :
			what == '-' ? RESULT_FAILURE : RESULT_VOID,
	};

	return verdict_take(v, check, &result, now);
}

static void machine(void **state)
{
	const struct machine_case *c = machine_cases;
	struct health_check check;
	enum nflb_health before;
	struct verdict v;
	bool changed;
	size_t i;

	(void)state;
	for (; c < machine_cases + ARRAY_SIZE(machine_cases); c++) {
		check = keys(c->rise, c->fall);
		begin(&v, &check, c->start);
		for (i = 0; c->results[i]; i++) {
			before = v.health;
			changed = take(&v, &check, c->results[i], 1000 * (i + 1));
			if (letter(v.health) != c->verdicts[i])
				fail_msg("%s: result %zu of %s makes %c", c->about,
					 i + 1, c->results, letter(v.health));
			if (changed != (before != v.health))
				fail_msg("%s: result %zu: changed is %d", c->about,
					 i + 1, changed);
			if (changed)
				assert_int_equal(v.since, 1000 * (i + 1));
		}
	}
}

static void intervals(void **state)
{
	static const struct {
		const char *start, *results;
		uint64_t now;
		uint32_t interval;
	} cases[] = {
		{ "up", "", 0, 5000 },
		{ "up", "+", 0, 5000 },
		/* contrary results, until the verdict */
		{ "up", "+-", 0, 1000 },
		{ "up", "+--", 0, 1000 },
		{ "up", "+-0", 0, 1000 },
		{ "up", "+-+", 0, 5000 },
		{ "up", "+---", 0, 20000 },
		{ "up", "-+", 0, 1000 },
		{ "up", "-++", 0, 5000 },
		/* an unhealthy backend is checked rarely, and ever more rarely */
		{ "up", "-", 0, 20000 },
		{ "up", "-", 599999, 20000 },
		{ "up", "-", 600000, 40000 },
		{ "up", "-", 1200000, 80000 },
		{ "up", "-", 1800000, 160000 },
		{ "up", "-", 999999999, 160000 },
		{ "up", "-+", 999999999, 1000 },
		{ "up", "00", 0, 5000 },
	};
	struct health_check check;
	struct verdict v;
	const char *c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		check = keys(2, 3);
		begin(&v, &check, cases[i].start);
		for (c = cases[i].results; *c; c++)
			take(&v, &check, *c, 0);
		if (verdict_interval(&v, &check, cases[i].now) != cases[i].interval)
			fail_msg("case %zu: %u", i,
				 verdict_interval(&v, &check, cases[i].now));
	}
}

static void voids(void **state)
{
	struct health_check check = keys(2, 3);
	struct verdict v;
	int i;

	(void)state;
	verdict_begin(&v, &check, 0);
	for (i = 1; i <= VERDICT_VOIDS; i++) {
		take(&v, &check, '0', 0);
		assert_int_equal(v.voids, i);
	}
	take(&v, &check, '+', 0);
	assert_int_equal(v.voids, 0);
}

/* Words are unique, and texts fit into the kernel's buffer for a reason. */
static void reasons(void **state)
{
	struct result result = { 0 };
	char text[RESULT_TEXT_MAX];
	int i, j;

	(void)state;
	for (i = 1; i < REASON_COUNT; i++) {
		assert_non_null(reason_word(i));
		for (j = 1; j < i; j++)
			assert_string_not_equal(reason_word(i), reason_word(j));
		result.reason = i;
		result_set_detail(&result, "a text that is much longer than it may be, \x01\xff");
		result_text(&result, text);
		assert_true(strlen(text) < NFLB_HEALTH_REASON_SIZE);
		assert_int_equal(strncmp(text, reason_word(i), strlen(reason_word(i))), 0);
	}
	result_set_detail(&result, "a\nb\x7f\xc3");
	assert_string_equal(result.detail, "a?b??");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machine),
		cmocka_unit_test(intervals),
		cmocka_unit_test(voids),
		cmocka_unit_test(reasons),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
