// SPDX-License-Identifier: GPL-2.0
/*
 * Checks through the module. A socket is bound, so that its address and port are known;
 * the kernel makes a connection of them that belongs to one backend; then the socket
 * connects to the VIP. When the check is over, the kernel says whose connection it was.
 *
 * The kernel answers each request before send() returns, so that nothing waits here.
 */
#include "path.h"

#include <errno.h>
#include <linux/nflb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "util/report.h"

/* Ports to try until one has no connection to the VIP yet */
#define TRIES 3

/* Seconds that the kernel keeps a probe beyond the timeout of its check */
#define SPARE 10

static struct {
	bool supported;
	struct addr *vips;	/* of mode dsr, sorted when @sorted */
	size_t vip_count, vip_room;
	bool sorted;
} path;

/* An answer without a message for people */
static int talk(struct nlmsghdr *nlh, sock_cb cb, void *data, char *why, size_t size)
{
	int status;

	log_capture(why, size);
	status = sock_talk(nlh, cb, data);
	log_capture(NULL, 0);
	return status;
}

/* A module that knows the request misses its attributes. */
bool path_is_supported(char *why, size_t size)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	int status;

	if (path.supported)
		return true;
	log_capture(why, size);
	status = sock_open();
	log_capture(NULL, 0);
	if (status)
		return false;
	talk(sock_request(buf, NFLB_CMD_CONN_ADD, 0), NULL, NULL, why, size);
	path.supported = sock_error() == EINVAL;
	if (sock_error() == EOPNOTSUPP)
		snprintf(why, size, "the module is too old to pin connections");
	return path.supported;
}

/* --- the backend's number */

struct search {
	const struct backend_request *backend;
	uint32_t id;
};

static int search_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t *backend = msg_get_backend(nlh);
	struct search *search = data;
	struct addr address;
	const char *text;

	text = json_string_value(json_object_get(backend, "address"));
	if (text && addr_parse(&address, text) &&
	    !memcmp(&address, &search->backend->address, sizeof(address)) &&
	    json_integer_value(json_object_get(backend, "port")) == search->backend->port)
		search->id = msg_get_backend_id(nlh);
	json_decref(backend);
	return MNL_CB_OK;
}

uint32_t path_backend_id(const struct service_id *service,
			 const struct backend_request *backend)
{
	char buf[MNL_SOCKET_BUFFER_SIZE], why[256];
	struct search search = { .backend = backend };
	struct nlmsghdr *nlh;

	nlh = sock_request(buf, NFLB_CMD_BACKEND_GET, 0);
	msg_put_service_id(nlh, service);
	/* A service that the module does not have is no error of this program. */
	log_capture(why, sizeof(why));
	sock_dump(nlh, search_cb, NULL, &search);
	log_capture(NULL, 0);
	return search.id;
}

/* --- the source */

void path_forget_vips(void)
{
	path.vip_count = 0;
}

void path_note_vip(const struct addr *address)
{
	if (path.vip_count == path.vip_room) {
		path.vip_room = path.vip_room ? 2 * path.vip_room : 64;
		path.vips = reallocarray(path.vips, path.vip_room, sizeof(*path.vips));
		if (!path.vips)
			abort();
	}
	path.vips[path.vip_count++] = *address;
	path.sorted = false;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

/* A backend of mode dsr has it as its own address, and would answer itself. */
static bool is_dsr_vip(const struct addr *address)
{
	if (!path.vip_count)
		return false;
	if (!path.sorted)
		qsort(path.vips, path.vip_count, sizeof(*path.vips), compare);
	path.sorted = true;
	return bsearch(address, path.vips, path.vip_count, sizeof(*path.vips), compare);
}

static uint16_t own_address(int fd, struct addr *address)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} own = { 0 };
	socklen_t len = sizeof(own);

	memset(address, 0, sizeof(*address));
	if (getsockname(fd, &own.sa, &len))
		return 0;
	address->len = own.sa.sa_family == AF_INET ? 4 : 16;
	if (address->len == 4)
		memcpy(address->bytes, &own.v4.sin_addr, 4);
	else
		memcpy(address->bytes, &own.v6.sin6_addr, 16);
	return ntohs(address->len == 4 ? own.v4.sin_port : own.v6.sin6_port);
}

/* The source of packets to @to. Returns 0 or an errno. */
static int route(const struct check *check, const struct sockaddr *to, socklen_t len,
		 struct addr *source)
{
	int fd = check_open(check->keys, &check->keys->source_addr, to->sa_family,
			    SOCK_DGRAM, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, to, len))
		error = errno;
	else if (!own_address(fd, source))
		error = EADDRNOTAVAIL;
	close(fd);
	return error;
}

/* A host has no route to the VIP: that says nothing about the backend. */
static bool end_by_route(struct check *check, int error)
{
	if (error == ENETUNREACH || error == EHOSTUNREACH || error == EACCES)
		check_end(check, RESULT_VOID, REASON_LOCAL, "no route to the VIP");
	else
		check_end_errno(check, error);
	return false;
}

/* If the VIP is this host's, its route has the VIP as the source: the backend's has not. */
static bool find_source(struct check *check, struct addr *source)
{
	const struct addr *vip = &check->pin.service->address;
	struct check_place backend = {
		.address = check->pin.backend->address, .port = 9,
	};
	union check_sockaddr to;
	bool own;
	int error;

	error = route(check, &check->to.sa, check->to_len, source);
	own = !check->keys->source_addr.len;
	if (!error && own && !memcmp(source, vip, sizeof(*vip)) &&
	    backend.address.len == vip->len)
		error = route(check, &to.sa, check_sockaddr(&to, &backend), source);
	if (error)
		return end_by_route(check, error);
	if (own ? memcmp(source, vip, sizeof(*vip)) && !is_dsr_vip(source) :
	    !is_dsr_vip(source))
		return true;
	check_end(check, RESULT_VOID, REASON_CHECK_BROKEN, own ?
		  "\"source\" is needed: the route's is a VIP" :
		  "\"source\" is a VIP of mode dsr");
	return false;
}

/* --- the probe */

static struct probe_request request(const struct check *check)
{
	return (struct probe_request){
		.service = check->pin.service,
		.backend = check->pin.backend,
		.id = check->pin.id,
		.client = check->pin.client,
		.client_port = check->pin.client_port,
		.port = ntohs(check->to.sa.sa_family == AF_INET ?
			      check->to.v4.sin_port : check->to.v6.sin6_port),
		.seconds = check->keys->timeout / 1000 + SPARE,
	};
}

/* Returns 0 or an errno, and then the kernel's words. */
static int pin(struct check *check, int fd, char *why, size_t size)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct probe_request req;
	struct nlmsghdr *nlh;

	check->pin.client_port = own_address(fd, &check->pin.client);
	req = request(check);
	nlh = sock_request(buf, NFLB_CMD_CONN_ADD, 0);
	msg_put_probe(nlh, &req);
	if (talk(nlh, NULL, NULL, why, size))
		return sock_error() ? sock_error() : EIO;
	check->pin.added = true;
	return 0;
}

/* The kernel's words, without "kernel: " */
static const char *detail(const char *why)
{
	const char *colon = strstr(why, "kernel: ");

	return colon ? colon + strlen("kernel: ") : why;
}

static void end_by_pin(struct check *check, int error, const char *why)
{
	switch (error) {
	case ENOENT:
	case ESTALE:
		return check_end(check, RESULT_VOID, REASON_PROBE_LOST, detail(why));
	case EEXIST:
		return check_end(check, RESULT_VOID, REASON_NO_PORT, NULL);
	case EHOSTUNREACH:
	case ENOMEM:
		return check_end_errno(check, error);
	default:
		check_end(check, RESULT_VOID, REASON_LOCAL, detail(why));
	}
}

int path_socket(struct check *check, int family, int type, int protocol)
{
	int fd, error = EEXIST, tries;
	struct addr source;
	char why[256] = "";

	/* A library that opens another socket gives the first one up. */
	path_cancel(check);
	if (!find_source(check, &source))
		return -1;
	for (tries = 0; tries < TRIES && error == EEXIST; tries++) {
		fd = check_open(check->keys, &source, family, type, protocol);
		if (fd < 0) {
			check_end_errno(check, errno);
			return -1;
		}
		error = pin(check, fd, why, sizeof(why));
		if (!error)
			return fd;
		close(fd);
	}
	end_by_pin(check, error, why);
	return -1;
}

static int removed_cb(const struct nlmsghdr *nlh, void *id)
{
	*(uint32_t *)id = msg_get_backend_id(nlh);
	return MNL_CB_OK;
}

/* Returns whether the connection was the backend's until now. */
static bool unpin(struct check *check)
{
	char buf[MNL_SOCKET_BUFFER_SIZE], why[256];
	struct probe_request req = request(check);
	struct nlmsghdr *nlh;
	uint32_t id = 0;

	check->pin.added = false;
	nlh = sock_request(buf, NFLB_CMD_CONN_DEL, 0);
	msg_put_probe_tuple(nlh, &req);
	return !talk(nlh, removed_cb, &id, why, sizeof(why)) && id == check->pin.id;
}

void path_end(struct check *check)
{
	if (!check->pin.added || unpin(check) || check->result.kind == RESULT_VOID)
		return;
	check->result = (struct result){
		.kind = RESULT_VOID,
		.reason = REASON_PROBE_LOST,
		.weight = 100,
		.duration = check->result.duration,
		.expires = INT32_MAX,
	};
}

void path_cancel(struct check *check)
{
	if (check->pin.added)
		unpin(check);
}

void path_exit(void)
{
	free(path.vips);
	memset(&path, 0, sizeof(path));
	sock_close();
}
