// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm stats
 */
#include "model/request.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

static int stats_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t **stats = data;

	*stats = msg_get_stats(nlh);
	return *stats ? MNL_CB_OK : MNL_CB_ERROR;
}

static int stats_show(struct words *words)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	json_t *stats = NULL;
	int status;

	status = words_end(words);
	if (!status)
		status = sock_open();
	if (!status)
		status = sock_talk(sock_request(buf, NFLB_CMD_STATS_GET, 0),
				   stats_cb, &stats);
	if (status)
		return status;
	if (lbadm_options.json)
		out_json(stats);
	else
		out_stats(stats);
	json_decref(stats);
	return LBADM_OK;
}

static int stats_zero(struct words *words)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	int status;

	status = words_end(words);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	return sock_talk(sock_request(buf, NFLB_CMD_STATS_ZERO, 0), NULL,
			 NULL);
}

static const struct lbadm_command commands[] = {
	{ "show", stats_show, "" },
	{ "zero", stats_zero, "" },
	{ 0 },
};

const struct lbadm_object lbadm_stats = {
	"stats", "totals, and drops by reason", commands,
};
