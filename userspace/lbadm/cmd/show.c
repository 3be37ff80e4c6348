// SPDX-License-Identifier: GPL-2.0
/*
 * Reading services and backends from the kernel, as JSON objects.
 */
#include "cmd/show.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model/subject.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "util/addr.h"

/* Protocol, address and ports, of a service and of a backend. */
#define IDENTITY_MAX (2 * (ADDR_TEXT_MAX + 32))

static int collect(const struct nlmsghdr *nlh, json_t *array,
		   json_t *(*get)(const struct nlmsghdr *nlh))
{
	json_t *object = get(nlh);

	if (!object)
		return MNL_CB_ERROR;
	json_array_append_new(array, object);
	return MNL_CB_OK;
}

static void reset(void *data)
{
	json_array_clear(data);
}

struct list {
	json_t *array;
	json_t *(*get)(const struct nlmsghdr *nlh);
};

static int list_cb(const struct nlmsghdr *nlh, void *data)
{
	struct list *list = data;

	return collect(nlh, list->array, list->get);
}

static void list_reset(void *data)
{
	json_array_clear(((struct list *)data)->array);
}

int read_list(int cmd, json_t *(*get)(const struct nlmsghdr *nlh),
	      json_t **list)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct list l = { .get = get };
	int status;

	status = sock_open();
	if (status)
		return status;
	l.array = json_array();
	status = sock_dump(sock_request(buf, cmd, 0), list_cb, list_reset, &l);
	if (status)
		json_decref(l.array);
	*list = l.array;
	return status;
}

static int service_cb(const struct nlmsghdr *nlh, void *data)
{
	return collect(nlh, data, msg_get_service);
}

static json_t *backend_with_service(const struct nlmsghdr *nlh)
{
	json_t *backend = msg_get_backend(nlh);

	if (backend)
		json_object_set_new(backend, "service", msg_get_service(nlh));
	return backend;
}

static int backend_cb(const struct nlmsghdr *nlh, void *data)
{
	return collect(nlh, data, backend_with_service);
}

int read_backends(const struct service_id *id, json_t **backends)
{
	char buf[MNL_SOCKET_BUFFER_SIZE], text[SUBJECT_MAX];
	struct nlmsghdr *nlh;
	int status;

	status = sock_open();
	if (status)
		return status;
	nlh = sock_request(buf, NFLB_CMD_BACKEND_GET, 0);
	if (id) {
		msg_put_service_id(nlh, id);
		sock_subject("service %s", subject_service(text, id));
	}
	*backends = json_array();
	status = sock_dump(nlh, backend_cb, reset, *backends);
	if (status)
		json_decref(*backends);
	return status;
}

static bool is_backend(const json_t *b, const struct backend_request *req)
{
	char text[ADDR_TEXT_MAX];

	return !strcmp(json_string_value(json_object_get(b, "address")),
		       addr_format(text, &req->address)) &&
	       json_integer_value(json_object_get(b, "port")) == req->port;
}

int narrow_backends(json_t *backends, const struct backend_request *req)
{
	size_t i = json_array_size(backends);

	while (i--)
		if (!is_backend(json_array_get(backends, i), req))
			json_array_remove(backends, i);
	if (json_array_size(backends))
		return LBADM_OK;
	return fail(LBADM_REFUSED, "the service has no such backend");
}

/* What tells an object from its like, as text: its service's identity, if it
 * names one, and its own. Returns @buf.
 */
static const char *identity(char *buf, size_t size, const json_t *object)
{
	const json_t *service = json_object_get(object, "service");
	const json_t *port = json_object_get(object, "port");
	const char *protocol, *address;
	size_t used = 0;

	if (service) {
		identity(buf, size, service);
		used = strlen(buf);
	}
	protocol = json_string_value(json_object_get(object, "protocol"));
	address = json_string_value(json_object_get(object, "address"));
	if (json_is_string(port))
		snprintf(buf + used, size - used, "/%s %s %s",
			 protocol ? protocol : "", address ? address : "",
			 json_string_value(port));
	else
		snprintf(buf + used, size - used,
			 "/%s %s %" JSON_INTEGER_FORMAT,
			 protocol ? protocol : "", address ? address : "",
			 json_integer_value(port));
	return buf;
}

/* The objects of an array by identity. Returns a new reference. */
static json_t *index_of(const json_t *array)
{
	json_t *index = json_object(), *object;
	char key[IDENTITY_MAX];
	size_t i;

	json_array_foreach(array, i, object)
		json_object_set(index, identity(key, sizeof(key), object),
				object);
	return index;
}

/* Give each service its backends. They come from two dumps: backends of a
 * service that came in between are passed over, and one that went has none.
 */
static void join(json_t *services, json_t *backends)
{
	json_t *index = index_of(services), *s, *b;
	char key[IDENTITY_MAX];
	size_t i;

	json_array_foreach(services, i, s)
		json_object_set_new(s, "backends", json_array());
	json_array_foreach(backends, i, b) {
		identity(key, sizeof(key), json_object_get(b, "service"));
		s = json_object_get(index, key);
		json_object_del(b, "service");
		if (s)
			json_array_append(json_object_get(s, "backends"), b);
	}
	json_decref(index);
}

int read_services(const struct service_id *id, json_t **services)
{
	char buf[MNL_SOCKET_BUFFER_SIZE], text[SUBJECT_MAX];
	struct nlmsghdr *nlh;
	json_t *backends;
	int status;

	status = sock_open();
	if (status)
		return status;
	*services = json_array();
	nlh = sock_request(buf, NFLB_CMD_SERVICE_GET, 0);
	if (id) {
		msg_put_service_id(nlh, id);
		sock_subject("service %s", subject_service(text, id));
		status = sock_talk(nlh, service_cb, *services);
	} else {
		status = sock_dump(nlh, service_cb, reset, *services);
	}
	if (!status)
		status = read_backends(id, &backends);
	if (status) {
		json_decref(*services);
		return status;
	}
	join(*services, backends);
	json_decref(backends);
	return LBADM_OK;
}

json_t *rates_of(const json_t *before, const json_t *after, double seconds)
{
	static const char *const keys[] = {
		"connections", "packets-in", "packets-out", "bytes-in",
		"bytes-out",
	};
	json_t *rates = json_object();
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_int_t gain;

		gain = json_integer_value(json_object_get(after, keys[i])) -
		       json_integer_value(json_object_get(before, keys[i]));
		/* Less than before: it was made anew, or counters zeroed. */
		if (gain < 0)
			gain = 0;
		json_object_set_new(rates, keys[i],
				    json_integer(gain / seconds + 0.5));
	}
	return rates;
}

/* What was not there before has no rate yet: zero. */
static void set_rates(const json_t *before, json_t *after, double seconds)
{
	json_t *index = index_of(before), *object;
	char key[IDENTITY_MAX];
	const json_t *was;
	size_t i;

	json_array_foreach(after, i, object) {
		was = json_object_get(index, identity(key, sizeof(key),
						      object));
		json_object_set_new(object, "rates", rates_of(
			json_object_get(was ? was : object, "stats"),
			json_object_get(object, "stats"), seconds));
		set_rates(json_object_get(was, "backends"),
			  json_object_get(object, "backends"), seconds);
	}
	json_decref(index);
}

double wait_second(void)
{
	const struct timespec second = { .tv_sec = 1 };
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	nanosleep(&second, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return end.tv_sec - begin.tv_sec +
	       (end.tv_nsec - begin.tv_nsec) / 1e9;
}

int read_rated(int (*read)(const struct service_id *id, json_t **objects),
	       const struct service_id *id, json_t **objects)
{
	json_t *before;
	double seconds;
	int status;

	if (lbadm_options.stats < 2)
		return read(id, objects);
	status = read(id, &before);
	if (status)
		return status;
	seconds = wait_second();
	status = read(id, objects);
	if (!status)
		set_rates(before, *objects, seconds);
	json_decref(before);
	return status;
}

void drop_stats(json_t *objects)
{
	json_t *object;
	size_t i;

	if (lbadm_options.stats)
		return;
	json_array_foreach(objects, i, object) {
		json_object_del(object, "stats");
		drop_stats(json_object_get(object, "backends"));
	}
}
