/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The columns that --output and --sort name, and the contents of a cell. For grid.c only.
 */
#ifndef LBADM_COLUMNS_H
#define LBADM_COLUMNS_H

#include "out/grid.h"

#define COLUMNS_MAX 48
#define SORT_KEYS_MAX 8

/* Columns that were asked for */
struct column_choice {
	const struct column *columns[COLUMNS_MAX];
	size_t count;
	bool more;	/* besides those that are shown anyway */
};

/* Sort keys, the most significant first */
struct sort_keys {
	struct {
		const struct column *column;
		bool descending;
	} keys[SORT_KEYS_MAX];
	size_t count;
};

/* Each reads an option. Returns enum lbadm_exit, with a message on errors. */
int columns_parse(const struct column *all, const char *output,
		  struct column_choice *choice);
int columns_parse_sort(const struct column *all, const char *sort,
		       struct sort_keys *keys);

/* The value in @column of @object, or NULL. */
const json_t *column_value(const struct column *column, const json_t *object);
/* As text: of the object, in @buf, or "". */
const char *column_text(const struct column *column, const json_t *object,
			char buf[CELL_MAX]);
/* Which object comes first: as strcmp(). */
int columns_compare(const struct sort_keys *keys, const json_t *a,
		    const json_t *b);

#endif /* LBADM_COLUMNS_H */
