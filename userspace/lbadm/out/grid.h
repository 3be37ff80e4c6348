/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables of JSON objects, printed by libsmartcols: which columns, in which
 * order, and how wide. For out/ and watch only.
 */
#ifndef LBADM_GRID_H
#define LBADM_GRID_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "out/units.h"

/* Room for the text of a cell that is no string of the object. */
#define CELL_MAX 256

/* When --output does not say which columns: */
enum column_shown {
	SHOWN_ALWAYS,
	SHOWN_TOTALS,	/* with -s */
	SHOWN_RATES,	/* with -s -s */
	SHOWN_COUNTED,	/* with -s or -s -s, if a row has a value */
	SHOWN_USED,	/* if a row has a value; with -s only if -d is given */
	SHOWN_DETAILS,	/* with -d */
	SHOWN_ASKED,	/* not even then */
};

/**
 * struct column - a column of a table
 * @name: the header, and the word of --output and --sort
 * @key: of the value
 * @within: the key of the object that has it; NULL: the row's own
 * @text: makes the cell's text; NULL: @key's value as it is. May return NULL
 * @color: an escape sequence, or NULL
 * @unit: of a number
 * @shown: when, unless --output says
 * @number: aligned to the right
 * @fold: too long for the terminal, it goes on below; else it may be cut off
 *	if @cut, or stays whole
 * @group: choosing it makes one list of all groups: it repeats their headings
 */
struct column {
	const char *name;
	const char *key, *within;
	const char *(*text)(char buf[CELL_MAX], const json_t *object);
	const char *(*color)(const json_t *object);
	enum unit unit;
	enum column_shown shown;
	bool number, fold, cut, group;
};

struct grid;

/**
 * grid_begin() - begin a table
 * @columns: all that it can show; the last has no name
 * @grid: set on success
 *
 * Returns enum lbadm_exit, with a message on errors in --output or --sort.
 */
int grid_begin(const struct column *columns, struct grid **grid);

/* Print to @to, which is @width wide (0: without a limit), instead of standard output. */
void grid_to(struct grid *grid, FILE *to, size_t width);

/**
 * grid_group() - begin a group of rows, with a line above them
 * @grid: a table that is not printed yet
 * @object: for sorting groups
 * @heading: the line, from malloc(), which the table then owns; NULL, out of memory, ends
 *	the program
 * @bold: the length of its bold part
 */
void grid_group(struct grid *grid, const json_t *object, char *heading,
		 size_t bold);

/* Whether groups have no lines above, because a column says the same. */
bool grid_is_flat(const struct grid *grid);

/* Add a row. Without groups and --sort, rows are printed now and then: there may be millions. */
void grid_row(struct grid *grid, const json_t *object);

/* Add a row that has only counters, and @label (a constant) in the first column; it stays last. */
void grid_total(struct grid *grid, const json_t *object, const char *label);

/* Print the remaining rows, and free the table. */
void grid_end(struct grid *grid);

/* How wide standard output is; 0 without a limit. */
size_t grid_width(void);

#endif /* LBADM_GRID_H */
