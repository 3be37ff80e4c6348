// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses with ports, to and from text.
 */
#include "util/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool parse_span(struct addr *addr, const char *text, size_t len)
{
	char buf[INET6_ADDRSTRLEN];

	memset(addr, 0, sizeof(*addr));
	if (len == 0 || len >= sizeof(buf))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (inet_pton(AF_INET, buf, addr->bytes) == 1)
		addr->len = 4;
	else if (inet_pton(AF_INET6, buf, addr->bytes) == 1)
		addr->len = 16;
	return addr->len != 0;
}

bool addr_split(struct addr *addr, const char **rest, const char *text)
{
	const char *colon = strchr(text, ':');

	*rest = NULL;
	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (!end || !parse_span(addr, text + 1, end - text - 1) ||
		    addr->len != 16)
			return false;
		if (end[1] == ':')
			*rest = end + 2;
		return end[1] == ':' || end[1] == '\0';
	}
	/* More than one colon: an IPv6 address, which has no port then. */
	if (!colon || strchr(colon + 1, ':'))
		return parse_span(addr, text, strlen(text));
	*rest = colon + 1;
	return parse_span(addr, text, colon - text);
}

bool addr_parse(struct addr *addr, const char *text)
{
	const char *rest;

	return addr_split(addr, &rest, text) && !rest;
}

bool prefix_parse(struct addr *addr, uint32_t *length, const char *text)
{
	const char *slash = strchr(text, '/');
	char buf[ADDR_TEXT_MAX];
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (!addr_parse(addr, buf))
		return false;
	*length = addr->len * 8;
	return !slash || number_parse(length, slash + 1, *length);
}

void prefix_mask(struct addr *addr, uint32_t length)
{
	uint32_t i;

	for (i = 0; i < addr->len; i++, length -= length < 8 ? length : 8)
		if (length < 8)
			addr->bytes[i] &= 0xff00 >> length;
}

const char *addr_format(char buf[ADDR_TEXT_MAX], const struct addr *addr)
{
	if (!inet_ntop(addr->len == 4 ? AF_INET : AF_INET6, addr->bytes, buf,
		       ADDR_TEXT_MAX))
		snprintf(buf, ADDR_TEXT_MAX, "?");
	return buf;
}

bool number_parse(uint32_t *number, const char *text, uint32_t max)
{
	uint64_t value = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (*p - '0');
		if (value > max)
			return false;
	}
	*number = value;
	return p != text && *p == '\0';
}

bool port_parse(const char *text, uint16_t *port)
{
	uint32_t value;

	if (!number_parse(&value, text, 65535) || !value)
		return false;
	*port = value;
	return true;
}
