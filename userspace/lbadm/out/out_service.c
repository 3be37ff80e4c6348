// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of services with their backends, of backends, of verdicts on them.
 */
#include <linux/nflb.h>
#include <stdlib.h>
#include <string.h>

#include "lbadm.h"
#include "out/grid.h"
#include "out/out.h"
#include "out/out_health.h"
#include "out/out_service.h"
#include "out/parts.h"

static const char *text_backend(char buf[CELL_MAX], const json_t *b)
{
	return endpoint(buf, CELL_MAX, b, "address", "port");
}

static const char *text_service(char buf[CELL_MAX], const json_t *b)
{
	const json_t *service = json_object_get(b, "service");

	return service ? service_text(buf, service) : service_text(buf, b);
}

/* A number is a state from a newer module. */
static const char *text_state(char buf[CELL_MAX], const json_t *b)
{
	return json_object_get(b, "state") ? word_of(buf, b, "state") : NULL;
}

static const char *text_encap(char buf[CELL_MAX], const json_t *b)
{
	const json_t *port = json_object_get(b, "encap-port");
	char number[NUMBER_MAX];

	if (!json_object_get(b, "encap"))
		return NULL;
	snprintf(buf, CELL_MAX, "%s%s%s", word_of(number, b, "encap"),
		 port ? ":" : "", port ? word_of(number, b, "encap-port") : "");
	return buf;
}

/* Why new connections go elsewhere; nothing that another column says, too */
static const char *text_condition(char buf[CELL_MAX], const json_t *b)
{
	const char *condition = string_of(b, "condition");

	(void)buf;
	if (!json_object_get(b, "condition") || !strcmp(condition, "ready") ||
	    !strcmp(condition, "down") ||
	    !strcmp(condition, string_of(b, "health")))
		return NULL;
	return condition;
}

static const char *color_health(const json_t *b)
{
	const char *health = string_of(b, "health");

	if (!strcmp(health, "healthy"))
		return GREEN;
	if (!strcmp(health, "unhealthy") || !strcmp(health, "ejected"))
		return RED;
	return strcmp(health, "checking") ? NULL : YELLOW;
}

/* An unhealthy backend is in the colour of one that is down. */
const char *color_state(const json_t *b)
{
	const char *state = string_of(b, "state"), *health = color_health(b);

	if (!strcmp(state, "down") || (health && !strcmp(health, RED)))
		return RED;
	if (!strcmp(state, "drain"))
		return YELLOW;
	return strcmp(state, "up") ? NULL : GREEN;
}

#define SERVICE \
	{ "SERVICE", .text = text_service, .shown = SHOWN_ASKED, \
	  .fold = true, .group = true }
#define BACKEND { "BACKEND", .text = text_backend, .fold = true }
#define STATE \
	{ "STATE", .key = "state", .text = text_state, .color = color_state }
#define HEALTH(when) \
	{ "HEALTH", .key = "health", .color = color_health, .shown = when }
#define CONDITION \
	{ "CONDITION", .text = text_condition, .shown = SHOWN_USED }
#define REASON \
	{ "REASON", .key = "health-reason", .shown = SHOWN_USED, .cut = true }
#define NUMBER(name, key, when) { name, key, .shown = when, .number = true }
#define COUNTER(name, object, key, kind, when) \
	{ name, key, .within = object, .unit = kind, .shown = when, \
	  .number = true }
#define COUNTERS(object, suffix, when) \
	COUNTER("CONN" suffix, object, "connections", UNIT_COUNT, when), \
	COUNTER("PKTIN" suffix, object, "packets-in", UNIT_COUNT, when), \
	COUNTER("PKTOUT" suffix, object, "packets-out", UNIT_COUNT, when), \
	COUNTER("IN" suffix, object, "bytes-in", UNIT_BYTES, when), \
	COUNTER("OUT" suffix, object, "bytes-out", UNIT_BYTES, when)

static const struct column backend_columns[] = {
	SERVICE, BACKEND, STATE, HEALTH(SHOWN_USED),
	NUMBER("WEIGHT", "weight", SHOWN_ALWAYS),
	COUNTER("ACTIVE", "stats", "active", UNIT_COUNT, SHOWN_ALWAYS),
	COUNTER("INACT", "stats", "inactive", UNIT_COUNT, SHOWN_ALWAYS),
	COUNTERS("stats", "", SHOWN_TOTALS),
	COUNTERS("rates", "/s", SHOWN_RATES),
	COUNTER("DROPS", "stats", "drops", UNIT_COUNT, SHOWN_COUNTED),
	NUMBER("MAX", "max-connections", SHOWN_USED),
	{ "MODE", .key = "mode", .shown = SHOWN_USED },
	{ "ENCAP", .text = text_encap, .shown = SHOWN_USED },
	{ "BY-HAND", .key = "by-hand", .shown = SHOWN_USED },
	NUMBER("DEADLINE", "deadline", SHOWN_USED),
	CONDITION,
	NUMBER("HWEIGHT", "health-weight", SHOWN_USED),
	NUMBER("AGE", "health-age", SHOWN_DETAILS),
	REASON,
	{ "NAME", .key = "name", .shown = SHOWN_USED, .cut = true },
	{ "COMMENT", .key = "comment", .shown = SHOWN_USED, .cut = true },
	{ "CONFIGURED", .key = "configured", .shown = SHOWN_DETAILS },
	NUMBER("ID", "id", SHOWN_DETAILS),
	{ 0 },
};

static const struct column health_columns[] = {
	SERVICE, BACKEND, HEALTH(SHOWN_ALWAYS),
	NUMBER("AGE", "health-age", SHOWN_ALWAYS),
	NUMBER("HWEIGHT", "health-weight", SHOWN_USED),
	CONDITION, REASON,
	{ "CHECK", .text = text_check, .shown = SHOWN_USED, .cut = true },
	{ "VIA", .key = "via", .within = "check", .shown = SHOWN_USED },
	{ "NEXT", .text = text_next, .shown = SHOWN_USED, .number = true },
	{ 0 },
};

static void write_persist(FILE *to, const json_t *s)
{
	const json_t *prefix4 = json_object_get(s, "persist-prefix4");
	const json_t *prefix6 = json_object_get(s, "persist-prefix6");

	write_pair(to, s, "persist");
	if (!prefix4)
		return;
	fputc('/', to);
	write_value(to, prefix4);
	if (!prefix6)
		return;
	fputc('/', to);
	write_value(to, prefix6);
}

/* One that has its default is a detail. */
static void write_timeout(FILE *to, const json_t *s, const char *key,
			  json_int_t preset)
{
	if (number_of(s, key) != preset || lbadm_options.details)
		write_pair(to, s, key);
}

void write_service(FILE *to, const json_t *s)
{
	static const char *const keys[] = {
		"encap-source", "scheduler", "toa", "toa-kind6",
		"proxy-protocol", "one-packet",
	};
	size_t i;

	write_text(to, s, "name");
	write_pair(to, s, "mode");
	write_encap(to, s);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		write_pair(to, s, keys[i]);
	write_persist(to, s);
	if (lbadm_options.stats && number_of(json_object_get(s, "stats"),
					     "persistent"))
		write_pair(to, json_object_get(s, "stats"), "persistent");
	write_pair(to, s, "slow-start");
	if (!strcmp(string_of(s, "protocol"), "tcp")) {
		write_timeout(to, s, "timeout-syn", NFLB_TIMEOUT_SYN_DEFAULT);
		write_timeout(to, s, "timeout-established",
			      NFLB_TIMEOUT_ESTABLISHED_DEFAULT);
		write_timeout(to, s, "timeout-fin", NFLB_TIMEOUT_FIN_DEFAULT);
	} else {
		write_timeout(to, s, "timeout-udp", NFLB_TIMEOUT_UDP_DEFAULT);
	}
	write_text(to, s, "comment");
}

/* Begin a group with the line of its service: with settings, if @s has them. */
static void group(struct grid *grid, const json_t *s)
{
	char name[SERVICE_MAX], *heading = NULL;
	size_t size;
	FILE *to = open_memstream(&heading, &size);

	service_text(name, s);
	if (to) {
		fputs(name, to);
		write_service(to, s);
		fclose(to);
	}
	grid_group(grid, s, heading, strlen(name));
}

/* A backend within its service does not name it, but a row without a heading has to. */
static void add_backend(struct grid *grid, const json_t *s, const json_t *b)
{
	json_t *row;

	if (!grid_is_flat(grid)) {
		grid_row(grid, b);
		return;
	}
	row = json_copy((json_t *)b);
	json_object_set(row, "service", (json_t *)s);
	grid_row(grid, row);
	json_decref(row);
}

int out_services(const json_t *services)
{
	const json_t *s, *b;
	struct grid *grid;
	size_t i, j;
	int status;

	status = grid_begin(backend_columns, &grid);
	if (status)
		return status;
	json_array_foreach(services, i, s) {
		group(grid, s);
		json_array_foreach(json_object_get(s, "backends"), j, b)
			add_backend(grid, s, b);
		if (lbadm_options.stats && !grid_is_flat(grid))
			grid_total(grid, s, "total");
	}
	grid_end(grid);
	return LBADM_OK;
}

/* Backends as a dump has them: those of a service one after the other */
static int out_list(const struct column *columns, const json_t *backends)
{
	const json_t *b, *service, *last = NULL;
	struct grid *grid;
	size_t i;
	int status;

	status = grid_begin(columns, &grid);
	if (status)
		return status;
	json_array_foreach(backends, i, b) {
		service = json_object_get(b, "service");
		if (!last || !json_equal(service, last))
			group(grid, service);
		last = service;
		grid_row(grid, b);
	}
	grid_end(grid);
	return LBADM_OK;
}

int out_backends(const json_t *backends)
{
	return out_list(backend_columns, backends);
}

int out_health(const json_t *backends)
{
	return out_list(health_columns, backends);
}
