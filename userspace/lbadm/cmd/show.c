// SPDX-License-Identifier: GPL-2.0
/*
 * Reading services and backends from the kernel, as JSON objects.
 */
#include "cmd/show.h"

#include <string.h>
#include <time.h>

#include "nl/msg.h"
#include "nl/sock.h"

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
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	int status;

	status = sock_open();
	if (status)
		return status;
	nlh = sock_request(buf, NFLB_CMD_BACKEND_GET, 0);
	if (id)
		msg_put_service_id(nlh, id);
	*backends = json_array();
	status = sock_dump(nlh, backend_cb, reset, *backends);
	if (status)
		json_decref(*backends);
	return status;
}

static bool same_service(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "protocol", "address", "port" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_equal(json_object_get(a, keys[i]),
				json_object_get(b, keys[i])))
			return false;
	return true;
}

/* Both dumps are in the kernel's order, so one pass joins them. A service that
 * came or went in between has no backends, or they are passed over.
 */
static void join(json_t *services, const json_t *backends)
{
	size_t i, j = 0, from;
	json_t *s, *b, *list;

	json_array_foreach(services, i, s) {
		list = json_array();
		from = j;
		while (j < json_array_size(backends) &&
		       !same_service(s, json_object_get(
				json_array_get(backends, j), "service")))
			j++;
		if (j == json_array_size(backends))
			j = from;
		for (; j < json_array_size(backends); j++) {
			b = json_array_get(backends, j);
			if (!same_service(s, json_object_get(b, "service")))
				break;
			b = json_copy(b);
			json_object_del(b, "service");
			json_array_append_new(list, b);
		}
		json_object_set_new(s, "backends", list);
	}
}

int read_services(const struct service_id *id, json_t **services)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
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

static void set_rates(json_t *now, const json_t *before)
{
	const json_t *then = json_object_get(before, "stats"), *value;
	json_t *rates = json_object();
	const char *key;

	json_object_foreach(json_object_get(now, "stats"), key, value) {
		json_int_t gain;

		if (!strcmp(key, "active"))
			continue;
		gain = json_integer_value(value) -
		       json_integer_value(json_object_get(then, key));
		json_object_set_new(rates, key,
				    json_integer(gain < 0 ? 0 : gain));
	}
	json_object_set_new(now, "rates", rates);
}

static const json_t *find(const json_t *array, const json_t *like)
{
	const json_t *object;
	size_t i;

	json_array_foreach(array, i, object)
		if (same_service(object, like))
			return object;
	return NULL;
}

int read_services_rated(const struct service_id *id, json_t **services)
{
	const struct timespec second = { .tv_sec = 1 };
	const json_t *old;
	json_t *before, *s, *b;
	size_t i, j;
	int status;

	if (lbadm_options.stats < 2)
		return read_services(id, services);
	status = read_services(id, &before);
	if (status)
		return status;
	nanosleep(&second, NULL);
	status = read_services(id, services);
	if (!status) {
		json_array_foreach(*services, i, s) {
			old = find(before, s);
			set_rates(s, old ? old : s);
			json_array_foreach(json_object_get(s, "backends"), j,
					   b) {
				const json_t *was = find(json_object_get(
					old, "backends"), b);

				set_rates(b, was ? was : b);
			}
		}
	}
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
