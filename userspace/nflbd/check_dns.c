// SPDX-License-Identifier: GPL-2.0
/*
 * dns: a query over UDP, or over TCP for a service of TCP.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "check.h"
#include "dns.h"
#include "model/names.h"

struct dns {
	struct dns_query query;
	uint8_t sent[2 + DNS_QUERY_MAX];	/* with a length, over TCP */
	size_t sent_len;
	uint8_t answer[2 + DNS_MESSAGE_MAX];
	size_t len;
};

static void fail_with(struct check *check, enum reason reason, unsigned int rcode)
{
	const char *word = names_get(&dns_rcode_names, rcode);
	char number[16];

	snprintf(number, sizeof(number), "%u", rcode);
	check_end(check, RESULT_FAILURE, reason, word ? word : number);
}

/* Returns whether the message was the answer. */
static bool judge(struct check *check, const uint8_t *message, size_t len)
{
	struct dns *dns = check->state;
	unsigned int rcode = 0;

	switch (dns_read(&dns->query, message, len, &rcode)) {
	case DNS_OTHER:
		return false;
	case DNS_RCODE:
		fail_with(check, REASON_DNS_RCODE, rcode);
		return true;
	case DNS_NO_ANSWER:
		check_end(check, RESULT_FAILURE, REASON_DNS_ANSWER,
			  message[2] & 0x02 ? "truncated" : NULL);
		return true;
	case DNS_MALFORMED:
		check_end(check, RESULT_FAILURE, REASON_DNS_ANSWER, "malformed");
		return true;
	default:
		check_succeed(check, names_get(&dns_rcode_names, rcode));
		return true;
	}
}

static void datagram(struct check *check, struct dns *dns, evutil_socket_t fd)
{
	ssize_t len = recv(fd, dns->answer, DNS_MESSAGE_MAX, 0);

	if (len < 0 && errno == ECONNREFUSED)
		return check_end(check, RESULT_FAILURE, REASON_UDP_UNREACHABLE, NULL);
	if (len < 0 && errno != EAGAIN)
		return check_end_errno(check, errno);
	/* Answers to other queries are ignored. */
	if (len >= 0)
		judge(check, dns->answer, len);
}

static void stream(struct check *check, struct dns *dns, evutil_socket_t fd)
{
	size_t wanted = 2;
	ssize_t len;

	if (dns->len >= 2)
		wanted += dns->answer[0] << 8 | dns->answer[1];
	if (wanted > sizeof(dns->answer))
		return check_end(check, RESULT_FAILURE, REASON_DNS_ANSWER, "too long");
	len = recv(fd, dns->answer + dns->len, wanted - dns->len, 0);
	if (len < 0 && errno != EAGAIN)
		return check_end_errno(check, errno);
	if (!len)
		return check_end(check, RESULT_FAILURE, REASON_RESET, "closed");
	if (len > 0)
		dns->len += len;
	if (dns->len > 2 && dns->len == wanted &&
	    !judge(check, dns->answer + 2, dns->len - 2))
		check_end(check, RESULT_FAILURE, REASON_DNS_ANSWER, "of another query");
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;

	(void)what;
	check->waiting = false;
	if (check->stream)
		stream(check, check->state, fd);
	else
		datagram(check, check->state, fd);
	if (!check->ended)
		check_wait(check, EV_READ, readable);
}

static void connected(struct check *check)
{
	struct dns *dns = check->state;
	size_t skip = check->stream ? 0 : 2;

	/* A UDP socket connects without the server. */
	check->connected = check->stream;
	/* A query fits into an empty buffer. */
	if (send(check->fd, dns->sent + skip, dns->sent_len - skip, MSG_NOSIGNAL) < 0)
		return check_end_errno(check, errno);
	check_wait(check, EV_READ, readable);
}

static void start(struct check *check)
{
	const struct health_check *keys = check->keys;
	struct dns *dns = calloc(1, sizeof(*dns));
	size_t len;

	check->state = dns;
	if (!dns)
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	dns->query = (struct dns_query){
		.name = keys->query_name, .type = keys->query_type,
		.rcode = keys->expect_rcode, .answer = keys->expect_answer,
	};
	if (getrandom(&dns->query.id, sizeof(dns->query.id), 0) < 0)
		return check_end_errno(check, errno);
	len = dns_write(&dns->query, dns->sent + 2);
	dns->sent[0] = len >> 8;
	dns->sent[1] = len;
	dns->sent_len = len + 2;
	check_connect(check, check->stream ? SOCK_STREAM : SOCK_DGRAM, connected);
}

static void expire(struct check *check)
{
	if (!check->stream)
		check_end(check, RESULT_FAILURE, REASON_UDP_SILENT, NULL);
}

static void stop(struct check *check)
{
	free(check->state);
}

const struct check_ops check_dns = { .start = start, .expire = expire, .stop = stop };
