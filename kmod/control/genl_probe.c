// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to add and to delete probes (conn/conn_probe.c).
 */
#include <linux/nflb.h>
#include <net/genetlink.h>

#include "control/config.h"
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_parse.h"
#include "conn/conn.h"
#include "conn/conn_probe.h"
#include "service/source.h"
#include "netns.h"

static struct netlink_range_validation expires_range = {
	.min = 1,
	.max = NFLB_PROBE_EXPIRES_MAX,
};

const struct nla_policy nflb_probe_policy[NFLB_A_CONN_MAX + 1] = {
	[NFLB_A_CONN_PROTOCOL] = { .type = NLA_REJECT },
	[NFLB_A_CONN_CLIENT_ADDRESS] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_CONN_CLIENT_PORT] = { .type = NLA_U16 },
	[NFLB_A_CONN_ADDRESS] = { .type = NLA_REJECT },
	[NFLB_A_CONN_PORT] = { .type = NLA_U16 },
	[NFLB_A_CONN_BACKEND_ADDRESS] = { .type = NLA_REJECT },
	[NFLB_A_CONN_BACKEND_PORT] = { .type = NLA_REJECT },
	[NFLB_A_CONN_MODE] = { .type = NLA_REJECT },
	[NFLB_A_CONN_STATE] = { .type = NLA_REJECT },
	[NFLB_A_CONN_EXPIRES] = NLA_POLICY_FULL_RANGE(NLA_U32, &expires_range),
	[NFLB_A_CONN_AGE] = { .type = NLA_REJECT },
	[NFLB_A_CONN_LOCAL_ADDRESS] = { .type = NLA_REJECT },
	[NFLB_A_CONN_LOCAL_PORT] = { .type = NLA_REJECT },
	[NFLB_A_CONN_ENCAP] = { .type = NLA_REJECT },
	[NFLB_A_CONN_FLAGS] = NLA_POLICY_MASK(NLA_U32, NFLB_CONN_FLAG_PROBE),
};

/**
 * struct probe_request - a request
 * @service: which service
 * @backend: which of its backends, to add one
 * @id: its id
 * @in: tuple of the probe's packets to the VIP
 * @life: seconds
 */
struct probe_request {
	struct nflb_service_id		service;
	struct nflb_backend_request	backend;
	u32				id;
	struct nflb_tuple		in;
	u32				life;
};

/* The service tells protocol, VIP, and the port if there is one only. */
static int parse_vip(struct nlattr **tb, struct probe_request *req,
		     struct netlink_ext_ack *extack)
{
	const struct nflb_service_id *id = &req->service;
	struct nlattr *port = tb[NFLB_A_CONN_PORT];
	struct nflb_tuple *in = &req->in;

	in->proto = id->key.proto;
	in->dst = id->key.addr;
	in->dport = port ? nla_get_be16(port) : id->key.port;
	if (!port && id->key.port != id->port_last) {
		NL_SET_ERR_MSG(extack,
			       "the service has several ports: name one");
		return -EINVAL;
	}
	if (!in->dport || ntohs(in->dport) < ntohs(id->key.port) ||
	    ntohs(in->dport) > ntohs(id->port_last)) {
		NL_SET_ERR_MSG_ATTR(extack, port,
				    "the port is none of the service");
		return -EINVAL;
	}
	return 0;
}

static int parse_client(struct nlattr **tb, struct probe_request *req,
			struct netlink_ext_ack *extack)
{
	struct nlattr *addr = tb[NFLB_A_CONN_CLIENT_ADDRESS];
	struct nlattr *port = tb[NFLB_A_CONN_CLIENT_PORT];
	struct nflb_tuple *in = &req->in;
	int err;

	if (!addr || !port || !nla_get_be16(port)) {
		NL_SET_ERR_MSG(extack,
			       "a connection needs the client's address and port");
		return -EINVAL;
	}
	err = nflb_parse_addr(addr, &in->src, &in->family, extack);
	if (err)
		return err;
	if (in->family != req->service.key.family) {
		NL_SET_ERR_MSG_ATTR(extack, addr,
				    "client and service differ in family");
		return -EINVAL;
	}
	in->sport = nla_get_be16(port);
	return 0;
}

static int parse(struct genl_info *info, struct probe_request *req,
		 struct nlattr **tb)
{
	struct netlink_ext_ack *extack = info->extack;
	int err;

	memset(req, 0, sizeof(*req));
	if (info->attrs[NFLB_A_EXPECT_GENERATION]) {
		NL_SET_ERR_MSG_ATTR(extack,
				    info->attrs[NFLB_A_EXPECT_GENERATION],
				    "a probe depends on the backend's id, not on a generation");
		return -EOPNOTSUPP;
	}
	err = nflb_parse_service_id(info->attrs, &req->service, extack);
	if (err)
		return err;
	if (!info->attrs[NFLB_A_CONN]) {
		NL_SET_ERR_MSG(extack, "the connection is missing");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, NFLB_A_CONN_MAX, info->attrs[NFLB_A_CONN],
			       nflb_probe_policy, extack);
	err = err ?: parse_client(tb, req, extack);
	return err ?: parse_vip(tb, req, extack);
}

static int parse_backend(struct genl_info *info, struct probe_request *req)
{
	struct nlattr *tb[NFLB_A_BACKEND_MAX + 1], *nest;
	struct netlink_ext_ack *extack = info->extack;
	int err;

	nest = info->attrs[NFLB_A_BACKEND];
	if (!nest) {
		NL_SET_ERR_MSG(extack, "the backend is missing");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, NFLB_A_BACKEND_MAX, nest,
			       nflb_backend_policy, extack);
	if (err)
		return err;
	if (!tb[NFLB_A_BACKEND_ADDRESS] || !tb[NFLB_A_BACKEND_ID]) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "a probe needs the backend's address and id");
		return -EINVAL;
	}
	req->id = nla_get_u32(tb[NFLB_A_BACKEND_ID]);
	if (tb[NFLB_A_BACKEND_PORT])
		req->backend.port = nla_get_be16(tb[NFLB_A_BACKEND_PORT]);
	return nflb_parse_addr(tb[NFLB_A_BACKEND_ADDRESS], &req->backend.addr,
			       &req->backend.family, extack);
}

static int parse_add(struct genl_info *info, struct probe_request *req)
{
	struct nlattr *tb[NFLB_A_CONN_MAX + 1];
	int err;

	err = parse(info, req, tb) ?: parse_backend(info, req);
	if (err)
		return err;
	if (!tb[NFLB_A_CONN_FLAGS] ||
	    nla_get_u32(tb[NFLB_A_CONN_FLAGS]) != NFLB_CONN_FLAG_PROBE) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFLB_A_CONN],
				    "only a probe can be added");
		return -EOPNOTSUPP;
	}
	req->life = tb[NFLB_A_CONN_EXPIRES] ?
		    nla_get_u32(tb[NFLB_A_CONN_EXPIRES]) :
		    NFLB_PROBE_EXPIRES_DEFAULT;
	return 0;
}

/* Nobody but this host may send its packets, and it has to be able to. */
static int check_client(struct nflb_net *nn, const struct probe_request *req,
			struct genl_info *info)
{
	const struct nflb_tuple *in = &req->in;

	if (nflb_addr_is_link_local(&in->src) ||
	    !nflb_addr_is_local(nn->net, &in->src, in->family)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFLB_A_CONN],
				    "a probe needs an address of this host, which is not link-local");
		return -EADDRNOTAVAIL;
	}
	return 0;
}

static struct nflb_backend *find_backend(struct nflb_net *nn,
					 const struct probe_request *req,
					 struct genl_info *info)
{
	struct netlink_ext_ack *extack = info->extack;
	struct nflb_service *svc;
	struct nflb_backend *b;
	struct nflb_host *host;

	svc = nflb_service_find(nn, &req->service);
	if (!svc) {
		NL_SET_ERR_MSG_ATTR(extack, info->attrs[NFLB_A_SERVICE],
				    "there is no such service");
		return ERR_PTR(-ENOENT);
	}
	if (nflb_service_lookup(nn, &req->in, &host) != svc) {
		NL_SET_ERR_MSG_ATTR(extack, info->attrs[NFLB_A_CONN],
				    "another service has that port");
		return ERR_PTR(-EINVAL);
	}
	b = nflb_backend_find(svc, &req->backend);
	if (!b) {
		NL_SET_ERR_MSG_ATTR(extack, info->attrs[NFLB_A_BACKEND],
				    "the service has no such backend");
		return ERR_PTR(-ENOENT);
	}
	if (b->id != req->id) {
		NL_SET_ERR_MSG_ATTR(extack, info->attrs[NFLB_A_BACKEND],
				    "the id belongs to a deleted backend");
		return ERR_PTR(-ESTALE);
	}
	return b;
}

/* The errno for why no connection could be made */
static int cannot(enum nflb_reason reason, struct genl_info *info)
{
	NFLB_ERR_ATTR_FMT(info->extack, info->attrs[NFLB_A_CONN],
			  "no connection can be made",
			  "no connection can be made: %s",
			  nflb_reason_name(reason));
	switch (reason) {
	case NFLB_REASON_NO_MEMORY:
		return -ENOMEM;
	case NFLB_REASON_TABLE_FULL:
		return -ENOSPC;
	case NFLB_REASON_NO_ROUTE:
		return -EHOSTUNREACH;
	case NFLB_REASON_NO_BACKEND:
		return -ESTALE;
	case NFLB_REASON_DIRECT_CLASH:
		return -EEXIST;
	default:
		return -EADDRNOTAVAIL;
	}
}

static int probe_add(struct nflb_net *nn, struct nflb_backend *backend,
		     const struct probe_request *req, struct genl_info *info)
{
	const struct nflb_forward_ops *ops = READ_ONCE(backend->forward);
	enum nflb_reason reason = NFLB_REASON_NO_BACKEND;
	struct netlink_ext_ack *extack = info->extack;
	/* It has none until it is published. */
	bool one_sided = ops && ops->one_sided;
	int err;

	if (one_sided && nflb_addr_equal(&req->in.src, &req->in.dst)) {
		NL_SET_ERR_MSG(extack,
			       "a backend of mode dsr does not answer the VIP");
		return -EINVAL;
	}
	if (one_sided)
		WRITE_ONCE(nn->host_one_sided, true);
	local_bh_disable();
	err = nflb_probe_add(nn, backend, &req->in, req->life * HZ, &reason);
	local_bh_enable();
	switch (err) {
	case -EEXIST:
		NL_SET_ERR_MSG(extack,
			       "the client's address and port have a connection already");
		return err;
	case -ENOENT:
		NL_SET_ERR_MSG(extack, "the backend is still being added");
		return err;
	case -ENOSPC:
		NL_SET_ERR_MSG(extack,
			       "this network namespace has 32768 probes, the maximum");
		return err;
	case -EAGAIN:
		return cannot(reason, info);
	default:
		return err;
	}
}

/**
 * nflb_nl_conn_add_doit() - CONN_ADD: make a probe
 * @skb: the request
 * @info: the request
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_conn_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	struct nflb_backend *backend;
	struct probe_request req;
	int err;

	err = parse_add(info, &req);
	if (err)
		return err;
	/* For the lists of the configuration */
	down_read(&nn->view);
	rcu_read_lock();
	err = check_client(nn, &req, info);
	if (!err) {
		backend = find_backend(nn, &req, info);
		err = IS_ERR(backend) ? PTR_ERR(backend) :
		      probe_add(nn, backend, &req, info);
	}
	rcu_read_unlock();
	up_read(&nn->view);
	return err;
}

/* Which backend it was, by its id: one of the same address may be another. */
static int put_backend(struct sk_buff *skb, const struct nflb_backend *b)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_BACKEND);

	if (!nest ||
	    nflb_fill_addr(skb, NFLB_A_BACKEND_ADDRESS, &b->addr, b->family) ||
	    nla_put_be16(skb, NFLB_A_BACKEND_PORT, b->port) ||
	    nla_put_u32(skb, NFLB_A_BACKEND_ID, b->id))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Nothing is removed that the answer has no room for. */
static int probe_del(struct nflb_net *nn, const struct nflb_tuple *in,
		     struct sk_buff *reply)
{
	struct nflb_conn *conn;
	enum nflb_dir dir;
	int err;

	conn = nflb_conn_lookup(nn, in, &dir);
	if (!conn || dir != NFLB_DIR_IN ||
	    !nflb_conn_is(conn, NFLB_CONN_PROBE))
		return -ENOENT;
	err = nflb_fill_conn(reply, conn) ?: put_backend(reply, conn->backend);
	if (err)
		return err;
	return nflb_probe_remove(nn, conn) ? 0 : -ENOENT;
}

/**
 * nflb_nl_conn_del_doit() - CONN_DEL: remove a probe
 * @skb: the request
 * @info: the request
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_conn_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	struct nlattr *tb[NFLB_A_CONN_MAX + 1];
	struct probe_request req;
	struct sk_buff *reply;
	void *hdr;
	int err;

	err = parse(info, &req, tb);
	if (err)
		return err;
	reply = nflb_nl_reply(info, NFLB_MSG_SIZE, &hdr);
	if (!reply)
		return -ENOMEM;
	rcu_read_lock();
	err = probe_del(nn, &req.in, reply);
	rcu_read_unlock();
	if (err == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFLB_A_CONN],
				    "there is no such probe");
	return nflb_nl_answer(info, reply, hdr, err);
}
