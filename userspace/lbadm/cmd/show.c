// SPDX-License-Identifier: GPL-2.0
/*
 * Reading services and backends from the kernel, as JSON objects.
 */
#include "cmd/show.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lbadm.h"
#include "model/subject.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "util/addr.h"

/* Protocol, address and ports, of a service and of a backend. */
#define IDENTITY_MAX (2 * (ADDR_TEXT_MAX + 32))
/* Of an attribute that names a service; a larger one is read each time. */
#define SERVICE_ATTR_MAX 128

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

/* Backends of a dump. Those of a service come one after the other, and share the
 * object of their service.
 */
struct backend_list {
	json_t *array;
	json_t *service;	/* of the last one; in @array, too */
	char attr[SERVICE_ATTR_MAX];	/* its source */
	size_t len;
};

static json_t *shared_service(struct backend_list *list,
			      const struct nlmsghdr *nlh)
{
	const struct nlattr *attr = msg_service_attr(nlh);
	size_t len = attr ? attr->nla_len : 0;

	if (list->service && len && len == list->len &&
	    !memcmp(list->attr, attr, len))
		return json_incref(list->service);
	list->service = msg_get_service(nlh);
	list->len = len <= SERVICE_ATTR_MAX ? len : 0;
	if (list->len)
		memcpy(list->attr, attr, len);
	return list->service;
}

static int backend_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t *backend = msg_get_backend(nlh);
	struct backend_list *list = data;

	if (!backend)
		return MNL_CB_ERROR;
	json_object_set_new(backend, "service", shared_service(list, nlh));
	json_array_append_new(list->array, backend);
	return MNL_CB_OK;
}

static void backend_reset(void *data)
{
	struct backend_list *list = data;

	json_array_clear(list->array);
	list->service = NULL;
}

int read_backends(const struct service_id *id, json_t **backends)
{
	char buf[MNL_SOCKET_BUFFER_SIZE], text[SUBJECT_MAX];
	struct backend_list list = { 0 };
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
	list.array = json_array();
	status = sock_dump(nlh, backend_cb, backend_reset, &list);
	if (status)
		json_decref(list.array);
	*backends = list.array;
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
	json_t *index = index_of(services), *s = NULL, *b, *of, *last = NULL;
	char key[IDENTITY_MAX];
	size_t i;

	json_array_foreach(services, i, s)
		json_object_set_new(s, "backends", json_array());
	json_array_foreach(backends, i, b) {
		of = json_object_get(b, "service");
		if (of != last)
			s = json_object_get(index, identity(key, sizeof(key),
							    of));
		/* It lives on in @last, so that no other gets its address. */
		json_decref(last);
		last = json_incref(of);
		json_object_del(b, "service");
		if (s)
			json_array_append(json_object_get(s, "backends"), b);
	}
	json_decref(last);
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

/* Less than before: it was made anew, or counters were set to zero. */
static json_t *rate(const json_t *before, const json_t *after, double seconds)
{
	json_int_t gain = json_integer_value(after) - json_integer_value(before);

	return json_integer(gain < 0 ? 0 : gain / seconds + 0.5);
}

/* The totals have an object of drops, and older modules count none. */
static json_t *rates_of(const json_t *before, const json_t *after,
			double seconds)
{
	static const char *const keys[] = {
		"connections", "packets-in", "packets-out", "bytes-in",
		"bytes-out", "drops",
	};
	json_t *rates = json_object();
	const json_t *value;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		value = json_object_get(after, keys[i]);
		if (json_is_integer(value))
			json_object_set_new(rates, keys[i], rate(
				json_object_get(before, keys[i]), value,
				seconds));
	}
	return rates;
}

/* Of every counter that @after has */
static json_t *every_rate(const json_t *before, const json_t *after,
			  double seconds)
{
	json_t *rates = json_object();
	const json_t *value;
	const char *key;

	json_object_foreach((json_t *)after, key, value)
		json_object_set_new(rates, key,
				    rate(json_object_get(before, key), value,
					 seconds));
	return rates;
}

/* A new object has no rate yet: zero. */
void set_rates(const json_t *before, json_t *after, double seconds)
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

void set_stats_rates(const json_t *before, json_t *after, double seconds)
{
	json_object_set_new(after, "rates", rates_of(before, after, seconds));
	json_object_set_new(after, "drop-rates",
			    every_rate(json_object_get(before, "drops"),
					 json_object_get(after, "drops"),
					 seconds));
	json_object_set_new(after, "counter-rates",
			    every_rate(json_object_get(before, "counters"),
					 json_object_get(after, "counters"),
					 seconds));
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
