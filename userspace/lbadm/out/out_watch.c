// SPDX-License-Identifier: GPL-2.0
/*
 * The output of `watch`: totals, drops, and the busiest services.
 */
#include "out/out_watch.h"

#include <stdlib.h>
#include <string.h>

#include "lbadm.h"
#include "model/names.h"
#include "out/grid.h"
#include "out/out_service.h"
#include "out/parts.h"

static json_int_t busy(const json_t *object, enum watch_sort by)
{
	const json_t *rates = json_object_get(object, "rates");

	switch (by) {
	case WATCH_CONNECTIONS:
		return number_of(rates, "connections");
	case WATCH_PACKETS:
		return number_of(rates, "packets-in") +
		       number_of(rates, "packets-out");
	case WATCH_BYTES:
		return number_of(rates, "bytes-in") +
		       number_of(rates, "bytes-out");
	default:
		return number_of(json_object_get(object, "stats"), "active");
	}
}

struct ranked {
	json_t *object;
	json_int_t busy;
	size_t number;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->busy != y->busy)
		return x->busy < y->busy ? 1 : -1;
	return x->number < y->number ? -1 : 1;
}

static void sort_array(json_t *array, enum watch_sort by)
{
	size_t count = json_array_size(array), i;
	struct ranked *ranked = calloc(count + 1, sizeof(*ranked));
	json_t *object;

	if (!ranked)
		return;
	json_array_foreach(array, i, object)
		ranked[i] = (struct ranked){ json_incref(object),
					     busy(object, by), i };
	qsort(ranked, count, sizeof(*ranked), compare);
	json_array_clear(array);
	for (i = 0; i < count; i++)
		json_array_append_new(array, ranked[i].object);
	free(ranked);
}

void watch_sort(json_t *services, enum watch_sort by)
{
	json_t *s;
	size_t i;

	sort_array(services, by);
	json_array_foreach(services, i, s)
		sort_array(json_object_get(s, "backends"), by);
}

/* A line of words; those that do not fit begin the next one. */
struct line {
	FILE *to;
	size_t width, used;
};

static void add_word(struct line *line, const char *word)
{
	size_t len = strlen(word);

	if (line->width && line->used && line->used + len > line->width) {
		fputs("\n  ", line->to);
		line->used = 2;
	}
	fputs(word, line->to);
	line->used += len;
}

static void end_line(struct line *line)
{
	fputc('\n', line->to);
	line->used = 0;
}

static void add_rate(struct line *line, const json_t *rates, const char *key,
		     const char *what, enum unit unit)
{
	char number[UNITS_MAX], word[UNITS_MAX + 32];

	if (!json_object_get(rates, key))
		return;
	snprintf(word, sizeof(word), "  %s%s",
		 units_format(number, number_of(rates, key), unit), what);
	add_word(line, word);
}

static void print_totals(struct line *line, const json_t *stats)
{
	const json_t *rates = json_object_get(stats, "rates");
	char number[UNITS_MAX], word[UNITS_MAX + 32];

	snprintf(word, sizeof(word), "active %s",
		 units_format(number, number_of(stats, "active"), UNIT_COUNT));
	add_word(line, word);
	add_rate(line, rates, "connections", " connections/s", UNIT_COUNT);
	add_rate(line, rates, "packets-in", " packets/s in", UNIT_COUNT);
	add_rate(line, rates, "packets-out", " out", UNIT_COUNT);
	add_rate(line, rates, "bytes-in", "/s in", UNIT_BYTES);
	add_rate(line, rates, "bytes-out", "/s out", UNIT_BYTES);
	end_line(line);
}

/* Reasons that there were: "no-backend 5/s (123)", the busiest first */
static void print_drops(struct line *line, const json_t *stats)
{
	const json_t *rates = json_object_get(stats, "drop-rates");
	const json_t *drops = json_object_get(stats, "drops"), *value;
	size_t count = 0, i, room = json_object_size(drops);
	struct ranked *ranked = calloc(room + 1, sizeof(*ranked));
	char total[UNITS_MAX], rate[UNITS_MAX], word[160];
	const char *reason;

	json_object_foreach((json_t *)drops, reason, value) {
		if (!ranked || !json_integer_value(value))
			continue;
		units_format(total, json_integer_value(value), UNIT_COUNT);
		units_format(rate, number_of(rates, reason), UNIT_COUNT);
		snprintf(word, sizeof(word), "  %s %s/s (%s)", reason, rate,
			 total);
		ranked[count] = (struct ranked){ json_string(word),
						 number_of(rates, reason),
						 count };
		count++;
	}
	if (count) {
		qsort(ranked, count, sizeof(*ranked), compare);
		fputs(color(RED), line->to);
		add_word(line, "drops");
		fputs(color(PLAIN), line->to);
		for (i = 0; i < count; i++) {
			add_word(line, json_string_value(ranked[i].object));
			json_decref(ranked[i].object);
		}
		end_line(line);
	}
	free(ranked);
}

static const char *text_name(char buf[CELL_MAX], const json_t *object)
{
	if (json_object_get(object, "backends"))
		return service_text(buf, object);
	buf[0] = buf[1] = ' ';
	endpoint(buf + 2, CELL_MAX - 2, object, "address", "port");
	return buf;
}

#define RATE(name, of, kind) \
	{ name, of, .within = "rates", .unit = kind, .number = true }

static const struct column columns[] = {
	{ "NAME", .text = text_name, .cut = true },
	{ "STATE", .key = "state", .color = color_state },
	{ "ACTIVE", "active", .within = "stats", .unit = UNIT_COUNT,
	  .number = true },
	RATE("CONN/s", "connections", UNIT_COUNT),
	RATE("PKTIN/s", "packets-in", UNIT_COUNT),
	RATE("PKTOUT/s", "packets-out", UNIT_COUNT),
	RATE("IN/s", "bytes-in", UNIT_BYTES),
	RATE("OUT/s", "bytes-out", UNIT_BYTES),
	{ 0 },
};

static void add_rows(struct grid *grid, const json_t *services, size_t rows)
{
	const json_t *s, *b;
	size_t i, j, added = 0;

	json_array_foreach(services, i, s) {
		if (rows && added++ >= rows)
			return;
		grid_row(grid, s);
		json_array_foreach(json_object_get(s, "backends"), j, b) {
			if (rows && added++ >= rows)
				return;
			grid_row(grid, b);
		}
	}
}

int out_watch(FILE *to, const json_t *sample, enum watch_sort by, size_t width,
	      size_t rows)
{
	const json_t *stats = json_object_get(sample, "stats");
	struct line line = { .to = to, .width = width };
	struct grid *grid;
	char word[96];
	int status;

	status = grid_begin(columns, &grid);
	if (status)
		return status;
	snprintf(word, sizeof(word), "%.19s  by %s",
		 string_of(sample, "time"), names_get(&watch_sort_names, by));
	add_word(&line, word);
	end_line(&line);
	print_totals(&line, stats);
	print_drops(&line, stats);
	grid_to(grid, to, width);
	add_rows(grid, json_object_get(sample, "services"), rows);
	grid_end(grid);
	return LBADM_OK;
}
