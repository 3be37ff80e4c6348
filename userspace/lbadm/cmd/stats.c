// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm stats
 */
#include "cmd/show.h"
#include "lbadm.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

static int stats_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t **stats = data;

	*stats = msg_get_stats(nlh);
	return *stats ? MNL_CB_OK : MNL_CB_ERROR;
}

int read_stats(json_t **stats)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];

	*stats = NULL;
	return sock_talk(sock_request(buf, NFLB_CMD_STATS_GET, 0), stats_cb,
			 stats);
}

/* With "rates", measured over a second. */
static int read_stats_rated(json_t **stats)
{
	json_t *before;
	double seconds;
	int status;

	status = read_stats(&before);
	if (status)
		return status;
	seconds = wait_second();
	status = read_stats(stats);
	if (!status)
		set_stats_rates(before, *stats, seconds);
	json_decref(before);
	return status;
}

static int stats_show(struct words *words)
{
	json_t *stats;
	int status;

	status = words_end(words);
	if (!status)
		status = sock_open();
	if (!status)
		status = lbadm_options.stats < 2 ? read_stats(&stats) :
						   read_stats_rated(&stats);
	if (status)
		return status;
	if (lbadm_options.json)
		out_json(stats);
	else
		status = out_stats(stats);
	json_decref(stats);
	return status;
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
	{ "show", stats_show, "show totals, and dropped packets by reason", NULL, NULL },
	{ "zero", stats_zero, "reset the counters", NULL, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_stats = {
	"stats", "totals, and dropped packets by reason", commands,
};
