// SPDX-License-Identifier: GPL-2.0
/*
 * Printing tables: columns that are shown, widths, headings between rows.
 */
#define _GNU_SOURCE
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "lbadm.h"
#include "out/grid_rows.h"
#include "out/parts.h"

/* Rows below a heading */
#define INDENT 2
/* The indentation of a heading's second line */
#define HEADING_INDENT 4
/* Columns are not folded to less */
#define FOLD_MIN 8

/* A row's text of a column: a total has counters only. */
static const char *cell_text(const struct grid_row *row,
			     const struct column *column, bool first,
			     char buf[CELL_MAX])
{
	if (!row->label)
		return column_text(column, row->object, buf);
	if (first)
		return row->label;
	return column->number && column->unit != UNIT_PLAIN ?
	       column_text(column, row->object, buf) : "";
}

static bool is_used(const struct grid *grid, const struct column *column)
{
	const struct grid_row *row = grid->rows, *end = row + grid->row_count;
	char buf[CELL_MAX];

	for (; row < end; row++)
		if (column->text ? *cell_text(row, column, false, buf) :
		    !row->label && column_value(column, row->object))
			return true;
	return false;
}

static bool is_shown(const struct grid *grid, const struct column *column)
{
	switch (column->shown) {
	case SHOWN_ALWAYS:
		return true;
	case SHOWN_TOTALS:
		return lbadm_options.stats == 1;
	case SHOWN_RATES:
		return lbadm_options.stats > 1;
	case SHOWN_COUNTED:
		return lbadm_options.stats && is_used(grid, column);
	case SHOWN_USED:
		return (!lbadm_options.stats || lbadm_options.details) &&
		       is_used(grid, column);
	case SHOWN_DETAILS:
		return lbadm_options.details && is_used(grid, column);
	default:
		return false;
	}
}

static void choose(struct grid *grid)
{
	const struct column_choice *choice = &grid->choice;
	const struct column *c;
	size_t i, j;

	if (grid->begun)
		return;
	if (!choice->count || choice->more)
		for (c = grid->all; c->name; c++)
			if (grid->column_count < COLUMNS_MAX && is_shown(grid, c))
				grid->columns[grid->column_count++] = c;
	for (i = 0; i < choice->count; i++) {
		for (j = 0; j < grid->column_count; j++)
			if (grid->columns[j] == choice->columns[i])
				break;
		if (j == grid->column_count && j < COLUMNS_MAX)
			grid->columns[grid->column_count++] = choice->columns[i];
	}
}

/* Characters, whatever they are made of */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

/* The texts of all cells, in one piece of memory, and where each begins */
struct cells {
	char *text;
	size_t *offsets;
};

static bool get_cells(struct grid *grid, struct cells *cells)
{
	char buf[CELL_MAX];
	size_t i, j, size;
	FILE *to = open_memstream(&cells->text, &size);
	long offset = 0;

	cells->offsets = calloc(grid->row_count * grid->column_count + 1,
				sizeof(*cells->offsets));
	if (!to || !cells->offsets) {
		if (to)
			fclose(to);
		return false;
	}
	for (i = 0; i < grid->row_count; i++) {
		for (j = 0; j < grid->column_count; j++) {
			const char *text = cell_text(&grid->rows[i],
						     grid->columns[j], !j, buf);
			size_t len = strlen(text) + 1;

			cells->offsets[i * grid->column_count + j] = offset;
			fwrite(text, 1, len, to);
			offset += len;
		}
	}
	return !fclose(to);
}

static char *cell(const struct grid *grid, const struct cells *cells,
		  size_t row, size_t column)
{
	return cells->text +
	       cells->offsets[row * grid->column_count + column];
}

static void measure(struct grid *grid, const struct cells *cells)
{
	size_t i, j, width;

	for (j = 0; j < grid->column_count; j++) {
		width = lbadm_options.noheadings ? 0 :
			strlen(grid->columns[j]->name);
		if (grid->widths[j] < width)
			grid->widths[j] = width;
		for (i = 0; i < grid->row_count; i++) {
			width = text_width(cell(grid, cells, i, j));
			if (grid->widths[j] < width)
				grid->widths[j] = width;
		}
	}
}

/* The widest column that can be narrower, or NULL. */
static size_t *widest_fold(struct grid *grid)
{
	size_t *widest = NULL, i;

	for (i = 0; i < grid->column_count; i++) {
		const struct column *c = grid->columns[i];
		size_t least = c->cut ? 1 : FOLD_MIN;

		if (least < strlen(c->name))
			least = strlen(c->name);
		if ((c->fold || c->cut) && grid->widths[i] > least &&
		    (!widest || grid->widths[i] > *widest))
			widest = &grid->widths[i];
	}
	return widest;
}

/* Make columns narrower until a row fits in @width. */
static void fit(struct grid *grid, size_t width)
{
	size_t total = grid->column_count ? grid->column_count - 1 : 0, i;
	size_t *widest;

	for (i = 0; i < grid->column_count; i++)
		total += grid->widths[i];
	for (; width && total > width; total--) {
		widest = widest_fold(grid);
		if (!widest)
			return;
		--*widest;
	}
}

/* Text that is too wide continues in the next line. It is ASCII, such as an address.
 * Returns the rest.
 */
static char *set_part(struct libscols_line *line, size_t column, char *text,
		      size_t width, bool fold)
{
	size_t len = strlen(text);
	char *part;

	if (!fold || len <= width) {
		scols_line_set_data(line, column, text);
		return text + len;
	}
	part = strndup(text, width);
	if (part && scols_line_refer_data(line, column, part))
		free(part);
	return text + width;
}

static void add_color(struct libscols_line *line, size_t n,
		      const struct column *column, const struct grid_row *row)
{
	const char *code = column->color && !row->label ?
			   column->color(row->object) : NULL;

	if (code && lbadm_options.color)
		scols_cell_set_color(scols_line_get_cell(line, n), code);
}

/* Add a row as one line or, if cells are folded, more. Returns how many. */
static size_t add_lines(struct grid *grid, struct libscols_table *table,
			const struct cells *cells, size_t row)
{
	char *rest[COLUMNS_MAX];
	struct libscols_line *line;
	size_t i, lines = 0;
	bool more = true;

	for (i = 0; i < grid->column_count; i++)
		rest[i] = cell(grid, cells, row, i);
	while (more) {
		more = false;
		line = scols_table_new_line(table, NULL);
		if (!line)
			break;
		lines++;
		for (i = 0; i < grid->column_count; i++) {
			if (!*rest[i])
				continue;
			rest[i] = set_part(line, i, rest[i], grid->widths[i],
					   grid->columns[i]->fold);
			add_color(line, i, grid->columns[i], &grid->rows[row]);
			more |= *rest[i];
		}
	}
	return lines;
}

static struct libscols_table *new_table(struct grid *grid, size_t width)
{
	struct libscols_table *table = scols_new_table();
	const struct column *c;
	size_t i;

	if (!table)
		return NULL;
	scols_table_enable_noheadings(table, grid->begun ||
				      lbadm_options.noheadings);
	scols_table_enable_colors(table, lbadm_options.color);
	scols_table_enable_nowrap(table, 1);
	if (width) {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
		scols_table_set_termwidth(table, width);
	} else {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	}
	for (i = 0; i < grid->column_count; i++) {
		c = grid->columns[i];
		scols_table_new_column(table, c->name, grid->widths[i],
				       (c->number ? SCOLS_FL_RIGHT : 0) |
				       (c->cut && width ? SCOLS_FL_TRUNC : 0));
	}
	return table;
}

/* Cut the line that begins at @line, without trailing blanks; returns the next one */
static char *cut_line(char *line)
{
	char *end = strchrnul(line, '\n'), *last = end;

	while (last > line && last[-1] == ' ')
		last--;
	if (!*end) {
		*last = '\0';
		return end;
	}
	*last = '\0';
	return end + 1;
}

/* Words, and those that do not fit below them */
static void print_heading(struct grid *grid, const struct grid_group *group)
{
	const char *word = group->heading;
	size_t column = 0, len;
	bool bold = false;

	while (*word) {
		len = strcspn(word + 1, " ") + 1;
		if (!bold && group->bold)
			fputs(color(BOLD), grid->to);
		bold = true;
		if (grid->width && column && column + len > grid->width) {
			fprintf(grid->to, "\n%*s", HEADING_INDENT - 1, "");
			column = HEADING_INDENT - 1;
		}
		fwrite(word, 1, len, grid->to);
		column += len;
		if (word < group->heading + group->bold &&
		    word + len >= group->heading + group->bold)
			fputs(color(PLAIN), grid->to);
		word += len;
	}
	fputc('\n', grid->to);
}

/* @text has the lines of @table; @counts says how many of them each row has. */
static void print_lines(struct grid *grid, char *text, const size_t *counts)
{
	const char *indent = grid->group_count ? "  " : "";
	size_t row, group = 0, i;
	char *next;

	if (grid->row_count && !grid->begun && !lbadm_options.noheadings) {
		next = cut_line(text);
		fprintf(grid->to, "%s%s\n", indent, text);
		text = next;
	}
	for (row = 0; row < grid->row_count; row++) {
		while (*indent && group <= grid->rows[row].group)
			print_heading(grid, &grid->groups[group++]);
		for (i = 0; i < counts[row]; i++) {
			next = cut_line(text);
			fprintf(grid->to, "%s%s\n", indent, text);
			text = next;
		}
	}
	while (*indent && group < grid->group_count)
		print_heading(grid, &grid->groups[group++]);
}

/* The table's lines as text, or NULL; @counts is set to how many each row has. */
static char *render(struct grid *grid, size_t width, size_t *counts)
{
	struct libscols_table *table = NULL;
	struct cells cells = { 0 };
	char *text = NULL;
	size_t i;

	if (get_cells(grid, &cells)) {
		measure(grid, &cells);
		fit(grid, width);
		table = new_table(grid, width);
	}
	for (i = 0; table && i < grid->row_count; i++)
		counts[i] = add_lines(grid, table, &cells, i);
	if (table && scols_print_table_to_string(table, &text))
		text = NULL;
	scols_unref_table(table);
	free(cells.text);
	free(cells.offsets);
	return text;
}

void grid_print(struct grid *grid)
{
	size_t indent = grid->group_count ? INDENT : 0;
	size_t width = grid->width > indent ? grid->width - indent : 0;
	size_t *counts = calloc(grid->row_count + 1, sizeof(*counts));
	char *text = NULL;

	choose(grid);
	if (counts && grid->row_count)
		text = render(grid, width, counts);
	if (!counts || (grid->row_count && !text))
		fail(LBADM_UNAVAILABLE, "out of memory");
	else
		print_lines(grid, text, counts);
	grid->begun |= grid->row_count > 0;
	free(text);
	free(counts);
}
