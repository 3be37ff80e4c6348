// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps of services and backends. A dump goes on after the last object that it
 * sent, by its id, whatever was added or deleted meanwhile; the generation of
 * the configuration tells its reader that something was.
 */
#include <linux/nflb.h>

#include "control/config.h"
#include "control/generation.h"
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_parse.h"
#include "netns.h"

/*
 * Backends whose counters are summed for one message, but for the last service's:
 * nobody waits longer for nn->view than for those.
 */
#define DUMP_SUMS_MAX 1024

/* Where a dump is, in netlink_callback.ctx. */
struct dump_cursor {
	u32 service;	/* id of the service that was or is being sent */
	u32 backend;	/* id of the backend that was sent last */
};

static_assert(sizeof(struct dump_cursor) <=
	      sizeof_field(struct netlink_callback, ctx));

static struct dump_cursor *cursor_of(struct netlink_callback *cb)
{
	return (struct dump_cursor *)cb->ctx;
}

/**
 * nflb_nl_dump_start() - begin a dump
 * @cb: the dump
 *
 * The kernel's buffers for dumps have a page otherwise, at first and when memory is
 * scarce, in which not every message has room.
 *
 * Return: 0.
 */
int nflb_nl_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = NFLB_MSG_SIZE;
	return 0;
}

/* A message did not fit. In an empty buffer, that would look like the end. */
static int dump_full(const struct sk_buff *skb)
{
	return skb->len ?: -EMSGSIZE;
}

/**
 * nflb_nl_dump_put() - begin a message of a dump
 * @skb: where to
 * @cb: the dump; its seq is set
 * @cmd: enum nflb_cmd
 *
 * Return: for genlmsg_end(), or NULL when @skb is full.
 */
void *nflb_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb,
		       u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &nflb_genl_family,
				NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

/**
 * nflb_nl_dump_config() - begin a message of a dump of the configuration
 * @skb: where to
 * @cb: the dump; its seq is set
 * @cmd: enum nflb_cmd
 *
 * Return: for genlmsg_end(), or NULL when @skb is full.
 */
void *nflb_nl_dump_config(struct sk_buff *skb, struct netlink_callback *cb,
			  u8 cmd)
{
	struct nflb_net *nn = nflb_net(sock_net(skb->sk));
	void *hdr = nflb_nl_dump_put(skb, cb, cmd);

	if (hdr && nflb_fill_generation(skb, nn, nflb_generation(nn))) {
		genlmsg_cancel(skb, hdr);
		return NULL;
	}
	return hdr;
}

/**
 * nflb_nl_service_get_dumpit() - all services
 * @skb: where to
 * @cb: where the dump is
 *
 * Return: skb->len, 0 when done, or a negative errno.
 */
int nflb_nl_service_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb)
{
	struct nflb_net *nn = nflb_net(sock_net(skb->sk));
	struct dump_cursor *cursor = cursor_of(cb);
	struct nflb_service *svc;
	bool full = false;
	u32 sums = 0;
	void *hdr;

	down_read(&nn->view);
	cb->seq = nflb_dump_seq(nn);
	list_for_each_entry(svc, &nn->service_list, list) {
		if (svc->id <= cursor->service)
			continue;
		hdr = nflb_nl_dump_config(skb, cb, NFLB_CMD_SERVICE_GET);
		full = !hdr || nflb_fill_service(skb, svc);
		if (full) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		cursor->service = svc->id;
		sums += svc->object_count;
		if (sums >= DUMP_SUMS_MAX)
			break;
	}
	up_read(&nn->view);
	return full ? dump_full(skb) : skb->len;
}

/* Returns false when the message is full. */
static bool dump_backends(struct sk_buff *skb, struct netlink_callback *cb,
			  struct nflb_service *svc)
{
	struct dump_cursor *cursor = cursor_of(cb);
	struct nflb_backend *b;
	void *hdr;

	if (svc->id != cursor->service) {
		cursor->service = svc->id;
		cursor->backend = 0;
	}
	list_for_each_entry(b, &svc->backends, list) {
		if (b->id <= cursor->backend)
			continue;
		hdr = nflb_nl_dump_config(skb, cb, NFLB_CMD_BACKEND_GET);
		if (!hdr)
			return false;
		if (nflb_fill_backend(skb, b)) {
			genlmsg_cancel(skb, hdr);
			return false;
		}
		genlmsg_end(skb, hdr);
		cursor->backend = b->id;
	}
	return true;
}

static int dump_one_service(struct sk_buff *skb, struct netlink_callback *cb,
			    struct nflb_net *nn)
{
	struct nflb_service_id id;
	struct nflb_service *svc;
	int err;

	err = nflb_parse_service_id(nflb_dump_attrs(cb), &id, cb->extack);
	if (err)
		return err;
	svc = nflb_service_find(nn, &id);
	if (!svc) {
		NL_SET_ERR_MSG(cb->extack, "there is no such service");
		return -ENOENT;
	}
	return dump_backends(skb, cb, svc) ? skb->len : dump_full(skb);
}

/**
 * nflb_nl_backend_get_dumpit() - all backends, or those of one service
 * @skb: where to
 * @cb: where the dump is
 *
 * Return: skb->len, 0 when done, or a negative errno.
 */
int nflb_nl_backend_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb)
{
	struct nflb_net *nn = nflb_net(sock_net(skb->sk));
	struct nlattr **attrs = nflb_dump_attrs(cb);
	struct dump_cursor *cursor = cursor_of(cb);
	struct nflb_service *svc;
	int ret;

	down_read(&nn->view);
	cb->seq = nflb_dump_seq(nn);
	if (attrs && attrs[NFLB_A_SERVICE]) {
		ret = dump_one_service(skb, cb, nn);
		goto out;
	}
	list_for_each_entry(svc, &nn->service_list, list) {
		if (svc->id < cursor->service)
			continue;
		if (!dump_backends(skb, cb, svc)) {
			ret = dump_full(skb);
			goto out;
		}
	}
	ret = skb->len;
out:
	up_read(&nn->view);
	return ret;
}
