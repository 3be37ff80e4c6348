// SPDX-License-Identifier: GPL-2.0
/*
 * The generation of the configuration: read once, expected by each request, and
 * counted on by its answer. A module of an earlier version has none: then changes
 * of others are not noticed.
 */
#include "nl/change.h"

#include <errno.h>
#include <linux/nflb.h>
#include <stddef.h>
#include <string.h>

#include "util/report.h"
#include "nl/sock.h"
#include "nl/table.h"

static struct {
	bool known, expecting, stale;
	uint64_t generation;
	uint32_t max_connections;
} change;

static int answer_cb(const struct nlmsghdr *nlh, void *data)
{
	struct table t;

	(void)data;
	table_fill(&t, nlh);
	if (!t.attrs[NFLB_A_GENERATION])
		return MNL_CB_ERROR;
	change.generation = get_uint(&t, NFLB_A_GENERATION);
	if (t.attrs[NFLB_A_MAX_CONNECTIONS_DEFAULT])
		change.max_connections =
			get_uint(&t, NFLB_A_MAX_CONNECTIONS_DEFAULT);
	return MNL_CB_OK;
}

int change_begin(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	bool unknown = false;
	int status;

	memset(&change, 0, sizeof(change));
	status = sock_open();
	if (status)
		return status;
	status = sock_try(sock_request(buf, NFLB_CMD_CONFIG_GET, 0), answer_cb,
			  NULL, EOPNOTSUPP, &unknown);
	if (unknown)
		return LBADM_OK;
	change.known = change.expecting = !status;
	return status;
}

void change_end(void)
{
	change.expecting = false;
}

int change_talk(struct nlmsghdr *nlh)
{
	bool stale = false;
	int status;

	if (!change.expecting)
		return sock_talk(nlh, NULL, NULL);
	mnl_attr_put_u64(nlh, NFLB_A_EXPECT_GENERATION, change.generation);
	status = sock_try(nlh, answer_cb, NULL, ESTALE, &stale);
	change.stale |= stale;
	return status;
}

bool change_stale(void)
{
	return change.stale;
}

int change_check(void)
{
	uint64_t before = change.generation;
	char buf[MNL_SOCKET_BUFFER_SIZE];
	int status;

	if (!change.known)
		return LBADM_OK;
	status = sock_talk(sock_request(buf, NFLB_CMD_CONFIG_GET, 0),
			   answer_cb, NULL);
	change.stale |= change.generation != before;
	return status;
}

bool change_can_wait(void)
{
	return change.known;
}

uint32_t change_max_connections(void)
{
	return change.max_connections;
}
