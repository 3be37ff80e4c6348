// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm monitor
 */
#include <signal.h>
#include <stdio.h>

#include "model/request.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

static volatile bool stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = true;
}

static int event_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t *event = msg_get_event(nlh);

	(void)data;
	if (!event)
		return MNL_CB_OK;
	json_object_del(event, "stats");
	if (lbadm_options.json)
		out_json(event);
	else
		out_event(event);
	json_decref(event);
	return MNL_CB_OK;
}

static void lost(void *data)
{
	(void)data;
	puts(lbadm_options.json ? "{\"event\":\"lost\"}" :
	     "lost: events came faster than they were read; some are missing");
	fflush(stdout);
}

static int monitor(struct words *words)
{
	struct sigaction action = { .sa_handler = on_signal };
	bool config = false, connections = false;
	int status;

	while (words->argc) {
		if (words_accept(words, "config"))
			config = true;
		else if (words_accept(words, "connections"))
			connections = true;
		else
			return usage_error("\"%s\": config or connections is expected",
					   words_peek(words));
	}
	if (!config && !connections)
		config = connections = true;
	status = sock_open();
	if (status)
		return status;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (config)
		status = sock_join(NFLB_MCGRP_CONFIG);
	if (!status && connections)
		status = sock_follow(NFLB_CMD_CONN_LISTEN);
	return status ? status : sock_listen(event_cb, lost, NULL, &stop);
}

/* An object without commands: its words follow at once. */
static const struct lbadm_command commands[] = {
	{ "", monitor, "[config] [connections]" },
	{ 0 },
};

const struct lbadm_object lbadm_monitor = {
	"monitor", "events as they happen, one a line", commands,
};
