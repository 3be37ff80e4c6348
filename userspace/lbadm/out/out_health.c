// SPDX-License-Identifier: GPL-2.0
/*
 * What nflbd says about checks, as text.
 */
#include "out/out_health.h"

#include <stdio.h>
#include <string.h>

#include "lbadm.h"
#include "out/parts.h"
#include "util/escape.h"

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* "http 200 in 1.8 ms", "tcp connect-refused in 0.3 ms" */
static void write_result(char buf[CELL_MAX], const json_t *result)
{
	const char *reason = word(result, "reason"), *detail = word(result, "detail");

	snprintf(buf, CELL_MAX, "%s%s%s%s%s in %.1f ms", word(result, "protocol"),
		 *reason ? " " : "", reason, *detail ? " " : "", detail,
		 json_number_value(json_object_get(result, "milliseconds")));
}

const char *text_check(char buf[CELL_MAX], const json_t *backend)
{
	const json_t *check = json_object_get(backend, "check");
	json_int_t contrary = number_of(check, "contrary");
	size_t len;

	if (!check)
		return NULL;
	if (!strcmp(word(check, "result"), "not checked")) {
		snprintf(buf, CELL_MAX, "none: %s", word(check, "detail"));
		return buf;
	}
	if (!json_object_get(check, "milliseconds"))
		return "no result yet";
	write_result(buf, check);
	len = strlen(buf);
	if (contrary)
		snprintf(buf + len, CELL_MAX - len, ", %d of %d", (int)contrary,
			 (int)number_of(check, "threshold"));
	return buf;
}

const char *text_next(char buf[CELL_MAX], const json_t *backend)
{
	const json_t *check = json_object_get(backend, "check");
	const json_t *next = json_object_get(check, "next-in");

	if (json_is_true(json_object_get(check, "running")))
		return "now";
	if (json_is_true(json_object_get(check, "waiting")))
		return "waiting";
	if (!next)
		return NULL;
	snprintf(buf, CELL_MAX, "%.1f s", json_number_value(next));
	return buf;
}

void out_health_step(const json_t *line)
{
	const json_t *result = json_object_get(line, "result");
	char buf[CELL_MAX];

	if (result) {
		write_result(buf, result);
		fputs(color(!strcmp(word(result, "result"), "success") ? GREEN : RED), stdout);
		printf("%s", word(result, "result"));
		fputs(color(PLAIN), stdout);
		fputs(": ", stdout);
		escape_print(stdout, buf);
		putchar('\n');
	} else {
		printf("%8.1f ms  ", json_number_value(json_object_get(line, "milliseconds")));
		escape_print(stdout, word(line, "step"));
		putchar('\n');
	}
	fflush(stdout);
}

void out_health_event(const json_t *event)
{
	if (lbadm_options.timestamp)
		printf("%s ", word(event, "time"));
	escape_print(stdout, word(event, "message"));
	putchar('\n');
	fflush(stdout);
}
