// SPDX-License-Identifier: GPL-2.0
/*
 * A query with one question, and the answers to it. Every offset is checked: the message
 * is from the network.
 */
#include "dns.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define HEADER 12
#define NAME_MAX 255
#define POINTERS_MAX 32

/* Numbers of the protocol, in the order of dns_type_names */
static const uint16_t types[] = { 1, 2, 5, 6, 12, 15, 16, 28, 33 };

enum { TYPE_A = 1, TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_SRV = 33 };

static void put16(uint8_t *to, unsigned int value)
{
	to[0] = value >> 8;
	to[1] = value;
}

static unsigned int get16(const uint8_t *from)
{
	return from[0] << 8 | from[1];
}

/* Labels with their lengths. The form of the name was checked when it was read. */
static size_t put_name(uint8_t *to, const char *name)
{
	size_t at = 0, len;

	while (*name && strcmp(name, ".")) {
		len = strcspn(name, ".");
		to[at] = len;
		memcpy(to + at + 1, name, len);
		at += len + 1;
		name += len + (name[len] == '.');
	}
	to[at] = 0;
	return at + 1;
}

size_t dns_write(const struct dns_query *query, uint8_t buf[DNS_QUERY_MAX])
{
	size_t at = HEADER;

	memset(buf, 0, HEADER);
	put16(buf, query->id);
	buf[2] = 1;		/* recursion is desired */
	put16(buf + 4, 1);
	at += put_name(buf + at, query->name);
	put16(buf + at, types[query->type]);
	put16(buf + at + 2, 1);
	return at + 4;
}

/*
 * The name at @at as text, without a dot at its end. Returns the offset after the name,
 * or 0 if it is malformed.
 */
static size_t get_name(const uint8_t *msg, size_t len, size_t at, char name[NAME_MAX + 1])
{
	unsigned int pointers = 0;
	size_t used = 0, end = 0, part;

	for (;;) {
		if (at >= len)
			return 0;
		part = msg[at];
		if (part >= 0xc0) {
			if (at + 1 >= len || ++pointers > POINTERS_MAX)
				return 0;
			end = end ? end : at + 2;
			at = (part & 0x3f) << 8 | msg[at + 1];
			continue;
		}
		if (part > 63 || at + 1 + part > len || used + part + 1 > NAME_MAX)
			return 0;
		if (!part)
			break;
		memcpy(name + used, msg + at + 1, part);
		used += part;
		name[used++] = '.';
		at += part + 1;
	}
	name[used ? used - 1 : 0] = '\0';
	return end ? end : at + 1;
}

/* Is it the same name? Case and the dot at the end do not matter. */
static bool same_name(const char *a, const char *b)
{
	size_t len = strlen(b);

	if (len && b[len - 1] == '.')
		len--;
	return strlen(a) == len && !strncasecmp(a, b, len);
}

static bool is_address(int family, const uint8_t *data, size_t len, const char *answer)
{
	uint8_t address[16];

	return inet_pton(family, answer, address) == 1 &&
	       len == (family == AF_INET ? 4 : 16) && !memcmp(address, data, len);
}

/* Does a record of the type have the expected answer? */
static bool is_answer(const struct dns_query *query, const uint8_t *msg, size_t len,
		      size_t at, size_t size)
{
	unsigned int type = types[query->type];
	char name[NAME_MAX + 1];
	size_t skip = type == TYPE_MX ? 2 : type == TYPE_SRV ? 6 : 0;

	if (type == TYPE_A || type == TYPE_AAAA)
		return is_address(type == TYPE_A ? AF_INET : AF_INET6, msg + at, size,
				  query->answer);
	if (type == TYPE_TXT)
		return size && msg[at] == size - 1 &&
		       strlen(query->answer) == size - 1 &&
		       !memcmp(msg + at + 1, query->answer, size - 1);
	return size > skip && get_name(msg, len, at + skip, name) &&
	       same_name(name, query->answer);
}

static enum dns_verdict find_answer(const struct dns_query *query, const uint8_t *msg,
				    size_t len, size_t at)
{
	unsigned int count = get16(msg + 6), i;
	char name[NAME_MAX + 1];
	size_t size;

	for (i = 0; i < count; i++) {
		at = get_name(msg, len, at, name);
		if (!at || at + 10 > len)
			return DNS_MALFORMED;
		size = get16(msg + at + 8);
		if (at + 10 + size > len)
			return DNS_MALFORMED;
		if (get16(msg + at) == types[query->type] &&
		    is_answer(query, msg, len, at + 10, size))
			return DNS_GOOD;
		at += 10 + size;
	}
	return DNS_NO_ANSWER;
}

enum dns_verdict dns_read(const struct dns_query *query, const uint8_t *msg, size_t len,
			  unsigned int *rcode)
{
	char name[NAME_MAX + 1];
	size_t at;

	if (len < HEADER || get16(msg) != query->id || !(msg[2] & 0x80))
		return DNS_OTHER;
	*rcode = msg[3] & 0xf;
	/* A server that cannot read the question need not repeat it. */
	if (*rcode != query->rcode)
		return DNS_RCODE;
	if (!query->answer)
		return DNS_GOOD;
	if (get16(msg + 4) != 1)
		return DNS_MALFORMED;
	at = get_name(msg, len, HEADER, name);
	if (!at || at + 4 > len)
		return DNS_MALFORMED;
	if (!same_name(name, query->name) || get16(msg + at) != types[query->type])
		return DNS_OTHER;
	return find_answer(query, msg, len, at + 4);
}
