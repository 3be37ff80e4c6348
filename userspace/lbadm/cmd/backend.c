// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm backend
 */
#include <errno.h>
#include <string.h>

#include "cmd/backend_host.h"
#include "cmd/filter.h"
#include "cmd/show.h"
#include "lbadm.h"
#include "model/subject.h"
#include "model/vocabulary.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

/* How often a backend may be added and deleted by others while it is replaced. */
#define REPLACE_TRIES 10

/* @buf has MNL_SOCKET_BUFFER_SIZE bytes. */
static struct nlmsghdr *request(void *buf, uint8_t cmd,
				const struct service_id *id,
				const struct backend_request *req)
{
	char service[SUBJECT_MAX], backend[SUBJECT_MAX];
	struct nlmsghdr *nlh = sock_request(buf, cmd, 0);

	msg_put_service_id(nlh, id);
	msg_put_backend(nlh, req);
	sock_subject("service %s: backend %s", subject_service(service, id),
		     subject_backend(backend, req));
	return nlh;
}

static int send_backend(uint8_t cmd, const struct service_id *id,
			const struct backend_request *req, bool now)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	int status;

	status = sock_open();
	if (status)
		return status;
	nlh = request(buf, cmd, id, req);
	if (now)
		msg_put_now(nlh);
	return sock_talk(nlh, NULL, NULL);
}

static const struct word del_words[] = {
	{ .name = "now", .help = "end its connections, too" },
	{ 0 },
};

static const struct word drain_words[] = {
	{ .name = "deadline", .kind = &kind_seconds,
	  .help = "after that time, end the remaining connections; TCP with a reset",
	  .offset = offsetof(struct backend_request, deadline) },
	{ 0 },
};

static int parse_both(struct words *words, struct service_id *id,
		      struct backend_request *req)
{
	int status = parse_service_id(words, id);

	return status ? status : parse_backend_id(words, req);
}

static int parse_whole(struct words *words, struct service_id *id,
		       struct backend_request *req)
{
	int status = parse_both(words, id, req);

	return status ? status : parse_backend_settings(words, req);
}

static int change(struct words *words, uint8_t cmd)
{
	struct backend_request req;
	struct service_id id;
	int status = parse_whole(words, &id, &req);

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

/* Set it, or add it if it is not there; others may do the same. */
static int replace(const struct service_id *id,
		   const struct backend_request *req)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	int i, status = sock_open();
	bool absent, present;

	for (i = 0; i < REPLACE_TRIES && !status; i++) {
		status = sock_try(request(buf, NFLB_CMD_BACKEND_SET, id, req),
				  NULL, NULL, ENOENT, &absent);
		if (!absent)
			return status;
		status = sock_try(request(buf, NFLB_CMD_BACKEND_ADD, id, req),
				  NULL, NULL, EEXIST, &present);
		if (!present)
			return status;
		status = LBADM_OK;
	}
	return status ? status :
	       fail(LBADM_REFUSED, "others keep adding and deleting this backend; try again");
}

static int backend_replace(struct words *words)
{
	struct backend_request req;
	struct service_id id;
	int status = parse_whole(words, &id, &req);

	return status ? status : replace(&id, &req);
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

/* Does a service begin here, and not a host? */
static bool is_service(const struct words *words)
{
	const char *word = words_peek(words);

	return !word || !strcmp(word, "tcp") || !strcmp(word, "udp");
}

/* Of one backend, or of all backends of a host */
static int set_state(struct words *words, const struct word *list,
		     enum nflb_backend_state state)
{
	struct backend_request req;
	struct service_id id;
	int status;

	if (!is_service(words))
		return backend_host_state(words, list, state);
	status = parse_both(words, &id, &req);
	if (!status)
		status = list ? parse_words(words, list, &req) :
				words_end(words);
	if (status)
		return status;
	req.state.set = true;
	req.state.value = state;
	return send_backend(NFLB_CMD_BACKEND_SET, &id, &req, false);
}

static int backend_drain(struct words *words)
{
	return set_state(words, drain_words, NFLB_BACKEND_DRAIN);
}

static int backend_down(struct words *words)
{
	return set_state(words, NULL, NFLB_BACKEND_DOWN);
}

static int backend_enable(struct words *words)
{
	return set_state(words, NULL, NFLB_BACKEND_UP);
}

static int backend_show(struct words *words)
{
	struct show_filter filter;
	json_t *backends;
	int status;

	status = parse_show_filter(words, &filter, true);
	if (!status)
		status = read_shown_backends(&filter, true, &backends);
	if (status)
		return status;
	if (lbadm_options.json) {
		drop_stats(backends);
		out_json(backends);
	} else {
		status = out_backends(backends);
	}
	json_decref(backends);
	return status;
}

static const struct word args_host[] = {
	{ .name = "HOST", .kind = &kind_host },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "add", backend_add, "add a backend to a service; fails if it exists",
	  args_new_backend, backend_words },
	{ "set", backend_set, "change the given settings; fails if there is no such backend",
	  args_backend, backend_words },
	{ "replace", backend_replace, "add the backend, or change the given settings",
	  args_new_backend, backend_words },
	{ "del", backend_del,
	  "delete a backend; established TCP connections run out, UDP flows move",
	  args_backend, del_words },
	{ "drain", backend_drain, "set ... state drain", args_backend, drain_words },
	{ "drain", backend_drain, "drain all backends of a host", args_host,
	  drain_words },
	{ "down", backend_down, "set ... state down", args_backend, NULL },
	{ "down", backend_down, "take down all backends of a host", args_host, NULL },
	{ "enable", backend_enable, "set ... state up", args_backend, NULL },
	{ "enable", backend_enable, "enable all backends of a host", args_host, NULL },
	{ "show", backend_show, "show one backend, those of a service, or all",
	  args_maybe_backend, show_words },
	{ "show", backend_show, "show those of a protocol, a VIP or a prefix of VIPs",
	  args_place, show_words },
	{ 0 },
};

const struct lbadm_object lbadm_backend = {
	"backend", "the servers of a service", commands,
};
