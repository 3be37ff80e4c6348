// SPDX-License-Identifier: GPL-2.0
/*
 * From words to requests. Words are written out; what is wrong is named, and
 * what would be right is said.
 */
#define _GNU_SOURCE
#include "model/request.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"

int parse_protocol(struct words *words, uint8_t *protocol)
{
	const char *word = words_next(words);

	if (word && !strcmp(word, "tcp"))
		*protocol = IPPROTO_TCP;
	else if (word && !strcmp(word, "udp"))
		*protocol = IPPROTO_UDP;
	else if (word)
		return usage_error("\"%s\": the protocol must be tcp or udp",
				   word);
	else
		return usage_error("the protocol is missing: tcp or udp");
	return LBADM_OK;
}

static bool parse_port(const char *text, uint16_t *port)
{
	uint32_t value;

	if (!number_parse(&value, text, 65535) || !value)
		return false;
	*port = value;
	return true;
}

/* PORT, LO-HI or *; @word is the whole word, for messages */
static int parse_ports(const char *word, const char *ports,
		       struct service_id *id)
{
	char low[8];
	const char *dash;

	if (!ports)
		return usage_error("\"%s\": the port is missing (a port, LO-HI, or * for all)",
				   word);
	if (!strcmp(ports, "*"))
		return LBADM_OK;
	dash = strchr(ports, '-');
	if (!dash) {
		if (parse_port(ports, &id->port))
			return LBADM_OK;
		return usage_error("\"%s\": port must be 1 to 65535, LO-HI, or *",
				   word);
	}
	if ((size_t)(dash - ports) >= sizeof(low))
		return usage_error("\"%s\": port must be 1 to 65535", word);
	memcpy(low, ports, dash - ports);
	low[dash - ports] = '\0';
	if (!parse_port(low, &id->port) ||
	    !parse_port(dash + 1, &id->port_last))
		return usage_error("\"%s\": ports of a range must be 1 to 65535",
				   word);
	if (id->port_last < id->port)
		return usage_error("\"%s\": the range ends before it begins",
				   word);
	if (id->port_last == id->port)
		id->port_last = 0;
	return LBADM_OK;
}

int parse_service_id(struct words *words, struct service_id *id)
{
	const char *word, *ports;
	int err;

	memset(id, 0, sizeof(*id));
	if (!words->argc)
		return usage_error("a service is expected: PROTO VIP, for example tcp 192.0.2.10:80");
	err = parse_protocol(words, &id->protocol);
	if (err)
		return err;
	word = words_next(words);
	if (!word)
		return usage_error("the VIP is missing: ADDRESS:PORT");
	if (!addr_split(&id->address, &ports, word))
		return usage_error("\"%s\": not an address with a port (192.0.2.10:80, [2001:db8::10]:80)",
				   word);
	return parse_ports(word, ports, id);
}

static int value_of(struct words *words, const char *key, const char **value)
{
	*value = words_next(words);
	if (!*value)
		return usage_error("%s: a value is missing", key);
	return LBADM_OK;
}

int parse_number(struct words *words, const char *key, uint32_t max,
		 struct opt *opt)
{
	const char *value;
	int err;

	err = value_of(words, key, &value);
	if (err)
		return err;
	if (!number_parse(&opt->value, value, max))
		return usage_error("%s \"%s\": a number from 0 to %u is expected",
				   key, value, max);
	opt->set = true;
	return LBADM_OK;
}

static int parse_name(struct words *words, const char *key,
		      const struct names *names, struct opt *opt)
{
	const char *value;
	char list[160];
	int err, number;

	err = value_of(words, key, &value);
	if (err)
		return err;
	number = names_find(names, value);
	if (number < 0)
		return usage_error("%s \"%s\": %s is expected", key, value,
				   names_list(names, list, sizeof(list)));
	opt->set = true;
	opt->value = number;
	return LBADM_OK;
}

/* none, ipip, gre, gue or gue:PORT */
int parse_encap(struct words *words, struct opt *encap, struct opt *encap_port)
{
	const char *word = words_peek(words);
	uint16_t port;

	encap_port->set = false;
	if (!word || strncmp(word, "gue:", 4))
		return parse_name(words, "encap", &encap_names, encap);
	words_next(words);
	if (!parse_port(word + 4, &port))
		return usage_error("encap \"%s\": port must be 1 to 65535",
				   word);
	encap->set = encap_port->set = true;
	encap->value = NFLB_ENCAP_GUE;
	encap_port->value = port;
	return LBADM_OK;
}

/* ADDR[/LENGTH], of either family; takes @text apart */
static bool parse_encap_prefix(const char *text, struct service_request *req)
{
	struct prefix prefix = { .length.set = true };

	if (!prefix_parse(&prefix.address, &prefix.length.value, text))
		return false;
	*(prefix.address.len == 4 ? &req->encap_source4 :
				    &req->encap_source6) = prefix;
	return true;
}

/* auto, or ADDR[/LENGTH][,ADDR[/LENGTH]] */
static int parse_encap_source(struct words *words, struct service_request *req)
{
	char buf[2 * ADDR_TEXT_MAX], *rest = buf;
	const char *value;
	int err;

	err = value_of(words, "encap-source", &value);
	if (err)
		return err;
	if (!strcmp(value, "auto")) {
		/* The unspecified addresses */
		req->encap_source4 = (struct prefix){ .address.len = 4 };
		req->encap_source6 = (struct prefix){ .address.len = 16 };
		return LBADM_OK;
	}
	if (strlen(value) >= sizeof(buf))
		goto bad;
	strcpy(buf, value);
	while (rest)
		if (!parse_encap_prefix(strsep(&rest, ","), req))
			goto bad;
	return LBADM_OK;
bad:
	return usage_error("encap-source \"%s\": auto or ADDRESS[/LENGTH][,ADDRESS[/LENGTH]] is expected",
			   value);
}

/* SECONDS[/PREFIXLEN[/PREFIXLEN6]] */
static int parse_persist(struct words *words, struct service_request *req)
{
	char buf[40], *rest = buf;
	const char *value;
	int err;

	err = value_of(words, "persist", &value);
	if (err)
		return err;
	if (strlen(value) >= sizeof(buf))
		goto bad;
	strcpy(buf, value);
	if (!number_parse(&req->persist.value, strsep(&rest, "/"),
			  NFLB_TIMEOUT_MAX))
		goto bad;
	req->persist.set = true;
	if (!rest)
		return LBADM_OK;
	if (!number_parse(&req->persist_prefix4.value, strsep(&rest, "/"), 32))
		goto bad;
	req->persist_prefix4.set = true;
	if (!rest)
		return LBADM_OK;
	if (!number_parse(&req->persist_prefix6.value, strsep(&rest, "/"),
			  128) || rest)
		goto bad;
	req->persist_prefix6.set = true;
	return LBADM_OK;
bad:
	return usage_error("persist \"%s\": SECONDS[/PREFIXLEN[/PREFIXLEN6]] is expected",
			   value);
}

static int parse_on_off(struct words *words, const char *key, struct opt *opt)
{
	const char *value;
	int err;

	err = value_of(words, key, &value);
	if (err)
		return err;
	if (strcmp(value, "on") && strcmp(value, "off"))
		return usage_error("%s \"%s\": on or off is expected", key,
				   value);
	opt->set = true;
	opt->value = !strcmp(value, "on");
	return LBADM_OK;
}

static int parse_toa_kind6(struct words *words, struct opt *opt)
{
	const char *value;
	int err;

	err = value_of(words, "toa-kind6", &value);
	if (err)
		return err;
	if (!number_parse(&opt->value, value, 254) || opt->value < 253)
		return usage_error("toa-kind6 \"%s\": 253 or 254 is expected",
				   value);
	opt->set = true;
	return LBADM_OK;
}

static int parse_scheduler(struct words *words, struct service_request *req)
{
	const char *value;
	int err;

	err = value_of(words, "scheduler", &value);
	if (err)
		return err;
	if (!*value || strlen(value) >= sizeof(req->scheduler))
		return usage_error("scheduler \"%s\": a name of 1 to %zu letters is expected",
				   value, sizeof(req->scheduler) - 1);
	strcpy(req->scheduler, value);
	return LBADM_OK;
}

static struct opt *service_timeout(struct service_request *req,
				   const char *key)
{
	if (!strcmp(key, "timeout-syn"))
		return &req->timeout_syn;
	if (!strcmp(key, "timeout-established"))
		return &req->timeout_established;
	if (!strcmp(key, "timeout-fin"))
		return &req->timeout_fin;
	if (!strcmp(key, "timeout-udp"))
		return &req->timeout_udp;
	return NULL;
}

int parse_service_settings(struct words *words, struct service_request *req)
{
	struct words_seen seen = { 0 };
	const char *key;
	int err = LBADM_OK;

	while (!err && (key = words_next(words))) {
		struct opt *timeout = service_timeout(req, key);

		err = words_once(&seen, key);
		if (err)
			return err;
		if (timeout)
			err = parse_number(words, key, NFLB_TIMEOUT_MAX,
					   timeout);
		else if (!strcmp(key, "mode"))
			err = parse_name(words, key, &mode_names, &req->mode);
		else if (!strcmp(key, "encap"))
			err = parse_encap(words, &req->encap,
					  &req->encap_port);
		else if (!strcmp(key, "encap-source"))
			err = parse_encap_source(words, req);
		else if (!strcmp(key, "scheduler"))
			err = parse_scheduler(words, req);
		else if (!strcmp(key, "persist"))
			err = parse_persist(words, req);
		else if (!strcmp(key, "slow-start"))
			err = parse_number(words, key, NFLB_TIMEOUT_MAX,
					   &req->slow_start);
		else if (!strcmp(key, "toa"))
			err = parse_on_off(words, key, &req->toa);
		else if (!strcmp(key, "toa-kind6"))
			err = parse_toa_kind6(words, &req->toa_kind6);
		else if (!strcmp(key, "proxy-protocol"))
			err = parse_on_off(words, key, &req->proxy);
		else if (!strcmp(key, "one-packet"))
			err = parse_on_off(words, key, &req->one_packet);
		else
			err = usage_error("\"%s\": mode, encap, encap-source, scheduler, persist, slow-start, toa, toa-kind6, proxy-protocol, one-packet or timeout-syn, -established, -fin, -udp is expected",
					  key);
	}
	return err;
}

int parse_backend_id(struct words *words, struct backend_request *req)
{
	const char *word = words_next(words), *port;

	memset(req, 0, sizeof(*req));
	if (!word)
		return usage_error("the backend is missing: ADDRESS[:PORT]");
	if (!addr_split(&req->address, &port, word))
		return usage_error("\"%s\": not an address, or an address with a port",
				   word);
	if (port && !parse_port(port, &req->port))
		return usage_error("\"%s\": port must be 1 to 65535", word);
	return LBADM_OK;
}

int parse_deadline(struct words *words, struct backend_request *req)
{
	if (!words_accept(words, "deadline"))
		return LBADM_OK;
	return parse_number(words, "deadline", NFLB_TIMEOUT_MAX,
			    &req->deadline);
}

int parse_backend_settings(struct words *words, struct backend_request *req)
{
	struct words_seen seen = { 0 };
	const char *key;
	int err = LBADM_OK;

	while (!err && (key = words_next(words))) {
		err = words_once(&seen, key);
		if (err)
			return err;
		if (!strcmp(key, "weight"))
			err = parse_number(words, key, NFLB_WEIGHT_MAX,
					   &req->weight);
		else if (!strcmp(key, "max-connections"))
			err = parse_number(words, key, UINT32_MAX,
					   &req->max_connections);
		else if (!strcmp(key, "state"))
			err = parse_name(words, key, &backend_state_names,
					 &req->state);
		else if (!strcmp(key, "mode"))
			err = parse_name(words, key, &mode_names, &req->mode);
		else if (!strcmp(key, "encap"))
			err = parse_encap(words, &req->encap,
					  &req->encap_port);
		else
			err = usage_error("\"%s\": weight, state, max-connections, mode or encap is expected",
					  key);
	}
	return err;
}

/* PORT or LO-HI; takes @text apart */
static bool parse_range(char *text, struct port_range *range)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash++ = '\0';
	return parse_port(text, &range->first) &&
	       parse_port(dash ? dash : text, &range->last) &&
	       range->first <= range->last;
}

static int parse_laddr_ports(struct words *words, struct laddr_request *req)
{
	const char *value;
	char buf[16];
	int err;

	err = value_of(words, "ports", &value);
	if (err)
		return err;
	if (strlen(value) < sizeof(buf) && strchr(value, '-') &&
	    parse_range(strcpy(buf, value), &req->ports))
		return LBADM_OK;
	return usage_error("ports \"%s\": LO-HI is expected, from 1 to 65535",
			   value);
}

/* PORT[-PORT][,...] */
static int parse_excluded(struct words *words, struct laddr_request *req)
{
	char buf[128], *rest = buf;
	const char *value;
	int err;

	err = value_of(words, "exclude", &value);
	if (err)
		return err;
	if (strlen(value) >= sizeof(buf))
		goto bad;
	strcpy(buf, value);
	while (rest) {
		if (req->excluded_count == NFLB_LADDR_EXCLUDED_MAX)
			return usage_error("exclude \"%s\": there can be %d ranges at most",
					   value, NFLB_LADDR_EXCLUDED_MAX);
		if (!parse_range(strsep(&rest, ","),
				 &req->excluded[req->excluded_count++]))
			goto bad;
	}
	return LBADM_OK;
bad:
	return usage_error("exclude \"%s\": PORT[-PORT][,...] is expected",
			   value);
}

/* ADDR or ADDR-ADDR */
static int parse_addr_range(const char *word, struct laddr_request *req)
{
	char buf[2 * ADDR_TEXT_MAX], *dash;

	if (!word)
		return usage_error("the local address is missing: ADDR or ADDR-ADDR");
	if (strlen(word) >= sizeof(buf))
		goto bad;
	dash = strchr(strcpy(buf, word), '-');
	if (dash)
		*dash++ = '\0';
	if (addr_parse(&req->first, buf) &&
	    addr_parse(&req->last, dash ? dash : buf) &&
	    req->first.len == req->last.len)
		return LBADM_OK;
bad:
	return usage_error("\"%s\": ADDR or ADDR-ADDR is expected", word);
}

int parse_laddr(struct words *words, struct laddr_request *req)
{
	int err;

	memset(req, 0, sizeof(*req));
	err = parse_addr_range(words_next(words), req);
	return err ? err : parse_laddr_settings(words, req);
}

int parse_laddr_settings(struct words *words, struct laddr_request *req)
{
	struct words_seen seen = { 0 };
	const char *key;
	int err = LBADM_OK;

	while (!err && (key = words_next(words))) {
		err = words_once(&seen, key);
		if (err)
			return err;
		if (!strcmp(key, "ports"))
			err = parse_laddr_ports(words, req);
		else if (!strcmp(key, "exclude"))
			err = parse_excluded(words, req);
		else
			err = usage_error("\"%s\": ports or exclude is expected",
					  key);
	}
	return err;
}

static int parse_device_name(struct words *words, const char **name)
{
	*name = words_next(words);
	if (!*name)
		return usage_error("the name of a network device is expected");
	if (!**name || strlen(*name) >= IF_NAMESIZE || strpbrk(*name, "/: \t"))
		return usage_error("\"%s\" is no name of a network device",
				   *name);
	return LBADM_OK;
}

int parse_device(struct words *words, const char **name)
{
	int err = parse_device_name(words, name);

	return err ? err : words_end(words);
}

int parse_device_request(struct words *words, struct device_request *req)
{
	int err = parse_device_name(words, &req->name);

	req->xdp = !err && words_accept(words, "xdp");
	return err ? err : words_end(words);
}

static int parse_client(struct words *words, struct conn_filter *filter)
{
	const char *value;
	int err;

	err = value_of(words, "client", &value);
	if (err)
		return err;
	if (!prefix_parse(&filter->client, &filter->client_prefix.value, value))
		return usage_error("client \"%s\": ADDRESS or ADDRESS/LENGTH is expected",
				   value);
	filter->client_prefix.set = true;
	return LBADM_OK;
}

int parse_conn_filter(struct words *words, struct conn_filter *filter)
{
	struct words_seen seen = { 0 };
	const char *key;
	int err = LBADM_OK;

	memset(filter, 0, sizeof(*filter));
	while (!err && (key = words_next(words))) {
		err = words_once(&seen, key);
		if (err)
			return err;
		if (!strcmp(key, "service")) {
			err = parse_service_id(words, &filter->service);
			filter->has_service = true;
		} else if (!strcmp(key, "backend")) {
			err = parse_backend_id(words, &filter->backend);
			filter->has_backend = true;
		} else if (!strcmp(key, "client")) {
			err = parse_client(words, filter);
		} else if (!strcmp(key, "state")) {
			err = parse_name(words, key, &conn_state_names,
					 &filter->state);
		} else {
			err = usage_error("\"%s\": service, backend, client or state is expected",
					  key);
		}
	}
	return err;
}
