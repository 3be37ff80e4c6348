// SPDX-License-Identifier: GPL-2.0
/*
 * Text of policies: services, and a line for each of their rules.
 */
#include <stdio.h>

#include "out/out.h"
#include "out/parts.h"

static void print_dropped(const json_t *policy, const char *word)
{
	printf(" (dropped %" JSON_INTEGER_FORMAT ")\n",
	       number_of(json_object_get(policy, "dropped"), word));
}

static void print_list(const json_t *policy, const char *word)
{
	const json_t *list = json_object_get(policy, word), *prefix;
	size_t i;

	if (!list)
		return;
	printf("  %s", word);
	json_array_foreach(list, i, prefix)
		printf(" %s", json_string_value(prefix));
	print_dropped(policy, word);
}

void out_policies(const json_t *policies)
{
	char number[NUMBER_MAX], text[ENDPOINT_MAX];
	const json_t *p;
	size_t i;

	json_array_foreach(policies, i, p) {
		printf("%s%s %s%s\n", color(BOLD),
		       word_of(number, p, "protocol"),
		       endpoint(text, sizeof(text), p, "address", "port"),
		       color(PLAIN));
		print_list(p, "deny");
		print_list(p, "allow");
		if (!json_object_get(p, "rate"))
			continue;
		printf("  rate %s burst %" JSON_INTEGER_FORMAT,
		       string_of(p, "rate"), number_of(p, "burst"));
		print_dropped(p, "rate");
	}
}
