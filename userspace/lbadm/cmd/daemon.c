// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to the health checker. Only the one of this network namespace counts: another
 * one may check a service of the same name.
 */
#define _GNU_SOURCE
#include "cmd/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/subject.h"
#include "out/parts.h"
#include "util/netns.h"
#include "util/report.h"

#define SOCKET_FILE "/run/nflb/nflbd.sock"
#define PROTOCOL 1
#define PATIENCE 5		/* s */

static const char *socket_name(void)
{
	const char *name = getenv("NFLBD_SOCKET");

	return name && *name ? name : SOCKET_FILE;
}

static void set_patience(int fd, time_t seconds)
{
	struct timeval limit = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* NULL with errno set */
static FILE *connect_daemon(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *io = NULL;

	if (fd < 0)
		return NULL;
	set_patience(fd, PATIENCE);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", socket_name());
	if (!connect(fd, (struct sockaddr *)&name, sizeof(name)))
		io = fdopen(fd, "r+");
	if (!io)
		close(fd);
	return io;
}

json_t *daemon_read(FILE *socket)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len = getline(&line, &size, socket);
	json_t *object = len > 0 ? json_loadb(line, len, 0, NULL) : NULL;

	free(line);
	return object;
}

static int look_at_greeting(const json_t *greeting)
{
	const char *error = json_string_value(json_object_get(greeting, "error"));

	if (error)
		return fail(LBADM_UNAVAILABLE, "nflbd: %s", error);
	if (number_of(greeting, "protocol") != PROTOCOL)
		return fail(LBADM_UNAVAILABLE, "%s: no nflbd that this lbadm knows answers",
			    socket_name());
	if ((uint64_t)number_of(greeting, "netns") != netns_inode())
		return fail(LBADM_UNAVAILABLE, "%s: nflbd runs in another network namespace",
			    socket_name());
	return LBADM_OK;
}

int daemon_open(FILE **socket)
{
	json_t *greeting;
	int status;

	*socket = connect_daemon();
	if (!*socket)
		return fail(LBADM_UNAVAILABLE, "nflbd does not answer: %s: %s", socket_name(),
			    strerror(errno));
	greeting = daemon_read(*socket);
	status = look_at_greeting(greeting);
	json_decref(greeting);
	if (status)
		fclose(*socket);
	return status;
}

bool daemon_try(FILE **socket)
{
	json_t *greeting;
	bool good;

	*socket = connect_daemon();
	if (!*socket)
		return false;
	greeting = daemon_read(*socket);
	good = number_of(greeting, "protocol") == PROTOCOL &&
	       (uint64_t)number_of(greeting, "netns") == netns_inode();
	json_decref(greeting);
	if (!good)
		fclose(*socket);
	return good;
}

bool daemon_ask(FILE *socket, const char *request, const struct service_id *id,
		const struct backend_request *backend, bool patient)
{
	json_t *object = json_pack("{s:s}", "request", request);
	char text[SUBJECT_MAX], *line, *request_line;
	bool sent;
	int len;

	if (id)
		json_object_set_new(object, "service",
				    json_string(subject_service(text, id)));
	if (backend)
		json_object_set_new(object, "backend",
				    json_string(subject_backend(text, backend)));
	if (patient)
		set_patience(fileno(socket), 0);
	line = json_dumps(object, JSON_COMPACT);
	len = asprintf(&request_line, "%s\n", line ? line : "");
	/* Without SIGPIPE, and short enough to be sent whole */
	sent = len > 0 && send(fileno(socket), request_line, len, MSG_NOSIGNAL) == len;
	if (len > 0)
		free(request_line);
	free(line);
	json_decref(object);
	return sent;
}

/* Targets by "SERVICE BACKEND". A new reference. */
static json_t *read_targets(FILE *socket)
{
	json_t *targets = json_object(), *line, *target;
	char key[SERVICE_MAX + ENDPOINT_MAX + 2];

	while ((line = daemon_read(socket))) {
		target = json_object_get(line, "target");
		if (!target) {
			json_decref(line);
			break;
		}
		snprintf(key, sizeof(key), "%s %s", string_of(target, "service"),
			 string_of(target, "backend"));
		json_object_set(targets, key, target);
		json_decref(line);
	}
	return targets;
}

static const json_t *find_target(const json_t *targets, const json_t *backend)
{
	char service[SERVICE_MAX], address[ENDPOINT_MAX];
	char key[SERVICE_MAX + ENDPOINT_MAX + 2];

	service_text(service, json_object_get(backend, "service"));
	endpoint(address, sizeof(address), backend, "address", "port");
	snprintf(key, sizeof(key), "%s %s", service, address);
	return json_object_get(targets, key);
}

void add_checks(json_t *backends, const struct service_id *id)
{
	json_t *targets, *backend, *check;
	FILE *socket;
	size_t i;

	if (!daemon_try(&socket))
		return;
	if (daemon_ask(socket, "show", id, NULL, false)) {
		targets = read_targets(socket);
		json_array_foreach(backends, i, backend) {
			check = json_copy((json_t *)find_target(targets, backend));
			if (!check)
				continue;
			json_object_del(check, "service");
			json_object_del(check, "backend");
			json_object_set_new(backend, "check", check);
		}
		json_decref(targets);
	}
	fclose(socket);
}
