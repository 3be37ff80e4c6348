// SPDX-License-Identifier: GPL-2.0
/*
 * From a file to requests. Each key becomes the words that the command line has
 * for it, so that there is one parser, and one set of messages, for both.
 */
#include "model/config.h"

#include <nflb/rules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"
#include "model/policy.h"
#include "model/vocabulary.h"
#include "util/json_reader.h"

/* Are the keys of @object those of @list, and its values of their kinds? */
static int check_keys(const json_t *object, const struct word *list,
		      const char *what)
{
	struct json_key keys[KEYS_MAX];

	vocabulary_keys(list, keys);
	return json_check_keys(object, keys, what);
}

/* As jansson's own objects, small ones are not expected to fail. */
static void *zeroed(size_t count, size_t size)
{
	void *array = calloc(count + 1, size);

	if (!array)
		abort();
	return array;
}

/* A value as a word of the command line. Returns @buf, or the string itself. */
static const char *word_of(const json_t *value, char *buf, size_t size)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "on" : "off";
	snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return buf;
}

/* The same of a key that needs another, behind @before; "" without. */
static void append(char *buf, size_t size, const json_t *object,
		   const char *key, const char *before)
{
	const json_t *value = json_object_get(object, key);
	size_t used = strlen(buf);

	if (value)
		snprintf(buf + used, size - used,
			 "%s%" JSON_INTEGER_FORMAT, before,
			 json_integer_value(value));
}

static int without_main(const json_t *object, const char *key,
			const char *main_key)
{
	int status;

	if (!json_object_get(object, key) || json_object_get(object, main_key))
		return LBADM_OK;
	json_enter_key(key);
	status = usage_error("%s needs %s", key, main_key);
	json_leave();
	return status;
}

static bool has_parts(const char *key)
{
	return !strcmp(key, "encap") || !strcmp(key, "persist");
}

/* "gue:PORT", or "SECONDS/LENGTH/LENGTH": these have separate keys in a file */
static void join_words(const json_t *object, const char *key, char *buf,
		      size_t size)
{
	if (!strcmp(key, "encap")) {
		append(buf, size, object, "encap-port", ":");
	} else if (!strcmp(key, "persist")) {
		if (json_object_get(object, "persist-prefix6") &&
		    !json_object_get(object, "persist-prefix4"))
			strncat(buf, "/32", size - strlen(buf) - 1);
		append(buf, size, object, "persist-prefix4", "/");
		append(buf, size, object, "persist-prefix6", "/");
	}
}

/* Each key that is a word of the command line goes through its parser. */
static int settings(const json_t *object, const struct word *list, void *req)
{
	const struct word *word = list;
	int status = LBADM_OK;

	for (; word->name && !status; word++) {
		const json_t *value = json_object_get(object, word->name);
		char number[24], text[160];
		char *argv[2] = { (char *)word->name };
		struct words words = { .argv = argv, .argc = 2 };

		if (!value || !word_is_spoken(word))
			continue;
		argv[1] = (char *)word_of(value, number, sizeof(number));
		json_enter_key(word->name);
		if (has_parts(word->name)) {
			snprintf(text, sizeof(text), "%s", argv[1]);
			join_words(object, word->name, text, sizeof(text));
			argv[1] = text;
		}
		status = parse_words(&words, list, req);
		json_leave();
	}
	return status;
}

/* "ADDRESS:PORT", or as much of it as there is */
static void address_word(const json_t *object, char *buf, size_t size)
{
	const char *address = json_string_value(json_object_get(object,
								"address"));
	const json_t *port = json_object_get(object, "port");
	char number[24];

	if (port)
		snprintf(buf, size, strchr(address, ':') ? "[%s]:%s" : "%s:%s",
			 address, word_of(port, number, sizeof(number)));
	else
		snprintf(buf, size, "%s", address);
}

static int missing(const json_t *object, const char *key, const char *what)
{
	return json_object_get(object, key) ? LBADM_OK :
	       usage_error("%s: the %s is missing", what, key);
}

/* The module refuses such addresses, but cannot say where they stand. */
static int check_address(const struct addr *addr)
{
	const char *why = nflb_rules_addr(addr->bytes, addr->len);
	char buf[ADDR_TEXT_MAX];
	int status;

	if (!why)
		return LBADM_OK;
	json_enter_key("address");
	status = usage_error("\"%s\": %s", addr_format(buf, addr), why);
	json_leave();
	return status;
}

/* An address alone: there is a key for the port. */
static int without_port(const json_t *object)
{
	const char *text = json_string_value(json_object_get(object,
							     "address"));
	const char *port;
	struct addr addr;
	int status;

	if (!addr_split(&addr, &port, text) || !port)
		return LBADM_OK;
	json_enter_key("address");
	status = usage_error("\"%s\": an address without a port is expected; the port has a key of its own",
			     text);
	json_leave();
	return status;
}

static int backend_read(const json_t *object, struct backend_request *req)
{
	char text[160], *argv[] = { text };
	struct words words = { .argv = argv, .argc = 1 };
	int status;

	status = check_keys(object, backend_words, "a backend");
	status = status ? status : missing(object, "address", "backend");
	status = status ? status : without_main(object, "encap-port", "encap");
	status = status ? status : without_port(object);
	if (status)
		return status;
	address_word(object, text, sizeof(text));
	status = parse_backend_id(&words, req);
	status = status ? status : check_address(&req->address);
	return status ? status : settings(object, backend_words, req);
}

static int backends_read(const json_t *array, struct config_service *service)
{
	size_t i, j;
	int status = LBADM_OK;

	if (json_array_size(array) > NFLB_BACKENDS_MAX)
		return usage_error("a service has %d backends at most",
				   NFLB_BACKENDS_MAX);
	service->backends = zeroed(json_array_size(array),
				   sizeof(*service->backends));
	for (i = 0; i < json_array_size(array) && !status; i++) {
		json_enter_index(i);
		status = backend_read(json_array_get(array, i),
				      &service->backends[i]);
		for (j = 0; j < i && !status; j++)
			if (config_same_backend(&service->backends[i],
					 &service->backends[j]))
				status = usage_error("the backend is there twice");
		json_leave();
		service->backend_count++;
	}
	return status;
}

/* A word of @names, of a key of the health check */
static int health_word(const json_t *object, const struct names *names,
		       struct opt *opt)
{
	const json_t *value = json_object_get(object, names->what);
	int number = -1, status = LBADM_OK;
	char list[64];

	if (!value)
		return LBADM_OK;
	if (json_is_string(value))
		number = names_find(names, json_string_value(value));
	json_enter_key(names->what);
	if (number < 0)
		status = usage_error("%s: %s is expected", names->what,
				     names_list(names, list, sizeof(list)));
	json_leave();
	opt->set = true;
	opt->value = number;
	return status;
}

/* The keys of a health check that the kernel uses. The rest is for a checker. */
static int health_settings(const json_t *object, struct service_request *req)
{
	const json_t *panic = json_object_get(object, "panic-threshold");
	json_int_t percent = json_integer_value(panic);
	int status;

	status = health_word(object, &health_initial_names,
			     &req->health_initial);
	status = status ? status : health_word(object, &on_unhealthy_names,
					       &req->on_unhealthy);
	status = status ? status : health_word(object, &when_none_names,
					       &req->when_none);
	if (status || !panic)
		return status;
	json_enter_key("panic-threshold");
	if (!json_is_integer(panic) || percent < 0 || percent > 100)
		status = usage_error("panic-threshold: a number from 0 to 100 is expected");
	json_leave();
	req->panic.set = true;
	req->panic.value = percent;
	return status;
}

static int health_check_read(const json_t *object, struct service_request *req)
{
	if (!object)
		return LBADM_OK;
	req->health_check = json_dumps(object, JSON_COMPACT);
	if (!req->health_check)
		return usage_error("health-check: there is no memory for it");
	if (strlen(req->health_check) >= NFLB_HEALTH_CHECK_SIZE)
		return usage_error("health-check: more than %d bytes",
				   NFLB_HEALTH_CHECK_SIZE - 1);
	return health_settings(object, req);
}

static int service_read(const json_t *object, struct config_service *service)
{
	struct service_request *req = &service->request;
	char protocol[16], text[160], *argv[] = { protocol, text };
	struct words words = { .argv = argv, .argc = 2 };
	int status;

	status = check_keys(object, service_words, "a service");
	status = status ? status : missing(object, "protocol", "service");
	status = status ? status : missing(object, "address", "service");
	status = status ? status : missing(object, "port", "service");
	status = status ? status : without_main(object, "encap-port", "encap");
	status = status ? status : without_main(object, "persist-prefix4",
						"persist");
	status = status ? status : without_main(object, "persist-prefix6",
						"persist");
	status = status ? status : without_port(object);
	if (status)
		return status;
	snprintf(protocol, sizeof(protocol), "%s", json_string_value(
		json_object_get(object, "protocol")));
	address_word(object, text, sizeof(text));
	status = parse_service_id(&words, &req->id);
	status = status ? status : check_address(&req->id.address);
	status = status ? status : settings(object, service_words, req);
	if (status)
		return status;
	json_enter_key("health-check");
	status = health_check_read(json_object_get(object, "health-check"),
				   req);
	json_leave();
	if (!status && json_object_get(object, "policy")) {
		json_enter_key("policy");
		status = policy_read(json_object_get(object, "policy"), &req->id,
				     &service->policy);
		json_leave();
	}
	if (status)
		return status;
	json_enter_key("backends");
	status = backends_read(json_object_get(object, "backends"), service);
	json_leave();
	return status;
}

static int services_read(const json_t *array, struct config *config)
{
	size_t i, j;
	int status = LBADM_OK;

	config->services = zeroed(json_array_size(array),
				sizeof(*config->services));
	for (i = 0; i < json_array_size(array) && !status; i++) {
		struct config_service *service = &config->services[i];

		json_enter_index(i);
		config->service_count++;
		status = service_read(json_array_get(array, i), service);
		for (j = 0; j < i && !status; j++)
			if (!memcmp(&service->request.id,
				    &config->services[j].request.id,
				    sizeof(service->request.id)))
				status = usage_error("the service is there twice");
		json_leave();
	}
	return status;
}

/* "ADDR[-ADDR]", or an object that has ports too */
static int laddr_read(const json_t *value, struct laddr_request *req)
{
	char text[160], *argv[] = { text };
	struct words words = { .argv = argv, .argc = 1 };
	const json_t *address = value;
	int status = LBADM_OK;

	if (!json_is_string(value)) {
		status = check_keys(value, laddr_words,
				    "a local address is a string, or");
		status = status ? status : missing(value, "address",
						   "local address");
		if (status)
			return status;
		address = json_object_get(value, "address");
	}
	snprintf(text, sizeof(text), "%s", json_string_value(address));
	status = parse_laddr(&words, req);
	status = status ? status : check_address(&req->first);
	if (status || json_is_string(value))
		return status;
	return settings(value, laddr_words, req);
}

static int laddrs_read(const json_t *array, struct config *config)
{
	int status = LBADM_OK;
	size_t i;

	config->laddrs = zeroed(json_array_size(array),
				sizeof(*config->laddrs));
	for (i = 0; i < json_array_size(array) && !status; i++) {
		json_enter_index(i);
		status = laddr_read(json_array_get(array, i),
				    &config->laddrs[i]);
		if (!status && config_has_laddr(config, &config->laddrs[i]))
			status = usage_error("the local address is there twice");
		json_leave();
		config->laddr_count++;
	}
	return status;
}

/* "DEV", or an object that says whether XDP is attached, too */
static int device_read(const json_t *value, struct device_request *req)
{
	const json_t *name = value;
	char *argv[1];
	struct words words = { .argv = argv, .argc = 1 };
	int status = LBADM_OK;

	if (!json_is_string(value)) {
		status = check_keys(value, device_words,
					 "a device is a string, or");
		status = status ? status : missing(value, "device", "device");
		if (status)
			return status;
		name = json_object_get(value, "device");
		req->xdp = json_is_true(json_object_get(value, "xdp"));
	}
	argv[0] = (char *)json_string_value(name);
	return parse_device(&words, &req->name);
}

static int devices_read(const json_t *array, struct config *config)
{
	int status = LBADM_OK;
	size_t i;

	config->devices = zeroed(json_array_size(array),
				sizeof(*config->devices));
	for (i = 0; i < json_array_size(array) && !status; i++) {
		struct device_request req = { .wait = true };

		json_enter_index(i);
		status = device_read(json_array_get(array, i), &req);
		if (!status && config_find_device(config, req.name))
			status = usage_error("the device is there twice");
		json_leave();
		config->devices[config->device_count++] = req;
	}
	return status;
}

static int config_settings_read(const json_t *object, struct config *config)
{
	config->has_settings = object;
	return object ? settings_read(object, config->settings) : LBADM_OK;
}

static int part_read(const char *key, struct config *config,
		     int (*read)(const json_t *array, struct config *config))
{
	int status;

	json_enter_key(key);
	status = read(json_object_get(config->json, key), config);
	json_leave();
	return status;
}

int config_from_json(json_t *json, struct config *config)
{
	int status;

	memset(config, 0, sizeof(*config));
	config->json = json;
	status = check_keys(json, config_words, "a configuration");
	status = status ? status : part_read("settings", config,
					     config_settings_read);
	status = status ? status : part_read("services", config, services_read);
	status = status ? status : part_read("local-addresses", config,
					     laddrs_read);
	status = status ? status : part_read("devices", config, devices_read);
	if (status)
		config_free(config);
	return status;
}

static int take(json_t *json, void *config)
{
	return config_from_json(json, config);
}

int config_read(const char *name, struct config *config)
{
	return json_read(name, take, config);
}

void config_free(struct config *config)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		free(config->services[i].request.health_check);
		free(config->services[i].backends);
		json_decref(config->services[i].policy);
	}
	free(config->services);
	free(config->laddrs);
	free(config->devices);
	json_decref(config->json);
	memset(config, 0, sizeof(*config));
}
