// SPDX-License-Identifier: GPL-2.0
/*
 * Text from JSON objects, so that the two cannot say different things.
 */
#include "out/out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lbadm.h"
#include "out/parts.h"

void out_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	fflush(stdout);
}

/* As the command line takes it: SECONDS/PREFIXLEN/PREFIXLEN6 */
static void print_persist(const json_t *object)
{
	static const char *const prefixes[] = {
		"persist-prefix4", "persist-prefix6",
	};
	const json_t *length;
	size_t i;

	print_pair(object, "persist");
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		length = json_object_get(object, prefixes[i]);
		if (!length)
			return;
		putchar('/');
		print_value(length);
	}
}

static void print_rates(const json_t *rates, const char *indent)
{
	if (!rates)
		return;
	printf("%sper second:", indent);
	print_pair(rates, "connections");
	print_pair(rates, "packets-in");
	print_pair(rates, "packets-out");
	print_pair(rates, "bytes-in");
	print_pair(rates, "bytes-out");
	putchar('\n');
}

static void print_stats(const json_t *object, const char *indent)
{
	const json_t *stats = json_object_get(object, "stats");

	if (lbadm_options.stats && stats) {
		printf("%stotal:", indent);
		print_pair(stats, "active");
		print_pair(stats, "inactive");
		print_pair(stats, "persistent");
		print_pair(stats, "connections");
		print_pair(stats, "packets-in");
		print_pair(stats, "packets-out");
		print_pair(stats, "bytes-in");
		print_pair(stats, "bytes-out");
		putchar('\n');
	}
	print_rates(json_object_get(object, "rates"), indent);
}

/* Why new connections go elsewhere; what the state says is not said again. */
static void print_condition(const json_t *b)
{
	const char *condition = string_of(b, "condition");

	if (strcmp(condition, "ready") && strcmp(condition, "down") &&
	    strcmp(condition, "") && strcmp(condition, string_of(b, "health")))
		print_pair(b, "condition");
}

/* The verdict of a checker; its reason is text. */
static void print_health(const json_t *b)
{
	print_pair(b, "health");
	print_pair(b, "health-weight");
	if (json_object_get(b, "health-reason"))
		printf(" health-reason \"%s\"", string_of(b, "health-reason"));
}

static void print_backend(const json_t *b)
{
	char number[NUMBER_MAX];
	const char *state = word_of(number, b, "state");
	bool up = !strcmp(state, "up");
	char buf[ENDPOINT_MAX];

	printf("  -> %-26s weight %-5" JSON_INTEGER_FORMAT " state %s%-5s%s",
	       endpoint(buf, sizeof(buf), b, "address", "port"),
	       number_of(b, "weight"), up ? "" : color(RED), state,
	       up ? "" : color(PLAIN));
	print_pair(b, "by-hand");
	print_pair(b, "mode");
	print_encap(b);
	print_pair(b, "max-connections");
	print_pair(b, "deadline");
	print_condition(b);
	print_health(b);
	printf(" active %" JSON_INTEGER_FORMAT "\n",
	       number_of(json_object_get(b, "stats"), "active"));
	print_stats(b, "    ");
}

static void print_service_line(const json_t *s)
{
	char number[NUMBER_MAX];
	char buf[ENDPOINT_MAX];

	printf("%s%s %s%s", color(BOLD), word_of(number, s, "protocol"),
	       endpoint(buf, sizeof(buf), s, "address", "port"),
	       color(PLAIN));
	print_pair(s, "mode");
	print_encap(s);
	print_pair(s, "encap-source");
	print_pair(s, "scheduler");
	print_pair(s, "toa");
	print_pair(s, "toa-kind6");
	print_pair(s, "proxy-protocol");
	print_pair(s, "one-packet");
	print_persist(s);
	print_pair(s, "slow-start");
	if (!strcmp(string_of(s, "protocol"), "tcp")) {
		print_pair(s, "timeout-syn");
		print_pair(s, "timeout-established");
		print_pair(s, "timeout-fin");
	} else {
		print_pair(s, "timeout-udp");
	}
}

void out_services(const json_t *services)
{
	const json_t *s, *b;
	size_t i, j;

	json_array_foreach(services, i, s) {
		print_service_line(s);
		putchar('\n');
		print_stats(s, "  ");
		json_array_foreach(json_object_get(s, "backends"), j, b)
			print_backend(b);
	}
}

void out_backends(const json_t *backends)
{
	const json_t *b, *service;
	char number[NUMBER_MAX];
	char buf[ENDPOINT_MAX];
	size_t i;

	json_array_foreach(backends, i, b) {
		service = json_object_get(b, "service");
		printf("%s %s", word_of(number, service, "protocol"),
		       endpoint(buf, sizeof(buf), service, "address", "port"));
		print_backend(b);
	}
}

static void print_laddr(const json_t *laddr)
{
	printf("%s", string_of(laddr, "address"));
	print_pair(laddr, "ports");
	print_pair(laddr, "exclude");
	if (number_of(laddr, "foreign")) {
		print_pair(laddr, "foreign");
		printf(" (not addresses of this host)");
	}
}

/* Verdicts only, and for how long they have held */
void out_health(const json_t *backends)
{
	char buf[ENDPOINT_MAX], number[NUMBER_MAX];
	const json_t *b, *service;
	size_t i;

	json_array_foreach(backends, i, b) {
		service = json_object_get(b, "service");
		printf("%s %s", word_of(number, service, "protocol"),
		       endpoint(buf, sizeof(buf), service, "address", "port"));
		printf("  -> %-26s", endpoint(buf, sizeof(buf), b, "address",
					      "port"));
		print_health(b);
		print_pair(b, "health-age");
		print_condition(b);
		putchar('\n');
	}
}

void out_laddrs(const json_t *laddrs)
{
	const json_t *laddr;
	size_t i;

	json_array_foreach(laddrs, i, laddr) {
		print_laddr(laddr);
		putchar('\n');
	}
}

/* By which way the fast path takes packets, if not by the ingress hook alone. */
static void print_device(const json_t *device)
{
	const json_t *xdp = json_object_get(device, "xdp");
	json_int_t program = number_of(device, "xdp-program");

	fputs(string_of(device, "device"), stdout);
	if (json_object_get(device, "absent"))
		fputs(" absent", stdout);
	if (json_is_true(xdp))
		fputs(" xdp", stdout);
	else if (xdp)
		printf(" xdp: another program (number %" JSON_INTEGER_FORMAT ")",
		       program);
	else if (program)
		printf(" xdp: program number %" JSON_INTEGER_FORMAT
		       " (only root can see whose)", program);
	if (json_object_get(device, "ingress"))
		fputs(", without the ingress hook", stdout);
	putchar('\n');
}

void out_devices(const json_t *devices)
{
	const json_t *device;
	size_t i;

	json_array_foreach(devices, i, device)
		print_device(device);
}

static void print_connection(const json_t *c)
{
	char number[NUMBER_MAX];
	char client[ENDPOINT_MAX], vip[ADDR_TEXT_MAX + 16];
	char backend[ENDPOINT_MAX], local[ADDR_TEXT_MAX + 16];

	printf("%s %s -> %s -> %s", word_of(number, c, "protocol"),
	       endpoint(client, sizeof(client), c, "client-address",
			"client-port"),
	       endpoint(vip, sizeof(vip), c, "address", "port"),
	       endpoint(backend, sizeof(backend), c, "backend-address",
			"backend-port"));
	if (json_object_get(c, "local-address"))
		printf(" local %s", endpoint(local, sizeof(local), c,
					     "local-address", "local-port"));
	print_pair(c, "mode");
	print_pair(c, "encap");
	print_pair(c, "state");
	print_pair(c, "expires");
	print_pair(c, "age");
}

void out_connection(const json_t *connection, bool first)
{
	if (!lbadm_options.json) {
		print_connection(connection);
		putchar('\n');
		return;
	}
	fputs(first ? "[" : ",\n", stdout);
	json_dumpf(connection, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
}

void out_connections_end(bool none)
{
	if (lbadm_options.json)
		puts(none ? "[]" : "]");
}

void out_stats(const json_t *stats)
{
	static const char *const totals[] = {
		"active", "inactive", "max-connections", "connections", "packets-in",
		"packets-out", "bytes-in", "bytes-out",
	};
	const json_t *counters = json_object_get(stats, "counters");
	const json_t *drops = json_object_get(stats, "drops"), *value;
	const char *reason;
	size_t i;

	for (i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
		printf("%-22s %" JSON_INTEGER_FORMAT "\n", totals[i],
		       number_of(stats, totals[i]));
	print_rates(json_object_get(stats, "rates"), "");
	json_object_foreach((json_t *)drops, reason, value)
		if (json_integer_value(value) || lbadm_options.stats)
			printf("drop %-17s %" JSON_INTEGER_FORMAT "\n", reason,
			       json_integer_value(value));
	json_object_foreach((json_t *)counters, reason, value)
		if (json_integer_value(value) || lbadm_options.stats)
			printf("%-22s %" JSON_INTEGER_FORMAT "\n", reason,
			       json_integer_value(value));
}

void out_event(const json_t *event)
{
	const char *name = string_of(event, "event");
	const json_t *service = json_object_get(event, "service");
	char number[NUMBER_MAX];
	char buf[ENDPOINT_MAX];

	printf("%s ", name);
	if (!strncmp(name, "connection-", 11)) {
		print_connection(event);
	} else if (!strncmp(name, "device-", 7)) {
		printf("%s%s", string_of(event, "device"),
		       json_object_get(event, "absent") ? " absent" : "");
	} else if (!strncmp(name, "laddr-", 6)) {
		print_laddr(event);
	} else if (service) {
		printf("%s %s", word_of(number, service, "protocol"),
		       endpoint(buf, sizeof(buf), service, "address", "port"));
		printf(" %s", endpoint(buf, sizeof(buf), event, "address",
				       "port"));
		print_pair(event, "weight");
		print_pair(event, "state");
		print_pair(event, "by-hand");
		print_pair(event, "mode");
		print_encap(event);
		print_pair(event, "max-connections");
		print_health(event);
	} else {
		print_service_line(event);
	}
	putchar('\n');
	fflush(stdout);
}
