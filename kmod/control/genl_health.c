// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that bring verdicts on backends.
 */
#include <linux/slab.h>

#include "control/config.h"
#include "control/generation.h"
#include "control/genl.h"
#include "control/genl_parse.h"
#include "control/health.h"
#include "netns.h"

/**
 * struct verdicts - those of one request
 * @list: the verdicts
 * @ids: of the backend of each
 * @which: and its address and port
 * @count: how many
 */
struct verdicts {
	struct nflb_health_verdict	*list;
	struct nflb_backend_request	*which;
	u32				*ids;
	u32				count;
};

static void verdicts_free(struct verdicts *vs)
{
	kvfree(vs->list);
	kvfree(vs->which);
	kvfree(vs->ids);
}

static int verdicts_alloc(struct verdicts *vs, u32 count)
{
	vs->list = kvcalloc(count, sizeof(*vs->list), GFP_KERNEL_ACCOUNT);
	vs->which = kvcalloc(count, sizeof(*vs->which), GFP_KERNEL_ACCOUNT);
	vs->ids = kvcalloc(count, sizeof(*vs->ids), GFP_KERNEL_ACCOUNT);
	return vs->list && vs->which && vs->ids ? 0 : -ENOMEM;
}

static bool id_before(const struct verdicts *vs, u32 i)
{
	u32 j;

	for (j = 0; j < i; j++)
		if (vs->ids[j] == vs->ids[i])
			return true;
	return false;
}

static int parse_verdicts(struct genl_info *info, struct verdicts *vs)
{
	const struct nlattr *list, *attr;
	int rem, rem_list, err;
	u32 i;

	nlmsg_for_each_attr(list, info->nlhdr, GENL_HDRLEN, rem_list) {
		if (nla_type(list) != NFLB_A_BACKENDS)
			continue;
		nla_for_each_nested(attr, list, rem) {
			i = vs->count++;
			err = nflb_parse_health_verdict(attr, &vs->which[i],
							&vs->ids[i],
							&vs->list[i],
							info->extack);
			if (err)
				return err;
			if (id_before(vs, i)) {
				NL_SET_ERR_MSG_ATTR(info->extack, attr,
						    "there are two verdicts on the backend");
				return -EEXIST;
			}
			cond_resched();
		}
	}
	return 0;
}

/* Parts that the verdict leaves out keep their values. */
static int find_backends(struct nflb_service *svc, struct verdicts *vs,
			 struct netlink_ext_ack *extack)
{
	struct nflb_health_verdict *v;
	struct nflb_backend *b;
	u32 i;

	for (i = 0; i < vs->count; i++) {
		v = &vs->list[i];
		cond_resched();
		b = nflb_backend_find(svc, &vs->which[i]);
		if (!b) {
			NL_SET_ERR_MSG(extack, "the service has no such backend");
			return -ENOENT;
		}
		if (b->id != vs->ids[i]) {
			NL_SET_ERR_MSG(extack, "the id belongs to a deleted backend");
			return -ESTALE;
		}
		v->backend = b;
		if (!v->has_health)
			v->health = b->health;
		if (!v->has_weight)
			v->weight = b->health_weight;
	}
	return 0;
}

static int set_health(struct nflb_net *nn, const struct nflb_service_id *id,
		      struct verdicts *vs, struct genl_info *info)
{
	struct nflb_service *svc = nflb_service_find(nn, id);
	int err;

	if (!svc) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFLB_A_SERVICE],
				    "there is no such service");
		return -ENOENT;
	}
	err = find_backends(svc, vs, info->extack);
	return err ?: nflb_health_set(svc, vs->list, vs->count, info->extack);
}

/**
 * nflb_nl_health_set_doit() - HEALTH_SET: take all verdicts of a request, or none
 * @skb: the request
 * @info: the request
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_health_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_service_id id;
	struct nflb_change change;
	struct verdicts vs = { };
	int err, count;

	err = nflb_parse_service_id(info->attrs, &id, info->extack);
	if (err)
		return err;
	count = nflb_backends_count(info, NULL);
	if (count < 0)
		return count;
	if (!count) {
		NL_SET_ERR_MSG(info->extack, "there is no verdict");
		return -EINVAL;
	}
	err = verdicts_alloc(&vs, count);
	err = err ?: parse_verdicts(info, &vs);
	err = err ?: nflb_change_begin_beside(&change, info);
	if (!err) {
		err = set_health(change.nn, &id, &vs, info);
		err = nflb_change_end(&change, err);
	}
	verdicts_free(&vs);
	return err;
}
