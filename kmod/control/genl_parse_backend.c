// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink attributes of backends to plain structures: one, or a service's whole
 * list.
 */
#include <linux/ctype.h>
#include <linux/slab.h>

#include "control/genl_parse.h"

static struct netlink_range_validation weight_range = {
	.max = NFLB_WEIGHT_MAX,
};

const struct nla_policy nflb_backend_policy[NFLB_A_BACKEND_MAX + 1] = {
	[NFLB_A_BACKEND_ADDRESS] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_BACKEND_PORT] = { .type = NLA_U16 },
	[NFLB_A_BACKEND_WEIGHT] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &weight_range),
	[NFLB_A_BACKEND_STATE] =
		NLA_POLICY_MAX(NLA_U8, NFLB_BACKEND_STATE_MAX),
	[NFLB_A_BACKEND_MODE] = NLA_POLICY_MAX(NLA_U8, NFLB_MODE_MAX),
	[NFLB_A_BACKEND_ENCAP] = NLA_POLICY_MAX(NLA_U8, NFLB_ENCAP_MAX),
	[NFLB_A_BACKEND_ENCAP_PORT] = { .type = NLA_U16 },
	[NFLB_A_BACKEND_MAX_CONNECTIONS] = { .type = NLA_U32 },
	[NFLB_A_BACKEND_STATS] = { .type = NLA_REJECT },
	[NFLB_A_BACKEND_DEADLINE] = NFLB_TIMEOUT_POLICY,
	[NFLB_A_BACKEND_CONDITION] = { .type = NLA_REJECT },
	[NFLB_A_BACKEND_BY_HAND] = { .type = NLA_REJECT },
	[NFLB_A_BACKEND_CONFIGURED] = { .type = NLA_REJECT },
	[NFLB_A_BACKEND_ID] = { .type = NLA_U32 },
	[NFLB_A_BACKEND_HEALTH] = NLA_POLICY_MAX(NLA_U8, NFLB_HEALTH_MAX),
	[NFLB_A_BACKEND_HEALTH_WEIGHT] = NLA_POLICY_MAX(NLA_U8, 100),
	[NFLB_A_BACKEND_HEALTH_REASON] = { .type = NLA_NUL_STRING,
					   .len = NFLB_HEALTH_REASON_SIZE - 1 },
	[NFLB_A_BACKEND_HEALTH_AGE] = { .type = NLA_REJECT },
	[NFLB_A_BACKEND_NAME] = { .type = NLA_NUL_STRING,
				  .len = NFLB_NAME_SIZE - 1 },
	[NFLB_A_BACKEND_COMMENT] = { .type = NLA_NUL_STRING,
				     .len = NFLB_COMMENT_SIZE - 1 },
	[NFLB_A_BACKEND_LOCAL_PORTS] = { .type = NLA_REJECT },
	[NFLB_A_BACKEND_TROUBLE] = { .type = NLA_REJECT },
};

static int parse_backend_mode(struct nlattr **tb,
			      struct nflb_backend_request *req,
			      struct netlink_ext_ack *extack)
{
	struct nlattr *encap = tb[NFLB_A_BACKEND_ENCAP];
	struct nlattr *port = tb[NFLB_A_BACKEND_ENCAP_PORT];
	struct nlattr *mode = tb[NFLB_A_BACKEND_MODE];

	if (encap) {
		req->encap = nla_get_u8(encap);
		req->encap_port = port ? nla_get_be16(port) : 0;
		req->set |= NFLB_SET_BACKEND_ENCAP;
	} else if (port) {
		NL_SET_ERR_MSG_ATTR(extack, port, "a port needs encap gue");
		return -EINVAL;
	}
	if (mode) {
		req->mode = nla_get_u8(mode);
		req->set |= NFLB_SET_BACKEND_MODE;
	}
	return 0;
}

/* A verdict is no configuration, and the other way round. */
static int only_of(struct nlattr **tb, bool verdict,
		   struct netlink_ext_ack *extack)
{
	int i;

	for (i = NFLB_A_BACKEND_WEIGHT; i <= NFLB_A_BACKEND_MAX; i++) {
		bool of_verdict = i >= NFLB_A_BACKEND_ID &&
				  i <= NFLB_A_BACKEND_HEALTH_AGE;

		if (!tb[i] || of_verdict == verdict)
			continue;
		if (verdict)
			NL_SET_ERR_MSG_ATTR(extack, tb[i],
					    "a verdict cannot change the configuration");
		else
			NL_SET_ERR_MSG_ATTR(extack, tb[i],
					    "health needs a request of its own");
		return -EINVAL;
	}
	return 0;
}

/* Address and port: which backend */
static int parse_identity(struct nlattr **tb, struct nflb_backend_request *req,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *addr = tb[NFLB_A_BACKEND_ADDRESS];
	int err;

	memset(req, 0, sizeof(*req));
	if (!addr) {
		NL_SET_ERR_MSG(extack, "the backend's address is missing");
		return -EINVAL;
	}
	err = nflb_parse_addr(addr, &req->addr, &req->family, extack);
	if (err)
		return err;
	err = nflb_parse_addr_usable(addr, &req->addr, extack);
	if (err)
		return err;
	if (tb[NFLB_A_BACKEND_PORT])
		req->port = nla_get_be16(tb[NFLB_A_BACKEND_PORT]);
	return 0;
}

static int parse_one_backend(struct nlattr **tb,
			     struct nflb_backend_request *req,
			     struct netlink_ext_ack *extack)
{
	int err;

	err = parse_identity(tb, req, extack);
	err = err ?: only_of(tb, false, extack);
	err = err ?: parse_backend_mode(tb, req, extack);
	err = err ?: nflb_parse_labels(tb[NFLB_A_BACKEND_NAME],
				       tb[NFLB_A_BACKEND_COMMENT], req->labels,
				       extack);
	if (err)
		return err;
	if (tb[NFLB_A_BACKEND_WEIGHT]) {
		req->weight = nla_get_u32(tb[NFLB_A_BACKEND_WEIGHT]);
		req->set |= NFLB_SET_WEIGHT;
	}
	if (tb[NFLB_A_BACKEND_STATE]) {
		req->state = nla_get_u8(tb[NFLB_A_BACKEND_STATE]);
		req->set |= NFLB_SET_STATE;
	}
	if (tb[NFLB_A_BACKEND_MAX_CONNECTIONS]) {
		req->max_connections =
			nla_get_u32(tb[NFLB_A_BACKEND_MAX_CONNECTIONS]);
		req->set |= NFLB_SET_MAX_CONNS;
	}
	if (tb[NFLB_A_BACKEND_DEADLINE]) {
		req->deadline = nla_get_u32(tb[NFLB_A_BACKEND_DEADLINE]);
		req->set |= NFLB_SET_DEADLINE;
	}
	return 0;
}

/**
 * nflb_parse_backend() - the backend of a request
 * @attrs: of the message
 * @req: where to
 * @extack: for a message
 *
 * Return: 0 or a negative errno.
 */
int nflb_parse_backend(struct nlattr **attrs,
		       struct nflb_backend_request *req,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFLB_A_BACKEND_MAX + 1];
	int err;

	if (!attrs[NFLB_A_BACKEND]) {
		NL_SET_ERR_MSG(extack, "the backend is missing");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, NFLB_A_BACKEND_MAX, attrs[NFLB_A_BACKEND],
			       nflb_backend_policy, extack);
	return err ?: parse_one_backend(tb, req, extack);
}

static bool listed_before(const struct nflb_backend_request *list, u32 i)
{
	u32 j;

	for (j = 0; j < i; j++)
		if (list[j].port == list[i].port &&
		    list[j].family == list[i].family &&
		    nflb_addr_equal(&list[j].addr, &list[i].addr))
			return true;
	return false;
}

/* How many backends an attribute has, or a negative errno. */
static int nest_length(const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int rem, count = 0;

	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != NFLB_A_BACKEND) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "a list of backends has backends only");
			return -EINVAL;
		}
		count++;
	}
	if (rem) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "bytes are left over in the list of backends");
		return -EINVAL;
	}
	return count;
}

/**
 * nflb_backends_count() - how many backends a request lists
 * @info: the request, whose NFLB_A_BACKENDS continue the list
 * @nest: of NFLB_A_BACKEND, the begin of the list; or NULL
 *
 * Return: the number, or a negative errno.
 */
int nflb_backends_count(struct genl_info *info, const struct nlattr *nest)
{
	int rem, err, count = nest ? nest_length(nest, info->extack) : 0;
	const struct nlattr *attr;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != NFLB_A_BACKENDS || count < 0)
			continue;
		err = nest_length(attr, info->extack);
		count = err < 0 ? err : count + err;
	}
	if (count > NFLB_BACKENDS_MAX) {
		NL_SET_ERR_MSG(info->extack,
			       "a service has 4096 backends at most");
		return -ENOSPC;
	}
	return count;
}

/* Append a list to that of @req, which has room. */
static int parse_list(const struct nlattr *nest,
		      struct nflb_service_request *req,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFLB_A_BACKEND_MAX + 1], *attr;
	struct nflb_backend_request *backend;
	int rem, err;

	nla_for_each_nested(attr, nest, rem) {
		backend = &req->backends[req->backend_count];
		err = nla_parse_nested(tb, NFLB_A_BACKEND_MAX, attr,
				       nflb_backend_policy, extack);
		err = err ?: parse_one_backend(tb, backend, extack);
		if (err)
			return err;
		if (backend->set & NFLB_SET_DEADLINE) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "a deadline is set for one backend at a time");
			return -EINVAL;
		}
		if (listed_before(req->backends, req->backend_count)) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "the backend is in the list twice");
			return -EEXIST;
		}
		req->backend_count++;
	}
	return 0;
}

/**
 * nflb_parse_backends() - a service's whole list of backends
 * @info: the request, whose NFLB_A_BACKENDS continue the list
 * @nest: of NFLB_A_BACKEND, the list's begin, or NULL
 * @req: where to; nflb_service_request_free() it whatever is returned
 *
 * An attribute has 64 KiB at most, which may be too little for a list.
 *
 * Return: 0 or a negative errno.
 */
int nflb_parse_backends(struct genl_info *info, const struct nlattr *nest,
			struct nflb_service_request *req)
{
	struct netlink_ext_ack *extack = info->extack;
	const struct nlattr *attr;
	int rem, err, count = nflb_backends_count(info, nest);

	if (count < 0)
		return count;
	req->backends = kvcalloc(max(count, 1), sizeof(*req->backends),
				 GFP_KERNEL_ACCOUNT);
	if (!req->backends)
		return -ENOMEM;
	req->set |= NFLB_SET_BACKENDS;
	err = nest ? parse_list(nest, req, extack) : 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		if (!err && nla_type(attr) == NFLB_A_BACKENDS)
			err = parse_list(attr, req, extack);
	return err;
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if (!isascii(*text) || !isprint(*text))
			return false;
	return true;
}

/**
 * nflb_parse_health_verdict() - a verdict on a backend, and on which
 * @nest: attributes of the backend
 * @which: set to address and port
 * @id: set to its id
 * @v: set to the verdict; parts that the request leaves out keep their values
 * @extack: for a message
 *
 * Return: 0 or a negative errno.
 */
int nflb_parse_health_verdict(const struct nlattr *nest,
			      struct nflb_backend_request *which, u32 *id,
			      struct nflb_health_verdict *v,
			      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFLB_A_BACKEND_MAX + 1], *reason;
	int err;

	err = nla_parse_nested(tb, NFLB_A_BACKEND_MAX, nest,
			       nflb_backend_policy, extack);
	err = err ?: parse_identity(tb, which, extack);
	err = err ?: only_of(tb, true, extack);
	if (err)
		return err;
	if (!tb[NFLB_A_BACKEND_ID]) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "a verdict needs the backend's id");
		return -EINVAL;
	}
	*id = nla_get_u32(tb[NFLB_A_BACKEND_ID]);
	v->has_health = tb[NFLB_A_BACKEND_HEALTH];
	if (v->has_health)
		v->health = nla_get_u8(tb[NFLB_A_BACKEND_HEALTH]);
	v->has_weight = tb[NFLB_A_BACKEND_HEALTH_WEIGHT];
	if (v->has_weight)
		v->weight = nla_get_u8(tb[NFLB_A_BACKEND_HEALTH_WEIGHT]);
	reason = tb[NFLB_A_BACKEND_HEALTH_REASON];
	v->has_reason = reason;
	if (reason)
		nla_strscpy(v->reason, reason, sizeof(v->reason));
	if (reason && !printable(v->reason)) {
		NL_SET_ERR_MSG_ATTR(extack, reason,
				    "a reason is printable ASCII");
		return -EINVAL;
	}
	return 0;
}
