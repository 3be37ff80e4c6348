// SPDX-License-Identifier: GPL-2.0
/*
 * Parts of text that is made from JSON objects.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lbadm.h"
#include "out/parts.h"
#include "util/escape.h"

const char *color(const char *code)
{
	return lbadm_options.color ? code : "";
}

const char *string_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "?";
}

const char *word_of(char buf[NUMBER_MAX], const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		return string_of(object, key);
	snprintf(buf, NUMBER_MAX, "%" JSON_INTEGER_FORMAT,
		 json_integer_value(value));
	return buf;
}

json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void write_value(FILE *to, const json_t *value)
{
	if (json_is_string(value))
		fputs(json_string_value(value), to);
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "on" : "off", to);
	else
		fprintf(to, "%" JSON_INTEGER_FORMAT,
			json_integer_value(value));
}

void write_pair(FILE *to, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return;
	fprintf(to, " %s ", key);
	write_value(to, value);
}

void write_text(FILE *to, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		return;
	fprintf(to, " %s ", key);
	write_quoted(to, text);
}

/* A batch knows both quotes, and no escapes within them. */
void write_quoted(FILE *to, const char *text)
{
	size_t len;
	char quote;

	if (!*text)
		fputs("\"\"", to);
	while (*text) {
		quote = *text == '"' ? '\'' : '"';
		len = quote == '"' ? strcspn(text, "\"") : strspn(text, "\"");
		fputc(quote, to);
		escape_write(to, text, len);
		fputc(quote, to);
		text += len;
	}
}

void print_pair(const json_t *object, const char *key)
{
	write_pair(stdout, object, key);
}

void write_encap(FILE *to, const json_t *object)
{
	const json_t *port = json_object_get(object, "encap-port");

	write_pair(to, object, "encap");
	if (port) {
		fputc(':', to);
		write_value(to, port);
	}
}

void print_encap(const json_t *object)
{
	write_encap(stdout, object);
}

const char *service_text(char buf[SERVICE_MAX], const json_t *service)
{
	char number[NUMBER_MAX], text[ENDPOINT_MAX];

	snprintf(buf, SERVICE_MAX, "%s %s",
		 word_of(number, service, "protocol"),
		 endpoint(text, sizeof(text), service, "address", "port"));
	return buf;
}

const char *endpoint(char *buf, size_t size, const json_t *object,
		     const char *address_key, const char *port_key)
{
	const char *address = string_of(object, address_key);
	const json_t *port = json_object_get(object, port_key);
	const char *open = strchr(address, ':') && port ? "[" : "";
	const char *close = *open ? "]" : "";

	if (!port)
		snprintf(buf, size, "%s", address);
	else if (json_is_string(port))
		snprintf(buf, size, "%s%s%s:%s", open, address, close,
			 json_string_value(port));
	else
		snprintf(buf, size, "%s%s%s:%" JSON_INTEGER_FORMAT, open,
			 address, close, json_integer_value(port));
	return buf;
}
