// SPDX-License-Identifier: GPL-2.0
/*
 * From words to requests. Words are written out; an error names the wrong
 * word and the possible ones.
 */
#define _GNU_SOURCE
#include "model/request.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "util/suggest.h"
#include "model/vocabulary.h"

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
		if (port_parse(ports, &id->port))
			return LBADM_OK;
		return usage_error("\"%s\": port must be 1 to 65535, LO-HI, or *",
				   word);
	}
	if ((size_t)(dash - ports) >= sizeof(low))
		return usage_error("\"%s\": port must be 1 to 65535", word);
	memcpy(low, ports, dash - ports);
	low[dash - ports] = '\0';
	if (!port_parse(low, &id->port) ||
	    !port_parse(dash + 1, &id->port_last))
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

int parse_backend_id(struct words *words, struct backend_request *req)
{
	const char *word = words_next(words), *port;

	memset(req, 0, sizeof(*req));
	if (!word)
		return usage_error("the backend is missing: ADDRESS[:PORT]");
	if (!addr_split(&req->address, &port, word))
		return usage_error("\"%s\": not an address, or an address with a port",
				   word);
	if (port && !port_parse(port, &req->port))
		return usage_error("\"%s\": port must be 1 to 65535", word);
	return LBADM_OK;
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

	req->xdp = false;
	return err ? err : parse_words(words, device_words, req);
}

int parse_service_settings(struct words *words, struct service_request *req)
{
	return parse_words(words, service_words, req);
}

int parse_backend_settings(struct words *words, struct backend_request *req)
{
	return parse_words(words, backend_words, req);
}

int parse_laddr_settings(struct words *words, struct laddr_request *req)
{
	return parse_words(words, laddr_words, req);
}

int parse_conn_filter(struct words *words, struct conn_filter *filter)
{
	memset(filter, 0, sizeof(*filter));
	return parse_words(words, filter_words, filter);
}

/* --- any list of words */

static int unknown_word(const struct word *list, const char *key)
{
	char text[SUGGEST_TEXT_MAX], all[320] = "";
	const struct word *word, *last = NULL;
	struct suggestion s;
	size_t used = 0;

	suggest_begin(&s, key);
	for (word = list; word->name; word++) {
		if (!word_is_spoken(word))
			continue;
		suggest_try(&s, word->name);
		if (last)
			used += snprintf(all + used, sizeof(all) - used,
					 "%s%s", used ? ", " : "", last->name);
		last = word;
	}
	if (!last)
		return usage_error("unexpected word \"%s\"", key);
	if (*suggest_text(&s, text))
		return usage_error("unknown word \"%s\"; %s", key, text);
	return usage_error("\"%s\": %s%s%s is expected", key, all,
			   used ? " or " : "", last->name);
}

int parse_words(struct words *words, const struct word *list, void *req)
{
	struct words_seen seen = { 0 };
	const struct word *word;
	const char *key;
	int err = LBADM_OK;

	while (!err && (key = words_next(words))) {
		word = word_find(list, key);
		if (!word)
			return unknown_word(list, key);
		if (!(word->flags & WORD_REPEATED))
			err = words_once(&seen, key);
		if (!err && word->kind)
			err = word->kind->parse(words, word, req);
		else if (!err)
			*(bool *)((char *)req + word->offset) = true;
	}
	return err;
}

int parse_flags(struct words *words, const struct word *list, void *req)
{
	struct words one;
	const char *key;
	int err = LBADM_OK;

	while (!err && (key = words_peek(words)) && !strncmp(key, "--", 2)) {
		const struct word *word = word_find(list, key);

		/* The flag and its value, and no word after them */
		one = *words;
		one.argc = word && word->kind && words->argc > 1 ? 2 : 1;
		words->argc -= one.argc;
		words->argv += one.argc;
		err = parse_words(&one, list, req);
	}
	return err;
}
