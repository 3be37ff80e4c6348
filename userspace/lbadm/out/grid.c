// SPDX-License-Identifier: GPL-2.0
/*
 * Rows of tables: gathered, grouped, sorted.
 */
#define _GNU_SOURCE
#include "out/grid.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lbadm.h"
#include "out/grid_rows.h"

/* How many rows are gathered when nothing needs all of them */
#define BLOCK 2048

size_t grid_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	char *end;
	long width;

	if (columns && *columns) {
		width = strtol(columns, &end, 10);
		if (!*end && width > 0 && width < 10000)
			return width;
	}
	if (!isatty(STDOUT_FILENO))
		return 0;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return 80;
}

/* A tool that prints can only give up. */
static void out_of_memory(void)
{
	fail(LBADM_UNAVAILABLE, "out of memory");
	exit(LBADM_UNAVAILABLE);
}

/* Room for one more. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 64;
	array = reallocarray(array, *room, size);
	if (!array)
		out_of_memory();
	return array;
}

int grid_begin(const struct column *columns, struct grid **grid)
{
	struct grid *g = calloc(1, sizeof(*g));
	size_t i;
	int status = LBADM_OK;

	if (!g)
		return fail(LBADM_UNAVAILABLE, "out of memory");
	setlocale(LC_CTYPE, "");
	g->all = columns;
	g->to = stdout;
	g->width = grid_width();
	if (lbadm_options.output)
		status = columns_parse(columns, lbadm_options.output,
				       &g->choice);
	if (!status && lbadm_options.sort)
		status = columns_parse_sort(columns, lbadm_options.sort,
					    &g->sort);
	for (i = 0; i < g->choice.count; i++)
		g->flat |= g->choice.columns[i]->group;
	if (status)
		free(g);
	else
		*grid = g;
	return status;
}

void grid_to(struct grid *grid, FILE *to, size_t width)
{
	grid->to = to;
	grid->width = width;
}

void grid_group(struct grid *grid, const json_t *object, char *heading,
		size_t bold)
{
	if (!heading)
		out_of_memory();
	if (grid->flat) {
		free(heading);
		return;
	}
	grid->groups = grow(grid->groups, grid->group_count, &grid->group_room,
			    sizeof(*grid->groups));
	grid->groups[grid->group_count] = (struct grid_group){
		.object = json_incref((json_t *)object), .heading = heading,
		.bold = bold, .number = grid->group_count,
	};
	grid->group_count++;
}

bool grid_is_flat(const struct grid *grid)
{
	return grid->flat;
}

static void forget(struct grid *grid)
{
	size_t i;

	for (i = 0; i < grid->row_count; i++)
		json_decref(grid->rows[i].object);
	for (i = 0; i < grid->group_count; i++) {
		json_decref(grid->groups[i].object);
		free(grid->groups[i].heading);
	}
	grid->row_count = grid->group_count = 0;
}

static void add(struct grid *grid, const json_t *object, const char *label)
{
	if (grid->row_count == BLOCK && !grid->group_count &&
	    !grid->sort.count) {
		grid_print(grid);
		forget(grid);
	}
	grid->rows = grow(grid->rows, grid->row_count, &grid->row_room,
			  sizeof(*grid->rows));
	grid->rows[grid->row_count] = (struct grid_row){
		.object = json_incref((json_t *)object), .label = label,
		.group = grid->group_count ? grid->group_count - 1 : 0,
		.number = grid->row_count,
	};
	grid->row_count++;
}

void grid_row(struct grid *grid, const json_t *object)
{
	add(grid, object, NULL);
}

void grid_total(struct grid *grid, const json_t *object, const char *label)
{
	add(grid, object, label);
}

static int compare_groups(const void *a, const void *b, void *sort)
{
	const struct grid_group *x = a, *y = b;
	int order = columns_compare(sort, x->object, y->object);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

/* Within a group; its place is known by now. */
static int compare_rows(const void *a, const void *b, void *sort)
{
	const struct grid_row *x = a, *y = b;
	int order = 0;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (!x->label != !y->label)
		return x->label ? 1 : -1;
	if (!x->label)
		order = columns_compare(sort, x->object, y->object);
	return order ? order : (x->number > y->number) - (x->number < y->number);
}

static void sort(struct grid *grid)
{
	size_t *places, i;

	if (!grid->sort.count)
		return;
	if (grid->group_count) {
		qsort_r(grid->groups, grid->group_count, sizeof(*grid->groups),
			compare_groups, &grid->sort);
		places = calloc(grid->group_count, sizeof(*places));
		for (i = 0; places && i < grid->group_count; i++)
			places[grid->groups[i].number] = i;
		for (i = 0; places && i < grid->row_count; i++)
			grid->rows[i].group = places[grid->rows[i].group];
		free(places);
	}
	if (grid->row_count)
		qsort_r(grid->rows, grid->row_count, sizeof(*grid->rows),
			compare_rows, &grid->sort);
}

void grid_end(struct grid *grid)
{
	sort(grid);
	grid_print(grid);
	forget(grid);
	free(grid->rows);
	free(grid->groups);
	free(grid);
}
