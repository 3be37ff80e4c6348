// SPDX-License-Identifier: GPL-2.0
/*
 * Requests are lines of JSON, one after the other; so are answers. A long answer is made
 * as the client reads it. A client that does not read, or sends nothing, is dropped.
 */
#include "client.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "control.h"
#include "describe.h"
#include "figures.h"
#include "schedule.h"
#include "util/netns.h"

#define OUTPUT_LOW 16384	/* bytes; with fewer waiting, a list goes on */
#define OUTPUT_PART 65536
#define IDLE 60			/* s without a request */
#define SLOW 10			/* s in which a client reads nothing */

/**
 * struct client - a client
 * @base: the loop
 * @io: its connection
 * @gone: says that it ends
 * @eof: no more requests will arrive
 * @broken: end when all is sent
 * @watches: gets events
 * @service: of the request, as text; "" is any
 * @backend: the same
 * @lists: a list is being sent
 * @at: the number of the service that is next
 * @skip: its targets that were sent
 * @sent: targets so far
 * @target: being checked
 * @check: the check, or NULL
 * @drain: takes the next request, in the next turn of the loop
 */
struct client {
	struct event_base *base;
	struct bufferevent *io;
	void (*gone)(struct client *client);
	bool eof, broken, watches;
	char service[SUBJECT_MAX], backend[SUBJECT_MAX];
	bool lists;
	uint64_t at;
	size_t skip, sent;
	const struct target *target;
	struct check *check;
	struct event drain;
};

void client_end(struct client *client)
{
	client->gone(client);
	if (client->check)
		check_cancel(client->check);
	event_del(&client->drain);
	bufferevent_free(client->io);
	free(client);
}

static size_t waiting_output(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->io));
}

/* Drops @object. */
static void send_object(struct client *client, json_t *object)
{
	char *line = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));

	if (line) {
		bufferevent_write(client->io, line, strlen(line));
		bufferevent_write(client->io, "\n", 1);
	}
	free(line);
	json_decref(object);
}

static void send_error(struct client *client, const char *text)
{
	send_object(client, json_pack("{s:s}", "error", text));
}

/* One request a turn: others have to get theirs, and checks go on. */
static void process_soon(struct client *client)
{
	struct timeval now = { 0 };

	evtimer_add(&client->drain, &now);
}

/* --- selection */

static bool is_meant(const struct client *client, const struct service *service)
{
	char text[SUBJECT_MAX];

	return !*client->service ||
	       !strcmp(client->service, subject_service(text, &service->id));
}

static bool is_target_meant(const struct client *client, const struct target *target)
{
	char text[SUBJECT_MAX];

	return !*client->backend ||
	       !strcmp(client->backend, subject_backend(text, &target->backend));
}

/* --- show */

/* Returns false if there is no more room. */
static bool list_service(struct client *client, const struct service *service)
{
	const struct target *target;
	size_t i = 0;

	for (target = service->targets; target; target = target->next) {
		if (i++ < client->skip)
			continue;
		if (waiting_output(client) > OUTPUT_PART)
			return false;
		client->skip = i;
		if (!is_target_meant(client, target))
			continue;
		client->sent++;
		send_object(client, json_pack("{s:o}", "target", describe_target(target)));
	}
	return true;
}

/* Services have descending numbers: one that is gone meanwhile is passed over. */
static void list_more(struct client *client)
{
	const struct service *service;

	for (service = target_services; service; service = service->next) {
		if (service->number > client->at)
			continue;
		if (service->number < client->at)
			client->skip = 0;
		client->at = service->number;
		if (is_meant(client, service) && !list_service(client, service))
			return;
		client->at--;
		client->skip = 0;
	}
	client->lists = false;
	send_object(client, json_pack("{s:b, s:i}", "end", true, "count",
				      (int)client->sent));
}

static void show(struct client *client)
{
	client->lists = true;
	client->at = UINT64_MAX;
	client->skip = client->sent = 0;
	list_more(client);
}

/* --- check */

static void report_step(struct check *check, uint64_t us, const char *text)
{
	send_object(check->owner, json_pack("{s:s, s:f}", "step", text,
					    "milliseconds", us / 1000.0));
}

static void checked(struct check *check, void *owner)
{
	struct client *client = owner;
	struct target copy = *client->target;

	client->check = NULL;
	copy.last = check->result;
	send_object(client, json_pack("{s:o, s:b}", "result", describe_result(&copy),
				      "end", true));
	process_soon(client);
}

static const struct target *find_target(const struct client *client)
{
	const struct service *service;
	const struct target *target;

	for (service = target_services; service; service = service->next) {
		if (!is_meant(client, service))
			continue;
		for (target = service->targets; target; target = target->next)
			if (is_target_meant(client, target))
				return target;
	}
	return NULL;
}

/* It is apart from the target's own checks: the result does not count. */
static void check_now(struct client *client)
{
	const struct target *target = find_target(client);
	struct check_place place;

	if (!*client->service || !*client->backend)
		return send_error(client, "check: \"service\" and \"backend\" are expected");
	if (!target)
		return send_error(client, "no such backend has a health check");
	if (!target->usable || target->check.protocol == HEALTH_NONE)
		return send_error(client, describe_idle(target));
	place = target_place(target);
	client->target = target;
	client->check = check_start(client->base, &target->check, &place, checked, client);
	if (!client->check)
		return send_error(client, "there is no memory for the check");
	client->check->step = report_step;
	report_step(client->check, 0, names_get(&health_protocol_names,
						target->check.protocol));
}

/* --- the others */

static void watch(struct client *client)
{
	struct timeval slow = { .tv_sec = SLOW };

	client->watches = true;
	bufferevent_set_timeouts(client->io, NULL, &slow);
	send_object(client, json_pack("{s:b}", "watching", true));
}

static void stats(struct client *client)
{
	json_t *figures = figures_json();
	uint32_t running, waiting;

	schedule_load(&running, &waiting);
	json_object_set_new(figures, "running", json_integer(running));
	json_object_set_new(figures, "waiting", json_integer(waiting));
	json_object_set_new(figures, "targets", json_integer(target_count()));
	send_object(client, json_pack("{s:o, s:b}", "stats", figures, "end", true));
}

static const struct {
	const char *name;
	void (*run)(struct client *client);
} requests[] = {
	{ "show", show }, { "check", check_now }, { "watch", watch }, { "stats", stats },
};

static bool take_text(struct client *client, const json_t *request, const char *key,
		      char text[SUBJECT_MAX])
{
	const json_t *value = json_object_get(request, key);

	*text = '\0';
	if (!value)
		return true;
	if (!json_is_string(value) || json_string_length(value) >= SUBJECT_MAX) {
		send_error(client, "\"service\" and \"backend\" are texts such as \"tcp 192.0.2.1:80\" and \"10.0.0.1:80\"");
		return false;
	}
	strcpy(text, json_string_value(value));
	return true;
}

static bool knows_keys(const json_t *request)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)request, key, value)
		if (strcmp(key, "request") && strcmp(key, "service") &&
		    strcmp(key, "backend"))
			return false;
	return true;
}

static void run(struct client *client, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "request"));
	size_t i;

	if (!name)
		return send_error(client, "an object with the key \"request\" is expected");
	if (!knows_keys(request))
		return send_error(client, "keys are \"request\", \"service\" and \"backend\"");
	if (!take_text(client, request, "service", client->service) ||
	    !take_text(client, request, "backend", client->backend))
		return;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (!strcmp(requests[i].name, name))
			return requests[i].run(client);
	send_error(client, "requests are \"show\", \"check\", \"watch\" and \"stats\"");
}

static void take_line(struct client *client, const char *line, size_t len)
{
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	if (request)
		run(client, request);
	else
		send_error(client, "the line is not JSON");
	json_decref(request);
}

static bool is_busy(const struct client *client)
{
	return client->lists || client->check;
}

/* Take the next request if it is there. */
static void take_request(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->io);
	size_t len;
	char *line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF);

	if (line) {
		take_line(client, line, len);
		process_soon(client);
	} else if (evbuffer_get_length(input) >= CLIENT_LINE_MAX) {
		client->broken = true;
		send_error(client, "the line is too long");
	}
	free(line);
}

static bool has_line(const struct client *client)
{
	return evbuffer_search_eol(bufferevent_get_input(client->io), NULL, NULL,
				   EVBUFFER_EOL_LF).pos >= 0;
}

/* Take a request, or end a client that is done. */
static void process(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->io);

	if (!is_busy(client) && !client->broken && !client->watches &&
	    !evtimer_pending(&client->drain, NULL) &&
	    waiting_output(client) < OUTPUT_PART)
		take_request(client);
	/* Input of a client that watches is of no use. */
	if (client->watches)
		evbuffer_drain(input, evbuffer_get_length(input));
	if ((client->broken || (client->eof && !has_line(client))) && !is_busy(client) &&
	    !waiting_output(client))
		client_end(client);
}

/* --- the connection */

static void can_read(struct bufferevent *io, void *arg)
{
	(void)io;
	process(arg);
}

static void has_written(struct bufferevent *io, void *arg)
{
	struct client *client = arg;

	(void)io;
	if (client->lists)
		list_more(client);
	process(client);
}

static void go_on(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	process(arg);
}

/* An end of input is no end of the client: an answer may be under way. */
static void has_event(struct bufferevent *io, short what, void *arg)
{
	struct client *client = arg;
	bool idle = what & BEV_EVENT_TIMEOUT && what & BEV_EVENT_READING;

	if (what & BEV_EVENT_EOF && !client->watches) {
		client->eof = true;
		return process(client);
	}
	if (idle && is_busy(client)) {
		bufferevent_enable(io, EV_READ);
		return;
	}
	client_end(client);
}

static void greet(struct client *client)
{
	send_object(client, json_pack("{s:s, s:s, s:i, s:I}", "daemon", "nflbd",
				      "version", LBADM_VERSION,
				      "protocol", CONTROL_PROTOCOL,
				      "netns", (json_int_t)netns_inode()));
}

struct client *client_new(struct event_base *base, int fd,
			  void (*gone)(struct client *client))
{
	struct timeval idle = { .tv_sec = IDLE }, slow = { .tv_sec = SLOW };
	struct client *client = calloc(1, sizeof(*client));

	if (client)
		client->io = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client || !client->io) {
		free(client);
		close(fd);
		return NULL;
	}
	client->base = base;
	client->gone = gone;
	evtimer_assign(&client->drain, base, go_on, client);
	bufferevent_setcb(client->io, can_read, has_written, has_event, client);
	bufferevent_setwatermark(client->io, EV_READ, 0, CLIENT_LINE_MAX);
	bufferevent_setwatermark(client->io, EV_WRITE, OUTPUT_LOW, 0);
	bufferevent_set_timeouts(client->io, &idle, &slow);
	greet(client);
	bufferevent_enable(client->io, EV_READ | EV_WRITE);
	return client;
}

void client_publish(struct client *client, const struct target *target, const char *line)
{
	if (!client->watches || !is_meant(client, target->service) ||
	    !is_target_meant(client, target))
		return;
	if (waiting_output(client) > CLIENT_OUTPUT_MAX)
		return client_end(client);
	bufferevent_write(client->io, line, strlen(line));
	bufferevent_write(client->io, "\n", 1);
}

void client_forget(struct client *client, const struct target *target)
{
	if (!client->check || client->target != target)
		return;
	check_cancel(client->check);
	client->check = NULL;
	send_error(client, "the backend or its check has changed");
	process_soon(client);
}
