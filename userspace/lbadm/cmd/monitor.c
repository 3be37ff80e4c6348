// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm monitor
 */
#include <signal.h>
#include <stdio.h>

#include "model/request.h"
#include "model/vocabulary.h"
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

/* Which events are asked for */
struct monitor_request {
	bool config, connections;
};

static const struct word monitor_words[] = {
	{ .name = "config", .help = "changes of the configuration",
	  .offset = offsetof(struct monitor_request, config) },
	{ .name = "connections", .help = "connections that begin and end",
	  .offset = offsetof(struct monitor_request, connections) },
	{ 0 },
};

static int monitor(struct words *words)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct monitor_request asked = { 0 };
	int status;

	status = parse_words(words, monitor_words, &asked);
	if (status)
		return status;
	if (!asked.config && !asked.connections)
		asked.config = asked.connections = true;
	status = sock_open();
	if (status)
		return status;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (asked.config)
		status = sock_join(NFLB_MCGRP_CONFIG);
	if (!status && asked.connections)
		status = sock_follow(NFLB_CMD_CONN_LISTEN);
	return status ? status : sock_listen(event_cb, lost, NULL, &stop);
}

/* An object without commands: its words follow at once. */
static const struct lbadm_command commands[] = {
	{ "", monitor, "print events as they happen; without a word, all",
	  NULL, monitor_words },
	{ 0 },
};

const struct lbadm_object lbadm_monitor = {
	"monitor", "events as they happen", commands,
};
