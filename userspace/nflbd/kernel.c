// SPDX-License-Identifier: GPL-2.0
/*
 * Reads services and backends, and again after each event that changed them; sends
 * verdicts, those of one service in one request.
 */
#include "kernel.h"

#include <linux/genetlink.h>
#include <linux/nflb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compose.h"
#include "figures.h"
#include "log.h"
#include "model/names.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "path.h"
#include "schedule.h"
#include "util/report.h"

#define SEND_AFTER 20		/* ms, so that verdicts go out together */
#define READ_AFTER 50		/* ms, so that changes are read together */
#define RETRY_AFTER 1000	/* ms */

static struct {
	struct event events, send, read;
	bool open;
} kernel;

static void run_after(struct event *timer, unsigned int ms)
{
	struct timeval after = { .tv_usec = ms % 1000 * 1000, .tv_sec = ms / 1000 };

	if (!evtimer_pending(timer, NULL))
		evtimer_add(timer, &after);
}

/* --- reading */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool service_id_of(const json_t *object, struct service_id *id)
{
	const json_t *port = json_object_get(object, "port");
	const char *address = text_of(object, "address");
	char protocol[16], text[160], *argv[] = { protocol, text };
	struct words words = { .argv = argv, .argc = 2 };
	char number[24];

	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		 json_integer_value(port));
	snprintf(protocol, sizeof(protocol), "%s", text_of(object, "protocol"));
	snprintf(text, sizeof(text), strchr(address, ':') ? "[%s]:%s" : "%s:%s", address,
		 json_is_string(port) ? json_string_value(port) : number);
	memset(id, 0, sizeof(*id));
	return !parse_service_id(&words, id);
}

static bool backend_of(const json_t *object, struct backend_request *backend)
{
	int mode = names_find(&mode_names, text_of(object, "mode"));
	int state = names_find(&backend_state_names, text_of(object, "state"));

	memset(backend, 0, sizeof(*backend));
	backend->port = json_integer_value(json_object_get(object, "port"));
	backend->mode = (struct opt){ mode >= 0, mode };
	backend->state = (struct opt){ state >= 0, state };
	return addr_parse(&backend->address, text_of(object, "address"));
}

static int service_cb(const struct nlmsghdr *nlh, void *list)
{
	json_t *service = msg_get_service(nlh);

	if (!service)
		return MNL_CB_ERROR;
	json_array_append_new(list, service);
	return MNL_CB_OK;
}

static int backend_cb(const struct nlmsghdr *nlh, void *list)
{
	json_t *backend = msg_get_backend(nlh), *service = msg_get_service(nlh);

	if (!backend || !service) {
		json_decref(backend);
		json_decref(service);
		return MNL_CB_ERROR;
	}
	json_object_set_new(backend, "service", service);
	json_array_append_new(list, backend);
	return MNL_CB_OK;
}

static void reset(void *list)
{
	json_array_clear(list);
}

static int read_list(uint8_t cmd, sock_cb cb, json_t *list)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];

	return sock_dump(sock_request(buf, cmd, 0), cb, reset, list);
}

static void take_services(const json_t *list)
{
	struct service_id id;
	const json_t *service;
	char *check;
	int mode;
	size_t i;

	json_array_foreach(list, i, service) {
		if (!service_id_of(service, &id))
			continue;
		mode = names_find(&mode_names, text_of(service, "mode"));
		if (mode == NFLB_MODE_DSR)
			path_note_vip(&id.address);
		check = json_dumps(json_object_get(service, "health-check"),
				   JSON_COMPACT);
		target_add_service(&id, mode < 0 ? 0 : mode, check);
		free(check);
	}
}

/* The verdict that the kernel has; one set by hand stays until it is taken back. */
static void note_kernel(struct target *target, const json_t *backend)
{
	const json_t *weight = json_object_get(backend, "health-weight");
	int health = names_find(&health_names, text_of(backend, "health"));

	target->kernel = health < 0 ? NFLB_HEALTH_UNKNOWN : health;
	target->kernel_weight = weight ? json_integer_value(weight) : 100;
	target->forced = health > 0 &&
			 !strcmp(text_of(backend, "health-reason"), HEALTH_FORCED);
}

static bool differs(const struct target *target)
{
	return target->kernel != compose_health(target) ||
	       target->kernel_weight != target->weight;
}

static bool is_decided(enum nflb_health health)
{
	return health != NFLB_HEALTH_UNKNOWN && health != NFLB_HEALTH_CHECKING;
}

/* Nobody checks it any more: it is as if nobody had. */
static void take_back(struct target *target)
{
	if (target->forced || !is_decided(target->kernel))
		return;
	target->verdict.health = NFLB_HEALTH_UNKNOWN;
	target->last.weight = target->weight = 100;
	target->lowered = ANSWER_NOTHING;
	kernel_send(target);
}

static void take_backend(const json_t *object)
{
	uint64_t now = schedule_clock(), age;
	struct backend_request backend;
	struct service *service;
	struct target *target;
	struct service_id id;
	bool fresh, known;
	uint32_t number;

	if (!service_id_of(json_object_get(object, "service"), &id) ||
	    !backend_of(object, &backend))
		return;
	if (backend.mode.set && backend.mode.value == NFLB_MODE_DSR)
		path_note_vip(&id.address);
	service = target_find_service(&id);
	if (!service)
		return;
	number = json_integer_value(json_object_get(object, "id"));
	target = target_find(service, &backend);
	known = target && target->id == number;
	if (!service->seen) {
		/* The service has lost its check, and is deleted after this. */
		if (known)
			take_back(target);
		return;
	}
	target = target_add(service, &backend, number, NULL, now, &fresh);
	note_kernel(target, object);
	if (!known && !target->forced && is_decided(target->kernel)) {
		age = json_integer_value(json_object_get(object, "health-age"));
		verdict_resume(&target->verdict, target->kernel, now - age * 1000);
		target->last.weight = target->weight = target->kernel_weight;
	}
	if (fresh && target->idle)
		schedule_stop(target);
	else if (fresh)
		schedule_start(target);
	if (target->idle && fresh && known)
		take_back(target);
	else if (!target->idle && is_decided(target->verdict.health) && differs(target))
		kernel_send(target);
}

static void flush(void);

static int read_all(void)
{
	json_t *services = json_array(), *backends = json_array(), *backend;
	int status;
	size_t i;

	status = read_list(NFLB_CMD_SERVICE_GET, service_cb, services);
	status = status ? status : read_list(NFLB_CMD_BACKEND_GET, backend_cb, backends);
	if (!status) {
		target_forget_all();
		path_forget_vips();
		take_services(services);
		json_array_foreach(backends, i, backend)
			take_backend(backend);
		/* Before targets go that have something to send */
		flush();
		target_delete_unseen();
	}
	json_decref(services);
	json_decref(backends);
	return status;
}

static void read_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (read_all())
		run_after(&kernel.read, RETRY_AFTER);
}

void kernel_reload(void)
{
	if (kernel.open)
		run_after(&kernel.read, READ_AFTER);
}

/* --- events */

/* Our own verdict, or one that was set by hand */
static void take_verdict(struct target *target, const json_t *object)
{
	bool was_forced = target->forced;

	note_kernel(target, object);
	if (was_forced && !target->forced && !target->idle &&
	    is_decided(target->verdict.health))
		kernel_send(target);
}

/* Clients' connections fail. Anybody can make some fail: it takes a check to say more. */
static void take_trouble(struct target *target)
{
	if (!target->idle && target->verdict.health != NFLB_HEALTH_UNHEALTHY)
		schedule_hurry(target);
}

/* An event about a backend */
static void take_event(const struct nlmsghdr *nlh, uint8_t cmd)
{
	json_t *object = msg_get_backend(nlh), *of = msg_get_service(nlh);
	struct backend_request backend;
	struct service *service = NULL;
	struct target *target = NULL;
	struct service_id id;

	if (object && of && service_id_of(of, &id) && backend_of(object, &backend))
		service = target_find_service(&id);
	if (service)
		target = target_find(service, &backend);
	if (target && target->id !=
		      (uint32_t)json_integer_value(json_object_get(object, "id")))
		target = NULL;
	if (target && cmd == NFLB_CMD_BACKEND_TROUBLE)
		take_trouble(target);
	else if (target)
		take_verdict(target, object);
	json_decref(object);
	json_decref(of);
}

static int event_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	(void)data;
	switch (genl->cmd) {
	case NFLB_CMD_HEALTH_SET:
	case NFLB_CMD_BACKEND_TROUBLE:
		take_event(nlh, genl->cmd);
		break;
	case NFLB_CMD_SERVICE_ADD:
	case NFLB_CMD_SERVICE_SET:
	case NFLB_CMD_SERVICE_DEL:
	case NFLB_CMD_BACKEND_ADD:
	case NFLB_CMD_BACKEND_SET:
	case NFLB_CMD_BACKEND_DEL:
		kernel_reload();
		break;
	}
	return MNL_CB_OK;
}

static void lost(void *data)
{
	(void)data;
	kernel_reload();
}

static void events_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (sock_events_read(event_cb, lost, NULL))
		kernel_reload();
}

/* --- verdicts */

static size_t collect(const struct service *service, struct health_request *reqs,
		      char (*reasons)[RESULT_TEXT_MAX])
{
	struct target *target;
	size_t count = 0;

	for (target = service->targets; target; target = target->next) {
		if (!target->dirty || target->forced)
			continue;
		compose_reason(target, reasons[count]);
		reqs[count] = (struct health_request){
			.backend = target->backend,
			.id = target->id,
			.health = compose_health(target),
			.weight = { true, target->weight },
			.reason = reasons[count],
		};
		count++;
	}
	return count;
}

static int send_requests(const struct service *service,
			 const struct health_request *reqs, size_t count)
{
	char *buf = malloc(msg_list_size(count)), why[256] = "";
	char subject[SUBJECT_MAX];
	struct nlmsghdr *nlh;
	int status;

	if (!buf)
		abort();
	nlh = sock_request(buf, NFLB_CMD_HEALTH_SET, 0);
	msg_put_service_id(nlh, &service->id);
	msg_put_health(nlh, reqs, count);
	log_capture(why, sizeof(why));
	status = sock_talk(nlh, NULL, NULL);
	log_capture(NULL, 0);
	figures_message();
	free(buf);
	/* A backend that has just been deleted is no error. */
	if (status)
		log_line(LOG_INFO, "%s: verdicts were refused, and are sent again: %s",
			 subject_service(subject, &service->id), why);
	return status;
}

static void send_service(struct service *service)
{
	char (*reasons)[RESULT_TEXT_MAX];
	struct health_request *reqs;
	struct target *target;
	size_t count = 0;

	for (target = service->targets; target; target = target->next)
		count += target->dirty;
	reqs = calloc(count + 1, sizeof(*reqs));
	reasons = calloc(count + 1, sizeof(*reasons));
	if (!reqs || !reasons)
		abort();
	count = collect(service, reqs, reasons);
	if (count && send_requests(service, reqs, count))
		run_after(&kernel.read, RETRY_AFTER);
	for (target = service->targets; target; target = target->next)
		target->dirty = false;
	service->dirty = false;
	free(reqs);
	free(reasons);
}

static void flush(void)
{
	struct service *service;

	for (service = target_services; service; service = service->next)
		if (service->dirty)
			send_service(service);
}

static void send_now(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	flush();
}

void kernel_send(struct target *target)
{
	if (target->usable && target->check.dry_run)
		return;
	target->dirty = true;
	target->service->dirty = true;
	run_after(&kernel.send, SEND_AFTER);
}

int kernel_open(struct event_base *base)
{
	int status = sock_open();

	status = status ? status : sock_join("config");
	status = status ? status : sock_set_aside();
	if (status)
		return status;
	kernel.open = true;
	evtimer_assign(&kernel.send, base, send_now, NULL);
	evtimer_assign(&kernel.read, base, read_again, NULL);
	event_assign(&kernel.events, base, sock_events_fd(), EV_READ | EV_PERSIST,
		     events_ready, NULL);
	event_add(&kernel.events, NULL);
	return read_all();
}

void kernel_close(void)
{
	if (!kernel.open)
		return;
	event_del(&kernel.events);
	evtimer_del(&kernel.send);
	evtimer_del(&kernel.read);
	sock_take_back();
	sock_close();
	kernel.open = false;
}
