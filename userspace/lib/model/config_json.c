// SPDX-License-Identifier: GPL-2.0
/*
 * Requests as objects with the keys of a file, to compare and to print them.
 */
#include <stdio.h>
#include <string.h>

#include "model/config.h"
#include "model/names.h"

static void set_number(json_t *to, const char *key, const struct opt *opt)
{
	if (opt->set)
		json_object_set_new(to, key, json_integer(opt->value));
}

static void set_bool(json_t *to, const char *key, const struct opt *opt)
{
	if (opt->set)
		json_object_set_new(to, key, json_boolean(opt->value));
}

static void set_word(json_t *to, const char *key, const struct names *names,
		     const struct opt *opt)
{
	if (opt->set)
		json_object_set_new(to, key, json_string(
			names_get(names, opt->value)));
}

/* "" is none. */
static void set_label(json_t *to, const char *key, const struct label *label)
{
	if (*label->text)
		json_object_set_new(to, key, json_string(label->text));
}

static size_t prefix_text(char *to, size_t size, const struct prefix *prefix,
			  const char *before)
{
	char address[ADDR_TEXT_MAX];

	if (!prefix->length.set)
		return 0;
	return snprintf(to, size, "%s%s/%u", before,
			addr_format(address, &prefix->address),
			prefix->length.value);
}

static void set_encap_source(json_t *to, const struct service_request *req)
{
	char text[2 * ADDR_TEXT_MAX + 16] = "auto";
	size_t len;

	len = prefix_text(text, sizeof(text), &req->encap_source4, "");
	prefix_text(text + len, sizeof(text) - len, &req->encap_source6,
		    len ? "," : "");
	json_object_set_new(to, "encap-source", json_string(text));
}

json_t *config_service_json(const struct service_request *req)
{
	json_t *json = json_object();
	struct service_request n;

	config_normal_service(&n, req);
	set_label(json, "name", &n.name);
	set_label(json, "comment", &n.comment);
	set_word(json, "mode", &mode_names, &n.mode);
	set_word(json, "encap", &encap_names, &n.encap);
	set_number(json, "encap-port", &n.encap_port);
	set_encap_source(json, &n);
	json_object_set_new(json, "scheduler", json_string(n.scheduler));
	set_number(json, "persist", &n.persist);
	set_number(json, "persist-prefix4", &n.persist_prefix4);
	set_number(json, "persist-prefix6", &n.persist_prefix6);
	set_number(json, "slow-start", &n.slow_start);
	set_bool(json, "toa", &n.toa);
	set_number(json, "toa-kind6", &n.toa_kind6);
	set_bool(json, "proxy-protocol", &n.proxy);
	set_bool(json, "one-packet", &n.one_packet);
	set_number(json, "timeout-syn", &n.timeout_syn);
	set_number(json, "timeout-established", &n.timeout_established);
	set_number(json, "timeout-fin", &n.timeout_fin);
	set_number(json, "timeout-udp", &n.timeout_udp);
	if (req->health_check && *req->health_check)
		json_object_set_new(json, "health-check",
				    json_loads(req->health_check, 0, NULL));
	return json;
}

json_t *config_backend_json(const struct backend_request *req)
{
	json_t *json = json_object();

	set_label(json, "name", &req->name);
	set_label(json, "comment", &req->comment);
	set_number(json, "weight", &req->weight);
	set_word(json, "state", &backend_state_names, &req->state);
	set_number(json, "max-connections", &req->max_connections);
	set_word(json, "mode", &mode_names, &req->mode);
	set_word(json, "encap", &encap_names, &req->encap);
	set_number(json, "encap-port", &req->encap_port);
	return json;
}
