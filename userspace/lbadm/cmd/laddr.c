// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm laddr
 */
#include "cmd/laddr_use.h"
#include "cmd/show.h"
#include "lbadm.h"
#include "model/subject.h"
#include "model/vocabulary.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

static int change(struct words *words, uint8_t cmd)
{
	char buf[MNL_SOCKET_BUFFER_SIZE], text[SUBJECT_MAX];
	struct laddr_request req;
	struct nlmsghdr *nlh;
	int status;

	status = parse_laddr(words, &req);
	if (!status && cmd == NFLB_CMD_LADDR_DEL && req.excluded_count)
		status = usage_error("exclude: only add accepts it");
	if (!status)
		status = sock_open();
	if (status)
		return status;
	nlh = sock_request(buf, cmd, 0);
	msg_put_laddr(nlh, &req);
	sock_subject("local address %s", subject_laddr(text, &req));
	return sock_talk(nlh, NULL, NULL);
}

static int laddr_add(struct words *words)
{
	return change(words, NFLB_CMD_LADDR_ADD);
}

static int laddr_del(struct words *words)
{
	return change(words, NFLB_CMD_LADDR_DEL);
}

static int laddr_show(struct words *words)
{
	json_t *laddrs;
	int status;

	status = words_end(words);
	if (!status)
		status = read_list(NFLB_CMD_LADDR_GET, msg_get_laddr, &laddrs);
	if (status)
		return status;
	if (lbadm_options.stats)
		status = laddr_use(laddrs);
	drop_stats(laddrs);
	if (!status && lbadm_options.json)
		out_json(laddrs);
	else if (!status)
		status = out_laddrs(laddrs);
	json_decref(laddrs);
	return status;
}

static const struct word args_new_laddr[] = {
	{ .name = "ADDR[-ADDR]", .kind = &kind_new_laddr },
	{ 0 },
};

static const struct word args_laddr[] = {
	{ .name = "ADDR[-ADDR]", .kind = &kind_laddr },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "add", laddr_add, "add one address, or successive ones", args_new_laddr,
	  laddr_words },
	{ "del", laddr_del, "delete them; connections that use them continue",
	  args_laddr, laddr_del_words },
	{ "show", laddr_show, "show all", NULL, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_laddr = {
	"laddr", "local addresses, for mode fullnat", commands,
};
