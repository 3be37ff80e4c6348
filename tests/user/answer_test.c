// SPDX-License-Identifier: GPL-2.0
/*
 * Answers of agents: by table, and random ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define FUZZ_ROUNDS 1000000

/* Answers one after the other, separated by |; and the state afterwards, or "-" if the
 * last one was none
 */
static const struct {
	const char *answers, *state;
} cases[] = {
	{ "up\n", "100" }, { "50%\n", "50" }, { "up 50%\r\n", "50" }, { "0%", "0" },
	{ "250%", "100" }, { "99999999999999999999%", "100" },
	{ "drain", "100 drain" }, { "maint", "100 maint" }, { "down", "100 down" },
	{ "fail", "100 fail" }, { "stopped", "100 stopped" },
	{ "down # disk full", "100 down" }, { "down#50%", "100 down" },
	{ "ready,up;30%\tdown", "30 down" }, { "drain 20%|ready", "20" },
	{ "down|up", "100" }, { "down|ready", "100 down" }, { "drain|up", "100 drain" },
	{ "maint drain|ready", "100" }, { "maxconn:30 40%", "40" }, { "50%|100%", "100" },
	{ "50%\ndown", "50" }, { "", "-" }, { "\n50%", "-" }, { "# up", "-" },
	{ "50% sideways", "-" }, { "50%|down sideways", "-" }, { "%", "-" }, { "-5%", "-" },
	{ "5.5%", "-" }, { "50", "-" }, { "UP", "-" }, { "downs", "-" }, { "maxconn:", "-" },
	{ "HTTP/1.1 400 Bad Request", "-" }, { " up ", "100" },
};

static void describe(const struct answer_state *state, char *buf, size_t size)
{
	snprintf(buf, size, "%u%s%s%s%s", state->weight, state->drain ? " drain" : "",
		 state->maint ? " maint" : "", state->down ? " " : "",
		 state->down ? state->word : "");
}

static void test_answers(void **unused)
{
	char text[256], buf[64], *save, *answer;
	size_t i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct answer_state state = ANSWER_NOTHING, before = state;
		bool good = false;

		snprintf(text, sizeof(text), "%s", cases[i].answers);
		for (answer = strtok_r(text, "|", &save); answer;
		     answer = strtok_r(NULL, "|", &save)) {
			before = state;
			good = answer_read(&state, answer, strlen(answer));
		}
		describe(&state, buf, sizeof(buf));
		if (!good)
			assert_memory_equal(&before, &state, sizeof(state));
		if (strcmp(good ? buf : "-", cases[i].state))
			fail_msg("\"%s\": %s", cases[i].answers, good ? buf : "-");
	}
	assert_false(answer_read(&(struct answer_state){ 0 }, "", 0));
	assert_false(answer_read(&(struct answer_state){ 0 }, "up\0", 3));
}

/* Pieces of answers, and any bytes between them. The buffer ends where the answer does. */
static size_t make(uint8_t *bytes, size_t max)
{
	static const char *const pieces[] = {
		"up", "down", "fail", "stopped", "drain", "ready", "maint", "50%", "0%", "%",
		" ", ",", "\n", "\r", "#", "maxconn:", "maxconn:3", "999999999999%", "\t",
	};
	size_t len = 0, n;
	const char *piece;

	while (len < max && rand() % 8) {
		if (rand() % 4) {
			piece = pieces[rand() % ARRAY_SIZE(pieces)];
			n = strlen(piece) < max - len ? strlen(piece) : max - len;
			memcpy(bytes + len, piece, n);
			len += n;
		} else {
			bytes[len++] = rand();
		}
	}
	return len;
}

static void test_random(void **unused)
{
	const char *rounds = getenv("NFLB_FUZZ_ROUNDS");
	unsigned long left = rounds ? strtoul(rounds, NULL, 10) : FUZZ_ROUNDS;
	struct answer_state state = ANSWER_NOTHING, before;
	uint8_t bytes[ANSWER_MAX_BYTES];
	size_t len;
	char *text;

	(void)unused;
	srand(1);
	while (left--) {
		len = make(bytes, sizeof(bytes));
		text = malloc(len ? len : 1);
		memcpy(text, bytes, len);
		before = state;
		if (!answer_read(&state, text, len))
			assert_memory_equal(&before, &state, sizeof(state));
		assert_in_range(state.weight, 0, 100);
		assert_true(!state.down || state.word);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
