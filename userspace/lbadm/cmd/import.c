// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm import: what others save, as a configuration of nflb.
 *
 * `ipvsadm-save -n` prints the options of ipvsadm(8), a service or a server a
 * line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "util/split.h"

/* What a line of ipvsadm-save says. */
struct line {
	bool add_service, add_server;
	const char *protocol;	/* tcp or udp */
	const char *service, *server;
	const char *scheduler, *persist, *mask, *weight, *max;
	char forward;		/* m, g or i */
	const char *tun_type, *tun_port;
};

/* An option, and where its value goes; NULL: it has none that counts. */
struct option_value {
	const char *name;
	size_t offset;
	bool has_value;
};

#define VALUE(name, member) { name, offsetof(struct line, member), true }
#define IGNORED(name, value) { name, SIZE_MAX, value }

static const struct option_value option_values[] = {
	VALUE("-s", scheduler),
	VALUE("--scheduler", scheduler),
	VALUE("-p", persist),
	VALUE("--persistent", persist),
	VALUE("-M", mask),
	VALUE("--netmask", mask),
	VALUE("-r", server),
	VALUE("--real-server", server),
	VALUE("-w", weight),
	VALUE("--weight", weight),
	VALUE("-x", max),
	VALUE("--u-threshold", max),
	IGNORED("-y", true),
	IGNORED("--l-threshold", true),
	VALUE("--tun-type", tun_type),
	VALUE("--tun-port", tun_port),
	IGNORED("--tun-nocsum", false),
	IGNORED("--tun-csum", false),
	IGNORED("--tun-remcsum", false),
	IGNORED("-b", true),
	IGNORED("--sched-flags", true),
};

static void warn(const char *text, const char *word)
{
	fail(LBADM_OK, "warning: %s %s", word, text);
}

/* -t and -u, with their service. Returns whether it was one of them. */
static bool take_service(struct line *line, const char *word,
			 struct words *words)
{
	if (!strcmp(word, "-t") || !strcmp(word, "--tcp-service"))
		line->protocol = "tcp";
	else if (!strcmp(word, "-u") || !strcmp(word, "--udp-service"))
		line->protocol = "udp";
	else
		return false;
	line->service = words_next(words);
	return true;
}

static bool take_flag(struct line *line, const char *word)
{
	if (!strcmp(word, "-A") || !strcmp(word, "--add-service"))
		line->add_service = true;
	else if (!strcmp(word, "-a") || !strcmp(word, "--add-server"))
		line->add_server = true;
	else if (!strcmp(word, "-m") || !strcmp(word, "--masquerading"))
		line->forward = 'm';
	else if (!strcmp(word, "-g") || !strcmp(word, "--gatewaying"))
		line->forward = 'g';
	else if (!strcmp(word, "-i") || !strcmp(word, "--ipip"))
		line->forward = 'i';
	else
		return false;
	return true;
}

static int take_value(struct line *line, const char *word, struct words *words)
{
	const size_t count = sizeof(option_values) / sizeof(option_values[0]);
	const struct option_value *o = option_values;
	const char *value = NULL;

	while (o < option_values + count && strcmp(o->name, word))
		o++;
	if (o == option_values + count)
		return usage_error("%s has no counterpart in nflb", word);
	if (o->has_value) {
		value = words_next(words);
		if (!value)
			return usage_error("%s: its value is missing", word);
	}
	if (o->offset != SIZE_MAX)
		*(const char **)((char *)line + o->offset) = value;
	else
		warn("has no counterpart in nflb, and is left out", word);
	return LBADM_OK;
}

static int parse_line(struct words *words, struct line *line)
{
	const char *word;
	int status = LBADM_OK;

	memset(line, 0, sizeof(*line));
	line->forward = 'g';
	while (!status && (word = words_next(words)))
		if (!take_flag(line, word) && !take_service(line, word, words))
			status = take_value(line, word, words);
	if (status)
		return status;
	if (line->add_service == line->add_server)
		return usage_error("a line of `ipvsadm-save -n` begins with -A or -a");
	if (!line->service)
		return usage_error("a service of TCP (-t) or UDP (-u) is expected; nflb has no other kinds");
	if (line->add_server && !line->server)
		return usage_error("-a: the real server (-r) is missing");
	return LBADM_OK;
}

/* "ADDRESS:PORT" into two keys; ports must be numbers, of which 0 is @any. */
static int set_address(json_t *to, const char *text, json_t *any)
{
	char buf[ADDR_TEXT_MAX];
	const char *rest;
	struct addr addr;
	uint32_t port;

	if (!addr_split(&addr, &rest, text) || !rest ||
	    !number_parse(&port, rest, 65535)) {
		json_decref(any);
		return usage_error("\"%s\": an address and a number of a port are expected, as `ipvsadm-save -n` prints them",
				   text);
	}
	json_object_set_new(to, "address", json_string(addr_format(buf, &addr)));
	if (port)
		json_object_set_new(to, "port", json_integer(port));
	else if (any)
		json_object_set(to, "port", any);
	json_decref(any);
	return LBADM_OK;
}

static int set_number(json_t *to, const char *key, const char *text)
{
	uint32_t number;

	if (!text)
		return LBADM_OK;
	if (!number_parse(&number, text, UINT32_MAX))
		return usage_error("\"%s\": a number is expected", text);
	json_object_set_new(to, key, json_integer(number));
	return LBADM_OK;
}

/* Names that differ; those that nflb has not are replaced, with a warning. */
static const char *scheduler_of(const char *name)
{
	static const char *const names[][2] = {
		{ "sh", "source" }, { "mh", "maglev" }, { "dh", NULL },
		{ "lblc", NULL }, { "lblcr", NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i][0], name))
			continue;
		if (names[i][1])
			return names[i][1];
		warn("is no scheduler of nflb; wlc takes its place", name);
		return "wlc";
	}
	return name;
}

/* A netmask of IPv4, or a prefix length of IPv6 */
static int set_mask(json_t *service, const char *mask)
{
	struct addr addr;
	uint32_t bits, i;

	if (!mask)
		return LBADM_OK;
	if (number_parse(&bits, mask, 128)) {
		json_object_set_new(service, "persist-prefix6",
				    json_integer(bits));
		return LBADM_OK;
	}
	if (!addr_parse(&addr, mask) || addr.len != 4)
		return usage_error("-M \"%s\": a netmask is expected", mask);
	bits = (uint32_t)addr.bytes[0] << 24 | addr.bytes[1] << 16 |
	       addr.bytes[2] << 8 | addr.bytes[3];
	for (i = 0; i < 32 && bits & 0x80000000U >> i; i++)
		;
	if (i < 32 && bits << i)
		return usage_error("-M \"%s\": has holes", mask);
	json_object_set_new(service, "persist-prefix4", json_integer(i));
	return LBADM_OK;
}

/* Whose servers answer from, or ask for, other ports than the service's. */
static void warn_of_ports(const json_t *service)
{
	const char *protocol = json_string_value(json_object_get(service,
								 "protocol"));
	json_int_t port = json_integer_value(json_object_get(service, "port"));

	if (!strcmp(protocol, "tcp") && port == 21)
		warn("is FTP: its data connections need passive mode, a service for the servers' passive ports, and persist",
		     "port 21");
	else if (!strcmp(protocol, "udp") && port == 69)
		warn("is TFTP, which answers from other ports: only mode dsr fits",
		     "port 69");
}

static int add_service(json_t *services, const struct line *line)
{
	json_t *service = json_object();
	int status;

	json_array_append_new(services, service);
	json_object_set_new(service, "protocol", json_string(line->protocol));
	status = set_address(service, line->service, json_string("*"));
	status = status ? status : set_number(service, "persist",
					      line->persist);
	if (!status && line->persist)
		status = set_mask(service, line->mask);
	json_object_set_new(service, "scheduler", json_string(
		scheduler_of(line->scheduler ? line->scheduler : "wlc")));
	json_object_set_new(service, "backends", json_array());
	if (!status)
		warn_of_ports(service);
	return status;
}

static json_t *find_service(json_t *services, const struct line *line)
{
	json_t *wanted = json_object(), *service = NULL, *one;
	size_t i;

	if (!set_address(wanted, line->service, json_string("*")))
		json_array_foreach(services, i, one)
			if (!strcmp(line->protocol, json_string_value(
				    json_object_get(one, "protocol"))) &&
			    json_equal(json_object_get(wanted, "address"),
				       json_object_get(one, "address")) &&
			    json_equal(json_object_get(wanted, "port"),
				       json_object_get(one, "port")))
				service = one;
	json_decref(wanted);
	return service;
}

/* How a server's packets travel, as keys of a service or a backend. */
static int set_mode(json_t *to, const struct line *line)
{
	const char *tunnel = line->tun_type ? line->tun_type : "ipip";

	if (line->forward == 'm') {
		json_object_set_new(to, "mode", json_string("dnat"));
		return LBADM_OK;
	}
	json_object_set_new(to, "mode", json_string("dsr"));
	if (line->forward == 'g')
		return LBADM_OK;
	json_object_set_new(to, "encap", json_string(tunnel));
	return strcmp(tunnel, "gue") ? LBADM_OK :
	       set_number(to, "encap-port", line->tun_port);
}

static bool same_key(const json_t *a, const json_t *b, const char *key)
{
	const json_t *va = json_object_get(a, key), *vb = json_object_get(b, key);

	return va == vb || (va && vb && json_equal(va, vb));
}

/* The first server's mode is the service's; others have their own. */
static int add_mode(json_t *service, json_t *backend, const struct line *line)
{
	json_t *mode = json_object();
	int status = set_mode(mode, line);

	if (!status && !json_object_get(service, "mode")) {
		json_object_update(service, mode);
	} else if (!status && !(same_key(service, mode, "mode") &&
				same_key(service, mode, "encap") &&
				same_key(service, mode, "encap-port"))) {
		json_object_update(backend, mode);
		/* Where the service has one, none has to be said. */
		if (line->forward == 'g')
			json_object_set_new(backend, "encap",
					    json_string("none"));
	}
	json_decref(mode);
	return status;
}

static int add_server(json_t *services, const struct line *line)
{
	json_t *service = find_service(services, line), *backend;
	int status;

	if (!service)
		return usage_error("-a: the service %s is not there; is its -A missing?",
				   line->service);
	backend = json_object();
	json_array_append_new(json_object_get(service, "backends"), backend);
	status = set_address(backend, line->server, NULL);
	status = status ? status : set_number(backend, "weight", line->weight);
	status = status ? status : set_number(backend, "max-connections",
					      line->max);
	/* A packet goes to the VIP's port, whatever stands there. */
	if (line->forward != 'm')
		json_object_del(backend, "port");
	return status ? status : add_mode(service, backend, line);
}

static int import_line(char *text, json_t *services)
{
	char *argv[SPLIT_WORDS_MAX];
	struct words words = { .argv = argv };
	struct line line;
	int status;

	words.argc = split_words(text, argv);
	if (words.argc < 0)
		return usage_error("the line cannot be read");
	if (!words.argc)
		return LBADM_OK;
	status = parse_line(&words, &line);
	if (status)
		return status;
	return line.add_service ? add_service(services, &line) :
				  add_server(services, &line);
}

/* What was made has to be one that apply takes. */
static int print_config(json_t *json)
{
	struct config config;
	int status;

	status = config_from_json(json_deep_copy(json), &config);
	if (status)
		return status;
	config_free(&config);
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	return LBADM_OK;
}

static int import_ipvsadm(struct words *words)
{
	json_t *services = json_array(), *json;
	char before[LBADM_WHERE_MAX];
	unsigned int number = 0;
	int status = words_end(words);
	char *line = NULL;
	size_t size = 0;

	json = json_pack("{s:o}", "services", services);
	snprintf(before, sizeof(before), "%s", lbadm_where);
	while (!status && getline(&line, &size, stdin) >= 0) {
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%.400sline %u: ",
			 before, ++number);
		status = import_line(line, services);
	}
	snprintf(lbadm_where, LBADM_WHERE_MAX, "%s", before);
	if (!status && ferror(stdin))
		status = usage_error("cannot read: %s", strerror(errno));
	if (!status)
		status = print_config(json);
	free(line);
	json_decref(json);
	return status;
}

static const struct lbadm_command commands[] = {
	{ "ipvsadm", import_ipvsadm, "" },
	{ 0 },
};

const struct lbadm_object lbadm_import = {
	"import", "a configuration from what ipvsadm-save -n prints", commands,
};
