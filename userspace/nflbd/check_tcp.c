// SPDX-License-Identifier: GPL-2.0
/*
 * tcp: a connection, and perhaps a text that is sent and one that is expected.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "check.h"

/* How far the dialogue is */
struct dialogue {
	size_t sent, received;
};

/* Without a dialogue, a reset spares both ends TIME_WAIT. */
static void succeed(struct check *check)
{
	static const struct linger reset = { .l_onoff = 1 };

	if (check->keys->close == HEALTH_CLOSE_RESET)
		setsockopt(check->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	check_succeed(check, NULL);
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	const struct health_bytes *expected = &check->keys->expect_bytes;
	struct dialogue *d = check->state;
	uint8_t buf[HEALTH_BYTES_MAX];
	ssize_t len;

	(void)what;
	check->waiting = false;
	len = recv(fd, buf, expected->len - d->received, 0);
	if (len < 0 && errno != EAGAIN)
		return check_end_errno(check, errno);
	if (!len)
		return check_end(check, RESULT_FAILURE, REASON_ANSWER, "closed");
	if (len > 0) {
		if (memcmp(buf, expected->bytes + d->received, len))
			return check_end(check, RESULT_FAILURE, REASON_ANSWER, NULL);
		d->received += len;
	}
	if (d->received == expected->len) {
		check_step(check, 0, "received %zu bytes as expected", d->received);
		return succeed(check);
	}
	check_wait(check, EV_READ, readable);
}

static void writable(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	const struct health_bytes *text = &check->keys->send_bytes;
	struct dialogue *d = check->state;
	ssize_t len;

	(void)what;
	check->waiting = false;
	len = send(fd, text->bytes + d->sent, text->len - d->sent, MSG_NOSIGNAL);
	if (len < 0 && errno != EAGAIN)
		return check_end_errno(check, errno);
	if (len > 0)
		d->sent += len;
	if (d->sent < text->len)
		return check_wait(check, EV_WRITE, writable);
	check_step(check, 0, "sent %zu bytes", d->sent);
	if (check->keys->expect_bytes.len)
		return check_wait(check, EV_READ, readable);
	succeed(check);
}

static void connected(struct check *check)
{
	if (!check->keys->send && !check->keys->expect)
		return succeed(check);
	check->state = calloc(1, sizeof(struct dialogue));
	if (!check->state)
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	if (check->keys->send)
		check_wait(check, EV_WRITE, writable);
	else
		check_wait(check, EV_READ, readable);
}

static void start(struct check *check)
{
	check_connect(check, SOCK_STREAM, connected);
}

static void stop(struct check *check)
{
	free(check->state);
}

const struct check_ops check_tcp = { .start = start, .stop = stop };
