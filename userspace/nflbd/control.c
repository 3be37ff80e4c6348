// SPDX-License-Identifier: GPL-2.0
/*
 * The socket. Any process may connect to it, but only root, the user of this program and
 * the group nflb get an answer. Clients can neither block the loop nor fill the memory.
 */
#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "compose.h"
#include "log.h"
#include "model/names.h"
#include "util/timestamp.h"

#define CLIENTS_MAX 32
#define ACCEPT_MAX 16		/* a turn of the loop */
#define BACKLOG 128
#define REST 1000		/* ms without accepting, when descriptors have run out */
#define GROUP "nflb"
#define GROUPS_MAX 1024

static struct {
	struct event_base *base;
	struct client *clients[CLIENTS_MAX];
	int fd;
	bool open, has_group;
	gid_t group;
	struct event ready, rest;
	struct sockaddr_un name;
} control = { .fd = -1 };

static void gone(struct client *client)
{
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (control.clients[i] == client)
			control.clients[i] = NULL;
}

static bool is_in_group(int fd, const struct ucred *peer)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups), i;

	if (!control.has_group)
		return false;
	if (peer->gid == control.group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == control.group)
			return true;
	return false;
}

static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return !peer.uid || peer.uid == geteuid() || is_in_group(fd, &peer);
}

static void refuse(int fd, const char *why)
{
	char line[128];
	int len = snprintf(line, sizeof(line), "{\"error\":\"%s\"}\n", why);

	/* A new connection has room for it. */
	if (send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_line(LOG_DEBUG, "socket: %s", strerror(errno));
	close(fd);
}

static void welcome(int fd)
{
	size_t i = 0;

	if (!may_ask(fd))
		return refuse(fd, "permission denied: root and the group " GROUP
			      " may use this socket");
	while (i < CLIENTS_MAX && control.clients[i])
		i++;
	if (i == CLIENTS_MAX)
		return refuse(fd, "too many clients");
	control.clients[i] = client_new(control.base, fd, gone);
}

/* Out of descriptors, the socket would be ready for ever: look away for a while. */
static void pause_accepting(void)
{
	struct timeval after = { .tv_sec = REST / 1000 };

	event_del(&control.ready);
	evtimer_add(&control.rest, &after);
}

static void go_on(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_add(&control.ready, NULL);
}

static void connected(evutil_socket_t listener, short what, void *arg)
{
	int i, fd;

	(void)what;
	(void)arg;
	for (i = 0; i < ACCEPT_MAX; i++) {
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			welcome(fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			 errno == ENOBUFS)
			return pause_accepting();
		else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* A socket of a program that was killed is in the way, but not one that somebody
 * listens at, nor a file of another kind.
 */
static int remove_stale(int fd)
{
	struct stat st;

	if (lstat(control.name.sun_path, &st))
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	if (!connect(fd, (struct sockaddr *)&control.name, sizeof(control.name)) ||
	    errno == EAGAIN) {
		errno = EADDRINUSE;
		return -1;
	}
	return errno == ECONNREFUSED ? unlink(control.name.sun_path) : -1;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* The mode lets everybody connect: credentials decide. */
static int bind_and_listen(int fd)
{
	if (bind(fd, (struct sockaddr *)&control.name, sizeof(control.name)))
		return -1;
	if (!chmod(control.name.sun_path, 0666) && !listen(fd, BACKLOG))
		return 0;
	unlink(control.name.sun_path);
	return -1;
}

static int listen_at(const char *path)
{
	int probe = new_socket(), fd = new_socket(), status = -1, error;

	control.name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(control.name.sun_path, sizeof(control.name.sun_path), "%s", path);
	if (probe >= 0 && fd >= 0 && !remove_stale(probe))
		status = bind_and_listen(fd);
	error = errno;
	if (probe >= 0)
		close(probe);
	if (status && fd >= 0)
		close(fd);
	errno = error;
	return status ? -1 : fd;
}

void control_open(struct event_base *base, const char *path)
{
	const struct group *group = getgrnam(GROUP);

	if (!*path)
		return;
	control.base = base;
	control.has_group = group;
	control.group = group ? group->gr_gid : 0;
	control.fd = listen_at(path);
	if (control.fd < 0) {
		log_line(LOG_WARNING, "%s: %s: there is no socket for lbadm health", path,
			 strerror(errno));
		return;
	}
	control.open = true;
	evtimer_assign(&control.rest, base, go_on, NULL);
	event_assign(&control.ready, base, control.fd, EV_READ | EV_PERSIST, connected,
		     NULL);
	event_add(&control.ready, NULL);
}

static bool has_clients(void)
{
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (control.clients[i])
			return true;
	return false;
}

void control_publish(const char *kind, const struct target *target, const char *text)
{
	char service[SUBJECT_MAX], backend[SUBJECT_MAX], reason[RESULT_TEXT_MAX];
	json_t *event;
	char *line;
	size_t i;

	if (!has_clients())
		return;
	event = json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s}",
			  "event", kind, "time", timestamp(),
			  "service", subject_service(service, &target->service->id),
			  "backend", subject_backend(backend, &target->backend),
			  "health", names_get(&health_names, compose_health(target)),
			  "reason", result_text(&target->last, reason),
			  "message", text);
	line = json_dumps(event, JSON_COMPACT);
	for (i = 0; line && i < CLIENTS_MAX; i++)
		if (control.clients[i])
			client_publish(control.clients[i], target, line);
	free(line);
	json_decref(event);
}

void control_forget(const struct target *target)
{
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (control.clients[i])
			client_forget(control.clients[i], target);
}

void control_close(void)
{
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (control.clients[i])
			client_end(control.clients[i]);
	if (!control.open)
		return;
	event_del(&control.ready);
	evtimer_del(&control.rest);
	unlink(control.name.sun_path);
	close(control.fd);
	control.open = false;
}
