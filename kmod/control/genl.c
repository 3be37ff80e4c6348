// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: one thin handler a command.
 */
#include <linux/module.h>
#include <linux/nflb.h>
#include <linux/slab.h>

#include "control/config.h"
#include "control/generation.h"
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_notify.h"
#include "control/genl_parse.h"
#include "control/listen.h"
#include "conn/conn.h"
#include "netns.h"

/* Largest answer of STATS_GET: a string and a number for each counter. */
#define STATS_MSG_SIZE \
	(NFLB_MSG_SIZE + (NFLB_REASON_COUNT + NFLB_COUNTER_COUNT) * 64)

/**
 * nflb_nl_reply() - begin an answer
 * @info: the request
 * @size: how long it may be
 * @hdr: for genlmsg_end()
 *
 * Return: the message, or NULL.
 */
struct sk_buff *nflb_nl_reply(struct genl_info *info, size_t size, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put_reply(skb, info, &nflb_genl_family, 0,
				 info->genlhdr->cmd);
	if (!*hdr) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

/**
 * nflb_nl_answer() - send an answer
 * @info: the request
 * @reply: from nflb_nl_reply(), freed when it is not sent
 * @hdr: from there, too
 * @err: that it could not be filled in, or 0
 *
 * Return: @err, or that it could not be sent, or 0.
 */
int nflb_nl_answer(struct genl_info *info, struct sk_buff *reply, void *hdr,
		   int err)
{
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

static struct nflb_service *find_service(struct nflb_net *nn,
					 struct genl_info *info,
					 const struct nflb_service_id *id)
{
	struct nflb_service *svc = nflb_service_find(nn, id);

	if (!svc)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFLB_A_SERVICE],
				    "there is no such service");
	return svc;
}

static int nflb_nl_service_get_doit(struct sk_buff *skb,
				    struct genl_info *info)
{
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	struct nflb_service_id id;
	struct nflb_service *svc;
	struct sk_buff *reply;
	u64 generation;
	void *hdr;
	int err;

	err = nflb_parse_service_id(info->attrs, &id, info->extack);
	if (err)
		return err;
	generation = nflb_generation(nn);
	reply = nflb_nl_reply(info, NFLB_MSG_SIZE, &hdr);
	if (!reply)
		return -ENOMEM;
	down_read(&nn->view);
	svc = find_service(nn, info, &id);
	err = svc ? nflb_fill_service(reply, svc) : -ENOENT;
	up_read(&nn->view);
	err = err ?: nflb_fill_generation(reply, nn, generation);
	return nflb_nl_answer(info, reply, hdr, err);
}

static int service_change(struct nflb_net *nn, struct genl_info *info,
			  struct nflb_service_request *req)
{
	struct nflb_service *svc = nflb_service_find(nn, &req->id);
	u8 cmd = info->genlhdr->cmd;

	if (!svc && cmd == NFLB_CMD_SERVICE_SET) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFLB_A_SERVICE],
				    "there is no such service");
		return -ENOENT;
	}
	if (svc && cmd == NFLB_CMD_SERVICE_ADD) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFLB_A_SERVICE],
				    "the service exists already");
		return -EEXIST;
	}
	if (svc)
		return nflb_service_set(nn, svc, req, info->extack);
	return nflb_service_add(nn, req, info->extack);
}

/* SERVICE_ADD, SERVICE_SET and SERVICE_REPLACE */
static int nflb_nl_service_change_doit(struct sk_buff *skb,
				       struct genl_info *info)
{
	struct nflb_service_request req;
	struct nflb_change change;
	int err;

	err = nflb_parse_service(info, &req);
	err = err ?: nflb_change_begin(&change, info);
	if (!err) {
		err = service_change(change.nn, info, &req);
		err = nflb_change_end(&change, err);
	}
	nflb_service_request_free(&req);
	return err;
}

static int nflb_nl_service_del_doit(struct sk_buff *skb,
				    struct genl_info *info)
{
	struct nflb_service_id id;
	struct nflb_change change;
	struct nflb_service *svc;
	int err;

	err = nflb_parse_service_id(info->attrs, &id, info->extack);
	err = err ?: nflb_change_begin(&change, info);
	if (err)
		return err;
	svc = find_service(change.nn, info, &id);
	if (svc)
		nflb_service_del(change.nn, svc);
	return nflb_change_end(&change, svc ? 0 : -ENOENT);
}

static int backend_change(struct nflb_service *svc, struct genl_info *info,
			  const struct nflb_backend_request *req)
{
	struct nflb_backend *b = nflb_backend_find(svc, req);
	bool now = info->attrs[NFLB_A_NOW];

	if (info->genlhdr->cmd == NFLB_CMD_BACKEND_ADD) {
		if (!b)
			return nflb_backend_add(svc, req, info->extack);
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFLB_A_BACKEND],
				    "the backend exists already");
		return -EEXIST;
	}
	if (!b) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFLB_A_BACKEND],
				    "the service has no such backend");
		return -ENOENT;
	}
	if (info->genlhdr->cmd == NFLB_CMD_BACKEND_SET)
		return nflb_backend_set(b, req, info->extack);
	return nflb_backend_del(b, now, info->extack);
}

/* BACKEND_ADD, BACKEND_SET and BACKEND_DEL */
static int nflb_nl_backend_change_doit(struct sk_buff *skb,
				       struct genl_info *info)
{
	struct nflb_backend_request req;
	struct nflb_service_id id;
	struct nflb_change change;
	struct nflb_service *svc;
	int err;

	err = nflb_parse_service_id(info->attrs, &id, info->extack);
	if (err)
		return err;
	err = nflb_parse_backend(info->attrs, &req, info->extack);
	err = err ?: nflb_change_begin(&change, info);
	if (err)
		return err;
	svc = find_service(change.nn, info, &id);
	err = svc ? backend_change(svc, info, &req) : -ENOENT;
	return nflb_change_end(&change, err);
}

static int nflb_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	struct sk_buff *reply;
	void *hdr;
	int err;

	reply = nflb_nl_reply(info, STATS_MSG_SIZE, &hdr);
	if (!reply)
		return -ENOMEM;
	down_read(&nn->view);
	err = nflb_fill_net(reply, nn);
	up_read(&nn->view);
	return nflb_nl_answer(info, reply, hdr, err);
}

static int nflb_nl_stats_zero_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_change change;
	int err;

	err = nflb_change_begin_beside(&change, info);
	if (err)
		return err;
	down_write(&change.nn->view);
	nflb_stats_zero(change.nn);
	up_write(&change.nn->view);
	return nflb_change_end(&change, 0);
}

static int nflb_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	struct sk_buff *reply;
	void *hdr;

	reply = nflb_nl_reply(info, NFLB_MSG_SIZE, &hdr);
	if (!reply)
		return -ENOMEM;
	return nflb_nl_answer(info, reply, hdr, nflb_fill_config(reply, nn));
}

static int nflb_nl_conn_listen_doit(struct sk_buff *skb, struct genl_info *info)
{
	return nflb_listen(nflb_net(genl_info_net(info)), info->snd_portid,
			   info->extack);
}

static const struct genl_ops nflb_genl_ops[] = {
	{
		.cmd = NFLB_CMD_SERVICE_GET,
		.doit = nflb_nl_service_get_doit,
		.start = nflb_nl_dump_start,
		.dumpit = nflb_nl_service_get_dumpit,
	}, {
		.cmd = NFLB_CMD_SERVICE_ADD,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_service_change_doit,
	}, {
		.cmd = NFLB_CMD_SERVICE_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_service_change_doit,
	}, {
		.cmd = NFLB_CMD_SERVICE_REPLACE,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_service_change_doit,
	}, {
		.cmd = NFLB_CMD_SERVICE_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_service_del_doit,
	}, {
		.cmd = NFLB_CMD_BACKEND_GET,
		.start = nflb_nl_dump_start,
		.dumpit = nflb_nl_backend_get_dumpit,
	}, {
		.cmd = NFLB_CMD_BACKEND_ADD,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_backend_change_doit,
	}, {
		.cmd = NFLB_CMD_BACKEND_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_backend_change_doit,
	}, {
		.cmd = NFLB_CMD_BACKEND_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_backend_change_doit,
	}, {
		.cmd = NFLB_CMD_CONN_GET,
		.flags = GENL_UNS_ADMIN_PERM,
		.start = nflb_nl_conn_get_start,
		.dumpit = nflb_nl_conn_get_dumpit,
		.done = nflb_nl_conn_get_done,
	}, {
		.cmd = NFLB_CMD_CONN_COUNT,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_conn_count_doit,
	}, {
		.cmd = NFLB_CMD_CONN_FLUSH,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_conn_flush_doit,
	}, {
		.cmd = NFLB_CMD_STATS_GET,
		.doit = nflb_nl_stats_get_doit,
	}, {
		.cmd = NFLB_CMD_STATS_ZERO,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_stats_zero_doit,
	}, {
		.cmd = NFLB_CMD_LADDR_GET,
		.dumpit = nflb_nl_laddr_get_dumpit,
	}, {
		.cmd = NFLB_CMD_LADDR_ADD,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_laddr_change_doit,
	}, {
		.cmd = NFLB_CMD_LADDR_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_laddr_change_doit,
	}, {
		.cmd = NFLB_CMD_DEVICE_GET,
		.dumpit = nflb_nl_device_get_dumpit,
	}, {
		.cmd = NFLB_CMD_DEVICE_ADD,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_device_change_doit,
	}, {
		.cmd = NFLB_CMD_DEVICE_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_device_change_doit,
	}, {
		.cmd = NFLB_CMD_EXPLAIN,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_explain_doit,
	}, {
		.cmd = NFLB_CMD_CONN_LISTEN,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_conn_listen_doit,
	}, {
		.cmd = NFLB_CMD_CONFIG_GET,
		.doit = nflb_nl_config_get_doit,
	}, {
		.cmd = NFLB_CMD_HEALTH_SET,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_health_set_doit,
	}, {
		.cmd = NFLB_CMD_CONN_ADD,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_conn_add_doit,
	}, {
		.cmd = NFLB_CMD_CONN_DEL,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_conn_del_doit,
	}, {
		.cmd = NFLB_CMD_CONN_RECORDS,
		.flags = GENL_UNS_ADMIN_PERM,
		.doit = nflb_nl_conn_records_doit,
		.start = nflb_nl_conn_records_start,
		.dumpit = nflb_nl_conn_records_dumpit,
		.done = nflb_nl_conn_get_done,
	},
};

static const struct genl_multicast_group nflb_genl_groups[] = {
	[NFLB_GENL_GROUP_CONFIG] = { .name = NFLB_MCGRP_CONFIG },
};

struct genl_family nflb_genl_family __ro_after_init = {
	.name = NFLB_GENL_NAME,
	.version = NFLB_GENL_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.maxattr = NFLB_A_MAX,
	.policy = nflb_genl_policy,
	.ops = nflb_genl_ops,
	.n_ops = ARRAY_SIZE(nflb_genl_ops),
	.mcgrps = nflb_genl_groups,
	.n_mcgrps = ARRAY_SIZE(nflb_genl_groups),
	/* Handlers take their own locks; walks of the table take none. */
	.parallel_ops = true,
	/* Everything is new: reserved fields and flags are checked for all. */
	.resv_start_op = NFLB_CMD_UNSPEC + 1,
};

/**
 * nflb_genl_init() - begin to take requests
 *
 * Return: 0 or a negative errno.
 */
int __init nflb_genl_init(void)
{
	int err = genl_register_family(&nflb_genl_family);

	nflb_notify_enable(!err);
	return err;
}

/**
 * nflb_genl_exit() - take no more requests
 */
void nflb_genl_exit(void)
{
	/* Connections and services still end after this, unheard. */
	nflb_notify_enable(false);
	genl_unregister_family(&nflb_genl_family);
}
