// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of a configuration as text, and their sum.
 */
#include "out/out_changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/parts.h"
#include "util/escape.h"

#define GREEN "\033[32m"
#define YELLOW "\033[33m"

static const struct {
	const char *name, *sign, *color, *past, *plan;
} actions[] = {
	{ "add", "+", GREEN, "added", "to add" },
	{ "change", "~", YELLOW, "changed", "to change" },
	{ "remove", "-", RED, "removed", "to remove" },
	{ "keep", "=", "", NULL, NULL },
};

#define ACTION_COUNT (sizeof(actions) / sizeof(actions[0]))
/* Those that change something */
#define ACTION_KEEP (ACTION_COUNT - 1)

static const struct {
	const char *name, *one, *many;
} objects[] = {
	{ "service", "service", "services" },
	{ "backend", "backend", "backends" },
	{ "laddr", "local address", "local addresses" },
	{ "device", "device", "devices" },
	{ "policy", "policy", "policies" },
	{ "setting", "setting", "settings" },
};

#define OBJECT_COUNT (sizeof(objects) / sizeof(objects[0]))

static size_t action_of(const json_t *change)
{
	const char *name = string_of(change, "action");
	size_t i;

	for (i = 0; i < ACTION_COUNT - 1; i++)
		if (!strcmp(actions[i].name, name))
			break;
	return i;
}

static bool is_object(const json_t *change, size_t object)
{
	return !strcmp(string_of(change, "object"), objects[object].name);
}

/* --- lines */

static void print_list(const json_t *list)
{
	const json_t *value;
	size_t i;

	json_array_foreach(list, i, value) {
		fputs(i ? "," : "", stdout);
		escape_print(stdout, json_string_value(value));
	}
}

/* Text of people, which can be several words */
static bool is_label(const char *key)
{
	return !strcmp(key, "name") || !strcmp(key, "comment");
}

/* As on the command line; a missing value is "unset". */
static void print_setting(const char *key, const json_t *value)
{
	char *text;

	if (!value) {
		fputs("unset", stdout);
	} else if (json_is_string(value) && is_label(key) &&
		   strpbrk(json_string_value(value), " \"'#")) {
		write_quoted(stdout, json_string_value(value));
	} else if (json_is_string(value)) {
		escape_print(stdout, json_string_value(value));
	} else if (json_is_array(value)) {
		print_list(value);
	} else if (json_is_object(value)) {
		text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);
		if (!text)
			abort();
		fputs(text, stdout);
		free(text);
	} else if (json_is_boolean(value)) {
		fputs(json_is_true(value) ? "on" : "off", stdout);
	} else {
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	}
}

static void print_service(const json_t *service)
{
	char buf[ENDPOINT_MAX];

	printf(" %s %s", string_of(service, "protocol"),
	       endpoint(buf, sizeof(buf), service, "address", "port"));
}

/* In the words of the command line */
static void print_identity(const json_t *change)
{
	const char *object = string_of(change, "object");
	char buf[ENDPOINT_MAX];

	fputs(object, stdout);
	if (!strcmp(object, "service") || !strcmp(object, "policy")) {
		print_service(change);
	} else if (!strcmp(object, "backend")) {
		print_service(json_object_get(change, "service"));
		printf(" %s", endpoint(buf, sizeof(buf), change, "address",
				       "port"));
	} else if (!strcmp(object, "laddr")) {
		printf(" %s", string_of(change, "address"));
		print_pair(change, "ports");
	} else if (!strcmp(object, "device")) {
		putchar(' ');
		escape_print(stdout, string_of(change, "device"));
	}
}

/* " KEY VALUE" of each key */
static void print_settings(const json_t *settings)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)settings, key, value) {
		printf(" %s ", key);
		print_setting(key, value);
	}
}

/* "KEY FROM -> TO" of each key of either */
static void print_difference(const json_t *from, const json_t *to)
{
	const char *key, *before = ": ";
	json_t *value;

	json_object_foreach((json_t *)from, key, value) {
		printf("%s%s ", before, key);
		print_setting(key, value);
		fputs(" -> ", stdout);
		print_setting(key, json_object_get(to, key));
		before = ", ";
	}
	json_object_foreach((json_t *)to, key, value) {
		if (json_object_get(from, key))
			continue;
		printf("%s%s unset -> ", before, key);
		print_setting(key, value);
		before = ", ";
	}
}

static void print_change(const json_t *change)
{
	size_t action = action_of(change);
	const json_t *from = json_object_get(change, "from");
	const json_t *to = json_object_get(change, "to");
	const json_t *by_hand = json_object_get(change, "by-hand");

	printf("%s%s ", color(actions[action].color), actions[action].sign);
	print_identity(change);
	if (from && to)
		print_difference(from, to);
	else
		print_settings(from ? from : to);
	if (by_hand) {
		fputs(": by hand, stays:", stdout);
		print_settings(by_hand);
	}
	printf("%s\n", *actions[action].color ? color(PLAIN) : "");
}

void out_changes(const json_t *changes)
{
	const json_t *change;
	size_t i;

	json_array_foreach(changes, i, change)
		print_change(change);
}

/* --- sums */

struct counts {
	unsigned int of[OBJECT_COUNT][ACTION_COUNT];
};

static void count(struct counts *counts, const json_t *changes)
{
	const json_t *change;
	size_t i, object;

	memset(counts, 0, sizeof(*counts));
	json_array_foreach(changes, i, change)
		for (object = 0; object < OBJECT_COUNT; object++)
			counts->of[object][action_of(change)] +=
				is_object(change, object);
}

bool changes_any(const json_t *changes)
{
	const json_t *change;
	size_t i;

	json_array_foreach(changes, i, change)
		if (action_of(change) != ACTION_KEEP)
			return true;
	return false;
}

void out_summary(const json_t *changes, bool dry_run)
{
	struct counts counts;
	const char *before = "";
	size_t object, action;

	if (!changes_any(changes)) {
		puts(dry_run ? "nothing to change" : "nothing changed");
		return;
	}
	count(&counts, changes);
	for (object = 0; object < OBJECT_COUNT; object++) {
		bool named = false;

		for (action = 0; action < ACTION_KEEP; action++) {
			unsigned int n = counts.of[object][action];

			if (!n)
				continue;
			printf("%s%u %s%s%s", before, n, named ? "" :
			       n == 1 ? objects[object].one :
					objects[object].many,
			       named ? "" : " ", dry_run ?
			       actions[action].plan : actions[action].past);
			before = ", ";
			named = true;
		}
	}
	putchar('\n');
}

json_t *summary_json(json_t *changes, bool dry_run)
{
	json_t *summary = json_object(), *sums;
	struct counts counts;
	size_t object, action;

	count(&counts, changes);
	for (object = 0; object < OBJECT_COUNT; object++) {
		sums = json_object();
		for (action = 0; action < ACTION_KEEP; action++)
			json_object_set_new(sums, actions[action].name,
					    json_integer(counts.of[object][action]));
		json_object_set_new(summary, objects[object].name, sums);
	}
	return json_pack("{s:b, s:b, s:o, s:O}", "changed",
			 changes_any(changes), "dry-run", dry_run,
			 "summary", summary, "changes", changes);
}
