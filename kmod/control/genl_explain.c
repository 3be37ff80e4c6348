// SPDX-License-Identifier: GPL-2.0
/*
 * EXPLAIN: the simulation of a packet (path/explain.c), as netlink attributes.
 */
#include <linux/in.h>
#include <linux/netdevice.h>
#include <linux/nflb.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_parse.h"
#include "forward/forward.h"
#include "forward/route.h"
#include "path/explain.h"
#include "netns.h"
#include "sched/sched.h"

/* Service, connection, two packets, and the scheduler's tries */
#define EXPLAIN_MSG_SIZE (NFLB_MSG_SIZE + 1024)

static const struct nla_policy packet_policy[NFLB_A_PACKET_MAX + 1] = {
	[NFLB_A_PACKET_PROTOCOL] = { .type = NLA_U8 },
	[NFLB_A_PACKET_SOURCE] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_PACKET_SOURCE_PORT] = { .type = NLA_U16 },
	[NFLB_A_PACKET_DESTINATION] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_PACKET_DESTINATION_PORT] = { .type = NLA_U16 },
};

const struct nla_policy nflb_explain_policy[NFLB_A_EXPLAIN_MAX + 1] = {
	[NFLB_A_EXPLAIN_ARRIVES] = NLA_POLICY_NESTED(packet_policy),
	[NFLB_A_EXPLAIN_LEAVES] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_VERDICT] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_REASON] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_TOLD] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_REPLY] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_LOCAL_OUT] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_BY_LOT] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_PICK] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_MODE] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_ENCAP] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_TOA] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_PROXY] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_DEVICE] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_NEXT_HOP] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_BY_INGRESS] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_BY_XDP] = { .type = NLA_REJECT },
	[NFLB_A_EXPLAIN_DSR_REPLY_HERE] = { .type = NLA_REJECT },
};

static int parse_packet(const struct nlattr *nest, struct nflb_tuple *t,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFLB_A_PACKET_MAX + 1];
	u8 family;
	int err, i;

	err = nla_parse_nested(tb, NFLB_A_PACKET_MAX, nest, packet_policy,
			       extack);
	if (err)
		return err;
	for (i = NFLB_A_PACKET_PROTOCOL; i <= NFLB_A_PACKET_MAX; i++)
		if (!tb[i]) {
			NL_SET_ERR_MSG_ATTR(extack, nest,
					    "a packet has a protocol, two addresses and two ports");
			return -EINVAL;
		}
	t->proto = nla_get_u8(tb[NFLB_A_PACKET_PROTOCOL]);
	if (t->proto != IPPROTO_TCP && t->proto != IPPROTO_UDP) {
		NL_SET_ERR_MSG_ATTR(extack, tb[NFLB_A_PACKET_PROTOCOL],
				    "the protocol must be TCP or UDP");
		return -EINVAL;
	}
	err = nflb_parse_addr(tb[NFLB_A_PACKET_SOURCE], &t->src, &family,
			      extack) ?:
	      nflb_parse_addr(tb[NFLB_A_PACKET_DESTINATION], &t->dst,
			      &t->family, extack);
	if (err)
		return err;
	if (family != t->family) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "source and destination differ in family");
		return -EINVAL;
	}
	t->sport = nla_get_be16(tb[NFLB_A_PACKET_SOURCE_PORT]);
	t->dport = nla_get_be16(tb[NFLB_A_PACKET_DESTINATION_PORT]);
	return 0;
}

static int parse(struct nlattr **attrs, struct nflb_tuple *t,
		 struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFLB_A_EXPLAIN_MAX + 1] = { };
	int err;

	if (attrs[NFLB_A_EXPLAIN]) {
		err = nla_parse_nested(tb, NFLB_A_EXPLAIN_MAX,
				       attrs[NFLB_A_EXPLAIN],
				       nflb_explain_policy, extack);
		if (err)
			return err;
	}
	if (tb[NFLB_A_EXPLAIN_ARRIVES])
		return parse_packet(tb[NFLB_A_EXPLAIN_ARRIVES], t, extack);
	NL_SET_ERR_MSG(extack, "the packet is missing");
	return -EINVAL;
}

static int put_packet(struct sk_buff *skb, int type, const struct nflb_tuple *t)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest ||
	    nla_put_u8(skb, NFLB_A_PACKET_PROTOCOL, t->proto) ||
	    nflb_fill_addr(skb, NFLB_A_PACKET_SOURCE, &t->src, t->family) ||
	    nla_put_be16(skb, NFLB_A_PACKET_SOURCE_PORT, t->sport) ||
	    nflb_fill_addr(skb, NFLB_A_PACKET_DESTINATION, &t->dst,
			   t->family) ||
	    nla_put_be16(skb, NFLB_A_PACKET_DESTINATION_PORT, t->dport))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_pick(struct sk_buff *skb, const struct nflb_explain_pick *pick)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_EXPLAIN_PICK);
	const struct nflb_backend *b = pick->backend;

	if (!nest ||
	    nflb_fill_addr(skb, NFLB_A_PICK_ADDRESS, &b->addr, b->family) ||
	    nla_put_be16(skb, NFLB_A_PICK_PORT, b->port) ||
	    (pick->remembered && nla_put_flag(skb, NFLB_A_PICK_REMEMBERED)) ||
	    (pick->refused && nla_put_string(skb, NFLB_A_PICK_REASON,
					     nflb_reason_name(pick->reason))))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_flag(struct sk_buff *skb, int type, bool flag)
{
	return flag ? nla_put_flag(skb, type) : 0;
}

/* By which route it leaves, or NULL. A socket's packet may have another now. */
static struct dst_entry *route_of(const struct nflb_explain *ex)
{
	if (ex->dry.dst || ex->dry.state.hook != NF_INET_LOCAL_OUT)
		return ex->dry.dst;
	return skb_dst(ex->skb);
}

static enum nflb_explain_verdict verdict_of(const struct nflb_explain *ex)
{
	const struct dst_entry *dst = route_of(ex);

	if (ex->verdict == NFLB_DROP)
		return NFLB_EXPLAIN_DROP;
	if (!ex->draft)
		return NFLB_EXPLAIN_PASS;
	return dst && !nflb_route_is_local(dst, ex->leaves.family) ?
	       NFLB_EXPLAIN_FORWARD : NFLB_EXPLAIN_LOCAL;
}

static int put_next_hop(struct sk_buff *skb, const struct nflb_explain *ex,
			const struct dst_entry *dst)
{
	u8 family = ex->leaves.family;
	union nflb_addr hop = { };

	if (ex->dry.via) {
		hop = *ex->dry.via;
	} else if (family == AF_INET) {
		const struct rtable *rt = dst_rtable(dst);

		if (rt->rt_gw_family == AF_INET6) {
			family = AF_INET6;
			hop.in6 = rt->rt_gw6;
		} else {
			hop.ip = rt_nexthop(rt, ex->leaves.dst.ip);
		}
	} else {
		hop.in6 = *rt6_nexthop(dst_rt6_info(dst), &ex->leaves.dst.in6);
	}
	return nflb_fill_addr(skb, NFLB_A_EXPLAIN_NEXT_HOP, &hop, family);
}

/* How it is forwarded, and where it goes then */
static int put_way(struct sk_buff *skb, const struct nflb_explain *ex)
{
	const struct nflb_forward_ops *ops = nflb_conn_ops(ex->draft);
	enum nflb_explain_verdict verdict = verdict_of(ex);
	const struct nflb_conn *draft = ex->draft;

	if (nla_put_u8(skb, NFLB_A_EXPLAIN_MODE, ops->mode) ||
	    nla_put_u8(skb, NFLB_A_EXPLAIN_ENCAP, ops->encap) ||
	    put_flag(skb, NFLB_A_EXPLAIN_REPLY, ex->dir == NFLB_DIR_OUT) ||
	    put_flag(skb, NFLB_A_EXPLAIN_TOA,
		     nflb_conn_now(draft, NFLB_NOW_TOA) &&
		     ex->arrives.proto == IPPROTO_TCP) ||
	    put_flag(skb, NFLB_A_EXPLAIN_PROXY, draft->how & NFLB_HOW_PROXY))
		return -EMSGSIZE;
	if (verdict == NFLB_EXPLAIN_DROP)
		return 0;
	if (put_packet(skb, NFLB_A_EXPLAIN_LEAVES, &ex->leaves))
		return -EMSGSIZE;
	if (verdict != NFLB_EXPLAIN_FORWARD)
		return 0;
	return nla_put_string(skb, NFLB_A_EXPLAIN_DEVICE,
			      dst_dev_rcu(route_of(ex))->name) ?:
	       put_next_hop(skb, ex, route_of(ex));
}

static bool by_lot(const struct nflb_explain *ex)
{
	const struct nflb_snapshot *snapshot;

	/* The last one counts: nothing comes after who is remembered and is taken. */
	if (!ex->dry.tried || ex->picks[ex->dry.tried - 1].remembered)
		return false;
	snapshot = rcu_dereference(ex->service->snapshot);
	return snapshot->sched->by_lot;
}

static int put_answer(struct sk_buff *skb, const struct nflb_explain *ex)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_EXPLAIN);
	int i;

	if (!nest || put_packet(skb, NFLB_A_EXPLAIN_ARRIVES, &ex->arrives) ||
	    put_flag(skb, NFLB_A_EXPLAIN_LOCAL_OUT,
		     ex->dry.state.hook == NF_INET_LOCAL_OUT) ||
	    nla_put_u8(skb, NFLB_A_EXPLAIN_VERDICT, verdict_of(ex)) ||
	    put_flag(skb, NFLB_A_EXPLAIN_TOLD, ex->dry.told) ||
	    put_flag(skb, NFLB_A_EXPLAIN_BY_INGRESS, ex->by_ingress) ||
	    put_flag(skb, NFLB_A_EXPLAIN_BY_XDP, ex->by_xdp) ||
	    put_flag(skb, NFLB_A_EXPLAIN_BY_LOT, by_lot(ex)) ||
	    put_flag(skb, NFLB_A_EXPLAIN_DSR_REPLY_HERE, ex->strayed))
		return -EMSGSIZE;
	if (ex->verdict == NFLB_DROP &&
	    nla_put_string(skb, NFLB_A_EXPLAIN_REASON,
			   nflb_reason_name(ex->reason)))
		return -EMSGSIZE;
	for (i = 0; i < ex->dry.tried; i++)
		if (put_pick(skb, &ex->picks[i]))
			return -EMSGSIZE;
	if (ex->draft && put_way(skb, ex))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int explain(struct sk_buff *skb, struct nflb_explain *ex,
		   struct genl_info *info)
{
	struct nlattr *attr = info->attrs[NFLB_A_DEVICE];
	int err;

	if (attr) {
		ex->dev = dev_get_by_name_rcu(ex->nn->net, nla_data(attr));
		if (!ex->dev) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "there is no such device");
			return -ENODEV;
		}
	}
	err = nflb_explain(ex);
	if (err == -EHOSTUNREACH)
		NL_SET_ERR_MSG(info->extack,
			       "there is no route to the packet's source: name the device");
	if (err == -ENETUNREACH)
		NL_SET_ERR_MSG(info->extack,
			       "this host has no route to the packet's destination");
	if (err)
		return err;
	return nla_put_string(skb, NFLB_A_DEVICE, ex->dev->name) ?:
	       (ex->service ? nflb_fill_service_plain(skb, ex->service) : 0) ?:
	       (ex->known ? nflb_fill_conn(skb, ex->known) : 0) ?:
	       put_answer(skb, ex);
}

/**
 * nflb_nl_explain_doit() - EXPLAIN
 * @skb: the request
 * @info: the request, parsed
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_explain_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	struct nflb_explain ex = { .nn = nn };
	struct sk_buff *reply;
	void *hdr;
	int err;

	err = parse(info->attrs, &ex.arrives, info->extack);
	if (err)
		return err;
	reply = nflb_nl_reply(info, EXPLAIN_MSG_SIZE, &hdr);
	if (!reply)
		return -ENOMEM;
	/* For the attributes of the service */
	down_read(&nn->view);
	rcu_read_lock();
	local_bh_disable();
	err = explain(reply, &ex, info);
	nflb_explain_free(&ex);
	local_bh_enable();
	rcu_read_unlock();
	up_read(&nn->view);
	return nflb_nl_answer(info, reply, hdr, err);
}
