// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink attributes to plain structures. The policies check each attribute by itself,
 * the functions check combinations. Every error names the attribute and the reason.
 */
#include <linux/in.h>
#include <linux/ipv6.h>
#include <linux/slab.h>

#include "control/genl_parse.h"
#include "sched/sched.h"
#include "forward/forward.h"
#include "forward/toa.h"

struct netlink_range_validation nflb_timeout_range = {
	.max = NFLB_TIMEOUT_MAX,
};

static const struct nla_policy service_policy[NFLB_A_SERVICE_MAX + 1] = {
	[NFLB_A_SERVICE_PROTOCOL] = { .type = NLA_U8 },
	[NFLB_A_SERVICE_ADDRESS] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_SERVICE_PORT] = { .type = NLA_U16 },
	[NFLB_A_SERVICE_PORT_LAST] = { .type = NLA_U16 },
	[NFLB_A_SERVICE_MODE] = NLA_POLICY_MAX(NLA_U8, NFLB_MODE_MAX),
	[NFLB_A_SERVICE_ENCAP] = NLA_POLICY_MAX(NLA_U8, NFLB_ENCAP_MAX),
	[NFLB_A_SERVICE_ENCAP_PORT] = { .type = NLA_U16 },
	[NFLB_A_SERVICE_SCHEDULER] = { .type = NLA_NUL_STRING,
				       .len = NFLB_SCHEDULER_NAMSIZ - 1 },
	[NFLB_A_SERVICE_PERSIST] = NFLB_TIMEOUT_POLICY,
	[NFLB_A_SERVICE_PERSIST_PREFIX4] = NLA_POLICY_MAX(NLA_U8, 32),
	[NFLB_A_SERVICE_PERSIST_PREFIX6] = NLA_POLICY_MAX(NLA_U8, 128),
	[NFLB_A_SERVICE_TOA] = NLA_POLICY_MAX(NLA_U8, 1),
	[NFLB_A_SERVICE_TIMEOUT_SYN] = NFLB_TIMEOUT_POLICY,
	[NFLB_A_SERVICE_TIMEOUT_ESTABLISHED] = NFLB_TIMEOUT_POLICY,
	[NFLB_A_SERVICE_TIMEOUT_FIN] = NFLB_TIMEOUT_POLICY,
	[NFLB_A_SERVICE_TIMEOUT_UDP] = NFLB_TIMEOUT_POLICY,
	[NFLB_A_SERVICE_BACKENDS] = { .type = NLA_NESTED },
	[NFLB_A_SERVICE_BACKEND_COUNT] = { .type = NLA_REJECT },
	[NFLB_A_SERVICE_STATS] = { .type = NLA_REJECT },
	[NFLB_A_SERVICE_SLOW_START] = NFLB_TIMEOUT_POLICY,
	[NFLB_A_SERVICE_PERSIST_COUNT] = { .type = NLA_REJECT },
	[NFLB_A_SERVICE_TOA_KIND6] =
		NLA_POLICY_RANGE(NLA_U8, NFLB_TOA_KIND6_OTHER, NFLB_TOA_KIND),
	[NFLB_A_SERVICE_PROXY] = NLA_POLICY_MAX(NLA_U8, 1),
	[NFLB_A_SERVICE_ONE_PACKET] = NLA_POLICY_MAX(NLA_U8, 1),
	[NFLB_A_SERVICE_ENCAP_SOURCE4] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_SERVICE_ENCAP_SOURCE4_PREFIX] = NLA_POLICY_MAX(NLA_U8, 32),
	[NFLB_A_SERVICE_ENCAP_SOURCE6] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_SERVICE_ENCAP_SOURCE6_PREFIX] = NLA_POLICY_MAX(NLA_U8, 128),
	[NFLB_A_SERVICE_HEALTH_CHECK] = { .type = NLA_NUL_STRING,
					  .len = NFLB_HEALTH_CHECK_SIZE - 1 },
	[NFLB_A_SERVICE_HEALTH_INITIAL] =
		NLA_POLICY_MAX(NLA_U8, NFLB_HEALTH_INITIAL_MAX),
	[NFLB_A_SERVICE_HEALTH_ON_UNHEALTHY] =
		NLA_POLICY_MAX(NLA_U8, NFLB_ON_UNHEALTHY_MAX),
	[NFLB_A_SERVICE_HEALTH_WHEN_NONE] =
		NLA_POLICY_MAX(NLA_U8, NFLB_WHEN_NONE_MAX),
	[NFLB_A_SERVICE_HEALTH_PANIC] = NLA_POLICY_MAX(NLA_U8, 100),
	[NFLB_A_SERVICE_NAME] = { .type = NLA_NUL_STRING,
				  .len = NFLB_NAME_SIZE - 1 },
	[NFLB_A_SERVICE_COMMENT] = { .type = NLA_NUL_STRING,
				     .len = NFLB_COMMENT_SIZE - 1 },
};

static const struct nla_policy filter_policy[NFLB_A_FILTER_MAX + 1] = {
	[NFLB_A_FILTER_CLIENT_ADDRESS] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[NFLB_A_FILTER_CLIENT_PREFIX] = NLA_POLICY_MAX(NLA_U8, 128),
	[NFLB_A_FILTER_STATE] = NLA_POLICY_MAX(NLA_U8, NFLB_CONN_STATE_MAX),
	[NFLB_A_FILTER_FLAGS] = NLA_POLICY_MASK(NLA_U32, NFLB_CONN_FLAG_PROBE),
};

const struct nla_policy nflb_genl_policy[NFLB_A_MAX + 1] = {
	[NFLB_A_SERVICE] = NLA_POLICY_NESTED(service_policy),
	[NFLB_A_BACKEND] = NLA_POLICY_NESTED(nflb_backend_policy),
	[NFLB_A_CONN] = NLA_POLICY_NESTED(nflb_probe_policy),
	[NFLB_A_FILTER] = NLA_POLICY_NESTED(filter_policy),
	[NFLB_A_STATS] = { .type = NLA_REJECT },
	[NFLB_A_DROPS] = { .type = NLA_REJECT },
	[NFLB_A_DROP] = { .type = NLA_REJECT },
	[NFLB_A_COUNT] = { .type = NLA_REJECT },
	[NFLB_A_CONNECTIONS] = { .type = NLA_REJECT },
	[NFLB_A_MAX_CONNECTIONS] = { .type = NLA_REJECT },
	[NFLB_A_NOW] = { .type = NLA_FLAG },
	[NFLB_A_LADDR] = NLA_POLICY_NESTED(nflb_laddr_policy),
	[NFLB_A_COUNTERS] = { .type = NLA_REJECT },
	[NFLB_A_COUNTER] = { .type = NLA_REJECT },
	[NFLB_A_DEVICE] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[NFLB_A_BACKENDS] = { .type = NLA_NESTED },
	[NFLB_A_EXACT] = { .type = NLA_FLAG },
	[NFLB_A_EXPLAIN] = NLA_POLICY_NESTED(nflb_explain_policy),
	[NFLB_A_DEVICE_ABSENT] = { .type = NLA_FLAG },
	[NFLB_A_GENERATION] = { .type = NLA_REJECT },
	[NFLB_A_EXPECT_GENERATION] = { .type = NLA_U64 },
	[NFLB_A_BOOT] = { .type = NLA_REJECT },
	[NFLB_A_MAX_CONNECTIONS_DEFAULT] = { .type = NLA_REJECT },
	[NFLB_A_FORCE] = { .type = NLA_FLAG },
	[NFLB_A_MODULE_VERSION] = { .type = NLA_REJECT },
	[NFLB_A_UAPI_VERSION] = { .type = NLA_REJECT },
	[NFLB_A_DEVICE_XDP] = NLA_POLICY_MAX(NLA_U8, 1),
	[NFLB_A_RECORDS] = NLA_POLICY_MIN_LEN(NFLB_CONN_RECORD_SIZE_MIN),
	[NFLB_A_RECORD_RESULTS] = { .type = NLA_REJECT },
};

/**
 * nflb_parse_addr() - an address, whose length tells its family
 * @attr: 4 or 16 bytes, or less or more
 * @addr: where to
 * @family: set to AF_INET or AF_INET6
 * @extack: for a message
 *
 * Return: 0, -EINVAL, or -EAFNOSUPPORT for IPv6 on a host that has none: the kernel has no
 * tables of routes then.
 */
int nflb_parse_addr(const struct nlattr *attr, union nflb_addr *addr,
		    u8 *family, struct netlink_ext_ack *extack)
{
	int len = nla_len(attr);

	if (len != sizeof(addr->ip) && len != sizeof(addr->in6)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an address has 4 or 16 bytes");
		return -EINVAL;
	}
	if (len == sizeof(addr->in6) && !ipv6_mod_enabled()) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "IPv6 is disabled on this host (ipv6.disable)");
		return -EAFNOSUPPORT;
	}
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, nla_data(attr), len);
	*family = len == sizeof(addr->ip) ? AF_INET : AF_INET6;
	return 0;
}

/**
 * nflb_parse_addr_usable() - can an address be that of one host?
 * @attr: where it was given
 * @addr: the address, of a VIP, a backend or the balancer
 * @extack: for a message
 *
 * Return: 0 or -EINVAL.
 */
int nflb_parse_addr_usable(const struct nlattr *attr,
			   const union nflb_addr *addr,
			   struct netlink_ext_ack *extack)
{
	const char *why = nflb_rules_addr(addr, nla_len(attr));

	return nflb_refused(nflb_rules_refuse(why ? -EINVAL : 0, why), attr, extack);
}

static int parse_ports(struct nlattr **tb, struct nflb_service_id *id,
		       struct netlink_ext_ack *extack)
{
	u16 first, last;

	first = ntohs(nla_get_be16(tb[NFLB_A_SERVICE_PORT]));
	last = first;
	if (tb[NFLB_A_SERVICE_PORT_LAST]) {
		last = ntohs(nla_get_be16(tb[NFLB_A_SERVICE_PORT_LAST]));
		if (!first) {
			NL_SET_ERR_MSG_ATTR(extack,
					    tb[NFLB_A_SERVICE_PORT_LAST],
					    "port 0 means all ports and has no last port");
			return -EINVAL;
		}
		if (last < first) {
			NL_SET_ERR_MSG_ATTR(extack,
					    tb[NFLB_A_SERVICE_PORT_LAST],
					    "the last port is less than the first");
			return -EINVAL;
		}
	}
	if (!first)
		last = U16_MAX;
	id->key.port = htons(first);
	id->port_last = htons(last);
	return 0;
}

static int parse_id(struct nlattr **tb, struct nflb_service_id *id,
		    struct netlink_ext_ack *extack)
{
	int err;

	memset(id, 0, sizeof(*id));
	if (!tb[NFLB_A_SERVICE_PROTOCOL] || !tb[NFLB_A_SERVICE_ADDRESS] ||
	    !tb[NFLB_A_SERVICE_PORT]) {
		NL_SET_ERR_MSG(extack,
			       "a service needs protocol, address and port");
		return -EINVAL;
	}
	id->key.proto = nla_get_u8(tb[NFLB_A_SERVICE_PROTOCOL]);
	if (id->key.proto != IPPROTO_TCP && id->key.proto != IPPROTO_UDP) {
		NL_SET_ERR_MSG_ATTR(extack, tb[NFLB_A_SERVICE_PROTOCOL],
				    "the protocol must be tcp or udp");
		return -EPROTONOSUPPORT;
	}
	err = nflb_parse_addr(tb[NFLB_A_SERVICE_ADDRESS], &id->key.addr,
			      &id->key.family, extack);
	if (err)
		return err;
	err = nflb_parse_addr_usable(tb[NFLB_A_SERVICE_ADDRESS], &id->key.addr,
				     extack);
	if (err)
		return err;
	return parse_ports(tb, id, extack);
}

/**
 * nflb_parse_service_id() - which service a request is about
 * @attrs: of the message
 * @id: where to
 * @extack: for a message
 *
 * Return: 0 or a negative errno.
 */
int nflb_parse_service_id(struct nlattr **attrs, struct nflb_service_id *id,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFLB_A_SERVICE_MAX + 1];
	int err;

	if (!attrs[NFLB_A_SERVICE]) {
		NL_SET_ERR_MSG(extack, "the service is missing");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, NFLB_A_SERVICE_MAX, attrs[NFLB_A_SERVICE],
			       service_policy, extack);
	return err ?: parse_id(tb, id, extack);
}

/* The source of outer headers; the unspecified address is the route's. */
static int parse_encap_source(struct nlattr *addr, struct nlattr *prefix,
			      struct nflb_service_request *req, u8 family,
			      struct netlink_ext_ack *extack)
{
	unsigned int i = family == AF_INET6, bits = i ? 128 : 32;
	struct nflb_encap_source *src = &req->settings.encap_source[i];
	u8 given;
	int err;

	if (!addr && !prefix)
		return 0;
	if (!addr) {
		NL_SET_ERR_MSG_ATTR(extack, prefix,
				    "a prefix length needs an address");
		return -EINVAL;
	}
	err = nflb_parse_addr(addr, &src->addr, &given, extack);
	if (err)
		return err;
	src->prefix = prefix ? nla_get_u8(prefix) : bits;
	src->set = memchr_inv(&src->addr, 0, sizeof(src->addr));
	if (given != family) {
		NL_SET_ERR_MSG_ATTR(extack, addr,
				    "the address is of the other family");
		return -EINVAL;
	}
	if (src->set)
		err = nflb_refused(nflb_rules_encap_source(&src->addr,
							   nla_len(addr),
							   src->prefix),
				   addr, extack);
	if (err)
		return err;
	if (!src->set)
		memset(src, 0, sizeof(*src));
	req->set |= NFLB_SET_ENCAP_SOURCE(i);
	return 0;
}

static int parse_encap(struct nlattr **tb, struct nflb_service_request *req,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *port = tb[NFLB_A_SERVICE_ENCAP_PORT];
	int err;

	if (tb[NFLB_A_SERVICE_ENCAP]) {
		req->settings.encap = nla_get_u8(tb[NFLB_A_SERVICE_ENCAP]);
		req->settings.encap_port = port ? nla_get_be16(port) : 0;
		req->set |= NFLB_SET_ENCAP;
	} else if (port) {
		NL_SET_ERR_MSG_ATTR(extack, port, "a port needs encap gue");
		return -EINVAL;
	}
	err = parse_encap_source(tb[NFLB_A_SERVICE_ENCAP_SOURCE4],
				 tb[NFLB_A_SERVICE_ENCAP_SOURCE4_PREFIX], req,
				 AF_INET, extack);
	return err ?: parse_encap_source(tb[NFLB_A_SERVICE_ENCAP_SOURCE6],
					 tb[NFLB_A_SERVICE_ENCAP_SOURCE6_PREFIX],
					 req, AF_INET6, extack);
}

/* Missing attributes of a persistence get their defaults. */
static int parse_persist(struct nlattr **tb, struct nflb_service_request *req,
			 struct netlink_ext_ack *extack)
{
	struct nlattr *prefix4 = tb[NFLB_A_SERVICE_PERSIST_PREFIX4];
	struct nlattr *prefix6 = tb[NFLB_A_SERVICE_PERSIST_PREFIX6];

	if (!tb[NFLB_A_SERVICE_PERSIST]) {
		if (!prefix4 && !prefix6)
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, prefix4 ?: prefix6,
				    "a prefix length needs a persistence time");
		return -EINVAL;
	}
	req->settings.persist = nla_get_u32(tb[NFLB_A_SERVICE_PERSIST]);
	req->settings.persist_prefix4 = prefix4 ? nla_get_u8(prefix4) : 32;
	req->settings.persist_prefix6 = prefix6 ? nla_get_u8(prefix6) : 64;
	req->set |= NFLB_SET_PERSIST;
	return 0;
}

static int parse_settings(struct nlattr **tb, struct nflb_service_request *req,
			  struct netlink_ext_ack *extack)
{
	static const int timeouts[NFLB_TIMEOUT_COUNT] = {
		[NFLB_TIMEOUT_SYN] = NFLB_A_SERVICE_TIMEOUT_SYN,
		[NFLB_TIMEOUT_ESTABLISHED] = NFLB_A_SERVICE_TIMEOUT_ESTABLISHED,
		[NFLB_TIMEOUT_FIN] = NFLB_A_SERVICE_TIMEOUT_FIN,
		[NFLB_TIMEOUT_UDP] = NFLB_A_SERVICE_TIMEOUT_UDP,
	};
	struct nlattr *scheduler = tb[NFLB_A_SERVICE_SCHEDULER];
	int err, t;

	err = parse_encap(tb, req, extack);
	err = err ?: parse_persist(tb, req, extack);
	if (err)
		return err;
	if (tb[NFLB_A_SERVICE_SLOW_START]) {
		req->settings.slow_start =
			nla_get_u32(tb[NFLB_A_SERVICE_SLOW_START]);
		req->set |= NFLB_SET_SLOW_START;
	}
	if (tb[NFLB_A_SERVICE_TOA]) {
		req->settings.toa = nla_get_u8(tb[NFLB_A_SERVICE_TOA]);
		req->set |= NFLB_SET_TOA;
	}
	if (tb[NFLB_A_SERVICE_TOA_KIND6]) {
		req->settings.toa_kind6 =
			nla_get_u8(tb[NFLB_A_SERVICE_TOA_KIND6]);
		req->set |= NFLB_SET_TOA_KIND6;
	}
	if (tb[NFLB_A_SERVICE_PROXY]) {
		req->settings.proxy = nla_get_u8(tb[NFLB_A_SERVICE_PROXY]);
		req->set |= NFLB_SET_PROXY;
	}
	if (tb[NFLB_A_SERVICE_ONE_PACKET]) {
		req->settings.one_packet =
			nla_get_u8(tb[NFLB_A_SERVICE_ONE_PACKET]);
		req->set |= NFLB_SET_ONE_PACKET;
	}
	if (tb[NFLB_A_SERVICE_MODE]) {
		req->settings.mode = nla_get_u8(tb[NFLB_A_SERVICE_MODE]);
		req->set |= NFLB_SET_MODE;
	}
	if (scheduler) {
		nla_strscpy(req->settings.scheduler, scheduler,
			    sizeof(req->settings.scheduler));
		if (!nflb_sched_find(req->settings.scheduler)) {
			NFLB_ERR_ATTR_FMT(extack, scheduler,
					  "there is no scheduler of that name",
					  "there is no scheduler \"%s\"",
					  req->settings.scheduler);
			return -ENOENT;
		}
		req->set |= NFLB_SET_SCHEDULER;
	}
	for (t = 0; t < NFLB_TIMEOUT_COUNT; t++) {
		if (!tb[timeouts[t]])
			continue;
		req->settings.timeouts[t] = nla_get_u32(tb[timeouts[t]]);
		req->set |= NFLB_SET_TIMEOUT(t);
	}
	return 0;
}

static void parse_u8(const struct nlattr *attr, u32 flag, u8 *to,
		     struct nflb_service_request *req)
{
	if (!attr)
		return;
	*to = nla_get_u8(attr);
	req->set |= flag;
}

static int parse_health(struct nlattr **tb, struct nflb_service_request *req)
{
	struct nflb_service_settings *s = &req->settings;
	struct nlattr *attr = tb[NFLB_A_SERVICE_HEALTH_CHECK];

	parse_u8(tb[NFLB_A_SERVICE_HEALTH_INITIAL], NFLB_SET_HEALTH_INITIAL,
		 &s->health_initial, req);
	parse_u8(tb[NFLB_A_SERVICE_HEALTH_ON_UNHEALTHY], NFLB_SET_ON_UNHEALTHY,
		 &s->on_unhealthy, req);
	parse_u8(tb[NFLB_A_SERVICE_HEALTH_WHEN_NONE], NFLB_SET_WHEN_NONE,
		 &s->when_none, req);
	parse_u8(tb[NFLB_A_SERVICE_HEALTH_PANIC], NFLB_SET_PANIC, &s->panic,
		 req);
	if (!attr)
		return 0;
	req->set |= NFLB_SET_HEALTH_CHECK;
	if (!*(char *)nla_data(attr))
		return 0;
	req->health_check = nla_strdup(attr, GFP_KERNEL_ACCOUNT);
	return req->health_check ? 0 : -ENOMEM;
}

/**
 * nflb_parse_labels() - name and comment of a service or a backend
 * @name: the attribute, or NULL
 * @comment: the attribute, or NULL
 * @labels: set to texts within the message, NULL for missing ones
 * @extack: for a message
 *
 * Return: 0 or -EINVAL.
 */
int nflb_parse_labels(struct nlattr *name, struct nlattr *comment,
		      const char *labels[NFLB_LABEL_COUNT],
		      struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[NFLB_LABEL_COUNT] = { name, comment };
	const char *why;
	int i;

	for (i = 0; i < NFLB_LABEL_COUNT; i++) {
		labels[i] = attrs[i] ? nla_data(attrs[i]) : NULL;
		why = labels[i] ? nflb_rules_text(labels[i]) : NULL;
		if (why)
			return nflb_refused(nflb_rules_refuse(-EINVAL, why),
					    attrs[i], extack);
	}
	return 0;
}

/**
 * nflb_parse_service() - the service of a request, with its backends
 * @info: the request
 * @req: where to; nflb_service_request_free() it whatever is returned
 *
 * Return: 0 or a negative errno.
 */
int nflb_parse_service(struct genl_info *info,
		       struct nflb_service_request *req)
{
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr *tb[NFLB_A_SERVICE_MAX + 1];
	struct nlattr **attrs = info->attrs;
	int err;

	memset(req, 0, sizeof(*req));
	if (!attrs[NFLB_A_SERVICE]) {
		NL_SET_ERR_MSG(extack, "the service is missing");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, NFLB_A_SERVICE_MAX, attrs[NFLB_A_SERVICE],
			       service_policy, extack);
	if (err)
		return err;
	err = parse_id(tb, &req->id, extack);
	if (err)
		return err;
	err = parse_settings(tb, req, extack);
	err = err ?: parse_health(tb, req);
	err = err ?: nflb_parse_labels(tb[NFLB_A_SERVICE_NAME],
				       tb[NFLB_A_SERVICE_COMMENT], req->labels,
				       extack);
	if (err)
		return err;
	if (attrs[NFLB_A_EXACT] &&
	    info->genlhdr->cmd != NFLB_CMD_SERVICE_REPLACE) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[NFLB_A_EXACT],
				    "only a request to replace a service can be exact");
		return -EINVAL;
	}
	if (attrs[NFLB_A_FORCE] && !attrs[NFLB_A_EXACT]) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[NFLB_A_FORCE],
				    "force needs an exact service");
		return -EINVAL;
	}
	if (attrs[NFLB_A_EXACT])
		req->set |= NFLB_SET_EXACT;
	if (attrs[NFLB_A_FORCE])
		req->set |= NFLB_SET_FORCE;
	if (tb[NFLB_A_SERVICE_BACKENDS] || attrs[NFLB_A_BACKENDS])
		return nflb_parse_backends(info, tb[NFLB_A_SERVICE_BACKENDS],
					   req);
	return 0;
}

static int parse_client(struct nlattr **tb, struct nflb_conn_filter *filter,
			struct netlink_ext_ack *extack)
{
	struct nlattr *prefix = tb[NFLB_A_FILTER_CLIENT_PREFIX];
	u8 max;
	int err;

	if (!tb[NFLB_A_FILTER_CLIENT_ADDRESS]) {
		if (!prefix)
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, prefix,
				    "a prefix length needs an address");
		return -EINVAL;
	}
	err = nflb_parse_addr(tb[NFLB_A_FILTER_CLIENT_ADDRESS], &filter->client,
			      &filter->client_family, extack);
	if (err)
		return err;
	max = filter->client_family == AF_INET ? 32 : 128;
	filter->client_prefix = prefix ? nla_get_u8(prefix) : max;
	if (filter->client_prefix > max) {
		NL_SET_ERR_MSG_ATTR(extack, prefix,
				    "the prefix is longer than the address");
		return -EINVAL;
	}
	filter->has_client = true;
	return 0;
}

/**
 * nflb_parse_conn_filter() - which connections a request is about
 * @attrs: of the message, may be NULL
 * @filter: where to; nothing in it means all
 * @extack: for a message
 *
 * Return: 0 or a negative errno.
 */
int nflb_parse_conn_filter(struct nlattr **attrs,
			   struct nflb_conn_filter *filter,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFLB_A_FILTER_MAX + 1];
	int err;

	memset(filter, 0, sizeof(*filter));
	if (!attrs)
		return 0;
	/* Of CONN_ADD and CONN_DEL. Without it here, all would be meant. */
	if (attrs[NFLB_A_CONN]) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[NFLB_A_CONN],
				    "connections are chosen by a filter");
		return -EINVAL;
	}
	if (attrs[NFLB_A_SERVICE]) {
		err = nflb_parse_service_id(attrs, &filter->service, extack);
		if (err)
			return err;
		filter->has_service = true;
	}
	if (attrs[NFLB_A_BACKEND]) {
		err = nflb_parse_backend(attrs, &filter->backend, extack);
		if (err)
			return err;
		filter->has_backend = true;
	}
	if (!attrs[NFLB_A_FILTER])
		return 0;
	err = nla_parse_nested(tb, NFLB_A_FILTER_MAX, attrs[NFLB_A_FILTER],
			       filter_policy, extack);
	if (err)
		return err;
	if (tb[NFLB_A_FILTER_STATE]) {
		filter->state = nla_get_u8(tb[NFLB_A_FILTER_STATE]);
		filter->has_state = true;
	}
	if (tb[NFLB_A_FILTER_FLAGS])
		filter->flags = nla_get_u32(tb[NFLB_A_FILTER_FLAGS]);
	return parse_client(tb, filter, extack);
}
