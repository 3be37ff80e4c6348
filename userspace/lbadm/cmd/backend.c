// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm backend
 */
#include "cmd/show.h"
#include "model/subject.h"
#include "model/vocabulary.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

static int send_backend(uint8_t cmd, const struct service_id *id,
			const struct backend_request *req, bool now)
{
	char service[SUBJECT_MAX], backend[SUBJECT_MAX];
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	int status;

	status = sock_open();
	if (status)
		return status;
	nlh = sock_request(buf, cmd, 0);
	msg_put_service_id(nlh, id);
	msg_put_backend(nlh, req);
	if (now)
		msg_put_now(nlh);
	sock_subject("service %s: backend %s", subject_service(service, id),
		     subject_backend(backend, req));
	return sock_talk(nlh, NULL, NULL);
}

static const struct word del_words[] = {
	{ .name = "now", .help = "end its connections, too" },
	{ 0 },
};

static const struct word drain_words[] = {
	{ .name = "deadline", .kind = &kind_seconds,
	  .help = "after that long, end what remains; TCP with a reset",
	  .offset = offsetof(struct backend_request, deadline) },
	{ 0 },
};

static int parse_both(struct words *words, struct service_id *id,
		      struct backend_request *req)
{
	int status = parse_service_id(words, id);

	return status ? status : parse_backend_id(words, req);
}

static int change(struct words *words, uint8_t cmd)
{
	struct backend_request req;
	struct service_id id;
	int status;

	status = parse_both(words, &id, &req);
	if (!status)
		status = parse_backend_settings(words, &req);
	return status ? status : send_backend(cmd, &id, &req, false);
}

static int backend_add(struct words *words)
{
	return change(words, NFLB_CMD_BACKEND_ADD);
}

static int backend_set(struct words *words)
{
	return change(words, NFLB_CMD_BACKEND_SET);
}

static int backend_del(struct words *words)
{
	struct backend_request req;
	struct service_id id;
	bool now = false;
	int status;

	status = parse_both(words, &id, &req);
	if (status)
		return status;
	status = parse_words(words, del_words, &now);
	if (status)
		return status;
	return send_backend(NFLB_CMD_BACKEND_DEL, &id, &req, now);
}

static int set_state(struct words *words, enum nflb_backend_state state)
{
	struct backend_request req;
	struct service_id id;
	int status;

	status = parse_both(words, &id, &req);
	if (!status && state == NFLB_BACKEND_DRAIN)
		status = parse_words(words, drain_words, &req);
	else if (!status)
		status = words_end(words);
	if (status)
		return status;
	req.state.set = true;
	req.state.value = state;
	return send_backend(NFLB_CMD_BACKEND_SET, &id, &req, false);
}

static int backend_drain(struct words *words)
{
	return set_state(words, NFLB_BACKEND_DRAIN);
}

static int backend_enable(struct words *words)
{
	return set_state(words, NFLB_BACKEND_UP);
}

static int backend_show(struct words *words)
{
	bool one_service = words->argc, one = false;
	struct backend_request req;
	struct service_id id;
	int status = LBADM_OK;
	json_t *backends;

	if (one_service)
		status = parse_service_id(words, &id);
	if (!status && words->argc) {
		one = true;
		status = parse_backend_id(words, &req);
	}
	if (!status)
		status = words_end(words);
	if (!status)
		status = read_rated(read_backends, one_service ? &id : NULL,
				    &backends);
	if (status)
		return status;
	if (one)
		status = narrow_backends(backends, &req);
	if (!status && lbadm_options.json) {
		drop_stats(backends);
		out_json(backends);
	} else if (!status) {
		out_backends(backends);
	}
	json_decref(backends);
	return status;
}

static const struct lbadm_command commands[] = {
	{ "add", backend_add, "add a backend to a service; fails if it exists",
	  args_new_backend, backend_words },
	{ "set", backend_set, "change what is named; fails if there is no such backend",
	  args_backend, backend_words },
	{ "del", backend_del,
	  "delete a backend; established TCP connections run out, UDP flows move",
	  args_backend, del_words },
	{ "drain", backend_drain, "set ... state drain", args_backend, drain_words },
	{ "enable", backend_enable, "set ... state up", args_backend, NULL },
	{ "show", backend_show, "show one backend, those of a service, or all",
	  args_maybe_backend, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_backend = {
	"backend", "the servers of a service", commands,
};
