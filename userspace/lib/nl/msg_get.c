// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to JSON objects. An attribute that a newer kernel sends and that is
 * not known here is passed over; a number without a word is shown as a number.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/genetlink.h>
#include <linux/nflb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "model/names.h"
#include "nl/msg.h"
#include "nl/table.h"

/* The kind that is not the default, of IPv6 clients' addresses. */
#define TOA_KIND6_OTHER 253

/* "ADDRESS/LENGTH" of both families, as the command line takes it */
static void set_encap_source(json_t *to, const struct table *table)
{
	static const int types[] = {
		NFLB_A_SERVICE_ENCAP_SOURCE4, NFLB_A_SERVICE_ENCAP_SOURCE6,
	};
	char text[2 * ADDR_TEXT_MAX] = "";
	size_t i, len = 0;
	json_t *address;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		address = get_addr(table, types[i]);
		if (!address)
			continue;
		len += snprintf(text + len, sizeof(text) - len,
				"%s%s/%" PRIu64, len ? "," : "",
				json_string_value(address),
				get_uint(table, types[i] + 1));
		json_decref(address);
	}
	if (len)
		json_object_set_new(to, "encap-source", json_string(text));
}

/* What clients' connections show of a backend. Older modules have none. */
static void set_passive(json_t *stats, const struct table *t)
{
	if (!t->attrs[NFLB_A_STATS_NO_NEIGHBOUR])
		return;
	set_uint(stats, "established", t, NFLB_A_STATS_ESTABLISHED);
	set_uint(stats, "syn-repeated", t, NFLB_A_STATS_SYN_REPEATED);
	set_uint(stats, "refused", t, NFLB_A_STATS_REFUSED);
	set_uint(stats, "reset", t, NFLB_A_STATS_RESET);
	set_uint(stats, "unreachable", t, NFLB_A_STATS_UNREACHABLE);
	set_uint(stats, "no-neighbour", t, NFLB_A_STATS_NO_NEIGHBOUR);
}

static json_t *stats_object(const struct nlattr *nest)
{
	json_t *stats = json_object();
	struct table t;

	table_fill_nest(&t, nest);
	set_uint(stats, "connections", &t, NFLB_A_STATS_CONNECTIONS);
	set_uint(stats, "active", &t, NFLB_A_STATS_ACTIVE);
	set_uint(stats, "inactive", &t, NFLB_A_STATS_INACTIVE);
	set_uint(stats, "packets-in", &t, NFLB_A_STATS_PACKETS_IN);
	set_uint(stats, "packets-out", &t, NFLB_A_STATS_PACKETS_OUT);
	set_uint(stats, "bytes-in", &t, NFLB_A_STATS_BYTES_IN);
	set_uint(stats, "bytes-out", &t, NFLB_A_STATS_BYTES_OUT);
	/* The totals, and older modules, have none. */
	if (t.attrs[NFLB_A_STATS_DROPS])
		set_uint(stats, "drops", &t, NFLB_A_STATS_DROPS);
	set_passive(stats, &t);
	return stats;
}

/* 80, "8000-8010" or "*" */
static json_t *get_ports(const struct table *table)
{
	uint16_t first = get_port(table, NFLB_A_SERVICE_PORT);
	uint16_t last = get_port(table, NFLB_A_SERVICE_PORT_LAST);

	if (!first)
		return json_string("*");
	if (!last)
		return json_integer(first);
	return json_sprintf("%u-%u", first, last);
}

/* JSON within a string */
static void set_json(json_t *to, const char *key, const struct table *table,
		     int type)
{
	const struct nlattr *attr = table->attrs[type];

	if (attr && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		json_object_set_new(to, key, json_loads(mnl_attr_get_str(attr),
							0, NULL));
}

/* Settings that are off are omitted, as in a configuration. */
static json_t *service_object(const struct nlattr *nest)
{
	json_t *service = json_object();
	struct table t;

	table_fill_nest(&t, nest);
	set_protocol(service, &t, NFLB_A_SERVICE_PROTOCOL);
	json_object_set_new(service, "address",
			    get_addr(&t, NFLB_A_SERVICE_ADDRESS));
	json_object_set_new(service, "port", get_ports(&t));
	set_string(service, "name", &t, NFLB_A_SERVICE_NAME);
	set_string(service, "comment", &t, NFLB_A_SERVICE_COMMENT);
	set_name(service, "mode", &mode_names, &t, NFLB_A_SERVICE_MODE);
	if (get_uint(&t, NFLB_A_SERVICE_ENCAP) != NFLB_ENCAP_NONE) {
		set_name(service, "encap", &encap_names, &t,
			 NFLB_A_SERVICE_ENCAP);
		set_port(service, "encap-port", &t,
			 NFLB_A_SERVICE_ENCAP_PORT);
	}
	if (get_uint(&t, NFLB_A_SERVICE_TOA))
		json_object_set_new(service, "toa", json_true());
	set_encap_source(service, &t);
	if (get_uint(&t, NFLB_A_SERVICE_TOA_KIND6) == TOA_KIND6_OTHER)
		set_uint(service, "toa-kind6", &t, NFLB_A_SERVICE_TOA_KIND6);
	if (get_uint(&t, NFLB_A_SERVICE_PROXY))
		json_object_set_new(service, "proxy-protocol", json_true());
	if (get_uint(&t, NFLB_A_SERVICE_ONE_PACKET))
		json_object_set_new(service, "one-packet", json_true());
	set_string(service, "scheduler", &t, NFLB_A_SERVICE_SCHEDULER);
	if (get_uint(&t, NFLB_A_SERVICE_PERSIST)) {
		set_uint(service, "persist", &t, NFLB_A_SERVICE_PERSIST);
		set_uint(service, "persist-prefix4", &t,
			 NFLB_A_SERVICE_PERSIST_PREFIX4);
		set_uint(service, "persist-prefix6", &t,
			 NFLB_A_SERVICE_PERSIST_PREFIX6);
	}
	set_nonzero(service, "slow-start", &t, NFLB_A_SERVICE_SLOW_START);
	set_uint(service, "timeout-syn", &t, NFLB_A_SERVICE_TIMEOUT_SYN);
	set_uint(service, "timeout-established", &t,
		 NFLB_A_SERVICE_TIMEOUT_ESTABLISHED);
	set_uint(service, "timeout-fin", &t, NFLB_A_SERVICE_TIMEOUT_FIN);
	set_uint(service, "timeout-udp", &t, NFLB_A_SERVICE_TIMEOUT_UDP);
	set_json(service, "health-check", &t, NFLB_A_SERVICE_HEALTH_CHECK);
	if (t.attrs[NFLB_A_SERVICE_STATS]) {
		json_t *stats = stats_object(t.attrs[NFLB_A_SERVICE_STATS]);

		set_uint(stats, "persistent", &t,
			 NFLB_A_SERVICE_PERSIST_COUNT);
		json_object_set_new(service, "stats", stats);
	}
	return service;
}

/* A backend that nobody checks has no health. */
static void set_health(json_t *backend, const struct table *t)
{
	if (get_uint(t, NFLB_A_BACKEND_HEALTH) != NFLB_HEALTH_UNKNOWN) {
		set_name(backend, "health", &health_names, t,
			 NFLB_A_BACKEND_HEALTH);
		set_uint(backend, "health-age", t, NFLB_A_BACKEND_HEALTH_AGE);
	}
	set_uint(backend, "health-weight", t, NFLB_A_BACKEND_HEALTH_WEIGHT);
	set_string(backend, "health-reason", t, NFLB_A_BACKEND_HEALTH_REASON);
}

static json_t *backend_object(const struct nlattr *nest)
{
	json_t *backend = json_object();
	struct table t;

	table_fill_nest(&t, nest);
	json_object_set_new(backend, "address",
			    get_addr(&t, NFLB_A_BACKEND_ADDRESS));
	set_port(backend, "port", &t, NFLB_A_BACKEND_PORT);
	set_string(backend, "name", &t, NFLB_A_BACKEND_NAME);
	set_string(backend, "comment", &t, NFLB_A_BACKEND_COMMENT);
	set_uint(backend, "weight", &t, NFLB_A_BACKEND_WEIGHT);
	set_name(backend, "state", &backend_state_names, &t,
		 NFLB_A_BACKEND_STATE);
	/* These are only there when they differ from the service's: an encap
	 * of "none" says something then.
	 */
	set_name(backend, "mode", &mode_names, &t, NFLB_A_BACKEND_MODE);
	set_name(backend, "encap", &encap_names, &t, NFLB_A_BACKEND_ENCAP);
	set_port(backend, "encap-port", &t, NFLB_A_BACKEND_ENCAP_PORT);
	set_nonzero(backend, "max-connections", &t,
		    NFLB_A_BACKEND_MAX_CONNECTIONS);
	set_uint(backend, "deadline", &t, NFLB_A_BACKEND_DEADLINE);
	set_string(backend, "condition", &t, NFLB_A_BACKEND_CONDITION);
	set_name(backend, "by-hand", &backend_state_names, &t,
		 NFLB_A_BACKEND_BY_HAND);
	set_name(backend, "configured", &backend_state_names, &t,
		 NFLB_A_BACKEND_CONFIGURED);
	set_uint(backend, "id", &t, NFLB_A_BACKEND_ID);
	set_string(backend, "trouble", &t, NFLB_A_BACKEND_TROUBLE);
	set_health(backend, &t);
	if (t.attrs[NFLB_A_BACKEND_STATS]) {
		json_t *stats = stats_object(t.attrs[NFLB_A_BACKEND_STATS]);

		set_uint(stats, "local-ports", &t, NFLB_A_BACKEND_LOCAL_PORTS);
		json_object_set_new(backend, "stats", stats);
	}
	return backend;
}

json_t *msg_get_service(const struct nlmsghdr *nlh)
{
	struct table t;

	table_fill(&t, nlh);
	return t.attrs[NFLB_A_SERVICE] ?
	       service_object(t.attrs[NFLB_A_SERVICE]) : NULL;
}

const struct nlattr *msg_service_attr(const struct nlmsghdr *nlh)
{
	struct table t;

	table_fill(&t, nlh);
	return t.attrs[NFLB_A_SERVICE];
}

json_t *msg_get_backend(const struct nlmsghdr *nlh)
{
	struct table t;

	table_fill(&t, nlh);
	return t.attrs[NFLB_A_BACKEND] ?
	       backend_object(t.attrs[NFLB_A_BACKEND]) : NULL;
}

uint32_t msg_get_backend_id(const struct nlmsghdr *nlh)
{
	struct table t, backend;

	table_fill(&t, nlh);
	if (!t.attrs[NFLB_A_BACKEND])
		return 0;
	table_fill_nest(&backend, t.attrs[NFLB_A_BACKEND]);
	return get_uint(&backend, NFLB_A_BACKEND_ID);
}

json_t *msg_get_conn(const struct nlmsghdr *nlh)
{
	json_t *conn;
	struct table t;

	table_fill(&t, nlh);
	if (!t.attrs[NFLB_A_CONN])
		return NULL;
	table_fill_nest(&t, t.attrs[NFLB_A_CONN]);
	conn = json_object();
	set_protocol(conn, &t, NFLB_A_CONN_PROTOCOL);
	json_object_set_new(conn, "client-address",
			    get_addr(&t, NFLB_A_CONN_CLIENT_ADDRESS));
	json_object_set_new(conn, "client-port", json_integer(
		get_port(&t, NFLB_A_CONN_CLIENT_PORT)));
	json_object_set_new(conn, "address",
			    get_addr(&t, NFLB_A_CONN_ADDRESS));
	json_object_set_new(conn, "port",
			    json_integer(get_port(&t, NFLB_A_CONN_PORT)));
	json_object_set_new(conn, "backend-address",
			    get_addr(&t, NFLB_A_CONN_BACKEND_ADDRESS));
	json_object_set_new(conn, "backend-port", json_integer(
		get_port(&t, NFLB_A_CONN_BACKEND_PORT)));
	if (t.attrs[NFLB_A_CONN_LOCAL_ADDRESS]) {
		json_object_set_new(conn, "local-address",
				    get_addr(&t, NFLB_A_CONN_LOCAL_ADDRESS));
		json_object_set_new(conn, "local-port", json_integer(
			get_port(&t, NFLB_A_CONN_LOCAL_PORT)));
	}
	set_name(conn, "mode", &mode_names, &t, NFLB_A_CONN_MODE);
	if (get_uint(&t, NFLB_A_CONN_ENCAP) != NFLB_ENCAP_NONE)
		set_name(conn, "encap", &encap_names, &t, NFLB_A_CONN_ENCAP);
	set_name(conn, "state", &conn_state_names, &t, NFLB_A_CONN_STATE);
	set_uint(conn, "expires", &t, NFLB_A_CONN_EXPIRES);
	set_uint(conn, "age", &t, NFLB_A_CONN_AGE);
	return conn;
}

/* As the command line takes it: "1000-1999,3000" */
static void set_excluded(json_t *to, const struct nlattr *attr)
{
	char text[NFLB_LADDR_EXCLUDED_MAX * 12 + 1] = "";
	size_t i, used = 0;
	uint16_t pair[2];

	for (i = 0; attr && i < NFLB_LADDR_EXCLUDED_MAX &&
	     (i + 1) * sizeof(pair) <= mnl_attr_get_payload_len(attr); i++) {
		memcpy(pair, (char *)mnl_attr_get_payload(attr) +
		       i * sizeof(pair), sizeof(pair));
		used += snprintf(text + used, sizeof(text) - used,
				 pair[0] == pair[1] ? "%s%u" : "%s%u-%u",
				 i ? "," : "", ntohs(pair[0]), ntohs(pair[1]));
	}
	if (used)
		json_object_set_new(to, "exclude", json_string(text));
}

/* There are 4,096 addresses at most: their last four bytes say how many. */
static uint32_t last_bytes(const struct nlattr *attr)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;
	uint32_t low = 0;

	if (len >= sizeof(low))
		memcpy(&low, (char *)mnl_attr_get_payload(attr) + len -
		       sizeof(low), sizeof(low));
	return ntohl(low);
}

static void set_ports_total(json_t *to, const struct table *t)
{
	json_int_t addresses = 1 +
		(uint32_t)(last_bytes(t->attrs[NFLB_A_LADDR_ADDRESS_LAST]) -
			   last_bytes(t->attrs[NFLB_A_LADDR_ADDRESS]));

	if (t->attrs[NFLB_A_LADDR_PORT_COUNT])
		json_object_set_new(to, "stats", json_pack("{s:I}",
			"ports-total", addresses *
			(json_int_t)get_uint(t, NFLB_A_LADDR_PORT_COUNT)));
}

json_t *msg_get_laddr(const struct nlmsghdr *nlh)
{
	json_t *laddr, *first, *last;
	struct table t;

	table_fill(&t, nlh);
	if (!t.attrs[NFLB_A_LADDR])
		return NULL;
	table_fill_nest(&t, t.attrs[NFLB_A_LADDR]);
	laddr = json_object();
	first = get_addr(&t, NFLB_A_LADDR_ADDRESS);
	last = get_addr(&t, NFLB_A_LADDR_ADDRESS_LAST);
	if (last && first && !json_equal(first, last))
		json_object_set_new(laddr, "address", json_sprintf("%s-%s",
			json_string_value(first), json_string_value(last)));
	else
		json_object_set(laddr, "address", first);
	json_decref(first);
	json_decref(last);
	json_object_set_new(laddr, "ports", json_sprintf("%u-%u",
		get_port(&t, NFLB_A_LADDR_PORT),
		get_port(&t, NFLB_A_LADDR_PORT_LAST)));
	set_excluded(laddr, t.attrs[NFLB_A_LADDR_EXCLUDED]);
	set_uint(laddr, "foreign", &t, NFLB_A_LADDR_FOREIGN);
	set_ports_total(laddr, &t);
	return laddr;
}

static json_t *counters_object(const struct nlattr *nest)
{
	json_t *counters = json_object();
	const struct nlattr *attr;
	struct table t;

	mnl_attr_for_each_nested(attr, nest) {
		const struct nlattr *name;

		table_fill_nest(&t, attr);
		name = t.attrs[NFLB_A_COUNTER_NAME];
		if (name && !mnl_attr_validate(name, MNL_TYPE_NUL_STRING))
			set_uint(counters, mnl_attr_get_str(name), &t,
				 NFLB_A_COUNTER_VALUE);
	}
	return counters;
}

static json_t *drops_object(const struct nlattr *nest)
{
	json_t *drops = json_object();
	const struct nlattr *attr;
	struct table t;

	mnl_attr_for_each_nested(attr, nest) {
		const struct nlattr *reason;

		table_fill_nest(&t, attr);
		reason = t.attrs[NFLB_A_DROP_REASON];
		if (reason && !mnl_attr_validate(reason, MNL_TYPE_NUL_STRING))
			set_uint(drops, mnl_attr_get_str(reason), &t,
				 NFLB_A_DROP_PACKETS);
	}
	return drops;
}

json_t *msg_get_stats(const struct nlmsghdr *nlh)
{
	json_t *stats;
	struct table t;

	table_fill(&t, nlh);
	if (!t.attrs[NFLB_A_STATS])
		return NULL;
	stats = stats_object(t.attrs[NFLB_A_STATS]);
	set_uint(stats, "max-connections", &t, NFLB_A_MAX_CONNECTIONS);
	if (t.attrs[NFLB_A_DROPS])
		json_object_set_new(stats, "drops",
				    drops_object(t.attrs[NFLB_A_DROPS]));
	if (t.attrs[NFLB_A_COUNTERS])
		json_object_set_new(stats, "counters", counters_object(
			t.attrs[NFLB_A_COUNTERS]));
	return stats;
}

json_t *msg_get_count(const struct nlmsghdr *nlh)
{
	struct table t;

	table_fill(&t, nlh);
	if (!t.attrs[NFLB_A_COUNT])
		return NULL;
	return json_pack("{s:I}", "count",
			 (json_int_t)get_uint(&t, NFLB_A_COUNT));
}

json_t *msg_get_version(const struct nlmsghdr *nlh)
{
	json_t *version = json_object();
	struct table t;

	table_fill(&t, nlh);
	set_string(version, "module", &t, NFLB_A_MODULE_VERSION);
	set_uint(version, "module-protocol", &t, NFLB_A_UAPI_VERSION);
	return version;
}

json_t *msg_get_device(const struct nlmsghdr *nlh)
{
	json_t *device;
	struct table t;

	table_fill(&t, nlh);
	if (!t.attrs[NFLB_A_DEVICE])
		return NULL;
	device = json_pack("{s:s}", "device",
			   mnl_attr_get_str(t.attrs[NFLB_A_DEVICE]));
	if (t.attrs[NFLB_A_DEVICE_ABSENT])
		json_object_set_new(device, "absent", json_true());
	if (get_uint(&t, NFLB_A_DEVICE_XDP))
		json_object_set_new(device, "xdp-wanted", json_true());
	return device;
}

static const char *event_name(uint8_t cmd)
{
	switch (cmd) {
	case NFLB_CMD_SERVICE_ADD: return "service-add";
	case NFLB_CMD_SERVICE_SET: return "service-set";
	case NFLB_CMD_SERVICE_DEL: return "service-del";
	case NFLB_CMD_BACKEND_ADD: return "backend-add";
	case NFLB_CMD_BACKEND_SET: return "backend-set";
	case NFLB_CMD_BACKEND_DEL: return "backend-del";
	case NFLB_CMD_BACKEND_DRAINED: return "backend-drained";
	case NFLB_CMD_HEALTH_SET: return "health-set";
	case NFLB_CMD_BACKEND_TROUBLE: return "backend-trouble";
	case NFLB_CMD_LADDR_ADD: return "laddr-add";
	case NFLB_CMD_LADDR_DEL: return "laddr-del";
	case NFLB_CMD_DEVICE_ADD: return "device-add";
	case NFLB_CMD_DEVICE_DEL: return "device-del";
	case NFLB_CMD_CONN_NEW: return "connection-new";
	case NFLB_CMD_CONN_END: return "connection-end";
	default: return NULL;
	}
}

json_t *msg_get_event(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const char *name = event_name(genl->cmd);
	json_t *event, *object;

	if (!name)
		return NULL;
	event = json_pack("{s:s}", "event", name);
	object = msg_get_conn(nlh);
	if (!object)
		object = msg_get_laddr(nlh);
	if (!object)
		object = msg_get_device(nlh);
	if (!object) {
		object = msg_get_backend(nlh);
		if (object)
			json_object_set_new(event, "service",
					    msg_get_service(nlh));
		else
			object = msg_get_service(nlh);
	}
	if (object)
		json_object_update(event, object);
	json_decref(object);
	return event;
}
