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
 *	"places"	of each of them, the index of each backend by its name
 * json_t *owners: the name of the entry that made a service, by the service's name.
 */
struct ipvs_import {
	json_t *marks, *used_marks;
	json_t *entries, *owners;
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
	import->owners = json_object();
	return import;
}

void ipvs_import_free(struct ipvs_import *import)
{
	json_decref(import->marks);
	json_decref(import->used_marks);
	json_decref(import->entries);
	json_decref(import->owners);
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
	return usage_error("-f %s%s: nflb has no services by firewall mark; name the services that its rules match: lbadm import ipvsadm FILE fwmark %s=PROTOCOL:VIP:PORT[,...]",
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

/* "tcp 192.0.2.10 80", to look a service up. Returns @name. */
static const char *service_name(char *name, const json_t *service)
{
	const json_t *port = json_object_get(service, "port");
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)json_integer_value(port));
	snprintf(name, NAME_MAX_LEN, "%s %s %s",
		 json_string_value(json_object_get(service, "protocol")),
		 json_string_value(json_object_get(service, "address")),
		 json_is_string(port) ? json_string_value(port) : number);
	return name;
}

/* Two ways lead to one service: a mark and an address, or two marks. */
static int not_twice(const struct ipvs_import *import, const json_t *services,
		     const char *name)
{
	const char *owner;
	char key[NAME_MAX_LEN];
	json_t *one, *entry;
	size_t i;

	json_array_foreach(services, i, one) {
		owner = json_string_value(json_object_get(import->owners,
							  service_name(key, one)));
		if (!owner || !strcmp(owner, name))
			continue;
		entry = json_object_get(import->entries, owner);
		return usage_error("it would be the same service as that of line %d",
				   (int)json_integer_value(json_object_get(entry, "line")));
	}
	return LBADM_OK;
}

/* Keep the result of a line. @old is the entry of that name, or NULL. */
static void keep_entry(struct ipvs_import *import, const char *name,
		       unsigned int number, json_t *services, const json_t *old)
{
	json_t *places = json_incref(json_object_get(old, "places"));
	char key[NAME_MAX_LEN];
	json_t *service;
	size_t i;

	if (!places)
		places = json_array();
	while (json_array_size(places) < json_array_size(services))
		json_array_append_new(places, json_object());
	json_array_foreach(services, i, service)
		json_object_set_new(import->owners, service_name(key, service),
				    json_string(name));
	json_object_set_new(import->entries, name,
			    json_pack("{s:i, s:O, s:o}", "line", (int)number,
				      "services", services, "places", places));
}

static void warn_of_mark(const struct ipvs_line *line, const json_t *services)
{
	if (json_array_size(services) < 2)
		return;
	ipvs_warn("-f %s becomes %d services, each with its own scheduling and counters%s",
		  line->service, (int)json_array_size(services),
		  line->persistent ?
		  "; a client may get another backend on each of them (one service on a range of ports, or scheduler maglev-source instead of persist, keeps it)" :
		  "");
}

/* Servers that -a added stay when -E changes the rest. */
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
		keep_entry(import, name, number, services, entry);
	json_decref(services);
	return status;
}

/* "10.0.0.1 8080", to look a backend up. Returns @name. */
static const char *backend_name(char *name, const json_t *backend)
{
	snprintf(name, NAME_MAX_LEN, "%s %d",
		 json_string_value(json_object_get(backend, "address")),
		 (int)json_integer_value(json_object_get(backend, "port")));
	return name;
}

/* Does a service have room for a server, or the one that is to change? */
static int check_place(const struct ipvs_line *line, const json_t *service,
		       bool found)
{
	bool edit = line->command == IPVS_EDIT_SERVER;

	if (edit && !found)
		return usage_error("-e: the server %s is not there; is its -a missing?",
				   line->server);
	if (!edit && found)
		return usage_error("-r %s: the server is there already",
				   line->server);
	if (!edit && json_array_size(json_object_get(service, "backends")) >=
		     NFLB_BACKENDS_MAX)
		return usage_error("-r %s: the service has %d servers already, the most that nflb supports",
				   line->server, NFLB_BACKENDS_MAX);
	return LBADM_OK;
}

/* Would apply take it? Alone with its service, so that an error is this line's. */
static int check_server(const json_t *service, const json_t *backend)
{
	json_t *alone = json_copy((json_t *)service);
	json_t *one = json_copy((json_t *)backend), *services;
	int status;

	ipvs_clip_weight(one);
	json_object_set_new(alone, "backends", json_pack("[o]", one));
	services = json_pack("[o]", alone);
	status = check(services);
	json_decref(services);
	return status;
}

/*
 * The effect of a server's line on a service: the service, which shares its backends with
 * the present one, and the backend. NULL, with a message on errors.
 */
static json_t *with_server(const struct ipvs_line *line, const json_t *service,
			   const json_t *places)
{
	json_t *copy = json_copy((json_t *)service), *backend = json_object();
	json_t *made = json_pack("{s:o, s:o}", "service", copy,
				 "backend", backend);
	int status = ipvs_server(line, copy, backend);
	char name[NAME_MAX_LEN];

	status = status ? status :
		 check_place(line, service, json_object_get(places,
							    backend_name(name, backend)));
	status = status ? status : check_server(copy, backend);
	if (!status)
		return made;
	json_decref(made);
	return NULL;
}

/* Take the results of with_server() for each of an entry's services. */
static void take_servers(json_t *entry, const json_t *all)
{
	json_t *made, *service, *backend, *backends, *places, *place;
	char name[NAME_MAX_LEN];
	size_t i;

	json_array_foreach(all, i, made) {
		service = json_object_get(made, "service");
		backend = json_object_get(made, "backend");
		backends = json_object_get(service, "backends");
		places = json_array_get(json_object_get(entry, "places"), i);
		place = json_object_get(places, backend_name(name, backend));
		json_array_set(json_object_get(entry, "services"), i, service);
		if (place) {
			json_array_set(backends, json_integer_value(place),
				       backend);
			continue;
		}
		json_object_set_new(places, name,
				    json_integer(json_array_size(backends)));
		json_array_append(backends, backend);
	}
}

static int server_line(struct ipvs_import *import, const struct ipvs_line *line)
{
	json_t *entry, *all, *service, *made;
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
	all = json_array();
	json_array_foreach(json_object_get(entry, "services"), i, service) {
		made = with_server(line, service, json_array_get(
			json_object_get(entry, "places"), i));
		if (!made)
			status = LBADM_USAGE;
		if (status)
			break;
		json_array_append_new(all, made);
	}
	if (!status)
		take_servers(entry, all);
	json_decref(all);
	return status;
}

/* 0 keeps the present value. */
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
		json_object_clear(import->owners);
		return json_object_clear(import->entries);
	case IPVS_TIMEOUTS:
		return set_timeouts(import, &line);
	default:
		return server_line(import, &line);
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
			ipvs_scale_weights(service);
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
