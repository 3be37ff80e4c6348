// SPDX-License-Identifier: GPL-2.0
/*
 * udp: a datagram. Without "expect", silence is no failure; an ICMP error is.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "check.h"

static void unreachable(struct check *check, int error)
{
	if (error == ECONNREFUSED)
		check_end(check, RESULT_FAILURE, REASON_UDP_UNREACHABLE, NULL);
	else
		check_end_errno(check, error);
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	const struct health_bytes *expected = &check->keys->expect_bytes;
	uint8_t buf[HEALTH_BYTES_MAX];
	ssize_t len;

	(void)what;
	check->waiting = false;
	len = recv(fd, buf, sizeof(buf), 0);
	if (len < 0 && errno != EAGAIN)
		return unreachable(check, errno);
	if (len < 0)
		return check_wait(check, EV_READ, readable);
	if ((size_t)len < expected->len || memcmp(buf, expected->bytes, expected->len))
		return check_end(check, RESULT_FAILURE, REASON_ANSWER, NULL);
	check_succeed(check, NULL);
}

static void connected(struct check *check)
{
	const struct health_bytes *text = &check->keys->send_bytes;

	/* A UDP socket connects without the backend. */
	check->connected = false;
	if (send(check->fd, text->bytes, text->len, 0) < 0)
		return unreachable(check, errno);
	check_wait(check, EV_READ, readable);
}

static void start(struct check *check)
{
	check_connect(check, SOCK_DGRAM, connected);
}

static void expire(struct check *check)
{
	if (check->keys->expect)
		check_end(check, RESULT_FAILURE, REASON_UDP_SILENT, NULL);
	else
		check_succeed(check, "silent");
}

const struct check_ops check_udp = { .start = start, .expire = expire };
