// SPDX-License-Identifier: GPL-2.0
/*
 * Policies, to and from the table "nflb" of nftables.
 *
 * Two maps lead from address, protocol and port to the chain of a service, so that
 * a packet costs one lookup however many there are; services with several ports
 * follow, a rule each, narrowest first. The name of a chain is its service; its
 * sets have names that begin with it. A packet that leaves a chain was let through.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/policy.h"

/*
 * Before the balancer, which is at -450 (kmod/path/hook.c), and before
 * conntrack.
 */
#define PRIORITY "-460"

/* Clients that a rate is kept of, and flows of UDP that are known, at most */
#define CLIENTS_MAX "65535"
/* A client that was quiet for so long has its whole burst again, or nearly. */
#define RATE_TIMEOUT "1h"
/* How long a flow of UDP counts as the same, in seconds */
#define FLOW_TIMEOUT "300s"

const char *const policy_units[] = { "second", "minute", "hour", "day", NULL };

static const char *protocol_of(const struct service_id *id)
{
	return id->protocol == IPPROTO_TCP ? "tcp" : "udp";
}

static void ports_of(char *text, size_t size, const struct service_id *id)
{
	if (!id->port)
		snprintf(text, size, "all");
	else if (id->port_last)
		snprintf(text, size, "%u-%u", id->port, id->port_last);
	else
		snprintf(text, size, "%u", id->port);
}

void policy_name(char *name, const struct service_id *id)
{
	char address[ADDR_TEXT_MAX], ports[16];
	char *p;

	ports_of(ports, sizeof(ports), id);
	snprintf(name, POLICY_NAME_MAX, "%s-%s-%s", protocol_of(id),
		 addr_format(address, &id->address), ports);
	/* Names have no colons. */
	for (p = name; *p; p++)
		if (*p == ':')
			*p = '_';
}

/*
 * A policy that was made from a configuration has a second chain, which is empty and
 * leads nowhere.
 */
#define MARK ".config"

static bool is_mark(const char *name)
{
	size_t len = strlen(name);

	return len > strlen(MARK) && !strcmp(name + len - strlen(MARK), MARK);
}

/* The service of a chain: protocol, address and port; NULL for other chains */
static json_t *service_of(const char *name)
{
	char address[POLICY_NAME_MAX], *p;
	const char *ports;
	size_t len;

	if ((strncmp(name, "tcp-", 4) && strncmp(name, "udp-", 4)) ||
	    is_mark(name))
		return NULL;
	ports = strchr(name + 4, '-');
	len = ports ? (size_t)(ports - name - 4) : 0;
	if (!len || len >= sizeof(address))
		return NULL;
	memcpy(address, name + 4, len);
	address[len] = '\0';
	for (p = address; *p; p++)
		if (*p == '_')
			*p = ':';
	ports++;
	return json_pack("{s:s%, s:s, s:o}", "protocol", name, (size_t)3,
			 "address", address, "port",
			 !strcmp(ports, "all") ? json_string("*") :
			 strchr(ports, '-') ? json_string(ports) :
			 json_integer(atoi(ports)));
}

/* An element of a set: an address, or a prefix */
static json_t *prefix_of(const json_t *elem)
{
	const char *address;
	int length;

	if (json_is_string(elem))
		return json_incref((json_t *)elem);
	if (!json_unpack((json_t *)elem, "{s:{s:s, s:i}}", "prefix", "addr",
			 &address, "len", &length))
		return json_sprintf("%s/%d", address, length);
	if (!json_unpack((json_t *)elem, "{s:{s:o}}", "elem", "val", &elem))
		return prefix_of(elem);
	return json_string("?");
}

/* The policy whose chain is named by the first @len bytes of @name */
static json_t *by_name(const json_t *policies, const char *name, size_t len)
{
	json_t *policy;
	const char *its;
	size_t i;

	json_array_foreach(policies, i, policy) {
		its = json_string_value(json_object_get(policy, "name"));
		if (strlen(its) == len && !strncmp(its, name, len))
			return policy;
	}
	return NULL;
}

static void read_mark(const json_t *policies, const json_t *chain)
{
	const char *name = json_string_value(json_object_get(chain, "name"));
	json_t *policy = NULL;

	if (name && is_mark(name))
		policy = by_name(policies, name, strlen(name) - strlen(MARK));
	if (policy)
		json_object_set_new(policy, "config", json_true());
}

static void read_set(const json_t *policies, const json_t *set)
{
	const char *name = json_string_value(json_object_get(set, "name"));
	const char *dot = name ? strrchr(name, '.') : NULL;
	json_t *policy, *list, *elem;
	size_t i;

	if (!dot || (strcmp(dot, ".allow") && strcmp(dot, ".deny")))
		return;
	policy = by_name(policies, name, dot - name);
	if (!policy)
		return;
	list = json_array();
	json_array_foreach(json_object_get(set, "elem"), i, elem)
		json_array_append_new(list, prefix_of(elem));
	json_object_set_new(policy, dot + 1, list);
}

static void read_rule(const json_t *policies, const json_t *rule)
{
	const char *chain = json_string_value(json_object_get(rule, "chain"));
	const char *comment = json_string_value(json_object_get(rule, "comment"));
	json_t *policy, *expr;
	char word[8], rate[24];
	json_int_t packets;
	unsigned int burst;
	size_t i;

	policy = chain ? by_name(policies, chain, strlen(chain)) : NULL;
	if (!policy || !comment || sscanf(comment, "%7s", word) != 1)
		return;
	if (sscanf(comment, "rate %23s burst %u", rate, &burst) == 2) {
		json_object_set_new(policy, "rate", json_string(rate));
		json_object_set_new(policy, "burst", json_integer(burst));
	}
	json_array_foreach(json_object_get(rule, "expr"), i, expr)
		if (!json_unpack(expr, "{s:{s:I}}", "counter", "packets",
				 &packets))
			json_object_set_new(json_object_get(policy, "dropped"),
					    word, json_integer(packets));
}

json_t *policies_read(const json_t *objects)
{
	json_t *policies = json_array(), *object, *policy;
	const char *name;
	size_t i;

	json_array_foreach(objects, i, object) {
		if (json_unpack(object, "{s:{s:s}}", "chain", "name", &name))
			continue;
		policy = service_of(name);
		if (!policy)
			continue;
		json_object_set_new(policy, "name", json_string(name));
		json_object_set_new(policy, "dropped", json_object());
		json_array_append_new(policies, policy);
	}
	json_array_foreach(objects, i, object) {
		read_mark(policies, json_object_get(object, "chain"));
		read_set(policies, json_object_get(object, "set"));
		read_rule(policies, json_object_get(object, "rule"));
	}
	json_array_foreach(policies, i, policy)
		json_object_del(policy, "name");
	return policies;
}

static bool same_service(const struct service_id *a, const struct service_id *b)
{
	char x[POLICY_NAME_MAX], y[POLICY_NAME_MAX];

	policy_name(x, a);
	policy_name(y, b);
	return !strcmp(x, y);
}

void policy_id(struct service_id *id, const json_t *policy)
{
	const json_t *port = json_object_get(policy, "port");
	const char *ports = json_string_value(port);
	unsigned int first = json_integer_value(port), last = 0;

	memset(id, 0, sizeof(*id));
	id->protocol = strcmp(json_string_value(json_object_get(
			policy, "protocol")), "tcp") ? IPPROTO_UDP : IPPROTO_TCP;
	addr_parse(&id->address,
		   json_string_value(json_object_get(policy, "address")));
	if (ports)
		sscanf(ports, "%u-%u", &first, &last);
	id->port = first;
	id->port_last = last;
}

json_t *policy_find(const json_t *policies, const struct service_id *id)
{
	struct service_id its;
	json_t *policy;
	size_t i;

	json_array_foreach(policies, i, policy) {
		policy_id(&its, policy);
		if (same_service(id, &its))
			return policy;
	}
	return NULL;
}

/* --- the transaction */

/* The base: existing objects stay as they are. */
static void write_base(FILE *to)
{
	static const char *const hooks[] = { "prerouting", "output" };
	size_t i;

	fputs("add table " NFT_TABLE "\n"
	      "add map " NFT_TABLE " services4 { type ipv4_addr . inet_proto . inet_service : verdict; }\n"
	      "add map " NFT_TABLE " services6 { type ipv6_addr . inet_proto . inet_service : verdict; }\n"
	      "add chain " NFT_TABLE " services\n", to);
	for (i = 0; i < 2; i++)
		fprintf(to,
			"add chain " NFT_TABLE " %s { type filter hook %s priority " PRIORITY "; policy accept; }\n"
			"flush chain " NFT_TABLE " %s\n"
			"add rule " NFT_TABLE " %s jump services\n",
			hooks[i], hooks[i], hooks[i], hooks[i]);
}

/* Has several ports */
struct range {
	struct service_id id;
	uint16_t first, last;
};

static bool range_of(struct range *range, const struct service_id *id)
{
	*range = (struct range){ *id, id->port, id->port_last };
	if (!id->port)
		range->first = 1, range->last = 65535;
	return range->last;
}

static int narrowest_first(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->last - x->first) - (y->last - y->first);
}

/* The chain that leads to those of services; @id is one of them only if @with. */
static void write_services(FILE *to, const json_t *policies,
			   const struct service_id *id, bool with)
{
	struct range *ranges = calloc(json_array_size(policies) + 1,
				      sizeof(*ranges));
	char name[POLICY_NAME_MAX], address[ADDR_TEXT_MAX];
	struct service_id other;
	size_t i, count = 0;
	json_t *policy;

	if (!ranges)
		abort();
	json_array_foreach(policies, i, policy) {
		policy_id(&other, policy);
		if (!same_service(id, &other))
			count += range_of(&ranges[count], &other);
	}
	if (with)
		count += range_of(&ranges[count], id);
	qsort(ranges, count, sizeof(*ranges), narrowest_first);
	fputs("flush chain " NFT_TABLE " services\n"
	      "add rule " NFT_TABLE " services ip daddr . meta l4proto . th dport vmap @services4\n"
	      "add rule " NFT_TABLE " services ip6 daddr . meta l4proto . th dport vmap @services6\n",
	      to);
	for (i = 0; i < count; i++) {
		policy_name(name, &ranges[i].id);
		fprintf(to, "add rule " NFT_TABLE " services %s daddr %s %s dport %u-%u jump %s\n",
			ranges[i].id.address.len == 4 ? "ip" : "ip6",
			addr_format(address, &ranges[i].id.address),
			protocol_of(&ranges[i].id), ranges[i].first,
			ranges[i].last, name);
	}
	free(ranges);
}

/* The entry of a service with one port */
static void write_key(FILE *to, const char *verb, const struct service_id *id,
		      const char *value)
{
	char address[ADDR_TEXT_MAX];

	if (id->port && !id->port_last)
		fprintf(to, "%s element " NFT_TABLE " services%c { %s . %s . %u%s }\n",
			verb, id->address.len == 4 ? '4' : '6',
			addr_format(address, &id->address), protocol_of(id),
			id->port, value);
}

static void write_removal(FILE *to, const struct service_id *id,
			  const char *name, const json_t *was)
{
	write_key(to, "delete", id, "");
	if (json_object_get(was, "config"))
		fprintf(to, "delete chain " NFT_TABLE " %s" MARK "\n", name);
	fprintf(to, "flush chain " NFT_TABLE " %s\n"
		"delete chain " NFT_TABLE " %s\n", name, name);
	if (json_object_get(was, "deny"))
		fprintf(to, "delete set " NFT_TABLE " %s.deny\n", name);
	if (json_object_get(was, "allow"))
		fprintf(to, "delete set " NFT_TABLE " %s.allow\n", name);
	if (!json_object_get(was, "rate"))
		return;
	fprintf(to, "delete set " NFT_TABLE " %s.rate\n", name);
	if (id->protocol == IPPROTO_UDP)
		fprintf(to, "delete set " NFT_TABLE " %s.flows\n", name);
}

static void write_list(FILE *to, const struct service_id *id, const char *name,
		       const json_t *policy, const char *word)
{
	const json_t *list = json_object_get(policy, word), *prefix;
	const char *ip = id->address.len == 4 ? "ip" : "ip6";
	size_t i;

	if (!list)
		return;
	fprintf(to, "add set " NFT_TABLE " %s.%s { type ipv%c_addr; flags interval; }\n",
		name, word, id->address.len == 4 ? '4' : '6');
	json_array_foreach(list, i, prefix)
		fprintf(to, "add element " NFT_TABLE " %s.%s { %s }\n", name, word,
			json_string_value(prefix));
	fprintf(to, "add rule " NFT_TABLE " %s %s saddr %s@%s.%s counter drop comment \"%s\"\n",
		name, ip, strcmp(word, "allow") ? "" : "!= ", name, word, word);
}

/*
 * A client of IPv6 is a network of 64 bits: it has as many addresses as it wants.
 */
static void write_rate(FILE *to, const struct service_id *id, const char *name,
		       const json_t *policy)
{
	const char *rate = json_string_value(json_object_get(policy, "rate"));
	long long burst = json_integer_value(json_object_get(policy, "burst"));
	bool v4 = id->address.len == 4, udp = id->protocol == IPPROTO_UDP;
	const char *type = v4 ? "ipv4_addr" : "ipv6_addr";
	const char *saddr = v4 ? "ip saddr" : "ip6 saddr";
	const char *client = v4 ? "ip saddr" : "ip6 saddr & ffff:ffff:ffff:ffff::";

	if (!rate)
		return;
	fprintf(to, "add set " NFT_TABLE " %s.rate { type %s; size " CLIENTS_MAX "; flags dynamic,timeout; timeout " RATE_TIMEOUT "; }\n",
		name, type);
	if (udp) {
		fprintf(to, "add set " NFT_TABLE " %s.flows { type %s . inet_service; size " CLIENTS_MAX "; flags dynamic,timeout; timeout " FLOW_TIMEOUT "; }\n",
			name, type);
		fprintf(to, "add rule " NFT_TABLE " %s %s . udp sport @%s.flows update @%s.flows { %s . udp sport } accept\n",
			name, saddr, name, name, saddr);
	}
	fprintf(to, "add rule " NFT_TABLE " %s %supdate @%s.rate { %s limit rate over %s burst %lld packets } counter drop comment \"rate %s burst %lld\"\n",
		name, udp ? "" : "tcp flags & (fin|syn|rst|ack) == syn ", name,
		client, rate, burst, rate, burst);
	if (udp)
		fprintf(to, "add rule " NFT_TABLE " %s update @%s.flows { %s . udp sport }\n",
			name, name, saddr);
}

char *policy_write(const struct service_id *id, const json_t *policies,
		   const json_t *policy)
{
	const json_t *was = policy_find(policies, id);
	char name[POLICY_NAME_MAX], jump[POLICY_NAME_MAX + 16];
	char *commands = NULL;
	size_t size;
	FILE *to = open_memstream(&commands, &size);

	if (!to)
		abort();
	policy_name(name, id);
	write_base(to);
	/* Nothing may lead to a chain that is deleted. */
	write_services(to, policies, id, false);
	if (was)
		write_removal(to, id, name, was);
	if (policy) {
		fprintf(to, "add chain " NFT_TABLE " %s\n", name);
		if (json_object_get(policy, "config"))
			fprintf(to, "add chain " NFT_TABLE " %s" MARK "\n", name);
		write_list(to, id, name, policy, "deny");
		write_list(to, id, name, policy, "allow");
		write_rate(to, id, name, policy);
		fprintf(to, "add rule " NFT_TABLE " %s accept\n", name);
		snprintf(jump, sizeof(jump), " : jump %s", name);
		write_key(to, "add", id, jump);
		write_services(to, policies, id, true);
	}
	if (fclose(to))
		abort();
	return commands;
}
