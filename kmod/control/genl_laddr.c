// SPDX-License-Identifier: GPL-2.0
/*
 * Local addresses over netlink: parse, fill, add, delete, dump.
 */
#include <linux/nflb.h>

#include "control/config.h"
#include "control/generation.h"
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_parse.h"
#include "netns.h"

const struct nla_policy nflb_laddr_policy[NFLB_A_LADDR_MAX + 1] = {
	[NFLB_A_LADDR_ADDRESS] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_LADDR_ADDRESS_LAST] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_LADDR_PORT] = { .type = NLA_U16 },
	[NFLB_A_LADDR_PORT_LAST] = { .type = NLA_U16 },
	[NFLB_A_LADDR_EXCLUDED] =
		NLA_POLICY_RANGE(NLA_BINARY, 4, NFLB_LADDR_EXCLUDED_MAX * 4),
	[NFLB_A_LADDR_PORT_COUNT] = { .type = NLA_REJECT },
	[NFLB_A_LADDR_FOREIGN] = { .type = NLA_REJECT },
};

/* How many addresses there are from the first to @last. */
static int parse_last(const struct nlattr *attr, struct nflb_laddr *laddr,
		      struct netlink_ext_ack *extack)
{
	union nflb_addr last;
	u8 family;
	int err;

	laddr->addr_count = 1;
	if (!attr)
		return 0;
	err = nflb_parse_addr(attr, &last, &family, extack);
	if (err)
		return err;
	if (family != laddr->family) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "both ends of a range must be of one family");
		return -EINVAL;
	}
	return nflb_refused(nflb_rules_addr_range(&laddr->first, &last,
						  nla_len(attr),
						  &laddr->addr_count),
			    attr, extack);
}

static int parse_excluded(const struct nlattr *attr, struct nflb_laddr *laddr,
			  struct netlink_ext_ack *extack)
{
	const __be16 *pair = nla_data(attr);
	int n = nla_len(attr) / 4, i, err;
	u16 before = 0;

	if (nla_len(attr) % 4) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "excluded ports are pairs of ports");
		return -EINVAL;
	}
	for (i = 0; i < n; i++) {
		struct nflb_port_range *range = &laddr->excluded[i];

		range->first = ntohs(get_unaligned(pair + 2 * i));
		range->last = ntohs(get_unaligned(pair + 2 * i + 1));
		err = nflb_refused(nflb_rules_excluded(laddr->ports.first,
						       laddr->ports.last,
						       before, range->first,
						       range->last),
				   attr, extack);
		if (err)
			return err;
		before = range->last;
		laddr->port_count -= range->last - range->first + 1;
	}
	laddr->excluded_count = n;
	if (laddr->port_count)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "no port is left");
	return -EINVAL;
}

static int parse_port_range(struct nlattr **tb, struct nflb_laddr *laddr,
			    struct netlink_ext_ack *extack)
{
	struct nlattr *first = tb[NFLB_A_LADDR_PORT];
	struct nlattr *last = tb[NFLB_A_LADDR_PORT_LAST];
	int err;

	if (!first != !last) {
		NL_SET_ERR_MSG(extack, "ports need a first and a last port");
		return -EINVAL;
	}
	laddr->ports.first = NFLB_LADDR_PORT_FIRST;
	laddr->ports.last = NFLB_LADDR_PORT_LAST;
	if (first) {
		laddr->ports.first = ntohs(nla_get_be16(first));
		laddr->ports.last = ntohs(nla_get_be16(last));
	}
	err = nflb_refused(nflb_rules_ports(laddr->ports.first,
					    laddr->ports.last), first, extack);
	if (err)
		return err;
	laddr->port_count = laddr->ports.last - laddr->ports.first + 1;
	if (tb[NFLB_A_LADDR_EXCLUDED])
		return parse_excluded(tb[NFLB_A_LADDR_EXCLUDED], laddr,
				      extack);
	return 0;
}

static int parse_laddr(struct nlattr **attrs, struct nflb_laddr *laddr,
		       bool *ports, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFLB_A_LADDR_MAX + 1];
	int err;

	memset(laddr, 0, sizeof(*laddr));
	if (!attrs[NFLB_A_LADDR]) {
		NL_SET_ERR_MSG(extack, "the local address is missing");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, NFLB_A_LADDR_MAX, attrs[NFLB_A_LADDR],
			       nflb_laddr_policy, extack);
	if (err)
		return err;
	if (!tb[NFLB_A_LADDR_ADDRESS]) {
		NL_SET_ERR_MSG(extack, "the local address is missing");
		return -EINVAL;
	}
	err = nflb_parse_addr(tb[NFLB_A_LADDR_ADDRESS], &laddr->first,
			      &laddr->family, extack);
	if (err)
		return err;
	err = nflb_parse_addr_usable(tb[NFLB_A_LADDR_ADDRESS], &laddr->first,
				     extack);
	if (err)
		return err;
	err = parse_last(tb[NFLB_A_LADDR_ADDRESS_LAST], laddr, extack);
	*ports = tb[NFLB_A_LADDR_PORT];
	return err ?: parse_port_range(tb, laddr, extack);
}

static int put_excluded(struct sk_buff *skb, const struct nflb_laddr *laddr)
{
	__be16 pairs[NFLB_LADDR_EXCLUDED_MAX][2];
	int i;

	if (!laddr->excluded_count)
		return 0;
	for (i = 0; i < laddr->excluded_count; i++) {
		pairs[i][0] = htons(laddr->excluded[i].first);
		pairs[i][1] = htons(laddr->excluded[i].last);
	}
	return nla_put(skb, NFLB_A_LADDR_EXCLUDED,
		       laddr->excluded_count * sizeof(pairs[0]), pairs);
}

/**
 * nflb_fill_laddr() - describe local addresses
 * @skb: a message
 * @nn: the namespace
 * @laddr: the addresses
 *
 * Return: 0 or -EMSGSIZE.
 */
int nflb_fill_laddr(struct sk_buff *skb, const struct nflb_net *nn,
		    const struct nflb_laddr *laddr)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_LADDR);
	int len = laddr->family == AF_INET ? 4 : 16;
	union nflb_addr last;

	if (!nest)
		return -EMSGSIZE;
	nflb_laddr_addr(laddr, laddr->addr_count - 1, &last);
	if (nla_put(skb, NFLB_A_LADDR_ADDRESS, len, &laddr->first) ||
	    nla_put(skb, NFLB_A_LADDR_ADDRESS_LAST, len, &last) ||
	    nla_put_be16(skb, NFLB_A_LADDR_PORT, htons(laddr->ports.first)) ||
	    nla_put_be16(skb, NFLB_A_LADDR_PORT_LAST,
			 htons(laddr->ports.last)) ||
	    put_excluded(skb, laddr) ||
	    nla_put_u32(skb, NFLB_A_LADDR_PORT_COUNT, laddr->port_count) ||
	    nla_put_u32(skb, NFLB_A_LADDR_FOREIGN,
			nflb_laddr_foreign(nn, laddr))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * nflb_nl_laddr_change_doit() - LADDR_ADD and LADDR_DEL
 * @skb: the request
 * @info: the request, parsed
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_laddr_change_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	struct nflb_change change;
	struct nflb_laddr laddr;
	bool ports;
	int err;

	err = parse_laddr(info->attrs, &laddr, &ports, info->extack);
	if (err)
		return err;
	err = nflb_change_begin(&change, info);
	if (err)
		return err;
	err = info->genlhdr->cmd == NFLB_CMD_LADDR_ADD ?
	      nflb_laddr_add(nn, &laddr, info->extack) :
	      nflb_laddr_del(nn, &laddr, ports, info->extack);
	return nflb_change_end(&change, err);
}

/**
 * nflb_nl_laddr_get_dumpit() - all local addresses
 * @skb: where to
 * @cb: where the dump is
 *
 * Return: skb->len, 0 when done, or a negative errno.
 */
int nflb_nl_laddr_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nflb_net *nn = nflb_net(sock_net(skb->sk));
	struct nflb_laddr laddr;
	u32 *next = (u32 *)cb->ctx;
	void *hdr;

	cb->seq = nflb_dump_seq(nn);
	while (nflb_laddr_nth(nn, *next, &laddr)) {
		hdr = nflb_nl_dump_config(skb, cb, NFLB_CMD_LADDR_GET);
		if (!hdr)
			break;
		if (nflb_fill_laddr(skb, nn, &laddr)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		++*next;
	}
	return skb->len;
}
