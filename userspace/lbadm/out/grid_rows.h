/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rows of a table before it is printed. For grid.c and grid_print.c only.
 */
#ifndef LBADM_GRID_ROWS_H
#define LBADM_GRID_ROWS_H

#include "out/columns.h"

struct grid_row {
	json_t *object;
	const char *label;	/* of a total, or NULL */
	size_t group;
	size_t number;		/* as they came */
};

struct grid_group {
	json_t *object;
	char *heading;
	size_t bold;
	size_t number;
};

struct grid {
	const struct column *all;
	struct column_choice choice;	/* of --output */
	struct sort_keys sort;
	struct grid_row *rows;
	size_t row_count, row_room;
	struct grid_group *groups;
	size_t group_count, group_room;
	bool flat;
	FILE *to;
	size_t width;
	/* Set by the rows already printed */
	const struct column *columns[COLUMNS_MAX];
	size_t column_count;
	size_t widths[COLUMNS_MAX];
	bool begun;
};

/* Print rows and headings. */
void grid_print(struct grid *grid);

#endif /* LBADM_GRID_ROWS_H */
