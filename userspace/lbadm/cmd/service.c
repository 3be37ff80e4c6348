// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm service
 */
#include <string.h>

#include "cmd/filter.h"
#include "cmd/show.h"
#include "lbadm.h"
#include "model/names.h"
#include "model/subject.h"
#include "model/vocabulary.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

/* The kernel does not say which schedulers there are. A newer one may have more. */
static void explain_scheduler(const char *name)
{
	char list[160], text[SUGGEST_TEXT_MAX];

	if (!*name || names_find(&scheduler_names, name) >= 0)
		return;
	if (*names_suggest(&scheduler_names, name, text))
		fail(LBADM_REFUSED, "scheduler \"%s\": %s", name, text);
	else
		fail(LBADM_REFUSED, "scheduler \"%s\": there are %s", name,
		     names_list(&scheduler_names, list, sizeof(list)));
}

static int change(struct words *words, uint8_t cmd)
{
	char buf[MNL_SOCKET_BUFFER_SIZE], text[SUBJECT_MAX];
	struct service_request req;
	struct nlmsghdr *nlh;
	int status;

	memset(&req, 0, sizeof(req));
	status = parse_service_id(words, &req.id);
	if (!status)
		status = parse_service_settings(words, &req);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	nlh = sock_request(buf, cmd, 0);
	msg_put_service(nlh, &req);
	sock_subject("service %s", subject_service(text, &req.id));
	status = sock_talk(nlh, NULL, NULL);
	if (status == LBADM_REFUSED)
		explain_scheduler(req.scheduler);
	return status;
}

static int service_add(struct words *words)
{
	return change(words, NFLB_CMD_SERVICE_ADD);
}

static int service_set(struct words *words)
{
	return change(words, NFLB_CMD_SERVICE_SET);
}

static int service_replace(struct words *words)
{
	return change(words, NFLB_CMD_SERVICE_REPLACE);
}

static int service_del(struct words *words)
{
	char buf[MNL_SOCKET_BUFFER_SIZE], text[SUBJECT_MAX];
	struct service_id id;
	struct nlmsghdr *nlh;
	int status;

	status = parse_service_id(words, &id);
	if (!status)
		status = words_end(words);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	nlh = sock_request(buf, NFLB_CMD_SERVICE_DEL, 0);
	msg_put_service_id(nlh, &id);
	sock_subject("service %s", subject_service(text, &id));
	return sock_talk(nlh, NULL, NULL);
}

static int service_show(struct words *words)
{
	struct show_filter filter;
	json_t *services;
	int status;

	status = parse_show_filter(words, &filter, false);
	if (!status)
		status = read_shown_services(&filter, &services);
	if (status)
		return status;
	if (lbadm_options.json) {
		drop_stats(services);
		out_json(services);
	} else {
		status = out_services(services);
	}
	json_decref(services);
	return status;
}

static const struct lbadm_command commands[] = {
	{ "add", service_add, "add a service; fails if it exists",
	  args_new_service, service_words },
	{ "set", service_set, "change the given settings; fails if there is no such service",
	  args_service, service_words },
	{ "replace", service_replace, "add the service, or change the given settings",
	  args_new_service, service_words },
	{ "del", service_del, "delete a service and its backends; its connections end",
	  args_service, NULL },
	{ "show", service_show, "show one service, or all, with backends",
	  args_maybe_service, show_words },
	{ "show", service_show, "show those of a protocol, a VIP or a prefix of VIPs",
	  args_place, show_words },
	{ 0 },
};

const struct lbadm_object lbadm_service = {
	"service", "virtual services, to which clients connect", commands,
};
