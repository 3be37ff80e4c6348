/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DNS messages, as much of them as a check needs. Pure functions on bytes.
 */
#ifndef NFLBD_DNS_H
#define NFLBD_DNS_H

#include <stddef.h>
#include <stdint.h>

#define DNS_MESSAGE_MAX 4096
#define DNS_QUERY_MAX 300

/* The judgement of a message */
enum dns_verdict {
	DNS_OTHER,		/* no answer to the query */
	DNS_RCODE,		/* another response code than expected */
	DNS_NO_ANSWER,		/* the expected answer is not there */
	DNS_MALFORMED,
	DNS_GOOD,
};

/**
 * struct dns_query - a query, and the expected answer
 * @id: of the message
 * @name: "example.org"; "." is the root
 * @type: a number of dns_type_names
 * @rcode: expected
 * @answer: an address or a name, or NULL
 */
struct dns_query {
	uint16_t id;
	const char *name;
	uint32_t type;
	uint32_t rcode;
	const char *answer;
};

/* Write the query. Returns its length. */
size_t dns_write(const struct dns_query *query, uint8_t buf[DNS_QUERY_MAX]);

/**
 * dns_read() - judge a message
 * @query: the query
 * @message: the received bytes
 * @len: of @message
 * @rcode: set to its response code, unless it is DNS_OTHER
 */
enum dns_verdict dns_read(const struct dns_query *query, const uint8_t *message,
			  size_t len, unsigned int *rcode);

#endif /* NFLBD_DNS_H */
