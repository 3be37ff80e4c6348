// SPDX-License-Identifier: GPL-2.0
/*
 * JSON as it is, and tables of local addresses, devices and totals.
 */
#include "out/out.h"

#include <stdio.h>
#include <string.h>

#include "lbadm.h"
#include "out/grid.h"
#include "out/parts.h"

void out_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	fflush(stdout);
}

/* A table with a row for each object */
static int out_rows(const struct column *columns, const json_t *objects)
{
	const json_t *object;
	struct grid *grid;
	size_t i;
	int status;

	status = grid_begin(columns, &grid);
	if (status)
		return status;
	json_array_foreach(objects, i, object)
		grid_row(grid, object);
	grid_end(grid);
	return LBADM_OK;
}

static const char *text_laddr_note(char buf[CELL_MAX], const json_t *laddr)
{
	json_int_t foreign = number_of(laddr, "foreign");

	if (!foreign)
		return NULL;
	snprintf(buf, CELL_MAX, "%" JSON_INTEGER_FORMAT " not of this host",
		 foreign);
	return buf;
}

static const char *text_busiest(char buf[CELL_MAX], const json_t *laddr)
{
	const json_t *busiest = json_object_get(json_object_get(laddr, "stats"),
						"busiest");

	return busiest ? service_text(buf, busiest) : NULL;
}

int out_laddrs(const json_t *laddrs)
{
	static const struct column columns[] = {
		{ "ADDRESS", .key = "address", .fold = true },
		{ "PORTS", .key = "ports" },
		{ "EXCLUDE", .key = "exclude", .shown = SHOWN_USED,
		  .fold = true },
		{ "USED", "ports-used", .within = "stats", .shown = SHOWN_COUNTED,
		  .unit = UNIT_COUNT, .number = true },
		{ "TOTAL", "ports-total", .within = "stats",
		  .shown = SHOWN_COUNTED, .unit = UNIT_COUNT, .number = true },
		{ "BUSIEST", "ports-busiest", .within = "stats",
		  .shown = SHOWN_COUNTED, .unit = UNIT_COUNT, .number = true },
		{ "DESTINATION", "busiest", .within = "stats",
		  .text = text_busiest, .shown = SHOWN_COUNTED, .fold = true },
		{ "FOREIGN", .key = "foreign", .shown = SHOWN_DETAILS,
		  .number = true },
		{ "NOTE", .key = "foreign", .text = text_laddr_note,
		  .shown = SHOWN_USED },
		{ 0 },
	};

	return out_rows(columns, laddrs);
}

static const char *text_ingress(char buf[CELL_MAX], const json_t *device)
{
	(void)buf;
	if (json_object_get(device, "absent"))
		return "absent";
	return json_object_get(device, "ingress") ? "off" : "on";
}

static const char *color_ingress(const json_t *device)
{
	return json_object_get(device, "absent") ? YELLOW : NULL;
}

static const char *text_xdp(char buf[CELL_MAX], const json_t *device)
{
	const json_t *xdp = json_object_get(device, "xdp");

	(void)buf;
	if (xdp)
		return json_is_true(xdp) ? "on" : "other";
	if (json_object_get(device, "xdp-program"))
		return "unknown";
	return json_object_get(device, "xdp-wanted") ? "wanted" : "off";
}

static const char *text_program(char buf[CELL_MAX], const json_t *device)
{
	json_int_t program = number_of(device, "xdp-program");

	if (!program || json_is_true(json_object_get(device, "xdp")))
		return NULL;
	snprintf(buf, CELL_MAX, "%" JSON_INTEGER_FORMAT, program);
	return buf;
}

static const char *text_device_note(char buf[CELL_MAX], const json_t *device)
{
	const json_t *xdp = json_object_get(device, "xdp");

	(void)buf;
	if (json_object_get(device, "absent"))
		return json_object_get(device, "xdp-wanted") ?
		       "attached when it appears, XDP by the next \"config apply\"" :
		       "attached when it appears";
	if (xdp && !json_is_true(xdp))
		return "another XDP program";
	if (!xdp && json_object_get(device, "xdp-program"))
		return "only root can see whose program";
	if (json_object_get(device, "xdp-wanted"))
		return "XDP waits for the next \"config apply\"";
	return NULL;
}

int out_devices(const json_t *devices)
{
	static const struct column columns[] = {
		{ "DEVICE", .key = "device" },
		{ "INGRESS", .text = text_ingress, .color = color_ingress },
		{ "XDP", .text = text_xdp },
		{ "PROGRAM", .key = "xdp-program", .text = text_program,
		  .shown = SHOWN_USED, .number = true },
		{ "NOTE", .text = text_device_note, .shown = SHOWN_USED },
		{ 0 },
	};

	return out_rows(columns, devices);
}

static const char *text_amount(char buf[CELL_MAX], const json_t *row,
			       const char *key)
{
	const json_t *value = json_object_get(row, key);

	if (!value)
		return NULL;
	return units_format(buf, json_integer_value(value),
			    strncmp(string_of(row, "name"), "bytes-", 6) ?
			    UNIT_COUNT : UNIT_BYTES);
}

static const char *text_stat(char buf[CELL_MAX], const json_t *row)
{
	return text_amount(buf, row, "value");
}

static const char *text_stat_rate(char buf[CELL_MAX], const json_t *row)
{
	return text_amount(buf, row, "rate");
}

static void add_stat(struct grid *grid, const char *prefix, const char *name,
		     const json_t *value, const json_t *rates)
{
	const json_t *rate = json_object_get(rates, name);
	json_t *row = json_object();

	json_object_set_new(row, "name", json_sprintf("%s%s", prefix, name));
	json_object_set(row, "value", (json_t *)value);
	if (rate)
		json_object_set(row, "rate", (json_t *)rate);
	grid_row(grid, row);
	json_decref(row);
}

/* Those that are not zero; with -s all */
static void add_counters(struct grid *grid, const json_t *stats,
			 const char *prefix, const char *key,
			 const char *rates_key)
{
	const json_t *rates = json_object_get(stats, rates_key), *value;
	const char *name;

	json_object_foreach(json_object_get(stats, key), name, value)
		if (json_integer_value(value) || lbadm_options.stats)
			add_stat(grid, prefix, name, value, rates);
}

int out_stats(const json_t *stats)
{
	static const char *const totals[] = {
		"active", "inactive", "max-connections", "connections",
		"packets-in", "packets-out", "bytes-in", "bytes-out",
	};
	static const struct column columns[] = {
		{ "NAME", .key = "name" },
		{ "TOTAL", .key = "value", .text = text_stat, .number = true },
		{ "PER-SECOND", .key = "rate", .text = text_stat_rate,
		  .shown = SHOWN_RATES, .number = true },
		{ 0 },
	};
	const json_t *value;
	struct grid *grid;
	int status;
	size_t i;

	status = grid_begin(columns, &grid);
	if (status)
		return status;
	for (i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		value = json_object_get(stats, totals[i]);
		if (value)
			add_stat(grid, "", totals[i], value,
				 json_object_get(stats, "rates"));
	}
	add_counters(grid, stats, "drop ", "drops", "drop-rates");
	add_counters(grid, stats, "", "counters", "counter-rates");
	grid_end(grid);
	return LBADM_OK;
}
