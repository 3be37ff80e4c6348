// SPDX-License-Identifier: GPL-2.0
/*
 * Rules about several keys of a health check, and values derived from them.
 */
#include "model/health_rules.h"

#include <ctype.h>
#include <netinet/in.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/nflb.h>

#include "util/json_reader.h"
#include "util/report.h"

#define FAST_INTERVAL_MIN 200	/* ms */

bool health_is_http(const struct health_check *check)
{
	return check->protocol == HEALTH_HTTP || check->protocol == HEALTH_HTTPS;
}

bool health_is_tls(const struct health_check *check)
{
	return check->protocol == HEALTH_HTTPS || check->protocol == HEALTH_TLS ||
	       check->protocol == HEALTH_GRPCS;
}

bool health_in_ranges(const struct health_ranges *ranges, unsigned int code)
{
	unsigned int i;

	for (i = 0; i < ranges->count; i++)
		if (code >= ranges->first[i] && code <= ranges->last[i])
			return true;
	return false;
}

/* Report an error of a key's value. */
static int wrong(const char *key, const char *why)
{
	json_enter_key(key);
	usage_error("%s: %s", key, why);
	json_leave();
	return LBADM_USAGE;
}

/* "200,300-399", whose form is right, or a number */
static int read_ranges(const char *key, const json_t *value,
		       struct health_ranges *ranges)
{
	const char *text = json_string_value(value);
	unsigned int first, last;
	int len;

	if (json_is_integer(value)) {
		ranges->first[0] = ranges->last[0] = json_integer_value(value);
		ranges->count = 1;
	}
	while (text && *text) {
		if (sscanf(text, "%u%n", &first, &len) != 1)
			return wrong(key, "a list such as \"200,300-399\" is expected");
		text += len;
		last = first;
		if (*text == '-' && sscanf(text, "-%u%n", &last, &len) == 1)
			text += len;
		if (*text == ',')
			text++;
		if (last < first)
			return wrong(key, "a range ends before it begins");
		if (ranges->count == HEALTH_RANGES_MAX)
			return wrong(key, "there are more than 16 ranges");
		ranges->first[ranges->count] = first;
		ranges->last[ranges->count++] = last;
	}
	return LBADM_OK;
}

static int status_rules(struct health_check *check)
{
	json_t *standard = json_string("200-399");
	int status;

	status = read_ranges("expect-status", check->expect_status ?
			     check->expect_status : standard, &check->status);
	json_decref(standard);
	if (status || !check->drain_status)
		return status;
	return read_ranges("drain-status", check->drain_status, &check->drain);
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' :
	       tolower((unsigned char)c) - 'a' + 10;
}

/* Text, or "hex:" and digits, between which there may be spaces */
static int read_bytes(const char *key, const char *text, struct health_bytes *bytes)
{
	bool hex = text && !strncmp(text, "hex:", 4);
	unsigned int digits = 0;

	if (!text)
		return LBADM_OK;
	if (!hex && strlen(text) > HEALTH_BYTES_MAX)
		return wrong(key, "more than 512 bytes");
	if (!hex) {
		bytes->len = strlen(text);
		memcpy(bytes->bytes, text, bytes->len);
		return LBADM_OK;
	}
	for (text += 4; *text; text++) {
		if (*text == ' ' && digits % 2 == 0)
			continue;
		if (!isxdigit((unsigned char)*text))
			return wrong(key, "pairs of hexadecimal digits are expected after \"hex:\"");
		if (digits / 2 == HEALTH_BYTES_MAX)
			return wrong(key, "more than 512 bytes");
		bytes->bytes[digits / 2] = bytes->bytes[digits / 2] << 4 |
					   hex_digit(*text);
		digits++;
	}
	bytes->len = digits / 2;
	return digits && digits % 2 == 0 ? LBADM_OK :
	       wrong(key, "pairs of hexadecimal digits are expected after \"hex:\"");
}

static int regex_rules(const struct health_check *check)
{
	char why[160] = "";
	regex_t regex;
	int error;

	if (!check->expect_body_regex)
		return LBADM_OK;
	error = regcomp(&regex, check->expect_body_regex, REG_EXTENDED | REG_NOSUB);
	if (!error) {
		regfree(&regex);
		return LBADM_OK;
	}
	regerror(error, &regex, why, sizeof(why));
	return wrong("expect-body-regex", why);
}

static bool is_token(const char *text)
{
	const char *c = text;

	while (isalnum((unsigned char)*c) || (*c && strchr("!#$%&'*+.^_`|~-", *c)))
		c++;
	return c != text && !*c;
}

static bool is_header_value(const char *text)
{
	const char *c = text;

	while (*c == '\t' || ((unsigned char)*c >= ' ' && *c != 0x7f))
		c++;
	return !*c;
}

static int header_rules(const char *name, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text)
		return wrong(name, "a string is expected");
	if (!is_token(name))
		return wrong(name, "this is not the name of a header");
	if (!is_header_value(text))
		return wrong(name, "the value of a header has no control characters");
	if (!strcasecmp(name, "host"))
		return wrong(name, "\"host\" of the health check sets this header");
	if (!strcasecmp(name, "content-length") || !strcasecmp(name, "transfer-encoding"))
		return wrong(name, "a check has no body");
	return LBADM_OK;
}

static int headers_rules(const struct health_check *check)
{
	int status = LBADM_OK;
	const char *name;
	json_t *value;

	if (!check->headers)
		return LBADM_OK;
	if (json_object_size(check->headers) > HEALTH_HEADERS_MAX)
		return wrong("headers", "there are more than 32");
	json_enter_key("headers");
	json_object_foreach((json_t *)check->headers, name, value) {
		status = header_rules(name, value);
		if (status)
			break;
	}
	json_leave();
	return status;
}

static int command_rules(const struct health_check *check)
{
	size_t i, count = json_array_size(check->command);
	const char *text;

	if (check->protocol == HEALTH_EXEC && !count)
		return usage_error("command: an exec check needs one: [\"/path\", \"argument\"]");
	if (count > HEALTH_COMMAND_MAX)
		return wrong("command", "there are more than 32 words");
	for (i = 0; i < count; i++) {
		text = json_string_value(json_array_get(check->command, i));
		if (!text)
			return wrong("command", "an array of strings is expected");
		if (!i && *text != '/')
			return wrong("command", "an absolute path is expected first");
	}
	return LBADM_OK;
}

/* Why can a check not go through the module? NULL: it can. */
static const char *no_path(const struct health_check *check,
			   const struct health_place *place)
{
	switch (check->protocol) {
	case HEALTH_PING:
		return "a ping cannot go through the module";
	case HEALTH_EXEC:
		return "a command cannot go through the module";
	case HEALTH_NONE:
	case HEALTH_DNS:
		return NULL;
	case HEALTH_UDP:
		return place->protocol == IPPROTO_UDP ? NULL :
		       "a udp check goes through the module only to a service of udp";
	default:
		return place->protocol == IPPROTO_TCP ? NULL :
		       "this check goes through the module only to a service of tcp";
	}
}

/* "via": "path" needs a port that the service has. */
static int via_rules(struct health_check *check, const struct health_place *place)
{
	uint16_t last = place->port_last ? place->port_last : place->port;
	const char *why = no_path(check, place);
	bool several = !place->port || place->port_last;

	check->via_auto = check->via == HEALTH_AUTO;
	if (check->via_auto)
		check->via = place->mode == NFLB_MODE_DSR && !check->port && !why &&
			     !several ? HEALTH_PATH : HEALTH_DIRECT;
	if (check->via != HEALTH_PATH)
		return LBADM_OK;
	if (why)
		return wrong("via", why);
	if (!check->port && several)
		return wrong("via", "a service of several ports needs \"port\", too");
	if (check->port && place->port &&
	    (check->port < place->port || check->port > last))
		return wrong("port", "with via path, it is a port of the service");
	return LBADM_OK;
}

static int tls_rules(struct health_check *check)
{
	if (check->client_key && !check->client_cert)
		return wrong("client-key", "client-cert is missing");
	if (check->client_cert && !check->client_key)
		check->client_key = check->client_cert;
	if (check->alpn && check->protocol == HEALTH_HTTPS &&
	    strcmp(check->alpn, "http/1.1") && strcmp(check->alpn, "h2"))
		return wrong("alpn", "\"http/1.1\" or \"h2\" is expected of https");
	check->verify_file = json_string_value(check->verify);
	check->verify_on = check->verify_file || json_is_true(check->verify);
	return LBADM_OK;
}

int health_rules(struct health_check *check, const struct health_place *place)
{
	int status;

	if (check->source && !addr_parse(&check->source_addr, check->source))
		return wrong("source", "an IPv4 or IPv6 address is expected");
	if (!check->fast_interval)
		check->fast_interval = check->interval / 5 > FAST_INTERVAL_MIN ?
				       check->interval / 5 : FAST_INTERVAL_MIN;
	if (!check->down_interval)
		check->down_interval = check->interval;
	status = status_rules(check);
	status = status ? status : read_bytes("send", check->send,
					      &check->send_bytes);
	status = status ? status : read_bytes("expect", check->expect,
					      &check->expect_bytes);
	status = status ? status : regex_rules(check);
	status = status ? status : headers_rules(check);
	status = status ? status : command_rules(check);
	status = status ? status : tls_rules(check);
	return status ? status : via_rules(check, place);
}

const char *health_warning(const struct health_check *check,
			   const struct health_place *place)
{
	if (check->protocol == HEALTH_UDP && !check->expect)
		return "a udp check without \"expect\" takes silence for success";
	if (place->mode == NFLB_MODE_DSR && check->via == HEALTH_DIRECT &&
	    check->protocol != HEALTH_NONE)
		return "a direct check of a dsr backend does not show whether the backend has the VIP";
	return NULL;
}
