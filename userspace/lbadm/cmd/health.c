// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm health
 */
#include <string.h>

#include "cmd/config_apply.h"
#include "cmd/filter.h"
#include "cmd/show.h"
#include "lbadm.h"
#include "model/vocabulary.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

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
	if (lbadm_options.json)
		out_json(backends);
	else
		status = out_health(backends);
	json_decref(backends);
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
	{ "force", health_force, "set the verdict on a backend", args_verdict, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_health = {
	"health", "health checkers' verdicts on backends", commands,
};
