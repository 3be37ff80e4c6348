// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm monitor
 */
#include <signal.h>
#include <stdio.h>

#include "cmd/show.h"
#include "lbadm.h"
#include "model/request.h"
#include "model/vocabulary.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"
#include "util/timestamp.h"

static volatile bool stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = true;
}

/* Print an event, and drop it. */
static void emit(json_t *event)
{
	if (lbadm_options.timestamp)
		json_object_set_new(event, "time", timestamp());
	json_object_del(event, "stats");
	if (lbadm_options.json)
		out_json(event);
	else
		out_event(event);
	json_decref(event);
}

static int event_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t *event = msg_get_event(nlh);

	(void)data;
	if (event)
		emit(event);
	return MNL_CB_OK;
}

static void lost(void *data)
{
	(void)data;
	emit(json_pack("{s:s}", "event", "lost"));
}

/* Print an existing object, as an event of that name. Drops @object. */
static void emit_object(const char *name, json_t *object)
{
	json_t *event = json_pack("{s:s}", "event", name);

	json_object_update(event, object);
	json_decref(object);
	emit(event);
}

static int conn_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t *connection = msg_get_conn(nlh);

	(void)data;
	if (!connection)
		return MNL_CB_ERROR;
	emit_object("connection-list", connection);
	return MNL_CB_OK;
}

static void emit_array(const char *name, json_t *array)
{
	json_t *object;
	size_t i;

	json_array_foreach(array, i, object)
		emit_object(name, json_incref(object));
	json_decref(array);
}

static int list_config(void)
{
	static const struct {
		const char *name;
		int cmd;
		json_t *(*get)(const struct nlmsghdr *nlh);
	} lists[] = {
		{ "laddr-list", NFLB_CMD_LADDR_GET, msg_get_laddr },
		{ "device-list", NFLB_CMD_DEVICE_GET, msg_get_device },
		{ "service-list", NFLB_CMD_SERVICE_GET, msg_get_service },
	};
	json_t *array;
	int status;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		status = read_list(lists[i].cmd, lists[i].get, &array);
		if (status)
			return status;
		emit_array(lists[i].name, array);
	}
	status = read_backends(NULL, &array);
	if (!status)
		emit_array("backend-list", array);
	return status;
}

/* Which events are asked for */
struct monitor_request {
	bool config, connections, list;
};

/* Existing objects. Events that happen meanwhile wait, so that none is missed; one may
 * be about something that is in the list already.
 */
static int list(const struct monitor_request *asked)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	int status = sock_set_aside();

	if (!status && asked->config)
		status = list_config();
	if (!status && asked->connections)
		status = sock_dump(sock_request(buf, NFLB_CMD_CONN_GET, 0),
				   conn_cb, NULL, NULL);
	sock_take_back();
	if (!status)
		emit(json_pack("{s:s}", "event", "list-end"));
	return status;
}

static const struct word monitor_words[] = {
	{ .name = "config", .help = "changes of the configuration",
	  .offset = offsetof(struct monitor_request, config) },
	{ .name = "connections", .help = "connections that begin and end",
	  .offset = offsetof(struct monitor_request, connections) },
	{ .name = "list", .help = "begin with the existing objects, as events NAME-list",
	  .more = "Then *list-end*, and the changes since then. Nothing is missed "
	  "in between, but a change may also be in the list already.",
	  .offset = offsetof(struct monitor_request, list) },
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
	if (!status && asked.list)
		status = list(&asked);
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
