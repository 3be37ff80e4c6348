// SPDX-License-Identifier: GPL-2.0
/*
 * Words of services, backends and the rest, as commands and configuration files have
 * them. Those of one command alone are beside it, in cmd/.
 */
#include "model/vocabulary.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "model/request.h"

#define SERVICE(field) .offset = offsetof(struct service_request, field)
#define BACKEND(field) .offset = offsetof(struct backend_request, field)
#define TIMEOUT(what, field, seconds, text) \
	{ .name = "timeout-" what, .kind = &kind_seconds, .help = text, \
	  .standard = seconds, .flags = WORD_KEY, SERVICE(field) }

const struct word service_words[] = {
	{ .name = "protocol", .kind = &kind_protocol,
	  .help = "the protocol of the service", .flags = WORD_KEY_ONLY | WORD_NEEDED },
	{ .name = "address", .kind = &kind_address,
	  .help = "the VIP, IPv4 or IPv6 without brackets",
	  .flags = WORD_KEY_ONLY | WORD_NEEDED },
	{ .name = "port", .kind = &kind_service_port,
	  .help = "a number, \"LO-HI\", or \"*\" for all",
	  .flags = WORD_KEY_ONLY | WORD_NEEDED },
	{ .name = "mode", .kind = &kind_mode,
	  .help = "how packets reach a backend", .standard = "dnat",
	  .flags = WORD_KEY, SERVICE(mode) },
	{ .name = "encap", .kind = &kind_encap,
	  .help = "the tunnel to backends of mode dsr", .standard = "none",
	  .more = "The port of *gue* is 6080 unless given.",
	  .flags = WORD_KEY, SERVICE(encap),
	  .extra = offsetof(struct service_request, encap_port) },
	{ .name = "encap-port", .kind = &kind_port,
	  .help = "the port of encap gue", .standard = "6080",
	  .flags = WORD_KEY_ONLY },
	{ .name = "encap-source", .kind = &kind_encap_source,
	  .help = "the source address of tunnels, for each family",
	  .more = "With a prefix, each flow gets an address of its own from it. "
		  "*auto* is the address by which the balancer reaches the backend.",
	  .standard = "auto", .flags = WORD_KEY },
	{ .name = "scheduler", .kind = &kind_scheduler,
	  .help = "how a backend is picked for a new connection",
	  .standard = "wrr", .flags = WORD_KEY, SERVICE(scheduler) },
	{ .name = "persist", .kind = &kind_persist,
	  .help = "how long a client returns to the same backend; 0 is off",
	  .more = "The time counts from when its last connection began or ended. "
		  "The prefix is the part of the address that makes a client: "
		  "all of it for IPv4 and 64 bits for IPv6 unless given. "
		  "A backend that drains, is full, goes down or is deleted loses its "
		  "clients to others; one of weight 0 keeps those that it has.",
	  .standard = "0", .flags = WORD_KEY },
	{ .name = "persist-prefix4", .kind = &kind_prefix4,
	  .help = "the length of an IPv4 prefix that makes a client, with persist",
	  .standard = "32", .flags = WORD_KEY_ONLY },
	{ .name = "persist-prefix6", .kind = &kind_prefix6,
	  .help = "the same for IPv6", .standard = "64", .flags = WORD_KEY_ONLY },
	{ .name = "slow-start", .kind = &kind_seconds,
	  .help = "time in which a new or returning backend reaches its full weight",
	  .more = "0 is off. It needs a scheduler that heeds weights.",
	  .standard = "0", .flags = WORD_KEY, SERVICE(slow_start) },
	{ .name = "toa", .kind = &kind_on_off,
	  .help = "carry the client's address in a TCP option; needs mode fullnat",
	  .standard = "off", .flags = WORD_KEY, SERVICE(toa) },
	{ .name = "toa-kind6", .kind = &kind_toa_kind6,
	  .help = "the kind of that option for IPv6 clients",
	  .standard = "254", .flags = WORD_KEY, SERVICE(toa_kind6) },
	{ .name = "proxy-protocol", .kind = &kind_on_off,
	  .help = "send a PROXY protocol header (v2) first; needs mode fullnat",
	  .more = "It carries the client's address: once at the beginning of a TCP "
		  "connection, and in each UDP datagram.",
	  .standard = "off", .flags = WORD_KEY, SERVICE(proxy) },
	{ .name = "one-packet", .kind = &kind_on_off,
	  .help = "schedule each UDP datagram by itself",
	  .more = "Datagrams from the same port may go to different backends. "
		  "It does not go with *persist*.",
	  .standard = "off", .flags = WORD_KEY, SERVICE(one_packet) },
	TIMEOUT("syn", timeout_syn, "60",
		"how long a connection being made is kept without packets; 0 is the default"),
	TIMEOUT("established", timeout_established, "900",
		"the same for an established connection"),
	TIMEOUT("fin", timeout_fin, "120",
		"the same for a connection that is being closed"),
	TIMEOUT("udp", timeout_udp, "300", "the same for a UDP flow"),
	{ .name = "name", .kind = &kind_name,
	  .help = "a name for people, at most 63 bytes",
	  .more = "Several services can have the same. \"\" removes it.",
	  .flags = WORD_KEY, SERVICE(name) },
	{ .name = "comment", .kind = &kind_comment,
	  .help = "a note for people, at most 255 bytes", .more = "\"\" removes it.",
	  .flags = WORD_KEY, SERVICE(comment) },
	{ .name = "backends", .kind = &kind_array,
	  .help = "all that the service has", .flags = WORD_KEY_ONLY },
	{ .name = "health-check", .kind = &kind_object,
	  .help = "how to check the backends; at most 4095 bytes as compact JSON",
	  .flags = WORD_KEY_ONLY },
	{ .name = "policy", .kind = &kind_object,
	  .help = "access lists and rate limit of clients",
	  .more = "Without it, a policy from an earlier configuration is removed, and "
		  "one that was made by hand stays; an empty object removes that as well.",
	  .flags = WORD_KEY_ONLY },
	{ 0 },
};

const struct word backend_words[] = {
	{ .name = "address", .kind = &kind_address,
	  .help = "IPv4 or IPv6, without brackets and without a port",
	  .flags = WORD_KEY_ONLY | WORD_NEEDED },
	{ .name = "port", .kind = &kind_port,
	  .help = "without one, connections keep the port that the client asked for",
	  .flags = WORD_KEY_ONLY },
	{ .name = "weight", .kind = &kind_weight,
	  .help = "the share of new connections, relative to other backends",
	  .more = "With 0 it gets none.",
	  .standard = "1", .flags = WORD_KEY, BACKEND(weight) },
	{ .name = "state", .kind = &kind_backend_state,
	  .help = "whether it gets new connections, and keeps those it has",
	  .more = "A state that is set by hand stays over *config apply*; the stricter "
		  "one of it and the file's holds.",
	  .standard = "up", .flags = WORD_KEY, BACKEND(state) },
	{ .name = "max-connections", .kind = &kind_connections,
	  .help = "the most connections at a time; 0 is no limit",
	  .more = "Connections in TIME_WAIT or ended by a reset do not count, half-closed "
		  "ones do. One that nobody answered yet makes room for a new one.",
	  .standard = "0", .flags = WORD_KEY, BACKEND(max_connections) },
	{ .name = "mode", .kind = &kind_mode,
	  .help = "where it differs from the service's",
	  .more = "In mode *fullnat* the backend may be of the other address family.",
	  .flags = WORD_KEY, BACKEND(mode) },
	{ .name = "encap", .kind = &kind_encap,
	  .help = "where it differs from the service's", .flags = WORD_KEY,
	  BACKEND(encap), .extra = offsetof(struct backend_request, encap_port) },
	{ .name = "encap-port", .kind = &kind_port,
	  .help = "the port of encap gue", .flags = WORD_KEY_ONLY },
	{ .name = "name", .kind = &kind_name,
	  .help = "a name for people, at most 63 bytes",
	  .more = "Several backends can have the same. \"\" removes it.",
	  .flags = WORD_KEY, BACKEND(name) },
	{ .name = "comment", .kind = &kind_comment,
	  .help = "a note for people, at most 255 bytes", .more = "\"\" removes it.",
	  .flags = WORD_KEY, BACKEND(comment) },
	{ 0 },
};

const struct word laddr_words[] = {
	{ .name = "address", .kind = &kind_new_laddr,
	  .help = "an address, or \"ADDR-ADDR\"",
	  .flags = WORD_KEY_ONLY | WORD_NEEDED },
	{ .name = "ports", .kind = &kind_laddr_ports, .help = "the ports that it uses",
	  .standard = "1024-65535", .flags = WORD_KEY },
	{ .name = "exclude", .kind = &kind_laddr_exclude,
	  .help = "ports among these that are left to the host",
	  .flags = WORD_KEY },
	{ 0 },
};

const struct word laddr_del_words[] = {
	{ .name = "ports", .kind = &kind_laddr_ports, .help = "as it was added" },
	{ 0 },
};

const struct word device_words[] = {
	{ .name = "device", .kind = &kind_netdev, .help = "its name",
	  .flags = WORD_KEY_ONLY | WORD_NEEDED },
	{ .name = "xdp", .help = "XDP as well, in the device's driver",
	  .flags = WORD_KEY, .offset = offsetof(struct device_request, xdp) },
	{ 0 },
};

const struct word filter_words[] = {
	{ .name = "service", .kind = &kind_service,
	  .help = "those to that service" },
	{ .name = "backend", .kind = &kind_backend,
	  .help = "those to that backend; without a port, to any port of it" },
	{ .name = "client", .kind = &kind_client,
	  .help = "those from that client or prefix" },
	{ .name = "state", .kind = &kind_conn_state,
	  .help = "those in that state",
	  .offset = offsetof(struct conn_filter, state) },
	{ 0 },
};

const struct word args_new_service[] = {
	{ .name = "SERVICE", .kind = &kind_new_service },
	{ 0 },
};

const struct word args_service[] = {
	{ .name = "SERVICE", .kind = &kind_service },
	{ 0 },
};

const struct word args_maybe_service[] = {
	{ .name = "SERVICE", .kind = &kind_service, .flags = WORD_OPTIONAL },
	{ 0 },
};

const struct word args_new_backend[] = {
	{ .name = "SERVICE", .kind = &kind_service },
	{ .name = "BACKEND", .kind = &kind_new_backend },
	{ 0 },
};

const struct word args_backend[] = {
	{ .name = "SERVICE", .kind = &kind_service },
	{ .name = "BACKEND", .kind = &kind_backend },
	{ 0 },
};

const struct word args_maybe_backend[] = {
	{ .name = "SERVICE", .kind = &kind_service, .flags = WORD_OPTIONAL },
	{ .name = "BACKEND", .kind = &kind_backend, .flags = WORD_OPTIONAL },
	{ 0 },
};

const struct word args_file[] = {
	{ .name = "FILE", .kind = &kind_file },
	{ 0 },
};

const struct word policy_words[] = {
	{ .name = "allow", .kind = &kind_array,
	  .help = "prefixes; clients of no others can begin connections",
	  .flags = WORD_KEY_ONLY },
	{ .name = "deny", .kind = &kind_array,
	  .help = "prefixes whose clients cannot begin connections",
	  .flags = WORD_KEY_ONLY },
	{ .name = "rate", .kind = &kind_rate,
	  .help = "the most connections that a client can begin",
	  .flags = WORD_KEY_ONLY },
	{ .name = "burst", .kind = &kind_burst,
	  .help = "how many of these can come at once; as many as N unless given",
	  .flags = WORD_KEY_ONLY },
	{ 0 },
};

const struct word config_words[] = {
	{ .name = "services", .kind = &kind_array, .help = "all services",
	  .flags = WORD_KEY_ONLY },
	{ .name = "local-addresses", .kind = &kind_array,
	  .help = "local addresses, for mode fullnat", .flags = WORD_KEY_ONLY },
	{ .name = "devices", .kind = &kind_array,
	  .help = "network devices that the fast path is attached to",
	  .more = "A device that is missing gets it when it appears. One that XDP is "
		  "attached to as well is an object.", .flags = WORD_KEY_ONLY },
	{ .name = "settings", .kind = &kind_object,
	  .help = "the sysctls net.nflb.* of the network namespace",
	  .more = "With this key, a setting that is left out gets its default; without "
		  "it, settings are not touched.", .flags = WORD_KEY_ONLY },
	{ .name = "$schema", .kind = &kind_text,
	  .help = "the place of the schema, for editors",
	  .more = "It is ignored, and not printed by *lbadm config save*.",
	  .flags = WORD_KEY_ONLY },
	{ 0 },
};

bool word_is_argument(const struct word *word)
{
	return isupper((unsigned char)*word->name);
}

bool word_is_spoken(const struct word *word)
{
	return !(word->flags & WORD_KEY_ONLY);
}

bool word_is_key(const struct word *word)
{
	return word->flags & (WORD_KEY | WORD_KEY_ONLY);
}

const struct word *word_find(const struct word *list, const char *name)
{
	for (; list->name; list++)
		if (word_is_spoken(list) && !strcmp(list->name, name))
			return list;
	return NULL;
}

bool kind_is_text(const struct kind *kind)
{
	return kind == &kind_text || kind == &kind_name || kind == &kind_comment;
}

const char *kind_form(const struct kind *kind, char *buf, size_t size)
{
	size_t i, used = 0;

	if (kind->form || !kind->names) {
		snprintf(buf, size, "%s", kind->form ? kind->form : "");
		return buf;
	}
	buf[0] = '\0';
	for (i = 0; i < kind->names->count && used < size; i++)
		used += snprintf(buf + used, size - used, "%s%s", i ? "|" : "",
				 kind->names->names[i]);
	return buf;
}

void vocabulary_keys(const struct word *list, struct json_key keys[KEYS_MAX])
{
	struct json_key *key = keys;

	for (; list->name && key < keys + KEYS_MAX - 1; list++) {
		if (!word_is_key(list))
			continue;
		*key++ = (struct json_key){
			list->name,
			list->kind ? list->kind->json : JSON_KIND_BOOLEAN,
			word_is_spoken(list) ? list->name : NULL,
		};
	}
	*key = (struct json_key){ 0 };
}
