// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration that the kernel has, as a file says it.
 */
#include "cmd/config_apply.h"

#include <stdio.h>
#include <string.h>

#include "cmd/device.h"
#include "cmd/settings.h"
#include "cmd/show.h"
#include "model/names.h"
#include "nl/msg.h"
#include "xdp/xdp.h"

/* A saved configuration omits defaults. */
static void drop_default(json_t *object, const char *key, json_int_t value)
{
	if (json_integer_value(json_object_get(object, key)) == value)
		json_object_del(object, key);
}

static void tidy_backend(json_t *backend)
{
	json_object_del(backend, "stats");
	json_object_del(backend, "condition");
	json_object_del(backend, "deadline");
	json_object_del(backend, "by-hand");
	json_object_del(backend, "configured");
	json_object_del(backend, "id");
	json_object_del(backend, "health");
	json_object_del(backend, "health-age");
	json_object_del(backend, "health-weight");
	json_object_del(backend, "health-reason");
	if (!strcmp(json_string_value(json_object_get(backend, "state")), "up"))
		json_object_del(backend, "state");
}

static bool has_mode(const json_t *object, const char *mode)
{
	const char *its = json_string_value(json_object_get(object, "mode"));

	return its && !strcmp(its, mode);
}

static bool any_mode(const json_t *service, const char *mode)
{
	const json_t *backend;
	size_t i;

	json_array_foreach(json_object_get(service, "backends"), i, backend)
		if (has_mode(backend, mode))
			return true;
	return has_mode(service, mode);
}

/*
 * Settings that nothing uses any more, since the last backend of that mode left. The
 * kernel would not take them of a new service.
 */
static void drop_unused(json_t *service)
{
	if (!any_mode(service, "dsr")) {
		json_object_del(service, "encap");
		json_object_del(service, "encap-port");
		json_object_del(service, "encap-source");
	}
	if (!any_mode(service, "fullnat")) {
		json_object_del(service, "toa");
		json_object_del(service, "proxy-protocol");
	}
}

/* Without counters; the backends are the last of it, as one writes it. */
static void tidy_service(json_t *service)
{
	json_t *backends = json_object_get(service, "backends"), *backend;
	size_t i;

	json_object_del(service, "stats");
	drop_unused(service);
	drop_default(service, "timeout-syn", NFLB_TIMEOUT_SYN_DEFAULT);
	drop_default(service, "timeout-established",
		     NFLB_TIMEOUT_ESTABLISHED_DEFAULT);
	drop_default(service, "timeout-fin", NFLB_TIMEOUT_FIN_DEFAULT);
	drop_default(service, "timeout-udp", NFLB_TIMEOUT_UDP_DEFAULT);
	json_array_foreach(backends, i, backend)
		tidy_backend(backend);
}

static bool same_key(const json_t *a, const json_t *b, const char *key)
{
	return json_equal(json_object_get(a, key), json_object_get(b, key));
}

/* A string where that says all, else an object. */
static json_t *tidy_laddr(json_t *laddr)
{
	char all[32];

	json_object_del(laddr, "foreign");
	json_object_del(laddr, "stats");
	snprintf(all, sizeof(all), "%d-%d", NFLB_LADDR_PORT_FIRST,
		 NFLB_LADDR_PORT_LAST);
	if (!strcmp(json_string_value(json_object_get(laddr, "ports")), all))
		json_object_del(laddr, "ports");
	return json_incref(json_object_size(laddr) == 1 ?
			   json_object_get(laddr, "address") : laddr);
}

/* A string where that says all, else an object. */
static int tidy_device(json_t *devices, size_t i)
{
	json_t *device = json_array_get(devices, i);
	const char *name = json_string_value(json_object_get(device, "device"));
	const json_t *xdp = json_object_get(device, "xdp");

	if (!xdp && json_object_get(device, "xdp-program"))
		return xdp_no_permission();
	/* Wanted, for a device that is missing, or was */
	if (json_is_true(xdp) || json_object_get(device, "xdp-wanted"))
		json_array_set_new(devices, i, json_pack("{s:s,s:b}", "device",
							 name, "xdp", 1));
	else
		json_array_set_new(devices, i, json_string(name));
	return LBADM_OK;
}

/* Devices with the ingress hook; without it XDP is nothing that is configured. */
static int devices_from_kernel(json_t **devices, json_t *details)
{
	int status = read_devices(devices);
	size_t i;

	if (!status && details)
		json_object_set_new(details, "devices",
				    json_deep_copy(*devices));
	for (i = json_array_size(*devices); i-- && !status;) {
		if (json_object_get(json_array_get(*devices, i), "ingress"))
			json_array_remove(*devices, i);
		else
			status = tidy_device(*devices, i);
	}
	if (status)
		json_decref(*devices);
	return status;
}

/* Policies of services are theirs; others are in no file. */
static void add_policies(const json_t *services, const json_t *policies)
{
	static const char *const keys[] = { "deny", "allow", "rate", "burst" };
	json_t *policy, *value, *service, *its;
	size_t i, j;

	json_array_foreach(services, i, service) {
		policy = NULL;
		json_array_foreach(policies, j, policy)
			if (same_key(policy, service, "protocol") &&
			    same_key(policy, service, "address") &&
			    same_key(policy, service, "port"))
				break;
		if (j == json_array_size(policies))
			continue;
		its = json_object();
		for (j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
			value = json_object_get(policy, keys[j]);
			if (value)
				json_object_set(its, keys[j], value);
		}
		json_object_set_new(service, "policy", its);
	}
}

int config_from_kernel(json_t **config, json_t *details,
		       struct known_policies *policies)
{
	json_t *services = NULL, *laddrs = NULL, *devices = NULL, *one;
	int status;
	size_t i;

	status = read_services(NULL, &services);
	if (status)
		return status;
	status = read_list(NFLB_CMD_LADDR_GET, msg_get_laddr, &laddrs);
	if (status)
		goto err_services;
	status = devices_from_kernel(&devices, details);
	if (status)
		goto err_laddrs;
	if (details)
		json_object_set_new(details, "services",
				    json_deep_copy(services));
	json_array_foreach(services, i, one)
		tidy_service(one);
	json_array_foreach(laddrs, i, one)
		json_array_set_new(laddrs, i, tidy_laddr(one));
	*config = json_pack("{s:o,s:o,s:o}", "services", services,
			    "local-addresses", laddrs, "devices", devices);
	policies_from_kernel(policies);
	add_policies(services, policies->list);
	status = settings_from_kernel(*config);
	if (!status)
		return status;
	json_decref(policies->list);
	json_decref(*config);
	return status;

err_laddrs:
	json_decref(laddrs);
err_services:
	json_decref(services);
	return status;
}

/* --- state that no file has */

static int name_number(const struct names *names, const json_t *object,
		       const char *key)
{
	const char *name = json_string_value(json_object_get(object, key));

	return name ? names_find(names, name) : -1;
}

/* States and verdicts that were set by hand, and the state that a file would have */
static void add_by_hand(struct backend_request *b, const json_t *backend)
{
	const json_t *deadline = json_object_get(backend, "deadline");
	int state = name_number(&backend_state_names, backend, "by-hand");
	int configured = name_number(&backend_state_names, backend,
				     "configured");
	int health = name_number(&health_names, backend, "health");
	const char *reason = json_string_value(json_object_get(backend,
							       "health-reason"));

	if (health >= 0 && reason && !strcmp(reason, HEALTH_FORCED))
		b->forced = (struct opt){ .set = true, .value = health };
	if (state < 0 || configured < 0)
		return;
	b->by_hand = (struct opt){ .set = true, .value = state };
	b->state = (struct opt){ .set = true, .value = configured };
	b->hand_deadline.set = json_is_integer(deadline);
	b->hand_deadline.value = json_integer_value(deadline);
}

/* @have was made of @services, in the same order. */
static void add_services(struct config *have, const json_t *services)
{
	const json_t *service, *backend;
	size_t i, j;

	json_array_foreach(services, i, service)
		json_array_foreach(json_object_get(service, "backends"), j,
				   backend)
			add_by_hand(&have->services[i].backends[j], backend);
}

static void add_device(struct device_request *have, const json_t *device)
{
	have->absent = json_is_true(json_object_get(device, "absent"));
	have->late = !have->absent && json_object_get(device, "xdp-wanted");
	if (have->late)
		have->xdp = false;
}

static void add_devices(struct config *have, const json_t *devices)
{
	const char *name;
	const json_t *device;
	size_t i, j;

	json_array_foreach(devices, i, device) {
		name = json_string_value(json_object_get(device, "device"));
		for (j = 0; j < have->device_count; j++)
			if (!strcmp(have->devices[j].name, name))
				add_device(&have->devices[j], device);
	}
}

int config_have(struct config *have, struct known_policies *policies)
{
	json_t *json, *details = json_object();
	int status = config_from_kernel(&json, details, policies);

	if (!status) {
		status = config_from_json(json, have);
		if (status)
			json_decref(policies->list);
	}
	if (!status) {
		add_services(have, json_object_get(details, "services"));
		add_devices(have, json_object_get(details, "devices"));
	}
	json_decref(details);
	return status;
}

int config_have_services(struct config *have)
{
	json_t *services, *details, *one;
	int status = read_services(NULL, &services);
	size_t i;

	if (status)
		return status;
	details = json_deep_copy(services);
	json_array_foreach(services, i, one)
		tidy_service(one);
	status = config_from_json(json_pack("{s:o}", "services", services),
				  have);
	if (!status)
		add_services(have, details);
	json_decref(details);
	return status;
}
