// SPDX-License-Identifier: GPL-2.0
/*
 * Kinds of values: how each is written, and its parser.
 */
#define _GNU_SOURCE
#include <nflb/rules.h>
#include <stdio.h>
#include <string.h>

#include "model/policy.h"
#include "model/request.h"
#include "model/vocabulary.h"

/* Where a word's value goes */
static void *place(const struct word *word, void *req)
{
	return (char *)req + word->offset;
}

static int value_of(struct words *words, const char *key, const char **value)
{
	*value = words_next(words);
	if (!*value)
		return usage_error("%s: a value is missing", key);
	return LBADM_OK;
}

/* The same of one of a set of words */
static int named_value_of(struct words *words, const char *key,
			  const struct names *names, const char **value)
{
	char list[160];

	*value = words_next(words);
	if (!*value)
		return usage_error("%s: a value is missing: %s", key,
				   names_list(names, list, sizeof(list)));
	return LBADM_OK;
}

static int number_of(struct words *words, const char *key, uint32_t min,
		     uint32_t max, struct opt *opt)
{
	const char *value;
	int err;

	err = value_of(words, key, &value);
	if (err)
		return err;
	if (number_parse(&opt->value, value, max) && opt->value >= min) {
		opt->set = true;
		return LBADM_OK;
	}
	if (max - min == 1)
		return usage_error("%s \"%s\": %u or %u is expected", key,
				   value, min, max);
	return usage_error("%s \"%s\": a number from %u to %u is expected",
			   key, value, min, max);
}

int parse_number(struct words *words, const char *key, uint32_t max,
		 struct opt *opt)
{
	return number_of(words, key, 0, max, opt);
}

static int parse_range_number(struct words *words, const struct word *word,
			      void *req)
{
	return number_of(words, word->name, word->kind->min, word->kind->max,
			 place(word, req));
}

int parse_name(struct words *words, const char *key, const struct names *names,
	       uint32_t *number)
{
	char list[160], text[SUGGEST_TEXT_MAX];
	const char *value;
	int err, found;

	err = named_value_of(words, key, names, &value);
	if (err)
		return err;
	found = names_find(names, value);
	if (found >= 0) {
		*number = found;
		return LBADM_OK;
	}
	names_list(names, list, sizeof(list));
	/* One or two are better than a long list. */
	if (*names_suggest(names, value, text) && strlen(list) > 40)
		return usage_error("%s \"%s\": %s", key, value, text);
	return usage_error("%s \"%s\": %s is expected%s%s", key, value,
			   list,
			   *text ? "; " : "", text);
}

static int parse_named(struct words *words, const struct word *word, void *req)
{
	struct opt *opt = place(word, req);
	int err;

	err = parse_name(words, word->name, word->kind->names, &opt->value);
	opt->set = !err;
	return err;
}

/* none, ipip, gre, gue or gue:PORT */
static int parse_encap(struct words *words, const struct word *word, void *req)
{
	struct opt *encap = place(word, req);
	struct opt *encap_port = (struct opt *)((char *)req + word->extra);
	const char *value = words_peek(words);
	uint16_t port;

	encap_port->set = false;
	if (!value || strncmp(value, "gue:", 4))
		return parse_named(words, word, req);
	words_next(words);
	if (!port_parse(value + 4, &port))
		return usage_error("encap \"%s\": port must be 1 to 65535",
				   value);
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
static int parse_encap_source(struct words *words, const struct word *word,
			      void *service)
{
	char buf[2 * ADDR_TEXT_MAX], *rest = buf;
	struct service_request *req = service;
	const char *value;
	int err;

	err = value_of(words, word->name, &value);
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
static int parse_persist(struct words *words, const struct word *word,
			 void *service)
{
	struct service_request *req = service;
	char buf[40], *rest = buf;
	const char *value;
	int err;

	err = value_of(words, word->name, &value);
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

static int parse_on_off(struct words *words, const struct word *word, void *req)
{
	struct opt *opt = place(word, req);
	const char *value;
	int err;

	err = value_of(words, word->name, &value);
	if (err)
		return err;
	if (strcmp(value, "on") && strcmp(value, "off"))
		return usage_error("%s \"%s\": on or off is expected",
				   word->name, value);
	opt->set = true;
	opt->value = !strcmp(value, "on");
	return LBADM_OK;
}

/* Only the kernel knows which there are; a newer one may have more. */
static int parse_scheduler(struct words *words, const struct word *word,
			   void *req)
{
	const char *value;
	int err;

	err = named_value_of(words, word->name, word->kind->names, &value);
	if (err)
		return err;
	if (!*value || strlen(value) >= NFLB_SCHEDULER_NAMSIZ)
		return usage_error("scheduler \"%s\": a name of 1 to %d letters is expected",
				   value, NFLB_SCHEDULER_NAMSIZ - 1);
	strcpy(place(word, req), value);
	return LBADM_OK;
}

/* PORT or LO-HI; takes @text apart */
static bool parse_range(char *text, struct port_range *range)
{
	char *dash = strchr(text, '-');

	if (dash)
		*dash++ = '\0';
	return port_parse(text, &range->first) &&
	       port_parse(dash ? dash : text, &range->last) &&
	       range->first <= range->last;
}

static int parse_laddr_ports(struct words *words, const struct word *word,
			     void *laddr)
{
	struct laddr_request *req = laddr;
	const char *value;
	char buf[16];
	int err;

	err = value_of(words, word->name, &value);
	if (err)
		return err;
	if (strlen(value) < sizeof(buf) && strchr(value, '-') &&
	    parse_range(strcpy(buf, value), &req->ports))
		return LBADM_OK;
	return usage_error("ports \"%s\": LO-HI is expected, from 1 to 65535",
			   value);
}

/* PORT[-PORT][,...] */
static int parse_excluded(struct words *words, const struct word *word,
			  void *laddr)
{
	struct laddr_request *req = laddr;
	char buf[128], *rest = buf;
	const char *value;
	int err;

	err = value_of(words, word->name, &value);
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

static int parse_filter_service(struct words *words, const struct word *word,
				void *conns)
{
	struct conn_filter *filter = conns;

	(void)word;
	filter->has_service = true;
	return parse_service_id(words, &filter->service);
}

static int parse_filter_backend(struct words *words, const struct word *word,
				void *conns)
{
	struct conn_filter *filter = conns;

	(void)word;
	filter->has_backend = true;
	return parse_backend_id(words, &filter->backend);
}

static int parse_client(struct words *words, const struct word *word,
			void *conns)
{
	struct conn_filter *filter = conns;
	const char *value;
	int err;

	err = value_of(words, word->name, &value);
	if (err)
		return err;
	if (!prefix_parse(&filter->client, &filter->client_prefix.value, value))
		return usage_error("client \"%s\": ADDRESS or ADDRESS/LENGTH is expected",
				   value);
	filter->client_prefix.set = true;
	return LBADM_OK;
}

/* A name or a comment; "" is none. @word's kind has the most bytes. */
static int parse_label(struct words *words, const struct word *word, void *req)
{
	struct label *label = place(word, req);
	const char *value, *why;
	int err;

	err = value_of(words, word->name, &value);
	if (err)
		return err;
	if (strlen(value) > word->kind->bytes)
		return usage_error("%s: %zu bytes; at most %u are possible",
				   word->name, strlen(value),
				   word->kind->bytes);
	why = nflb_rules_text(value);
	if (why)
		return usage_error("%s \"%s\": %s", word->name, value, why);
	label->set = true;
	strcpy(label->text, value);
	return LBADM_OK;
}

/* Kept as it is written; a flag's value, which may be a file's name */
static int parse_text(struct words *words, const struct word *word, void *req)
{
	const char **text = place(word, req);

	*text = words_next(words);
	return *text ? LBADM_OK :
	       usage_error("%s: %s is missing", word->name,
			   word->kind == &kind_file ? "a file" : "a value");
}

/* --- kinds of values */

#define PREFIX_PATTERN "^[0-9a-fA-F:.]+(/[0-9]+)?$"
#define NAMED(set) .names = &(set), .json = JSON_KIND_STRING, .parse = parse_named
#define NUMBER(low, high) \
	.min = (low), .max = (high), .json = JSON_KIND_NUMBER, \
	.parse = parse_range_number

const struct kind kind_mode = { NAMED(mode_names) };
const struct kind kind_backend_state = { NAMED(backend_state_names) };
const struct kind kind_conn_state = { .form = "NAME", NAMED(conn_state_names) };
const struct kind kind_encap = {
	.form = "none|ipip|gre|gue[:PORT]", .names = &encap_names,
	.json = JSON_KIND_STRING, .parse = parse_encap,
};
const struct kind kind_encap_source = {
	.form = "auto|ADDR[/LEN][,ADDR[/LEN]]", .json = JSON_KIND_STRING,
	.parse = parse_encap_source,
};
const struct kind kind_scheduler = {
	.form = "NAME", .names = &scheduler_names, .json = JSON_KIND_STRING,
	.parse = parse_scheduler,
};
const struct kind kind_persist = {
	.form = "SECONDS[/PREFIXLEN[/PREFIXLEN6]]", .max = NFLB_TIMEOUT_MAX,
	.json = JSON_KIND_NUMBER, .parse = parse_persist,
};
const struct kind kind_seconds = {
	.form = "SECONDS", NUMBER(0, NFLB_TIMEOUT_MAX)
};
const struct kind kind_on_off = {
	.form = "on|off", .json = JSON_KIND_BOOLEAN, .parse = parse_on_off,
};
const struct kind kind_toa_kind6 = { .form = "253|254", NUMBER(253, 254) };
const struct kind kind_weight = { .form = "N", NUMBER(0, NFLB_WEIGHT_MAX) };
const struct kind kind_connections = { .form = "N", NUMBER(0, UINT32_MAX) };
const struct kind kind_mtu = { .form = "N", NUMBER(576, 65535) };
const struct kind kind_burst = { .form = "N", NUMBER(1, POLICY_RATE_MAX) };
const struct kind kind_laddr_ports = {
	.form = "LO-HI", .json = JSON_KIND_STRING,
	.pattern = "^[0-9]+-[0-9]+$", .parse = parse_laddr_ports,
};
const struct kind kind_laddr_exclude = {
	.form = "PORT[-PORT][,...]", .json = JSON_KIND_STRING,
	.pattern = "^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$",
	.parse = parse_excluded,
};
const struct kind kind_client = {
	.form = "ADDR[/LEN]", .parse = parse_client,
};

/* --- kinds of arguments */

const struct kind kind_service = {
	.form = "SERVICE", .live = LIVE_SERVICE, .parse = parse_filter_service,
	.about = "a service, as PROTO VIP: tcp 192.0.2.10:80, udp [2001:db8::10]:53, "
		 "tcp 192.0.2.10:8000-8010, tcp 192.0.2.10:*",
};
const struct kind kind_new_service = {
	.form = "SERVICE", .live = LIVE_PROTOCOL,
	.about = "PROTO VIP: tcp 192.0.2.10:80, udp [2001:db8::10]:53, "
		 "tcp 192.0.2.10:8000-8010, tcp 192.0.2.10:*",
};
const struct kind kind_backend = {
	.form = "BACKEND", .live = LIVE_BACKEND, .parse = parse_filter_backend,
	.about = "a backend, as ADDR[:PORT]: 10.0.0.11:8080, "
		 "[2001:db8::11]:8080, 10.0.0.11",
};
const struct kind kind_new_backend = {
	.form = "BACKEND",
	.about = "ADDR[:PORT]: 10.0.0.11:8080, [2001:db8::11]:8080, 10.0.0.11; "
		 "without a port, connections keep the one that the client asked for",
};
const struct kind kind_laddr = { .form = "ADDR[-ADDR]", .live = LIVE_LADDR };
const struct kind kind_new_laddr = {
	.form = "ADDR[-ADDR]", .live = LIVE_ADDRESS,
	.about = "one address, or the first and the last of successive ones",
};
const struct kind kind_device = {
	.form = "DEV", .live = LIVE_DEVICE, .about = "a network device",
};
const struct kind kind_netdev = {
	.form = "DEV", .live = LIVE_NETDEV, .about = "a network device",
};
const struct kind kind_file = {
	.form = "FILE", .live = LIVE_FILE, .parse = parse_text,
	.about = "the name of a file; - is standard input or output",
};
const struct kind kind_prefix = {
	.form = "PREFIX", .about = "ADDR or ADDR/LEN, of the VIP's family",
	.pattern = PREFIX_PATTERN,
};
const struct kind kind_policy_list = { .names = &policy_list_names };
const struct kind kind_rate = {
	.form = "N/second|minute|hour|day", .json = JSON_KIND_STRING,
	.pattern = "^[0-9]+/(second|minute|hour|day)$",
};
const struct kind kind_verdict = { .names = &verdict_word_names };
const struct kind kind_protocol = {
	.names = &protocol_names, .json = JSON_KIND_STRING,
};
const struct kind kind_client_port = {
	.form = "CLIENT_ADDR:PORT", .about = "the source of the packet",
};
const struct kind kind_vip_port = {
	.form = "VIP:PORT", .about = "its destination: a VIP, or the client of a reply",
};
const struct kind kind_vip_address = {
	.form = "VIP", .about = "the service's address, without a port",
};
const struct kind kind_own_address = {
	.form = "ADDRESS", .live = LIVE_ADDRESS,
	.about = "this host's own address, at which the balancer reaches it",
};
const struct kind kind_fwmark = { .form = "N=PROTOCOL:VIP:PORT[,...]" };

/* --- kinds of keys */

const struct kind kind_address = {
	.form = "ADDR", .json = JSON_KIND_STRING, .pattern = "^[0-9a-fA-F:.]+$",
};
const struct kind kind_port = {
	.form = "PORT", .min = 1, .max = 65535, .json = JSON_KIND_NUMBER,
};
const struct kind kind_service_port = {
	.form = "PORT", .json = JSON_KIND_NUMBER_OR_STRING,
	.min = 1, .max = 65535, .pattern = "^([0-9]+|[0-9]+-[0-9]+|\\*)$",
};
const struct kind kind_prefix4 = { .max = 32, .json = JSON_KIND_NUMBER };
const struct kind kind_prefix6 = { .max = 128, .json = JSON_KIND_NUMBER };
const struct kind kind_array = { .json = JSON_KIND_ARRAY };
const struct kind kind_object = { .json = JSON_KIND_OBJECT };
const struct kind kind_health_initial = { NAMED(health_initial_names) };
const struct kind kind_on_unhealthy = { NAMED(on_unhealthy_names) };
const struct kind kind_when_none = { NAMED(when_none_names) };
const struct kind kind_percent = { NUMBER(0, 100) };

/* --- kinds of options */

const struct kind kind_text = {
	.form = "TEXT", .json = JSON_KIND_STRING, .parse = parse_text,
};
#define LABEL(size) \
	.form = "TEXT", .json = JSON_KIND_STRING, .bytes = (size) - 1, \
	.pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]*$", \
	.parse = parse_label
const struct kind kind_name = { LABEL(NFLB_NAME_SIZE) };
const struct kind kind_comment = { LABEL(NFLB_COMMENT_SIZE) };
const struct kind kind_interval = { .form = "SECONDS", NUMBER(1, 3600) };
const struct kind kind_count = { .form = "N", NUMBER(1, UINT32_MAX) };
const struct kind kind_watch_sort = { NAMED(watch_sort_names) };
const struct kind kind_columns = { .form = "[+]COLUMN[,COLUMN]..." };
const struct kind kind_sort = { .form = "[-]COLUMN[,[-]COLUMN]..." };
const struct kind kind_netns = { .form = "NAME", .live = LIVE_NETNS };
const struct kind kind_when = { .names = &when_names };
