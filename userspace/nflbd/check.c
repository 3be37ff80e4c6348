// SPDX-License-Identifier: GPL-2.0
/*
 * The parts that all kinds of checks share.
 */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "path.h"
#include "tls_session.h"

/* A timeout that fires this much of itself too late does not count. */
#define LATE_PART 10

static const struct check_ops *const kinds[] = {
	[HEALTH_TCP] = &check_tcp,
	[HEALTH_HTTP] = &check_http,
	[HEALTH_HTTPS] = &check_http,
	[HEALTH_TLS] = &check_tls,
	[HEALTH_DNS] = &check_dns,
	[HEALTH_UDP] = &check_udp,
	[HEALTH_PING] = &check_ping,
	[HEALTH_GRPC] = &check_grpc,
	[HEALTH_GRPCS] = &check_grpc,
	[HEALTH_EXEC] = &check_exec,
};

uint64_t check_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

socklen_t check_sockaddr(union check_sockaddr *to, const struct check_place *place)
{
	memset(to, 0, sizeof(*to));
	if (place->address.len == 4) {
		to->v4.sin_family = AF_INET;
		to->v4.sin_port = htons(place->port);
		memcpy(&to->v4.sin_addr, place->address.bytes, 4);
		return sizeof(to->v4);
	}
	to->v6.sin6_family = AF_INET6;
	to->v6.sin6_port = htons(place->port);
	memcpy(&to->v6.sin6_addr, place->address.bytes, 16);
	return sizeof(to->v6);
}

static void release(struct check *check)
{
	path_cancel(check);
	if (check->ops->stop)
		check->ops->stop(check);
	if (check->waiting)
		event_del(&check->io);
	event_del(&check->timer);
	if (check->fd >= 0)
		close(check->fd);
	check->fd = -1;
}

static void finish(struct check *check)
{
	path_end(check);
	/* What failed is verified anew. */
	if (check->result.kind != RESULT_SUCCESS && health_is_tls(check->keys))
		tls_session_drop(check->keys);
	release(check);
	check->done(check, check->owner);
	free(check);
}

static void default_expire(struct check *check)
{
	check_end(check, RESULT_FAILURE, check->connected ? REASON_TIMEOUT :
		  REASON_CONNECT_TIMEOUT, NULL);
}

static void wait_for(struct check *check, uint64_t us)
{
	struct timeval after = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };

	evtimer_add(&check->timer, &after);
}

/*
 * The time is up, or the check has ended. Data that arrived in the last moment still
 * counts: the loop turns once more before the timeout does. If this program is the one
 * that is late, the timeout says nothing about the backend.
 */
static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	uint64_t now = check_clock();

	(void)fd;
	(void)what;
	if (!check->ended && !check->last_look) {
		/* The loop sets timers by the time at which its turn began. */
		if (now < check->deadline)
			return wait_for(check, check->deadline - now);
		if (now - check->deadline <= check->keys->timeout * 1000ull / LATE_PART) {
			check->last_look = true;
			return wait_for(check, 1000);
		}
		check_end(check, RESULT_VOID, REASON_LATE, NULL);
	}
	if (!check->ended && check->ops->expire)
		check->ops->expire(check);
	if (!check->ended)
		default_expire(check);
	finish(check);
}

struct check *check_start(struct event_base *base, const struct health_check *keys,
			  const struct check_place *place,
			  void (*done)(struct check *check, void *owner), void *owner)
{
	return check_start_as(kinds[keys->protocol], base, keys, place, done, owner);
}

struct check *check_start_as(const struct check_ops *ops, struct event_base *base,
			     const struct health_check *keys,
			     const struct check_place *place,
			     void (*done)(struct check *check, void *owner), void *owner)
{
	struct check *check = calloc(1, sizeof(*check));

	if (!check)
		return NULL;
	check->base = base;
	check->keys = keys;
	check->ops = ops;
	check->to_len = check_sockaddr(&check->to, place);
	check->pin = place->pin;
	check->stream = place->stream;
	check->done = done;
	check->owner = owner;
	check->fd = -1;
	check->result.weight = 100;
	check->result.expires = INT32_MAX;
	check->started = check_clock();
	check->deadline = check->started + keys->timeout * 1000ull;
	evtimer_assign(&check->timer, base, timer_fired, check);
	wait_for(check, keys->timeout * 1000ull);
	check->ops->start(check);
	return check;
}

void check_cancel(struct check *check)
{
	release(check);
	free(check);
}

const char *check_address(const struct check *check, char buf[ADDR_TEXT_MAX])
{
	char text[INET6_ADDRSTRLEN];
	bool v6 = check->to.sa.sa_family == AF_INET6;

	inet_ntop(check->to.sa.sa_family, v6 ? (const void *)&check->to.v6.sin6_addr :
					       (const void *)&check->to.v4.sin_addr,
		  text, sizeof(text));
	snprintf(buf, ADDR_TEXT_MAX, v6 ? "[%s]:%u" : "%s:%u", text,
		 ntohs(v6 ? check->to.v6.sin6_port : check->to.v4.sin_port));
	return buf;
}

void check_end(struct check *check, enum result_kind kind, enum reason reason,
	       const char *detail)
{
	if (check->ended)
		return;
	check->ended = true;
	check->result.kind = kind;
	check->result.reason = reason;
	check->result.duration = check_clock() - check->started;
	*check->result.detail = '\0';
	if (detail)
		result_set_detail(&check->result, detail);
	/* The loop goes on with it: not every caller could bear that it is freed. */
	event_active(&check->timer, EV_TIMEOUT, 0);
}

void check_linger(struct check *check, unsigned int ms)
{
	event_del(&check->timer);
	wait_for(check, ms * 1000ull);
}

void check_finish(struct check *check)
{
	event_active(&check->timer, EV_TIMEOUT, 0);
}

void check_end_errno(struct check *check, int error)
{
	struct result result = { 0 };

	result_from_errno(&result, error);
	check_end(check, result.kind, result.reason, result.detail);
}

void check_succeed(struct check *check, const char *detail)
{
	check_end(check, RESULT_SUCCESS, REASON_NONE, detail);
}

void check_step(struct check *check, uint64_t us, const char *format, ...)
{
	char text[160];
	va_list args;

	if (!check->step)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	check->step(check, us ? us : check_clock() - check->started, text);
}

static int bind_source(int fd, int family, const struct addr *source)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (!source->len)
		return 0;
	if ((source->len == 4) != (family == AF_INET)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	memcpy(&v4.sin_addr, source->bytes, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, source->bytes, sizeof(v6.sin6_addr));
	return family == AF_INET ?
	       bind(fd, (const struct sockaddr *)&v4, sizeof(v4)) :
	       bind(fd, (const struct sockaddr *)&v6, sizeof(v6));
}

static int set_options(int fd, const struct health_check *keys)
{
	if (keys->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, keys->device,
				       strlen(keys->device) + 1))
		return -1;
	if (keys->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &keys->mark,
				     sizeof(keys->mark)))
		return -1;
	return 0;
}

int check_open(const struct health_check *keys, const struct addr *source, int family,
	       int type, int protocol)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), error;

	if (fd < 0 || (!set_options(fd, keys) && !bind_source(fd, family, source)))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int check_socket(struct check *check, int family, int type, int protocol)
{
	int fd;

	if (check->pin.service)
		return path_socket(check, family, type, protocol);
	fd = check_open(check->keys, &check->keys->source_addr, family, type, protocol);
	if (fd < 0)
		check_end_errno(check, errno);
	return fd;
}

void check_wait(struct check *check, short what, event_callback_fn ready)
{
	if (check->waiting)
		event_del(&check->io);
	event_assign(&check->io, check->base, check->fd, what, ready, check);
	event_add(&check->io, NULL);
	check->waiting = true;
}

/* A socket of this host that reached itself, as two ends of one: nobody listens. */
static bool reached_itself(const struct check *check)
{
	struct sockaddr_storage own = { 0 }, peer = { 0 };
	socklen_t len = sizeof(own), peer_len = sizeof(peer);

	return !getsockname(check->fd, (struct sockaddr *)&own, &len) &&
	       !getpeername(check->fd, (struct sockaddr *)&peer, &peer_len) &&
	       len == peer_len && !memcmp(&own, &peer, len);
}

static void connect_done(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	socklen_t len = sizeof(int);
	int error = 0;

	(void)what;
	check->waiting = false;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	if (!error && reached_itself(check))
		error = ECONNREFUSED;
	if (error)
		return check_end_errno(check, error);
	check->connected = true;
	check_step(check, 0, "connected");
	check->next(check);
}

void check_connect(struct check *check, int type, void (*connected)(struct check *check))
{
	check->fd = check_socket(check, check->to.sa.sa_family, type, 0);
	if (check->fd < 0)
		return;
	if (connect(check->fd, &check->to.sa, check->to_len) && errno != EINPROGRESS)
		return check_end_errno(check, errno == EADDRNOTAVAIL ? EADDRINUSE : errno);
	check->next = connected;
	check_wait(check, EV_WRITE, connect_done);
}
