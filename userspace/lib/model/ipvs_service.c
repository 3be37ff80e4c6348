// SPDX-License-Identifier: GPL-2.0
/*
 * A service of IPVS and its equivalent in nflb: its scheduler, persistence, and one-packet
 * scheduling.
 */
#include <stdio.h>
#include <string.h>

#include "model/ipvs.h"
#include "util/addr.h"

/**
 * struct scheduler - a scheduler of IPVS
 * @ipvs: its name there
 * @nflb: its name here
 * @by_port: the same with its second flag
 * @differs: how its replacement differs; NULL if it does not
 * @active: it counts active connections alone, and to IPVS UDP has none
 */
struct scheduler {
	const char *ipvs, *nflb, *by_port, *differs;
	bool active;
};

#define DESTINATION "uses the destination address, and sends all connections to an address to one server; wlc replaces it, and spreads them over all backends"

static const struct scheduler schedulers[] = {
	{ "rr", "rr", NULL, NULL, false },
	{ "wrr", "wrr", NULL, NULL, false },
	{ "lc", "lc", NULL, NULL, false },
	{ "wlc", "wlc", NULL, NULL, false },
	{ "lblc", "wlc", NULL, DESTINATION, false },
	{ "lblcr", "wlc", NULL, "uses the destination address, and sends all connections to an address to one set of servers; wlc replaces it, and spreads them over all backends", false },
	{ "dh", "wlc", NULL, DESTINATION, false },
	{ "sh", "source", "hash", NULL, false },
	{ "sed", "sed", NULL, NULL, true },
	{ "nq", "nq", NULL, NULL, true },
	{ "fo", "fo", NULL, NULL, false },
	{ "ovf", "ovf", NULL, NULL, true },
	{ "mh", "maglev-source", "maglev", NULL, false },
	{ "twos", "p2c", NULL, NULL, false },
};

#define SCHEDULER_COUNT (sizeof(schedulers) / sizeof(schedulers[0]))

static const struct scheduler *find_scheduler(const char *name)
{
	size_t i;

	for (i = 0; i < SCHEDULER_COUNT; i++)
		if (!strcmp(schedulers[i].ipvs, name))
			return &schedulers[i];
	return NULL;
}

/* Is it flag number @number of a scheduler: "sh-port", or "flag-2"? */
static bool is_flag(const struct scheduler *s, const char *flag, size_t len,
		    const char *name, int number)
{
	char own[32], numbered[32];

	snprintf(own, sizeof(own), "%s-%s", s->ipvs, name);
	snprintf(numbered, sizeof(numbered), "flag-%d", number);
	return (strlen(own) == len && !strncmp(own, flag, len)) ||
	       (strlen(numbered) == len && !strncmp(numbered, flag, len));
}

/*
 * Flags of a scheduler, of which sh and mh have two: another server when the one that
 * was hashed to has no room, as nflb does it anyway; and the port counts, too.
 */
static int set_flags(const struct scheduler *s, const char *flags,
		     const char **name)
{
	size_t len;

	for (; *flags; flags += len + (flags[len] == ',')) {
		len = strcspn(flags, ",");
		if (s->by_port && is_flag(s, flags, len, "port", 2))
			*name = s->by_port;
		else if (s->by_port && is_flag(s, flags, len, "fallback", 1))
			;
		else if (!strncmp(flags, "flag-", 5))
			ipvs_warn("-b %.*s is left out: it has no effect on %s",
				  (int)len, flags, s->ipvs);
		else
			return usage_error("-b %.*s: %s has no such flag",
					   (int)len, flags, s->ipvs);
	}
	return LBADM_OK;
}

static bool is_udp(const json_t *service)
{
	return !strcmp(json_string_value(json_object_get(service, "protocol")),
		       "udp");
}

static int set_scheduler(const struct ipvs_line *line, json_t *service)
{
	const char *wanted = line->scheduler ? line->scheduler : "wlc";
	const struct scheduler *s = find_scheduler(wanted);
	const char *name;
	int status;

	if (!s)
		return usage_error("-s %s: nflb has no equivalent; choose another scheduler",
				   wanted);
	name = s->nflb;
	status = line->flags ? set_flags(s, line->flags, &name) : LBADM_OK;
	if (status)
		return status;
	if (s->differs)
		ipvs_warn("-s %s %s", s->ipvs, s->differs);
	if (s->active && is_udp(service))
		ipvs_warn("-s %s counts flows of UDP here; IPVS does not, and sends all of them to one server",
			  s->ipvs);
	json_object_set_new(service, "scheduler", json_string(name));
	return LBADM_OK;
}

/* How many bits a netmask of IPv4 has, or 33 if it has holes. */
static uint32_t mask_length(const struct addr *mask)
{
	uint32_t bits = (uint32_t)mask->bytes[0] << 24 | mask->bytes[1] << 16 |
			mask->bytes[2] << 8 | mask->bytes[3];
	uint32_t i;

	for (i = 0; i < 32 && bits & 0x80000000U >> i; i++)
		;
	return i < 32 && bits << i ? 33 : i;
}

static bool is_ipv6(const json_t *service)
{
	return strchr(json_string_value(json_object_get(service, "address")),
		      ':');
}

/* A netmask of IPv4, or a prefix length of IPv6 */
static int set_mask(const char *mask, json_t *service)
{
	struct addr addr;
	uint32_t length;

	if (is_ipv6(service)) {
		if (!number_parse(&length, mask, 128))
			return usage_error("-M %s: the length of a prefix is expected, 1 to 128",
					   mask);
		json_object_set_new(service, "persist-prefix6",
				    json_integer(length));
		return LBADM_OK;
	}
	if (!addr_parse(&addr, mask) || addr.len != 4)
		return usage_error("-M %s: a netmask is expected", mask);
	length = mask_length(&addr);
	if (length > 32)
		return usage_error("-M %s: nflb has no netmask with holes; use one without",
				   mask);
	json_object_set_new(service, "persist-prefix4", json_integer(length));
	return LBADM_OK;
}

static int set_persist(const struct ipvs_line *line, json_t *service)
{
	uint32_t seconds;

	if (!line->persistent)
		return line->mask || line->pe ?
		       usage_error("%s needs -p", line->mask ? "-M" : "--pe") :
		       LBADM_OK;
	if (!number_parse(&seconds, line->persist ? line->persist : "300",
			  UINT32_MAX) || !seconds)
		return usage_error("-p %s: a number of seconds is expected",
				   line->persist);
	if (seconds > NFLB_TIMEOUT_MAX) {
		ipvs_warn("-p %u is too long; nflb remembers clients for %d seconds at most",
			  seconds, NFLB_TIMEOUT_MAX);
		seconds = NFLB_TIMEOUT_MAX;
	}
	json_object_set_new(service, "persist", json_integer(seconds));
	if (line->pe && strcmp(line->pe, "sip"))
		return usage_error("--pe %s: nflb has no equivalent", line->pe);
	if (line->pe)
		ipvs_warn("--pe sip identifies calls by their Call-ID; nflb identifies clients by their address, so all calls of one client go to one backend");
	/* IPVS counts the whole address; nflb 64 bits of IPv6, unless it is told. */
	if (!line->mask && is_ipv6(service))
		json_object_set_new(service, "persist-prefix6",
				    json_integer(128));
	return line->mask ? set_mask(line->mask, service) : LBADM_OK;
}

static void set_one_packet(const struct ipvs_line *line, json_t *service)
{
	if (!line->one_packet)
		return;
	if (!is_udp(service))
		ipvs_warn("-o is left out: it has no effect on TCP");
	else if (line->persistent)
		ipvs_warn("-o is left out: with -p all datagrams of a client go to one backend anyway");
	else
		json_object_set_new(service, "one-packet", json_true());
}

/* Whose servers answer from, or ask for, other ports than the service's. */
static void warn_of_ports(const json_t *service)
{
	json_int_t port = json_integer_value(json_object_get(service, "port"));

	if (!is_udp(service) && port == 21)
		ipvs_warn("port 21 is FTP: its data connections need passive mode, a service for the servers' passive ports, and persist");
	else if (is_udp(service) && port == 69)
		ipvs_warn("port 69 is TFTP, which replies from other ports: only mode dsr works");
}

int ipvs_service(const struct ipvs_line *line, json_t *service)
{
	int status = set_persist(line, service);

	status = status ? status : set_scheduler(line, service);
	if (status)
		return status;
	set_one_packet(line, service);
	warn_of_ports(service);
	return LBADM_OK;
}
