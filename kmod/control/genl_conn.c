// SPDX-License-Identifier: GPL-2.0
/*
 * Connections over netlink: dump, count, flush. All three walk the table and
 * apply the request's filter here, so that a few can be found among millions.
 * The walk is no consistent snapshot: it may or may not return connections that begin or
 * end meanwhile, and may return some twice when the table is resized.
 */
#include <linux/nflb.h>
#include <linux/slab.h>

#include "control/config.h"
#include "control/generation.h"
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_parse.h"
#include "conn/conn.h"
#include "conn/conn_probe.h"
#include "conn/conn_record.h"
#include "conn/conn_state.h"
#include "netns.h"

/* How often a flush begins again, against clients that are as fast. */
#define FLUSH_WALKS 5

static bool in_prefix(const union nflb_addr *addr,
		      const union nflb_addr *prefix, unsigned int len)
{
	unsigned int i;

	for (i = 0; len >= 32; i++, len -= 32)
		if (addr->all[i] != prefix->all[i])
			return false;
	return !len ||
	       !((addr->all[i] ^ prefix->all[i]) & htonl(~0U << (32 - len)));
}

static bool of_backend(const struct nflb_conn *conn,
		       const struct nflb_backend_request *want)
{
	const struct nflb_backend *backend = conn->backend;

	return backend->family == want->family &&
	       nflb_addr_equal(&backend->addr, &want->addr) &&
	       (!want->port || nflb_conn_backend_port(conn) == want->port);
}

static bool of_service(const struct nflb_conn *conn,
		       const struct nflb_service_id *want)
{
	const struct nflb_service *svc = conn->backend->service;

	return svc->port_last == want->port_last &&
	       svc->key.port == want->key.port &&
	       svc->key.proto == want->key.proto &&
	       svc->key.family == want->key.family &&
	       nflb_addr_equal(&svc->key.addr, &want->key.addr);
}

static bool matches(const struct nflb_conn *conn,
		    const struct nflb_conn_filter *f)
{
	const struct nflb_tuple *in = &conn->in.tuple;

	if (nflb_conn_is(conn, NFLB_CONN_PROBE) !=
	    !!(f->flags & NFLB_CONN_FLAG_PROBE))
		return false;
	if (f->has_state && READ_ONCE(conn->state) != f->state)
		return false;
	if (f->has_client &&
	    (in->family != f->client_family ||
	     !in_prefix(&in->src, &f->client, f->client_prefix)))
		return false;
	if (f->has_backend && !of_backend(conn, &f->backend))
		return false;
	return !f->has_service || of_service(conn, &f->service);
}

/* Is a connection to be seen, alive and wanted? */
static bool selected(const struct nflb_conn *conn,
		     const struct nflb_conn_filter *filter)
{
	return !nflb_conn_is(conn, NFLB_CONN_DYING) &&
	       nflb_conn_alive(conn, nflb_now()) && matches(conn, filter);
}

/* Returns whether this call ended it. */
static bool end(struct nflb_net *nn, struct nflb_conn *conn)
{
	/* A probe ends without an event, and leaves its tombstone. */
	if (nflb_conn_is(conn, NFLB_CONN_PROBE))
		return nflb_probe_remove(nn, conn);
	return nflb_conn_dismiss(nn, conn);
}

static u64 walk(struct nflb_net *nn, const struct nflb_conn_filter *filter,
		bool flush)
{
	struct nflb_conn_walk walk = { };
	struct nflb_conn *conn;
	u64 count = 0;

	rcu_read_lock();
	while ((conn = nflb_conn_walk_next(nn, &walk)))
		if (selected(conn, filter))
			count += flush ? end(nn, conn) : 1;
	rcu_read_unlock();
	return count;
}

/*
 * A walk that removes entries may skip a neighbour in the chain when it pauses. So it is
 * repeated until nothing is left.
 */
static u64 walk_flush(struct nflb_net *nn,
		      const struct nflb_conn_filter *filter)
{
	u64 ended, sum = 0;
	int i;

	for (i = 0; i < FLUSH_WALKS; i++) {
		ended = walk(nn, filter, true);
		sum += ended;
		if (!ended)
			break;
	}
	return sum;
}

/*
 * Connections are no part of the configuration, so its generation stays. Only a
 * request that depends on it keeps others from changing it meanwhile.
 */
static int flush_expecting(struct nflb_net *nn, struct genl_info *info,
			   const struct nflb_conn_filter *filter,
			   struct sk_buff *reply, u64 *count)
{
	u64 expected = nla_get_u64(info->attrs[NFLB_A_EXPECT_GENERATION]);
	int err;

	err = nflb_generation_lock(nn, &expected, false, info->extack);
	if (err)
		return err;
	*count = walk_flush(nn, filter);
	nflb_generation_unlock(nn, false);
	return nflb_fill_generation(reply, nn, expected);
}

static int walk_reply(struct genl_info *info, bool flush)
{
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	struct nflb_conn_filter filter;
	struct sk_buff *reply;
	u64 count = 0;
	void *hdr;
	int err;

	err = nflb_parse_conn_filter(info->attrs, &filter, info->extack);
	if (err)
		return err;
	reply = nflb_nl_reply(info, NFLB_MSG_SIZE, &hdr);
	if (!reply)
		return -ENOMEM;
	if (!flush)
		count = walk(nn, &filter, false);
	else if (info->attrs[NFLB_A_EXPECT_GENERATION])
		err = flush_expecting(nn, info, &filter, reply, &count);
	else
		count = walk_flush(nn, &filter);
	err = err ?: nla_put_u64_64bit(reply, NFLB_A_COUNT, count, NFLB_A_PAD);
	return nflb_nl_answer(info, reply, hdr, err);
}

/**
 * nflb_nl_conn_count_doit() - how many connections match
 * @skb: the request
 * @info: the request, parsed
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_conn_count_doit(struct sk_buff *skb, struct genl_info *info)
{
	return walk_reply(info, false);
}

/**
 * nflb_nl_conn_flush_doit() - end the connections that match
 * @skb: the request
 * @info: the request, parsed
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_conn_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	return walk_reply(info, true);
}

/* A dump under way, kept in netlink_callback.ctx. */
struct conn_dump {
	struct nflb_conn_walk	walk;
	struct nflb_conn_filter	filter;
};

static struct conn_dump **dump_of(struct netlink_callback *cb)
{
	return (struct conn_dump **)cb->ctx;
}

/**
 * nflb_nl_conn_get_start() - begin a dump of connections
 * @cb: the dump
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_conn_get_start(struct netlink_callback *cb)
{
	struct conn_dump *dump;
	int err;

	dump = kzalloc(sizeof(*dump), GFP_KERNEL_ACCOUNT);
	if (!dump)
		return -ENOMEM;
	err = nflb_parse_conn_filter(nflb_dump_attrs(cb), &dump->filter,
				     cb->extack);
	if (err) {
		kfree(dump);
		return err;
	}
	*dump_of(cb) = dump;
	return 0;
}

static int put_conn(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct nflb_conn *conn)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &nflb_genl_family,
				NLM_F_MULTI, NFLB_CMD_CONN_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nflb_fill_conn(skb, conn)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * nflb_nl_conn_get_dumpit() - some more connections
 * @skb: where to
 * @cb: the dump
 *
 * Return: skb->len, or 0 when done.
 */
int nflb_nl_conn_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nflb_net *nn = nflb_net(sock_net(cb->skb->sk));
	struct conn_dump *dump = *dump_of(cb);
	struct nflb_conn_walk here;
	struct nflb_conn *conn;

	rcu_read_lock();
	for (;;) {
		here = dump->walk;
		conn = nflb_conn_walk_next(nn, &dump->walk);
		if (!conn)
			break;
		if (!selected(conn, &dump->filter))
			continue;
		/* No room: the next message begins with this one. */
		if (put_conn(skb, cb, conn)) {
			dump->walk = here;
			break;
		}
	}
	rcu_read_unlock();
	return skb->len;
}

/**
 * nflb_nl_conn_get_done() - end a dump of connections
 * @cb: the dump
 *
 * Return: 0.
 */
int nflb_nl_conn_get_done(struct netlink_callback *cb)
{
	kfree(*dump_of(cb));
	return 0;
}

/**
 * nflb_nl_conn_records_start() - begin a dump of whole connections
 * @cb: the dump
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_conn_records_start(struct netlink_callback *cb)
{
	int err = nflb_nl_conn_get_start(cb);

	if (err)
		return err;
	if ((*dump_of(cb))->filter.flags & NFLB_CONN_FLAG_PROBE) {
		NL_SET_ERR_MSG(cb->extack, "a probe has no record");
		nflb_nl_conn_get_done(cb);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* Returns how many records were appended, which are all that have room. */
static unsigned int put_records(struct nflb_net *nn, struct conn_dump *dump,
				struct sk_buff *skb)
{
	struct nflb_conn_record record;
	struct nflb_conn_walk here;
	struct nflb_conn *conn;
	unsigned int count = 0;

	rcu_read_lock();
	for (;;) {
		here = dump->walk;
		conn = nflb_conn_walk_next(nn, &dump->walk);
		if (!conn)
			break;
		if (!selected(conn, &dump->filter) ||
		    !nflb_record_fill(conn, &record))
			continue;
		if (skb_tailroom(skb) < (int)sizeof(record) ||
		    count == NFLB_CONN_RECORDS_MAX) {
			dump->walk = here;
			break;
		}
		skb_put_data(skb, &record, sizeof(record));
		count++;
	}
	rcu_read_unlock();
	return count;
}

/**
 * nflb_nl_conn_records_dumpit() - some more whole connections
 * @skb: where to
 * @cb: the dump
 *
 * Return: skb->len, or 0 when done.
 */
int nflb_nl_conn_records_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct nflb_net *nn = nflb_net(sock_net(cb->skb->sk));
	struct nlattr *attr;
	unsigned int count;
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &nflb_genl_family, NLM_F_MULTI,
			  NFLB_CMD_CONN_RECORDS);
	attr = hdr ? nla_reserve(skb, NFLB_A_RECORDS, 0) : NULL;
	if (!attr)
		return -EMSGSIZE;
	count = put_records(nn, *dump_of(cb), skb);
	if (!count) {
		genlmsg_cancel(skb, hdr);
		return skb->len;
	}
	attr->nla_len += count * sizeof(struct nflb_conn_record);
	genlmsg_end(skb, hdr);
	return skb->len;
}
