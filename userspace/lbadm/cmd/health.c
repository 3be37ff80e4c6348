// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm health
 */
#include <signal.h>
#include <string.h>

#include "cmd/config_apply.h"
#include "cmd/daemon.h"
#include "cmd/filter.h"
#include "cmd/show.h"
#include "lbadm.h"
#include "model/vocabulary.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"
#include "out/out_health.h"

/* By number of a word of verdict_word_names */
static const struct {
	enum nflb_health health;
	const char *reason;
} verdicts[] = {
	{ NFLB_HEALTH_HEALTHY, HEALTH_FORCED },
	{ NFLB_HEALTH_UNHEALTHY, HEALTH_FORCED },
	{ NFLB_HEALTH_UNKNOWN, "" },
};

static int parse_verdict(struct words *words, struct health_request *req)
{
	uint32_t number;
	int status;

	status = parse_name(words, "verdict", &verdict_word_names, &number);
	if (status)
		return status;
	req->health = verdicts[number].health;
	req->reason = verdicts[number].reason;
	return words_end(words);
}

/* The number that tells the backend from one that was added later. */
static int find_id(const struct service_id *id, struct health_request *req)
{
	json_t *backends;
	int status;

	status = read_backends(id, &backends);
	if (status)
		return status;
	status = narrow_backends(backends, &req->backend);
	if (!status)
		req->id = json_integer_value(json_object_get(
			json_array_get(backends, 0), "id"));
	json_decref(backends);
	return status;
}

static int health_force(struct words *words)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct health_request req = { 0 };
	struct service_id id;
	struct nlmsghdr *nlh;
	int status;

	status = parse_service_id(words, &id);
	if (!status)
		status = parse_backend_id(words, &req.backend);
	if (!status)
		status = parse_verdict(words, &req);
	if (!status)
		status = find_id(&id, &req);
	if (status)
		return status;
	nlh = sock_request(buf, NFLB_CMD_HEALTH_SET, 0);
	msg_put_service_id(nlh, &id);
	msg_put_health(nlh, &req, 1);
	return sock_talk(nlh, NULL, NULL);
}

/* A verdict, and its backend */
static json_t *health_object(const json_t *backend)
{
	static const char *const keys[] = {
		"address", "port", "health", "health-weight", "health-reason",
		"health-age", "condition", "service",
	};
	json_t *object = json_object(), *value;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		value = json_object_get(backend, keys[i]);
		if (value)
			json_object_set(object, keys[i], value);
	}
	if (!json_object_get(object, "health"))
		json_object_set_new(object, "health", json_string("unknown"));
	return object;
}

static int health_show(struct words *words)
{
	struct show_filter filter;
	json_t *backends, *b;
	int status;
	size_t i;

	status = parse_show_filter(words, &filter, true);
	if (!status)
		status = read_shown_backends(&filter, false, &backends);
	if (status)
		return status;
	json_array_foreach(backends, i, b)
		json_array_set_new(backends, i, health_object(b));
	add_checks(backends, filter.one ? &filter.id : NULL);
	if (lbadm_options.json)
		out_json(backends);
	else
		status = out_health(backends);
	json_decref(backends);
	return status;
}

/* --- by the checker */

/* Print a line of an answer, and drop it. */
static void print_line(json_t *line, void (*print)(const json_t *line))
{
	if (lbadm_options.json)
		out_json(line);
	else
		print(line);
	json_decref(line);
}

/* An error ends an answer. */
static int error_of(const json_t *line)
{
	const char *error = json_string_value(json_object_get(line, "error"));

	return error ? fail(LBADM_REFUSED, "%s", error) : LBADM_OK;
}

static int lost_daemon(void)
{
	return fail(LBADM_UNAVAILABLE, "nflbd closed the connection");
}

static int read_check(FILE *socket)
{
	json_t *line, *result;
	bool good;
	int status;

	while ((line = daemon_read(socket))) {
		status = error_of(line);
		if (status) {
			json_decref(line);
			return status;
		}
		result = json_object_get(line, "result");
		good = result && !strcmp(json_string_value(json_object_get(result, "result")),
					 "success");
		status = !result ? -1 : good ? LBADM_OK : LBADM_DIFFERS;
		print_line(line, out_health_step);
		if (status >= 0)
			return status;
	}
	return lost_daemon();
}

static int health_check(struct words *words)
{
	struct backend_request backend = { 0 };
	struct service_id id;
	FILE *socket;
	int status;

	status = parse_service_id(words, &id);
	status = status ? status : parse_backend_id(words, &backend);
	status = status ? status : words_end(words);
	status = status ? status : daemon_open(&socket);
	if (status)
		return status;
	status = daemon_ask(socket, "check", &id, &backend, true) ? read_check(socket) :
								    lost_daemon();
	fclose(socket);
	return status;
}

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = true;
}

static int read_events(FILE *socket)
{
	json_t *line;
	int status = LBADM_OK;

	while (!stop && !status && (line = daemon_read(socket))) {
		status = error_of(line);
		if (!status && json_object_get(line, "event"))
			print_line(json_incref(line), out_health_event);
		json_decref(line);
	}
	return status || stop ? status : lost_daemon();
}

static int health_watch(struct words *words)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct backend_request backend = { 0 };
	struct service_id id;
	bool service = words->argc, one;
	FILE *socket;
	int status;

	status = service ? parse_service_id(words, &id) : LBADM_OK;
	one = !status && words->argc;
	status = one ? parse_backend_id(words, &backend) : status;
	status = status ? status : words_end(words);
	status = status ? status : daemon_open(&socket);
	if (status)
		return status;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	status = daemon_ask(socket, "watch", service ? &id : NULL, one ? &backend : NULL,
			    true) ? read_events(socket) : lost_daemon();
	fclose(socket);
	return status;
}

static const struct word args_verdict[] = {
	{ .name = "SERVICE", .kind = &kind_service },
	{ .name = "BACKEND", .kind = &kind_backend },
	{ .name = "VERDICT", .kind = &kind_verdict,
	  .help = "until a checker says something else" },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "show", health_show, "show the verdict on each backend, and its reason",
	  args_maybe_backend, show_words },
	{ "show", health_show, "show those of a protocol, a VIP or a prefix of VIPs",
	  args_place, show_words },
	{ "check", health_check, "check a backend now, and print each step",
	  args_backend, NULL },
	{ "force", health_force, "set the verdict on a backend", args_verdict, NULL },
	{ "watch", health_watch, "print new verdicts as nflbd makes them",
	  args_maybe_backend, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_health = {
	"health", "health checkers' verdicts on backends", commands,
};
