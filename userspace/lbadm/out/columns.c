// SPDX-License-Identifier: GPL-2.0
/*
 * The columns that --output and --sort name, and the contents of a cell.
 */
#define _GNU_SOURCE
#include "out/columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lbadm.h"

/* All names, "A, B, C" */
static void list_names(const struct column *all, char *buf, size_t size)
{
	size_t used = 0;

	*buf = '\0';
	for (; all->name && used < size; all++)
		used += snprintf(buf + used, size - used, "%s%s",
				 used ? ", " : "", all->name);
}

static const struct column *find(const struct column *all, const char *option,
				 const char *name)
{
	const struct column *c;
	char list[640];

	for (c = all; c->name; c++)
		if (!strcasecmp(c->name, name))
			return c;
	list_names(all, list, sizeof(list));
	usage_error("%s: there is no column \"%s\"; there are: %s", option,
		    name, list);
	return NULL;
}

static bool chosen(const struct column_choice *choice,
		   const struct column *column)
{
	size_t i;

	for (i = 0; i < choice->count; i++)
		if (choice->columns[i] == column)
			return true;
	return false;
}

int columns_parse(const struct column *all, const char *output,
		  struct column_choice *choice)
{
	char *words = strdup(output + (*output == '+')), *rest = words;
	const struct column *c;
	int status = LBADM_OK;

	choice->more = *output == '+';
	while (!status && rest) {
		c = find(all, "output", strsep(&rest, ","));
		if (!c)
			status = LBADM_USAGE;
		else if (!chosen(choice, c) && choice->count < COLUMNS_MAX)
			choice->columns[choice->count++] = c;
	}
	free(words);
	return status;
}

int columns_parse_sort(const struct column *all, const char *sort,
		       struct sort_keys *keys)
{
	char *words = strdup(sort), *rest = words, *word;
	const struct column *c;
	int status = LBADM_OK;

	while (!status && rest) {
		word = strsep(&rest, ",");
		c = find(all, "sort", word + (*word == '-'));
		if (!c) {
			status = LBADM_USAGE;
		} else if (keys->count == SORT_KEYS_MAX) {
			status = usage_error("sort: there can be %d columns at most",
					     SORT_KEYS_MAX);
		} else {
			keys->keys[keys->count].column = c;
			keys->keys[keys->count++].descending = *word == '-';
		}
	}
	free(words);
	return status;
}

const json_t *column_value(const struct column *column, const json_t *object)
{
	if (!column->key)
		return NULL;
	if (column->within)
		object = json_object_get(object, column->within);
	return json_object_get(object, column->key);
}

const char *column_text(const struct column *column, const json_t *object,
			char buf[CELL_MAX])
{
	const json_t *value;
	const char *text;

	if (column->text) {
		text = column->text(buf, object);
		return text ? text : "";
	}
	value = column_value(column, object);
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "on" : "off";
	if (!json_is_integer(value))
		return "";
	return units_format(buf, json_integer_value(value), column->unit);
}

/* Numbers by value, texts by the numbers within: 10.0.0.9 is before 10.0.0.10. */
static int compare(const struct column *column, const json_t *a,
		   const json_t *b)
{
	const json_t *x = column_value(column, a), *y = column_value(column, b);
	char buf_x[CELL_MAX], buf_y[CELL_MAX];
	json_int_t m, n;

	if (!json_is_integer(x) || !json_is_integer(y))
		return strverscmp(column_text(column, a, buf_x),
				  column_text(column, b, buf_y));
	m = json_integer_value(x);
	n = json_integer_value(y);
	return (m > n) - (m < n);
}

int columns_compare(const struct sort_keys *keys, const json_t *a,
		    const json_t *b)
{
	int order = 0;
	size_t i;

	for (i = 0; !order && i < keys->count; i++) {
		order = compare(keys->keys[i].column, a, b);
		if (keys->keys[i].descending)
			order = -order;
	}
	return order;
}
