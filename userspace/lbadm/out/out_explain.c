// SPDX-License-Identifier: GPL-2.0
/*
 * The fate of a packet, as text: a line for each step.
 */
#include <stdio.h>
#include <string.h>

#include "lbadm.h"
#include "out/out.h"
#include "out/parts.h"

#define STEP "%-12s"

static void print_packet(const char *step, const json_t *packet)
{
	char source[ENDPOINT_MAX], destination[ENDPOINT_MAX];
	char number[NUMBER_MAX];

	printf(STEP "%s %s > %s", step, word_of(number, packet, "protocol"),
	       endpoint(source, sizeof(source), packet, "source-address",
			"source-port"),
	       endpoint(destination, sizeof(destination), packet,
			"destination-address", "destination-port"));
}

/* Is each packet of the service scheduled separately? */
static bool one_packet(const json_t *answer)
{
	return json_is_true(json_object_get(json_object_get(answer, "service"),
					    "one-packet"));
}

static const char *no_connection(const json_t *answer)
{
	if (!json_object_get(answer, "mode"))
		return "none";
	return one_packet(answer) ?
	       "none, each packet is scheduled separately (one-packet)" :
	       "none yet, this packet would begin it";
}

static void print_connection(const json_t *answer)
{
	const json_t *c = json_object_get(answer, "connection");
	char client[ENDPOINT_MAX], backend[ENDPOINT_MAX];

	printf(STEP, "connection");
	if (!c) {
		puts(no_connection(answer));
		return;
	}
	printf("from %s to %s", endpoint(client, sizeof(client), c,
					 "client-address", "client-port"),
	       endpoint(backend, sizeof(backend), c, "backend-address",
			"backend-port"));
	print_pair(c, "state");
	print_pair(c, "expires");
	puts(json_object_get(answer, "reply") ? ", a reply" : ", a request");
}

static void print_service(const json_t *service)
{
	char number[NUMBER_MAX], text[ENDPOINT_MAX];

	if (!service) {
		printf(STEP "none on this address and port\n", "service");
		return;
	}
	printf(STEP "%s %s", "service", word_of(number, service, "protocol"),
	       endpoint(text, sizeof(text), service, "address", "port"));
	print_pair(service, "mode");
	print_encap(service);
	print_pair(service, "scheduler");
	print_pair(service, "persist");
	print_pair(service, "one-packet");
	putchar('\n');
}

static bool same_backend(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "address"),
			  json_object_get(b, "address")) &&
	       number_of(a, "port") == number_of(b, "port");
}

/* The backends that were tried; then the others, and why they were not. */
static void print_backends(const json_t *answer)
{
	const json_t *picks = json_object_get(answer, "picks"), *b, *pick;
	const char *step = "backend", *scheduler, *note = "";
	char text[ENDPOINT_MAX];
	size_t i, j;

	if (json_object_get(answer, "by-lot"))
		note = ", by lot: the next draw may differ";
	else if (one_packet(answer))
		note = " for this packet alone";
	scheduler = string_of(json_object_get(answer, "service"), "scheduler");
	json_array_foreach(picks, i, pick) {
		printf(STEP "%s", step, endpoint(text, sizeof(text), pick,
						 "address", "port"));
		if (json_object_get(pick, "remembered"))
			printf(" the client went there before");
		else
			printf(" picked by %s%s", scheduler, note);
		if (json_object_get(pick, "reason"))
			printf(", cannot have it: %s", string_of(pick, "reason"));
		putchar('\n');
		step = "";
	}
	json_array_foreach(json_object_get(answer, "backends"), i, b) {
		json_array_foreach(picks, j, pick)
			if (same_backend(pick, b))
				break;
		if (j < json_array_size(picks))
			continue;
		printf(STEP "%s not picked: %s,", step,
		       endpoint(text, sizeof(text), b, "address", "port"),
		       string_of(b, "condition"));
		print_pair(b, "weight");
		print_pair(json_object_get(b, "stats"), "active");
		putchar('\n');
		step = "";
	}
	if (*step)
		printf(STEP "the service has none\n", step);
}

static void print_mode(const json_t *answer)
{
	printf(STEP "%s", "mode", string_of(answer, "mode"));
	print_pair(answer, "encap");
	print_pair(answer, "toa");
	print_pair(answer, "proxy-protocol");
	putchar('\n');
}

static void print_door(const json_t *answer)
{
	const char *door = string_of(answer, "door");
	const char *device = string_of(answer, "device");

	printf(STEP, "taken");
	if (!strcmp(door, "xdp"))
		printf("by xdp on %s", device);
	else if (!strcmp(door, "ingress"))
		printf("by the ingress hook on %s", device);
	else
		printf("by the netfilter hook %s",
		       !strcmp(door, "output") ? "OUTPUT" : "PREROUTING");
	if (json_object_get(answer, "xdp-program"))
		printf(", or by the XDP program of %s (number %" JSON_INTEGER_FORMAT ") if that calls nflb_xdp()",
		       device, number_of(answer, "xdp-program"));
	putchar('\n');
}

static void print_verdict(const json_t *answer)
{
	const char *verdict = string_of(answer, "verdict");
	bool drop = !strcmp(verdict, "drop");

	printf(STEP "%s%s%s", "verdict", drop ? color(RED) : color(BOLD),
	       verdict, color(PLAIN));
	if (!strcmp(verdict, "pass"))
		printf(", the balancer leaves it to the host");
	else if (!strcmp(verdict, "local"))
		printf(", to a socket of this host");
	else if (drop)
		printf(": %s%s", string_of(answer, "reason"),
		       json_object_get(answer, "sender-told") ?
		       ", and its sender is notified" : "");
	putchar('\n');
}

void out_explain(const json_t *answer)
{
	const json_t *route = json_object_get(answer, "route");
	const json_t *leaves = json_object_get(answer, "leaves");

	print_packet("packet", json_object_get(answer, "packet"));
	printf(" %s %s\n", json_object_get(answer, "from-host") ?
	       "from this host, by" : "from", string_of(answer, "device"));
	if (json_object_get(answer, "door"))
		print_door(answer);
	print_connection(answer);
	print_service(json_object_get(answer, "service"));
	if (json_object_get(answer, "dsr-reply-here"))
		printf(STEP "of a backend in mode dsr; its route to the client must not lead through the balancer\n",
		       "reply");
	if (json_object_get(answer, "backends"))
		print_backends(answer);
	if (json_object_get(answer, "mode"))
		print_mode(answer);
	if (leaves) {
		print_packet("leaves", leaves);
		putchar('\n');
	}
	if (route)
		printf(STEP "dev %s via %s\n", "route",
		       string_of(route, "device"),
		       string_of(route, "next-hop"));
	print_verdict(answer);
}
