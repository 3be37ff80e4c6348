// SPDX-License-Identifier: GPL-2.0
/*
 * DNS messages of a check: queries, answers by table, and answers that somebody made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define FUZZ_ROUNDS 1000000

/* In the order of dns_type_names */
enum { A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV };

#define HEAD(flags2, rcode, answers) "\x12\x34" flags2 rcode "\0\1" answers "\0\0\0\0"
#define QUESTION(type) "\1a\2bc\0" type "\0\1"
#define RECORD(type, size) "\xc0\x0c" type "\0\1" "\0\0\0\x3c" size

struct answer_case {
	const char *about;
	uint32_t type, rcode;
	const char *expected;
	const char *message;
	size_t len;
	enum dns_verdict verdict;
};

#define MESSAGE(text) text, sizeof(text) - 1

static const struct answer_case cases[] = {
	{ "a code as expected", A, 0, NULL,
	  MESSAGE(HEAD("\x81", "\x80", "\0\0") QUESTION("\0\1")), DNS_GOOD },
	{ "SERVFAIL", A, 0, NULL,
	  MESSAGE(HEAD("\x81", "\x82", "\0\0") QUESTION("\0\1")), DNS_RCODE },
	{ "REFUSED without a question", A, 0, NULL,
	  MESSAGE("\x12\x34\x81\x85\0\0\0\0\0\0\0\0"), DNS_RCODE },
	{ "NXDOMAIN that is expected", A, 3, NULL,
	  MESSAGE(HEAD("\x81", "\x83", "\0\0") QUESTION("\0\1")), DNS_GOOD },
	{ "another id", A, 0, NULL, MESSAGE("\x12\x35\x81\x80\0\1\0\0\0\0\0\0"), DNS_OTHER },
	{ "a query", A, 0, NULL, MESSAGE("\x12\x34\x01\x00\0\1\0\0\0\0\0\0"), DNS_OTHER },
	{ "short", A, 0, NULL, MESSAGE("\x12\x34\x81\x80\0\1\0\0\0\0\0"), DNS_OTHER },
	{ "empty", A, 0, NULL, MESSAGE(""), DNS_OTHER },
	{ "the address", A, 0, "10.0.0.1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\1") QUESTION("\0\1")
		  RECORD("\0\1", "\0\4") "\x0a\0\0\1"), DNS_GOOD },
	{ "the second address", A, 0, "10.0.0.1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\2") QUESTION("\0\1")
		  RECORD("\0\1", "\0\4") "\x0a\0\0\2"
		  RECORD("\0\1", "\0\4") "\x0a\0\0\1"), DNS_GOOD },
	{ "another address", A, 0, "10.0.0.1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\1") QUESTION("\0\1")
		  RECORD("\0\1", "\0\4") "\x0a\0\0\2"), DNS_NO_ANSWER },
	{ "no answer", A, 0, "10.0.0.1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\0") QUESTION("\0\1")), DNS_NO_ANSWER },
	{ "another name", A, 0, "10.0.0.1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\0") "\1x\2bc\0\0\1\0\1"), DNS_OTHER },
	{ "another type", A, 0, "10.0.0.1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\0") QUESTION("\0\2")), DNS_OTHER },
	{ "IPv6", AAAA, 0, "2001:db8::1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\1") QUESTION("\0\x1c")
		  RECORD("\0\x1c", "\0\x10") "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), DNS_GOOD },
	{ "a name by a pointer", CNAME, 0, "X.bc.",
	  MESSAGE(HEAD("\x81", "\x80", "\0\1") QUESTION("\0\5")
		  RECORD("\0\5", "\0\4") "\1x\xc0\x0e"), DNS_GOOD },
	{ "mail", MX, 0, "x.bc",
	  MESSAGE(HEAD("\x81", "\x80", "\0\1") QUESTION("\0\x0f")
		  RECORD("\0\x0f", "\0\6") "\0\x0a\1x\xc0\x0e"), DNS_GOOD },
	{ "a text", TXT, 0, "hi",
	  MESSAGE(HEAD("\x81", "\x80", "\0\1") QUESTION("\0\x10")
		  RECORD("\0\x10", "\0\3") "\2hi"), DNS_GOOD },
	{ "a name that points at itself", CNAME, 0, "x",
	  MESSAGE(HEAD("\x81", "\x80", "\0\1") QUESTION("\0\5")
		  RECORD("\0\5", "\0\2") "\xc0\x23"), DNS_NO_ANSWER },
	{ "a record that is cut", A, 0, "10.0.0.1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\1") QUESTION("\0\1")
		  RECORD("\0\1", "\0\4") "\x0a\0\0"), DNS_MALFORMED },
	{ "fewer records than it says", A, 0, "10.0.0.1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\2") QUESTION("\0\1")
		  RECORD("\0\1", "\0\4") "\x0a\0\0\2"), DNS_MALFORMED },
	{ "a label of 64 bytes", A, 0, "10.0.0.1",
	  MESSAGE(HEAD("\x81", "\x80", "\0\0") "\x40"), DNS_MALFORMED },
};

static struct dns_query query_of(const struct answer_case *c)
{
	return (struct dns_query){ .id = 0x1234, .name = "a.bc", .type = c->type,
				   .rcode = c->rcode, .answer = c->expected };
}

/* In memory of exactly its size, for the sanitizer */
static enum dns_verdict read_exact(const struct dns_query *query, const void *message,
				   size_t len, unsigned int *rcode)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum dns_verdict verdict;

	assert_non_null(copy);
	memcpy(copy, message, len);
	verdict = dns_read(query, copy, len, rcode);
	free(copy);
	return verdict;
}

static void answers(void **state)
{
	enum dns_verdict verdict;
	struct dns_query query;
	unsigned int rcode;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		query = query_of(&cases[i]);
		verdict = read_exact(&query, cases[i].message, cases[i].len, &rcode);
		if (verdict != cases[i].verdict)
			fail_msg("%s: %d", cases[i].about, verdict);
	}
}

static void queries(void **state)
{
	static const char expected[] =
		"\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\x1c\0\1";
	static const char root[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1";
	struct dns_query query = { .id = 0x1234, .name = "example.org.", .type = AAAA };
	uint8_t buf[DNS_QUERY_MAX];

	(void)state;
	assert_int_equal(dns_write(&query, buf), sizeof(expected) - 1);
	assert_memory_equal(buf, expected, sizeof(expected) - 1);
	query = (struct dns_query){ .id = 0x1234, .name = ".", .type = NS };
	assert_int_equal(dns_write(&query, buf), sizeof(root) - 1);
	assert_memory_equal(buf, root, sizeof(root) - 1);
}

/* Answers with a few bytes changed, or cut off: none may be read beyond its end. */
static void fuzz(void **state)
{
	uint8_t message[128];
	struct dns_query query;
	unsigned int rcode, n;
	size_t i, len;

	(void)state;
	srand(1);
	for (n = 0; n < FUZZ_ROUNDS; n++) {
		i = rand() % ARRAY_SIZE(cases);
		query = query_of(&cases[i]);
		len = cases[i].len;
		memcpy(message, cases[i].message, len);
		for (i = rand() % 4; len && i; i--)
			message[rand() % len] = rand();
		if (rand() % 4 == 0)
			len = len ? rand() % len : 0;
		read_exact(&query, message, len, &rcode);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(queries),
		cmocka_unit_test(fuzz),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
