// SPDX-License-Identifier: GPL-2.0
/*
 * From the lines of ipvsadm(8) to a configuration. Each line is converted whole, or
 * leaves no trace. One that was not says why, and so do those that need it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "model/ipvs.h"
#include "util/split.h"

#define NAME_MAX_LEN 160

/*
 * json_t *marks: an array of services for each mark that was named, as objects with
 * protocol, address and port. json_t *entries: what -A made, by its name, in order; of
 * each
 *	"line"		where it is
 *	"failed"	true, if it was not possible
 *	"services"	what it became: one service, or of a mark several
 */
struct ipvs_import {
	json_t *marks, *used_marks;
	json_t *entries;
	uint32_t timeouts[3];	/* of --set; 0 is not named */
};

struct ipvs_import *ipvs_import_new(void)
{
	struct ipvs_import *import = calloc(1, sizeof(*import));

	if (!import)
		abort();
	import->marks = json_object();
	import->used_marks = json_object();
	import->entries = json_object();
	return import;
}

void ipvs_import_free(struct ipvs_import *import)
{
	json_decref(import->marks);
	json_decref(import->used_marks);
	json_decref(import->entries);
	free(import);
}

/* Would apply take these services? Says why not. */
static int check(json_t *services)
{
	json_t *json = json_pack("{s:O}", "services", services);
	struct config config;
	int status = config_from_json(json_deep_copy(json), &config);

	if (!status)
		config_free(&config);
	json_decref(json);
	return status;
}

/* "LO-HI", "*" or a number */
static void set_ports(json_t *service, const char *text)
{
	uint32_t port;

	json_object_set_new(service, "port", number_parse(&port, text, 65535) ?
			    json_integer(port) : json_string(text));
}

/* "tcp:192.0.2.10:80" */
static int parse_target(char *text, json_t *targets)
{
	json_t *service = json_object();
	char *vip = strchr(text, ':');
	char buf[ADDR_TEXT_MAX];
	const char *rest = NULL;
	struct addr addr;
	int status;

	json_array_append_new(targets, service);
	if (!vip)
		return usage_error("\"%s\": PROTOCOL:VIP:PORT is expected", text);
	*vip++ = '\0';
	if (!addr_split(&addr, &rest, vip) || !rest)
		return usage_error("\"%s\": a VIP with a port is expected", vip);
	json_object_set_new(service, "protocol", json_string(text));
	json_object_set_new(service, "address",
			    json_string(addr_format(buf, &addr)));
	set_ports(service, rest);
	json_object_set_new(service, "backends", json_array());
	status = check(targets);
	json_object_del(service, "backends");
	return status;
}

/* The name of a mark: "00042" is "42". From 2^31 on, ipvsadm-save prints it negative. */
static int mark_name(char *name, const char *text)
{
	uint32_t mark;
	bool minus = *text == '-';

	if (number_parse(&mark, text + minus, minus ? 1U << 31 : UINT32_MAX))
		mark = minus ? -mark : mark;
	else
		mark = 0;
	if (!mark)
		return usage_error("\"%s\": a mark is a number greater than 0",
				   text);
	snprintf(name, NAME_MAX_LEN, "%u", mark);
	return LBADM_OK;
}

int ipvs_import_mark(struct ipvs_import *import, const char *text)
{
	char name[NAME_MAX_LEN], *copy = strdup(text), *at, *next;
	json_t *targets = json_array();
	int status = LBADM_OK;

	if (!copy)
		abort();
	at = strchr(copy, '=');
	if (at)
		*at++ = '\0';
	else
		status = usage_error("fwmark \"%s\": N=PROTOCOL:VIP:PORT[,...] is expected",
				     text);
	status = status ? status : mark_name(name, copy);
	if (!status && json_object_get(import->marks, name))
		status = usage_error("fwmark %s is there twice", name);
	for (; !status && at; at = next) {
		next = strchr(at, ',');
		if (next)
			*next++ = '\0';
		status = parse_target(at, targets);
	}
	if (!status)
		json_object_set(import->marks, name, targets);
	json_decref(targets);
	free(copy);
	return status;
}

/* The name of the service that a line is about: "tcp 192.0.2.10 80" */
static int entry_name(char *name, const struct ipvs_line *line)
{
	json_t *to = json_object();
	char mark[NAME_MAX_LEN];
	int status;

	if (line->protocol == IPVS_MARK) {
		status = mark_name(mark, line->service);
		if (!status)
			snprintf(name, NAME_MAX_LEN, "mark %.20s%s", mark,
				 line->ipv6 ? " ipv6" : "");
	} else {
		status = ipvs_address(to, line->service, NULL);
		if (!status)
			snprintf(name, NAME_MAX_LEN, "%d %s %d", line->protocol,
				 json_string_value(json_object_get(to, "address")),
				 (int)json_integer_value(json_object_get(to, "port")));
	}
	json_decref(to);
	return status;
}

/* The services that a mark stands for, of its family. */
static int mark_services(struct ipvs_import *import,
			 const struct ipvs_line *line, json_t *services)
{
	char name[NAME_MAX_LEN];
	json_t *target;
	size_t i;
	int status = mark_name(name, line->service);

	if (status)
		return status;
	json_object_set_new(import->used_marks, name, json_true());
	json_array_foreach(json_object_get(import->marks, name), i, target)
		if (!strchr(json_string_value(json_object_get(target, "address")),
			    ':') == !line->ipv6)
			json_array_append_new(services,
					      json_deep_copy(target));
	if (json_array_size(services))
		return LBADM_OK;
	return usage_error("-f %s%s: nflb has no services by firewall mark; say what the mark's rules match: lbadm import ipvsadm FILE fwmark %s=PROTOCOL:VIP:PORT[,...]",
			   line->service, line->ipv6 ? " -6" : "", name);
}

/* Services of the identity that a line asks for, nothing else set. */
static int identities(struct ipvs_import *import, const struct ipvs_line *line,
		      json_t *services)
{
	json_t *service;

	if (line->protocol == IPVS_MARK)
		return mark_services(import, line, services);
	if (line->protocol == IPVS_SCTP)
		return usage_error("nflb balances TCP and UDP, not SCTP: leave it to IPVS, which can run beside it");
	service = json_object();
	json_array_append_new(services, service);
	json_object_set_new(service, "protocol", json_string(
		line->protocol == IPVS_TCP ? "tcp" : "udp"));
	return ipvs_address(service, line->service, "*");
}

/* Two ways lead to one service: a mark and an address, or two marks. */
static int not_twice(const struct ipvs_import *import, const json_t *services,
		     const char *name)
{
	json_t *entry, *one, *other;
	const char *key;
	size_t i, j;

	json_object_foreach(import->entries, key, entry) {
		if (!strcmp(key, name))
			continue;
		json_array_foreach(services, i, one)
			json_array_foreach(json_object_get(entry, "services"), j,
					   other)
				if (json_equal(json_object_get(one, "protocol"),
					       json_object_get(other, "protocol")) &&
				    json_equal(json_object_get(one, "address"),
					       json_object_get(other, "address")) &&
				    json_equal(json_object_get(one, "port"),
					       json_object_get(other, "port")))
					return usage_error("it would be the same service as that of line %d",
							   (int)json_integer_value(json_object_get(entry, "line")));
	}
	return LBADM_OK;
}

static void warn_of_mark(const struct ipvs_line *line, const json_t *services)
{
	if (json_array_size(services) < 2)
		return;
	ipvs_warn("-f %s becomes %d services, each with its own turns and counts%s",
		  line->service, (int)json_array_size(services),
		  line->persistent ?
		  "; a client may get another backend on each of them (one service on a range of ports, or scheduler maglev-source instead of persist, keeps it)" :
		  "");
}

/* What -a made stays when -E changes the rest. */
static void keep_servers(json_t *service, const json_t *old)
{
	static const char *const keys[] = {
		"backends", "mode", "encap", "encap-port",
	};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(old, keys[i]))
			json_object_set(service, keys[i],
					json_object_get(old, keys[i]));
}

/* Settings of -A or -E for each of the services; @old have the backends, or NULL. */
static int service_settings(const struct ipvs_line *line, json_t *services,
			    const json_t *old)
{
	json_t *service;
	int status = LBADM_OK;
	size_t i;

	json_array_foreach(services, i, service) {
		status = status ? status : ipvs_service(line, service);
		json_object_set_new(service, "backends", json_array());
		keep_servers(service, json_array_get(old, i));
	}
	return status ? status : check(services);
}

static int service_line(struct ipvs_import *import,
			const struct ipvs_line *line, unsigned int number)
{
	json_t *services = json_array(), *entry;
	char name[NAME_MAX_LEN];
	int status = entry_name(name, line);

	if (status) {
		json_decref(services);
		return status;
	}
	entry = json_object_get(import->entries, name);
	if (entry && line->command == IPVS_ADD_SERVICE) {
		json_decref(services);
		return usage_error("the service is there already, since line %d",
				   (int)json_integer_value(json_object_get(entry, "line")));
	}
	if (!entry && line->command == IPVS_EDIT_SERVICE) {
		json_decref(services);
		return usage_error("-E: the service is not there; is its -A missing?");
	}
	status = identities(import, line, services);
	status = status ? status : not_twice(import, services, name);
	status = status ? status : service_settings(line, services,
						    json_object_get(entry, "services"));
	if (!status)
		warn_of_mark(line, services);
	if (status && !entry)
		json_object_set_new(import->entries, name,
				    json_pack("{s:i, s:b}", "line", (int)number,
					      "failed", 1));
	else if (!status)
		json_object_set_new(import->entries, name,
				    json_pack("{s:i, s:O}", "line", (int)number,
					      "services", services));
	json_decref(services);
	return status;
}

static size_t find_backend(const json_t *backends, const json_t *wanted)
{
	json_t *backend;
	size_t i;

	json_array_foreach(backends, i, backend)
		if (json_equal(json_object_get(backend, "address"),
			       json_object_get(wanted, "address")) &&
		    (json_object_get(backend, "port") ==
		     json_object_get(wanted, "port") ||
		     json_equal(json_object_get(backend, "port"),
				json_object_get(wanted, "port"))))
			return i;
	return SIZE_MAX;
}

/* As it will be after scale_weights(), nearly */
static void clip_weight(json_t *backend)
{
	json_t *weight = json_object_get(backend, "weight");

	if (json_integer_value(weight) > NFLB_WEIGHT_MAX)
		json_object_set_new(backend, "weight",
				    json_integer(NFLB_WEIGHT_MAX));
}

/* A copy of @service with one server more, or changed. */
static int with_server(const struct ipvs_line *line, json_t *service)
{
	json_t *backends = json_object_get(service, "backends");
	bool edit = line->command == IPVS_EDIT_SERVER;
	json_t *backend = json_object(), *alone;
	int status = ipvs_server(line, service, backend);
	size_t i = find_backend(backends, backend);

	if (!status && !edit && i != SIZE_MAX)
		status = usage_error("-r %s: the server is there already",
				     line->server);
	else if (!status && edit && i == SIZE_MAX)
		status = usage_error("-e: the server %s is not there; is its -a missing?",
				     line->server);
	if (status) {
		json_decref(backend);
		return status;
	}
	/* Alone with its service, so that what is wrong is this line's. */
	alone = json_copy(service);
	json_object_set_new(alone, "backends", json_pack("[o]",
							 json_copy(backend)));
	clip_weight(json_array_get(json_object_get(alone, "backends"), 0));
	backends = json_pack("[o]", alone);
	status = check(backends);
	json_decref(backends);
	backends = json_object_get(service, "backends");
	if (!status && edit)
		json_array_set(backends, i, backend);
	else if (!status)
		json_array_append(backends, backend);
	json_decref(backend);
	return status;
}

static int server_line(struct ipvs_import *import, const struct ipvs_line *line)
{
	json_t *entry, *services, *service;
	char name[NAME_MAX_LEN];
	int status = entry_name(name, line);
	size_t i;

	if (status)
		return status;
	entry = json_object_get(import->entries, name);
	if (!entry)
		return usage_error("the service %s is not there; is its -A missing?",
				   line->service);
	if (json_is_true(json_object_get(entry, "failed")))
		return usage_error("left out with its service, which could not be converted: line %d",
				   (int)json_integer_value(json_object_get(entry, "line")));
	services = json_deep_copy(json_object_get(entry, "services"));
	json_array_foreach(services, i, service)
		status = status ? status : with_server(line, service);
	if (!status)
		json_object_set(entry, "services", services);
	json_decref(services);
	return status;
}

/* 0 keeps what there is. */
static int set_timeouts(struct ipvs_import *import, const struct ipvs_line *line)
{
	uint32_t seconds[3];
	int i;

	for (i = 0; i < 3; i++)
		if (!number_parse(&seconds[i], line->timeouts[i],
				  NFLB_TIMEOUT_MAX))
			return usage_error("--set %s: a number up to %d is expected",
					   line->timeouts[i], NFLB_TIMEOUT_MAX);
	for (i = 0; i < 3; i++)
		if (seconds[i])
			import->timeouts[i] = seconds[i];
	return LBADM_OK;
}

int ipvs_import_line(struct ipvs_import *import, char *text,
		     unsigned int number)
{
	char *argv[SPLIT_WORDS_MAX];
	struct words words = { .argv = argv };
	struct ipvs_line line;
	int status;

	words.argc = split_words(text, argv);
	if (words.argc < 0)
		return usage_error("the line cannot be read");
	if (!words.argc)
		return LBADM_OK;
	status = ipvs_line_parse(&words, &line);
	if (status)
		return status;
	switch (line.command) {
	case IPVS_ADD_SERVICE:
	case IPVS_EDIT_SERVICE:
		return service_line(import, &line, number);
	case IPVS_CLEAR:
		return json_object_clear(import->entries);
	case IPVS_TIMEOUTS:
		return set_timeouts(import, &line);
	default:
		return server_line(import, &line);
	}
}

/* Weights go up to 65535, not to 2^31: in proportion, but none becomes 0. */
static void scale_weights(json_t *service)
{
	json_t *backends = json_object_get(service, "backends"), *backend;
	json_int_t most = 0, weight;
	char *port;
	size_t i;

	json_array_foreach(backends, i, backend) {
		weight = json_integer_value(json_object_get(backend, "weight"));
		most = weight > most ? weight : most;
	}
	if (most <= NFLB_WEIGHT_MAX)
		return;
	port = json_dumps(json_object_get(service, "port"), JSON_ENCODE_ANY);
	ipvs_warn("%s %s port %s: weights go up to %d; all of the service's are reduced in proportion",
		  json_string_value(json_object_get(service, "protocol")),
		  json_string_value(json_object_get(service, "address")), port,
		  NFLB_WEIGHT_MAX);
	free(port);
	json_array_foreach(backends, i, backend) {
		weight = json_integer_value(json_object_get(backend, "weight"));
		if (!json_object_get(backend, "weight"))
			weight = 1;
		if (weight)
			weight = weight * NFLB_WEIGHT_MAX / most ?: 1;
		json_object_set_new(backend, "weight", json_integer(weight));
	}
}

static void apply_timeouts(const struct ipvs_import *import, json_t *service)
{
	static const char *const keys[] = {
		"timeout-established", "timeout-fin", "timeout-udp",
	};
	bool udp = !strcmp(json_string_value(json_object_get(service,
							     "protocol")), "udp");
	int i;

	for (i = 0; i < 3; i++)
		if (import->timeouts[i] && udp == (i == 2))
			json_object_set_new(service, keys[i],
					    json_integer(import->timeouts[i]));
}

int ipvs_import_end(struct ipvs_import *import)
{
	json_t *entry, *service, *mark;
	int status = LBADM_OK;
	const char *name;
	size_t i;

	json_object_foreach(import->entries, name, entry)
		json_array_foreach(json_object_get(entry, "services"), i,
				   service) {
			scale_weights(service);
			apply_timeouts(import, service);
		}
	json_object_foreach(import->marks, name, mark)
		if (!json_object_get(import->used_marks, name))
			status = usage_error("fwmark %s: there is no such mark",
					     name);
	return status;
}

json_t *ipvs_import_config(const struct ipvs_import *import)
{
	json_t *services = json_array(), *entry;
	const char *name;

	json_object_foreach(import->entries, name, entry)
		if (json_is_array(json_object_get(entry, "services")))
			json_array_extend(services,
					  json_object_get(entry, "services"));
	return json_pack("{s:o}", "services", services);
}
