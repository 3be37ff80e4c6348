// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of policies: below each service, its rules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbadm.h"
#include "out/grid.h"
#include "out/out.h"
#include "out/parts.h"

/* The rows of a rule: each prefix has one, and the first says the rest. */
static void add_list(struct grid *grid, const json_t *policy, const char *word)
{
	const json_t *dropped = json_object_get(policy, "dropped"), *prefix;
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(policy, word), i, prefix) {
		row = json_object();
		json_object_set(row, "policy", (json_t *)policy);
		if (!i || grid_is_flat(grid))
			json_object_set_new(row, "rule", json_string(word));
		json_object_set(row, "value", (json_t *)prefix);
		if (!i)
			json_object_set(row, "dropped",
					json_object_get(dropped, word));
		grid_row(grid, row);
		json_decref(row);
	}
}

static void add_rate(struct grid *grid, const json_t *policy)
{
	json_t *row;

	if (!json_object_get(policy, "rate"))
		return;
	row = json_object();
	json_object_set(row, "policy", (json_t *)policy);
	json_object_set_new(row, "rule", json_string("rate"));
	json_object_set_new(row, "value",
			    json_sprintf("%s burst %" JSON_INTEGER_FORMAT,
					 string_of(policy, "rate"),
					 number_of(policy, "burst")));
	json_object_set(row, "dropped",
			json_object_get(json_object_get(policy, "dropped"),
					"rate"));
	grid_row(grid, row);
	json_decref(row);
}

static const char *text_policy(char buf[CELL_MAX], const json_t *row)
{
	const json_t *policy = json_object_get(row, "policy");

	return service_text(buf, policy ? policy : row);
}

int out_policies(const json_t *policies)
{
	static const struct column columns[] = {
		{ "SERVICE", .text = text_policy, .shown = SHOWN_ASKED,
		  .fold = true, .group = true },
		{ "RULE", .key = "rule" },
		{ "VALUE", .key = "value", .fold = true },
		{ "DROPPED", .key = "dropped", .unit = UNIT_COUNT,
		  .number = true },
		{ 0 },
	};
	char name[SERVICE_MAX];
	struct grid *grid;
	const json_t *p;
	int status;
	size_t i;

	status = grid_begin(columns, &grid);
	if (status)
		return status;
	json_array_foreach(policies, i, p) {
		grid_group(grid, p, strdup(service_text(name, p)),
			   strlen(name));
		add_list(grid, p, "deny");
		add_list(grid, p, "allow");
		add_rate(grid, p);
	}
	grid_end(grid);
	return LBADM_OK;
}
