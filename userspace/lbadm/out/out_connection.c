// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of connections, and events.
 */
#include <stdio.h>
#include <string.h>

#include "lbadm.h"
#include "out/grid.h"
#include "out/out.h"
#include "out/out_service.h"
#include "out/parts.h"

#define ENDPOINT(name, address, port) \
	static const char *text_ ## name(char buf[CELL_MAX], const json_t *c) \
	{ \
		return json_object_get(c, address) ? \
		       endpoint(buf, CELL_MAX, c, address, port) : NULL; \
	}

ENDPOINT(client, "client-address", "client-port")
ENDPOINT(vip, "address", "port")
ENDPOINT(backend, "backend-address", "backend-port")
ENDPOINT(local, "local-address", "local-port")

static const char *text_protocol(char buf[CELL_MAX], const json_t *c)
{
	return word_of(buf, c, "protocol");
}

static const char *text_conn_state(char buf[CELL_MAX], const json_t *c)
{
	return word_of(buf, c, "state");
}

static const struct column columns[] = {
	{ "PROTO", .text = text_protocol },
	{ "CLIENT", .text = text_client, .fold = true },
	{ "VIP", .text = text_vip, .fold = true },
	{ "LOCAL", .text = text_local, .shown = SHOWN_USED, .fold = true },
	{ "BACKEND", .text = text_backend, .fold = true },
	{ "MODE", .key = "mode", .shown = SHOWN_DETAILS },
	{ "ENCAP", .key = "encap", .shown = SHOWN_DETAILS },
	{ "STATE", .text = text_conn_state },
	{ "EXPIRES", .key = "expires", .number = true },
	{ "AGE", .key = "age", .shown = SHOWN_DETAILS, .number = true },
	{ 0 },
};

int out_connections_begin(struct out_connections *list)
{
	list->none = true;
	list->grid = NULL;
	return lbadm_options.json ? LBADM_OK :
				    grid_begin(columns, &list->grid);
}

void out_connection(struct out_connections *list, const json_t *connection)
{
	if (list->grid) {
		grid_row(list->grid, connection);
		return;
	}
	fputs(list->none ? "[" : ",\n", stdout);
	json_dumpf(connection, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	list->none = false;
}

void out_connections_end(struct out_connections *list, bool whole)
{
	if (list->grid)
		grid_end(list->grid);
	else if (whole)
		puts(list->none ? "[]" : "]");
}

static void print_connection(const json_t *c)
{
	char buf[CELL_MAX];

	printf("%s", text_protocol(buf, c));
	printf(" %s", text_client(buf, c));
	printf(" -> %s", text_vip(buf, c));
	printf(" -> %s", text_backend(buf, c));
	if (text_local(buf, c))
		printf(" local %s", buf);
	print_pair(c, "mode");
	print_pair(c, "encap");
	print_pair(c, "state");
	print_pair(c, "expires");
	print_pair(c, "age");
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

static void print_backend(const json_t *b)
{
	char buf[SERVICE_MAX];

	printf("%s", service_text(buf, json_object_get(b, "service")));
	printf(" %s", endpoint(buf, sizeof(buf), b, "address", "port"));
	print_pair(b, "weight");
	print_pair(b, "state");
	print_pair(b, "by-hand");
	print_pair(b, "mode");
	print_encap(b);
	print_pair(b, "max-connections");
	print_pair(b, "health");
	print_pair(b, "health-weight");
	if (json_object_get(b, "health-reason"))
		printf(" health-reason \"%s\"", string_of(b, "health-reason"));
	write_text(stdout, b, "name");
	write_text(stdout, b, "comment");
}

/* Nothing but the identity of the backend, and what happened */
static void print_trouble(const json_t *event)
{
	char buf[SERVICE_MAX];

	printf("%s", service_text(buf, json_object_get(event, "service")));
	printf(" %s", endpoint(buf, sizeof(buf), event, "address", "port"));
	print_pair(event, "trouble");
}

static void print_event(const json_t *event, const char *name)
{
	char buf[SERVICE_MAX];

	putchar(' ');
	if (!strncmp(name, "connection-", 11)) {
		print_connection(event);
	} else if (!strncmp(name, "device-", 7)) {
		printf("%s%s", string_of(event, "device"),
		       json_object_get(event, "absent") ? " absent" : "");
	} else if (!strncmp(name, "laddr-", 6)) {
		print_laddr(event);
	} else if (!strcmp(name, "backend-trouble")) {
		print_trouble(event);
	} else if (json_object_get(event, "service")) {
		print_backend(event);
	} else {
		fputs(service_text(buf, event), stdout);
		write_service(stdout, event);
	}
}

void out_event(const json_t *event)
{
	const char *name = string_of(event, "event");

	if (json_object_get(event, "time"))
		printf("[%s] ", string_of(event, "time"));
	fputs(name, stdout);
	if (!strcmp(name, "lost"))
		printf(": events came faster than they were read; some are missing");
	else if (strcmp(name, "list-end"))
		print_event(event, name);
	putchar('\n');
	fflush(stdout);
}
