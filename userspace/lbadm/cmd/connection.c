// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm connection
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd/connection_records.h"
#include "lbadm.h"
#include "model/request.h"
#include "model/vocabulary.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

static int conn_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t *conn = msg_get_conn(nlh);

	if (!conn)
		return MNL_CB_ERROR;
	out_connection(data, conn);
	json_decref(conn);
	return MNL_CB_OK;
}

static int count_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t **count = data;

	*count = msg_get_count(nlh);
	return *count ? MNL_CB_OK : MNL_CB_ERROR;
}

/* A request with the filter that the words give. Returns enum lbadm_exit. */
static int filtered(struct words *words, uint8_t cmd, void *buf,
		    struct nlmsghdr **nlh)
{
	struct conn_filter filter;
	int status;

	status = parse_conn_filter(words, &filter);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	*nlh = sock_request(buf, cmd, 0);
	msg_put_conn_filter(*nlh, &filter);
	return LBADM_OK;
}

static int connection_show(struct words *words)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct out_connections list;
	struct nlmsghdr *nlh;
	int status;

	status = filtered(words, NFLB_CMD_CONN_GET, buf, &nlh);
	if (!status)
		status = out_connections_begin(&list);
	if (status)
		return status;
	/* Connections begin and end all the time: a consistent list of them
	 * cannot be had, and is not asked for.
	 */
	status = sock_dump(nlh, conn_cb, NULL, &list);
	out_connections_end(&list, !status);
	return status;
}

/* A number, with @ended "N connections ended" */
static int count_of(struct words *words, uint8_t cmd, bool ended)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	json_t *count = NULL;
	json_int_t n;
	int status;

	status = filtered(words, cmd, buf, &nlh);
	if (!status)
		status = sock_talk(nlh, count_cb, &count);
	if (status)
		return status;
	n = json_integer_value(json_object_get(count, "count"));
	if (lbadm_options.json)
		out_json(count);
	else
		printf("%" JSON_INTEGER_FORMAT "%s\n", n, !ended ? "" :
		       n == 1 ? " connection ended" : " connections ended");
	json_decref(count);
	return LBADM_OK;
}

static int connection_count(struct words *words)
{
	return count_of(words, NFLB_CMD_CONN_COUNT, false);
}

/* On a terminal, ask before everything is ended. */
static int confirmed(void)
{
	char answer[16] = "";
	int status;

	if (*lbadm_where || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return LBADM_OK;
	status = sock_open();
	if (status)
		return status;
	fprintf(stderr, "This ends all connections of this network namespace. Go on? [y/N] ");
	if (fgets(answer, sizeof(answer), stdin) &&
	    (!strcasecmp(answer, "y\n") || !strcasecmp(answer, "yes\n")))
		return LBADM_OK;
	return usage_error("nothing was ended; \"connection flush all\" does not ask");
}

static int connection_flush(struct words *words)
{
	int status = LBADM_OK;

	if (words_accept(words, "all"))
		status = words_end(words);
	else if (!words->argc)
		status = confirmed();
	if (status)
		return status;
	return count_of(words, NFLB_CMD_CONN_FLUSH, true);
}

static const struct word args_all[] = {
	{ .name = "all", .help = "do not ask" },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "show", connection_show, "show connections that match all words given",
	  NULL, filter_words },
	{ "count", connection_count, "count them", NULL, filter_words },
	{ "flush", connection_flush, "end those that match; without a word, ask and end all",
	  NULL, filter_words },
	{ "flush", connection_flush, "end all connections of the network namespace",
	  args_all, NULL },
	{ "save", connection_save, "write all connections to a file, to restore them",
	  args_file, NULL },
	{ "restore", connection_restore, "put the connections of a file back",
	  args_file, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_connection = {
	"connection", "tracked connections", commands,
};
