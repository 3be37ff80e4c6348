// SPDX-License-Identifier: GPL-2.0
/*
 * A real server of IPVS and its equivalent in nflb: a backend with its way of forwarding.
 */
#include <stdlib.h>
#include <string.h>

#include "model/ipvs.h"
#include "util/addr.h"

int ipvs_address(json_t *to, const char *text, const char *any)
{
	char buf[ADDR_TEXT_MAX];
	const char *rest;
	struct addr addr;
	uint32_t port = 0;

	if (!addr_split(&addr, &rest, text) ||
	    (rest && !number_parse(&port, rest, 65535)))
		return usage_error("\"%s\": an address and a number of a port are expected, as `ipvsadm-save -n` prints them",
				   text);
	json_object_set_new(to, "address", json_string(addr_format(buf, &addr)));
	if (port)
		json_object_set_new(to, "port", json_integer(port));
	else if (any)
		json_object_set_new(to, "port", json_string(any));
	return LBADM_OK;
}

static int set_number(json_t *to, const char *key, const char *option,
		      const char *text)
{
	uint32_t number;

	if (!text)
		return LBADM_OK;
	if (!number_parse(&number, text, INT32_MAX))
		return usage_error("%s %s: a number is expected", option, text);
	json_object_set_new(to, key, json_integer(number));
	return LBADM_OK;
}

/*
 * The upper threshold, 0 if there is none. IPVS has a lower one, too: three quarters of
 * the upper, unless it is told.
 */
static int set_thresholds(const struct ipvs_line *line, json_t *backend)
{
	uint32_t lower = 0;
	int status = set_number(backend, "max-connections", "-x", line->upper);

	if (status)
		return status;
	if (line->lower && !number_parse(&lower, line->lower, INT32_MAX))
		return usage_error("-y %s: a number is expected", line->lower);
	if (!json_integer_value(json_object_get(backend, "max-connections")))
		json_object_del(backend, "max-connections");
	else if (lower)
		ipvs_warn("-y %s is left out: a full backend gets new connections as soon as it has fewer than -x %s",
			  line->lower, line->upper);
	return LBADM_OK;
}

static void warn_of_checksums(const struct ipvs_line *line)
{
	if (line->tun_csum)
		ipvs_warn("--tun-csum is left out: outer headers have only the checksum that IPv6 requires, and receivers must not require more");
	if (line->tun_remcsum)
		ipvs_warn("--tun-remcsum is left out: checksums of packets in the tunnel are complete");
}

/* How a server's packets travel, as keys of a service or a backend. */
static int set_mode(json_t *to, const struct ipvs_line *line)
{
	const char *tunnel = line->tun_type ? line->tun_type : "ipip";

	if (line->forward == 'm') {
		json_object_set_new(to, "mode", json_string("dnat"));
		return LBADM_OK;
	}
	json_object_set_new(to, "mode", json_string("dsr"));
	if (line->forward == 'g')
		return LBADM_OK;
	if (strcmp(tunnel, "ipip") && strcmp(tunnel, "gre") &&
	    strcmp(tunnel, "gue"))
		return usage_error("--tun-type %s: nflb has ipip, gre and gue",
				   tunnel);
	json_object_set_new(to, "encap", json_string(tunnel));
	warn_of_checksums(line);
	return strcmp(tunnel, "gue") ? LBADM_OK :
	       set_number(to, "encap-port", "--tun-port", line->tun_port);
}

static bool same_key(const json_t *a, const json_t *b, const char *key)
{
	const json_t *va = json_object_get(a, key), *vb = json_object_get(b, key);

	return va == vb || (va && vb && json_equal(va, vb));
}

/* The first server's mode is the service's; others have their own. */
static int add_mode(json_t *service, json_t *backend,
		    const struct ipvs_line *line)
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

/* IPVS gives it to the host, whatever the method says. */
static bool is_loopback(const json_t *backend)
{
	struct addr addr;
	static const uint8_t one[16] = { [15] = 1 };

	return addr_parse(&addr, json_string_value(json_object_get(backend,
								   "address"))) &&
	       (addr.len == 4 ? addr.bytes[0] == 127 :
				!memcmp(addr.bytes, one, sizeof(one)));
}

/* As in IPVS: only a tunnel carries packets of the other family. */
static bool is_other_family(const json_t *service, const json_t *backend)
{
	return !strchr(json_string_value(json_object_get(service, "address")),
		       ':') !=
	       !strchr(json_string_value(json_object_get(backend, "address")),
		       ':');
}

/* A packet goes to the port that its client asked for, whatever stands there. */
static void drop_port(const json_t *service, json_t *backend)
{
	json_t *port = json_object_get(backend, "port");

	if (port && !json_equal(port, json_object_get(service, "port")))
		ipvs_warn("port %d of the server is left out: as in IPVS, -g and -i do not change the port",
			  (int)json_integer_value(port));
	json_object_del(backend, "port");
}

int ipvs_server(const struct ipvs_line *line, json_t *service, json_t *backend)
{
	int status = ipvs_address(backend, line->server, NULL);

	if (!status && is_loopback(backend))
		return usage_error("-r %s is this host for IPVS; use an address of the host that is not a VIP",
				   line->server);
	if (!status && line->forward != 'i' && is_other_family(service, backend))
		return usage_error("-r %s is of another address family than the service, which needs -i",
				   line->server);
	status = status ? status : set_number(backend, "weight", "-w",
					      line->weight);
	status = status ? status : set_thresholds(line, backend);
	if (status)
		return status;
	if (line->forward != 'm')
		drop_port(service, backend);
	return add_mode(service, backend, line);
}

void ipvs_clip_weight(json_t *backend)
{
	json_t *weight = json_object_get(backend, "weight");

	if (json_integer_value(weight) > NFLB_WEIGHT_MAX)
		json_object_set_new(backend, "weight",
				    json_integer(NFLB_WEIGHT_MAX));
}

void ipvs_scale_weights(json_t *service)
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
