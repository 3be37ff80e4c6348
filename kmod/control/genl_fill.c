// SPDX-License-Identifier: GPL-2.0
/*
 * Plain structures to netlink attributes: one serializer for answers, dumps and
 * events, so that `monitor` and `show` print the same.
 */
#include <linux/timekeeping.h>
#include <net/netlink.h>

#include "control/generation.h"
#include "control/genl_fill.h"
#include "control/lifecycle.h"
#include "conn/conn_probe.h"
#include "forward/forward.h"
#include "netns.h"
#include "version.h"

/**
 * nflb_fill_addr() - an address, whose length tells its family
 * @skb: a message
 * @type: of the attribute
 * @addr: the address
 * @family: its family
 *
 * Return: 0 or -EMSGSIZE.
 */
int nflb_fill_addr(struct sk_buff *skb, int type, const union nflb_addr *addr,
		   u8 family)
{
	return nla_put(skb, type, family == AF_INET ? sizeof(addr->ip) :
						      sizeof(addr->in6), addr);
}

/* By enum nflb_passive; names as in BACKEND_TROUBLE */
static const struct {
	int		type;
	const char	*name;
} passive[NFLB_PASSIVE_COUNT] = {
	[NFLB_PASSIVE_ESTABLISHED] = { NFLB_A_STATS_ESTABLISHED, "established" },
	[NFLB_PASSIVE_SYN_REPEATED] = { NFLB_A_STATS_SYN_REPEATED, "syn-repeated" },
	[NFLB_PASSIVE_REFUSED] = { NFLB_A_STATS_REFUSED, "refused" },
	[NFLB_PASSIVE_RESET] = { NFLB_A_STATS_RESET, "reset" },
	[NFLB_PASSIVE_UNREACHABLE] = { NFLB_A_STATS_UNREACHABLE, "unreachable" },
	[NFLB_PASSIVE_NO_NEIGHBOUR] = { NFLB_A_STATS_NO_NEIGHBOUR, "no-neighbour" },
};

static int put_passive(struct sk_buff *skb, const struct nflb_stats_sum *sum)
{
	int i;

	for (i = 0; i < NFLB_PASSIVE_COUNT; i++)
		if (nla_put_u64_64bit(skb, passive[i].type, sum->passive[i],
				      NFLB_A_STATS_PAD))
			return -EMSGSIZE;
	return 0;
}

/* @drops: of a service or backend; the totals have them by reason instead */
static int put_stats(struct sk_buff *skb, int type,
		     const struct nflb_stats_sum *sum, bool drops)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, NFLB_A_STATS_CONNECTIONS, sum->connections,
			      NFLB_A_STATS_PAD) ||
	    nla_put_u32(skb, NFLB_A_STATS_ACTIVE, sum->active) ||
	    nla_put_u32(skb, NFLB_A_STATS_INACTIVE, sum->inactive) ||
	    nla_put_u64_64bit(skb, NFLB_A_STATS_PACKETS_IN,
			      sum->packets[NFLB_DIR_IN], NFLB_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, NFLB_A_STATS_PACKETS_OUT,
			      sum->packets[NFLB_DIR_OUT], NFLB_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, NFLB_A_STATS_BYTES_IN,
			      sum->bytes[NFLB_DIR_IN], NFLB_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, NFLB_A_STATS_BYTES_OUT,
			      sum->bytes[NFLB_DIR_OUT], NFLB_A_STATS_PAD) ||
	    (drops &&
	     (nla_put_u64_64bit(skb, NFLB_A_STATS_DROPS, sum->drops,
				NFLB_A_STATS_PAD) ||
	      put_passive(skb, sum)))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_identity(struct sk_buff *skb, const struct nflb_service *svc)
{
	if (nla_put_u8(skb, NFLB_A_SERVICE_PROTOCOL, svc->key.proto) ||
	    nflb_fill_addr(skb, NFLB_A_SERVICE_ADDRESS, &svc->key.addr,
			   svc->key.family) ||
	    nla_put_be16(skb, NFLB_A_SERVICE_PORT, svc->key.port))
		return -EMSGSIZE;
	/* Port 0 alone is every port. */
	if (nflb_service_has_range(svc) && svc->key.port)
		return nla_put_be16(skb, NFLB_A_SERVICE_PORT_LAST,
				    svc->port_last);
	return 0;
}

static int put_encap_source(struct sk_buff *skb, int type,
			    const struct nflb_encap_source *src, u8 family)
{
	if (!src->set)
		return 0;
	/* The prefix's length is the next attribute. */
	return nflb_fill_addr(skb, type, &src->addr, family) ?:
	       nla_put_u8(skb, type + 1, src->prefix);
}

static int put_encap(struct sk_buff *skb, const struct nflb_service_settings *s)
{
	if (s->mode == NFLB_MODE_DSR || s->encap != NFLB_ENCAP_NONE)
		if (nla_put_u8(skb, NFLB_A_SERVICE_ENCAP, s->encap))
			return -EMSGSIZE;
	if (s->encap == NFLB_ENCAP_GUE &&
	    nla_put_be16(skb, NFLB_A_SERVICE_ENCAP_PORT,
			 s->encap_port ?: htons(NFLB_GUE_PORT)))
		return -EMSGSIZE;
	return put_encap_source(skb, NFLB_A_SERVICE_ENCAP_SOURCE4,
				&s->encap_source[0], AF_INET) ?:
	       put_encap_source(skb, NFLB_A_SERVICE_ENCAP_SOURCE6,
				&s->encap_source[1], AF_INET6);
}

static int put_settings(struct sk_buff *skb,
			const struct nflb_service_settings *s)
{
	const u32 *t = s->timeouts;

	if (s->persist &&
	    (nla_put_u32(skb, NFLB_A_SERVICE_PERSIST, s->persist) ||
	     nla_put_u8(skb, NFLB_A_SERVICE_PERSIST_PREFIX4,
			s->persist_prefix4) ||
	     nla_put_u8(skb, NFLB_A_SERVICE_PERSIST_PREFIX6,
			s->persist_prefix6)))
		return -EMSGSIZE;
	if (s->slow_start &&
	    nla_put_u32(skb, NFLB_A_SERVICE_SLOW_START, s->slow_start))
		return -EMSGSIZE;
	if (s->mode == NFLB_MODE_FULLNAT || s->toa || s->proxy)
		if (nla_put_u8(skb, NFLB_A_SERVICE_TOA, s->toa) ||
		    nla_put_u8(skb, NFLB_A_SERVICE_TOA_KIND6, s->toa_kind6) ||
		    nla_put_u8(skb, NFLB_A_SERVICE_PROXY, s->proxy))
			return -EMSGSIZE;
	if (nla_put_u8(skb, NFLB_A_SERVICE_MODE, s->mode) ||
	    put_encap(skb, s) ||
	    (s->one_packet &&
	     nla_put_u8(skb, NFLB_A_SERVICE_ONE_PACKET, true)) ||
	    nla_put_string(skb, NFLB_A_SERVICE_SCHEDULER, s->scheduler) ||
	    nla_put_u32(skb, NFLB_A_SERVICE_TIMEOUT_SYN,
			t[NFLB_TIMEOUT_SYN]) ||
	    nla_put_u32(skb, NFLB_A_SERVICE_TIMEOUT_ESTABLISHED,
			t[NFLB_TIMEOUT_ESTABLISHED]) ||
	    nla_put_u32(skb, NFLB_A_SERVICE_TIMEOUT_FIN,
			t[NFLB_TIMEOUT_FIN]) ||
	    nla_put_u32(skb, NFLB_A_SERVICE_TIMEOUT_UDP, t[NFLB_TIMEOUT_UDP]))
		return -EMSGSIZE;
	return 0;
}

/* Settings that differ from their defaults. */
static int put_health_settings(struct sk_buff *skb,
			       const struct nflb_service_settings *s)
{
	if ((s->health_initial &&
	     nla_put_u8(skb, NFLB_A_SERVICE_HEALTH_INITIAL,
			s->health_initial)) ||
	    (s->on_unhealthy &&
	     nla_put_u8(skb, NFLB_A_SERVICE_HEALTH_ON_UNHEALTHY,
			s->on_unhealthy)) ||
	    (s->when_none &&
	     nla_put_u8(skb, NFLB_A_SERVICE_HEALTH_WHEN_NONE, s->when_none)) ||
	    (s->panic &&
	     nla_put_u8(skb, NFLB_A_SERVICE_HEALTH_PANIC, s->panic)))
		return -EMSGSIZE;
	return 0;
}

static int put_service_labels(struct sk_buff *skb, const struct nflb_service *svc)
{
	const char *name = svc->labels[NFLB_LABEL_NAME];
	const char *comment = svc->labels[NFLB_LABEL_COMMENT];

	if ((name && nla_put_string(skb, NFLB_A_SERVICE_NAME, name)) ||
	    (comment && nla_put_string(skb, NFLB_A_SERVICE_COMMENT, comment)))
		return -EMSGSIZE;
	return 0;
}

static int put_service(struct sk_buff *skb, const struct nflb_service *svc)
{
	return put_identity(skb, svc) ?:
	       put_service_labels(skb, svc) ?:
	       put_settings(skb, &svc->settings) ?:
	       nla_put_u32(skb, NFLB_A_SERVICE_BACKEND_COUNT,
			   svc->backend_count) ?:
	       nla_put_u32(skb, NFLB_A_SERVICE_PERSIST_COUNT,
			   atomic_read(&svc->persist_count)) ?:
	       put_health_settings(skb, &svc->settings) ?:
	       (svc->health_check ?
		nla_put_string(skb, NFLB_A_SERVICE_HEALTH_CHECK,
			       svc->health_check) : 0);
}

/**
 * nflb_fill_service_plain() - describe a service, without backends and counters
 * @skb: a message
 * @svc: the service; nn->view is held
 *
 * Counters are summed over all backends and CPUs; this costs the same whatever
 * their number.
 *
 * Context: any. Return: 0 or -EMSGSIZE.
 */
int nflb_fill_service_plain(struct sk_buff *skb, const struct nflb_service *svc)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_SERVICE);

	if (!nest)
		return -EMSGSIZE;
	if (put_service(skb, svc)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * nflb_fill_service() - describe a service, without its backends
 * @skb: a message
 * @svc: the service; nn->view is held
 *
 * Context: process, sleeps. Return: 0 or -EMSGSIZE.
 */
int nflb_fill_service(struct sk_buff *skb, const struct nflb_service *svc)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_SERVICE);
	struct nflb_stats_sum sum;

	if (!nest)
		return -EMSGSIZE;
	if (put_service(skb, svc))
		goto err_nest;
	nflb_service_stats(svc, &sum);
	if (put_stats(skb, NFLB_A_SERVICE_STATS, &sum, true))
		goto err_nest;
	nla_nest_end(skb, nest);
	return 0;

err_nest:
	nla_nest_cancel(skb, nest);
	return -EMSGSIZE;
}

static u32 seconds_until(unsigned long when)
{
	return time_after(when, jiffies) ? (when - jiffies) / HZ : 0;
}

/* The state that was set by hand, and the one that is behind it. */
static int put_by_hand(struct sk_buff *skb, const struct nflb_backend *b)
{
	if (b->by_hand == NFLB_BACKEND_UP)
		return 0;
	return nla_put_u8(skb, NFLB_A_BACKEND_BY_HAND, b->by_hand) ?:
	       nla_put_u8(skb, NFLB_A_BACKEND_CONFIGURED, b->configured);
}

static int put_health(struct sk_buff *skb, const struct nflb_backend *b)
{
	time64_t age = ktime_get_seconds() - b->health_since;

	if (nla_put_u32(skb, NFLB_A_BACKEND_ID, b->id) ||
	    nla_put_u8(skb, NFLB_A_BACKEND_HEALTH, b->health) ||
	    (b->health_weight != 100 &&
	     nla_put_u8(skb, NFLB_A_BACKEND_HEALTH_WEIGHT,
			b->health_weight)) ||
	    (*b->health_reason &&
	     nla_put_string(skb, NFLB_A_BACKEND_HEALTH_REASON,
			    b->health_reason)) ||
	    nla_put_u32(skb, NFLB_A_BACKEND_HEALTH_AGE,
			min_t(time64_t, age, U32_MAX)))
		return -EMSGSIZE;
	return 0;
}

static int put_backend_labels(struct sk_buff *skb, const struct nflb_backend *b)
{
	const char *name = b->labels[NFLB_LABEL_NAME];
	const char *comment = b->labels[NFLB_LABEL_COMMENT];

	if ((name && nla_put_string(skb, NFLB_A_BACKEND_NAME, name)) ||
	    (comment && nla_put_string(skb, NFLB_A_BACKEND_COMMENT, comment)))
		return -EMSGSIZE;
	return 0;
}

/* Only mode fullnat takes local ports. */
static int put_local_ports(struct sk_buff *skb, const struct nflb_backend *b)
{
	int ports = atomic_read(&b->ports);

	if (!ports && nflb_backend_forward(b, &b->service->settings)->mode !=
		      NFLB_MODE_FULLNAT)
		return 0;
	return nla_put_u32(skb, NFLB_A_BACKEND_LOCAL_PORTS, max(ports, 0));
}

static int put_backend(struct sk_buff *skb, const struct nflb_backend *b)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_BACKEND);
	struct nflb_stats_sum sum;

	if (!nest)
		return -EMSGSIZE;
	nflb_backend_stats(b, &sum);
	if (nflb_fill_addr(skb, NFLB_A_BACKEND_ADDRESS, &b->addr, b->family) ||
	    nla_put_be16(skb, NFLB_A_BACKEND_PORT, b->port) ||
	    nla_put_u32(skb, NFLB_A_BACKEND_WEIGHT, b->weight) ||
	    nla_put_u8(skb, NFLB_A_BACKEND_STATE, b->state) ||
	    (b->mode != NFLB_MODE_INHERIT &&
	     nla_put_u8(skb, NFLB_A_BACKEND_MODE, b->mode)) ||
	    (b->encap != NFLB_ENCAP_INHERIT &&
	     nla_put_u8(skb, NFLB_A_BACKEND_ENCAP, b->encap)) ||
	    (b->encap_port &&
	     nla_put_be16(skb, NFLB_A_BACKEND_ENCAP_PORT, b->encap_port)) ||
	    nla_put_u32(skb, NFLB_A_BACKEND_MAX_CONNECTIONS,
			b->max_connections) ||
	    (b->deadline && b->state == NFLB_BACKEND_DRAIN &&
	     nla_put_u32(skb, NFLB_A_BACKEND_DEADLINE,
			 seconds_until(b->deadline))) ||
	    nla_put_string(skb, NFLB_A_BACKEND_CONDITION,
			   nflb_lifecycle_condition(b)) ||
	    put_by_hand(skb, b) || put_health(skb, b) ||
	    put_backend_labels(skb, b) || put_local_ports(skb, b) ||
	    put_stats(skb, NFLB_A_BACKEND_STATS, &sum, true)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * nflb_fill_backend() - describe a backend, with its service's identity
 * @skb: a message
 * @backend: the backend; nn->view is held
 *
 * Return: 0 or -EMSGSIZE.
 */
int nflb_fill_backend(struct sk_buff *skb, const struct nflb_backend *backend)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_SERVICE);

	if (!nest)
		return -EMSGSIZE;
	if (put_identity(skb, backend->service)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return put_backend(skb, backend);
}

/**
 * nflb_fill_trouble() - say of which backend clients' connections fail
 * @skb: a message
 * @b: the backend
 * @what: how one failed
 *
 * Its identity only, which never changes.
 *
 * Context: any, rcu_read_lock() held. Return: 0 or -EMSGSIZE.
 */
int nflb_fill_trouble(struct sk_buff *skb, const struct nflb_backend *b,
		      enum nflb_passive what)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_SERVICE);

	if (!nest || put_identity(skb, b->service))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	nest = nla_nest_start(skb, NFLB_A_BACKEND);
	if (!nest ||
	    nflb_fill_addr(skb, NFLB_A_BACKEND_ADDRESS, &b->addr, b->family) ||
	    nla_put_be16(skb, NFLB_A_BACKEND_PORT, b->port) ||
	    nla_put_u32(skb, NFLB_A_BACKEND_ID, b->id) ||
	    nla_put_string(skb, NFLB_A_BACKEND_TROUBLE, passive[what].name))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* The backend's client, where that is the balancer. */
static int put_local(struct sk_buff *skb, const struct nflb_conn *conn)
{
	const struct nflb_tuple *out = &conn->out.tuple;

	if (!(conn->how & NFLB_HOW_LADDR))
		return 0;
	return nflb_fill_addr(skb, NFLB_A_CONN_LOCAL_ADDRESS, &out->dst,
			      out->family) ?:
	       nla_put_be16(skb, NFLB_A_CONN_LOCAL_PORT, out->dport);
}

/**
 * nflb_fill_conn() - describe a connection
 * @skb: a message
 * @conn: the connection
 *
 * Context: rcu_read_lock() held. Return: 0 or -EMSGSIZE.
 */
int nflb_fill_conn(struct sk_buff *skb, const struct nflb_conn *conn)
{
	const struct nflb_backend *backend = conn->backend;
	const struct nflb_tuple *in = &conn->in.tuple;
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_CONN);
	const struct nflb_forward_ops *ops = nflb_conn_ops(conn);
	u32 now = nflb_now();
	u32 left;

	if (!nest)
		return -EMSGSIZE;
	left = nflb_conn_is(conn, NFLB_CONN_PROBE) ?
	       nflb_probe_left(conn, now) : nflb_conn_left(conn, now);
	if (nla_put_u8(skb, NFLB_A_CONN_PROTOCOL, in->proto) ||
	    nflb_fill_addr(skb, NFLB_A_CONN_CLIENT_ADDRESS, &in->src,
			   in->family) ||
	    nla_put_be16(skb, NFLB_A_CONN_CLIENT_PORT, in->sport) ||
	    nflb_fill_addr(skb, NFLB_A_CONN_ADDRESS, &in->dst, in->family) ||
	    nla_put_be16(skb, NFLB_A_CONN_PORT, in->dport) ||
	    nflb_fill_addr(skb, NFLB_A_CONN_BACKEND_ADDRESS, &backend->addr,
			   backend->family) ||
	    nla_put_be16(skb, NFLB_A_CONN_BACKEND_PORT,
			 nflb_conn_backend_port(conn)) ||
	    put_local(skb, conn) ||
	    nla_put_u8(skb, NFLB_A_CONN_MODE, ops->mode) ||
	    (ops->mode == NFLB_MODE_DSR &&
	     nla_put_u8(skb, NFLB_A_CONN_ENCAP, ops->encap)) ||
	    nla_put_u8(skb, NFLB_A_CONN_STATE, READ_ONCE(conn->state)) ||
	    nla_put_u32(skb, NFLB_A_CONN_EXPIRES, left / HZ) ||
	    nla_put_u32(skb, NFLB_A_CONN_AGE, nflb_conn_age(conn, now) / HZ) ||
	    (nflb_conn_is(conn, NFLB_CONN_PROBE) &&
	     nla_put_u32(skb, NFLB_A_CONN_FLAGS, NFLB_CONN_FLAG_PROBE))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_drop(struct sk_buff *skb, struct nflb_net *nn,
		    enum nflb_reason reason)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_DROP);

	if (!nest ||
	    nla_put_string(skb, NFLB_A_DROP_REASON,
			   nflb_reason_name(reason)) ||
	    nla_put_u64_64bit(skb, NFLB_A_DROP_PACKETS,
			      nflb_drops_read(nn, reason), NFLB_A_DROP_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_counter(struct sk_buff *skb, struct nflb_net *nn,
		       enum nflb_counter counter)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_COUNTER);

	if (!nest ||
	    nla_put_string(skb, NFLB_A_COUNTER_NAME,
			   nflb_counter_name(counter)) ||
	    nla_put_u64_64bit(skb, NFLB_A_COUNTER_VALUE,
			      nflb_counter_read(nn, counter),
			      NFLB_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_counters(struct sk_buff *skb, struct nflb_net *nn)
{
	struct nlattr *nest = nla_nest_start(skb, NFLB_A_COUNTERS);
	int c;

	if (!nest)
		return -EMSGSIZE;
	for (c = 0; c < NFLB_COUNTER_COUNT; c++)
		if (put_counter(skb, nn, c))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * nflb_fill_generation() - say which configuration this is
 * @skb: a message
 * @nn: the namespace
 * @generation: of it
 *
 * Return: 0 or -EMSGSIZE.
 */
int nflb_fill_generation(struct sk_buff *skb, const struct nflb_net *nn,
			 u64 generation)
{
	if (nla_put_u64_64bit(skb, NFLB_A_GENERATION, generation, NFLB_A_PAD) ||
	    nla_put_u32(skb, NFLB_A_BOOT, nn->boot))
		return -EMSGSIZE;
	return 0;
}

/**
 * nflb_fill_config() - say which configuration and module this is, and its defaults
 * @skb: a message
 * @nn: the namespace
 *
 * Return: 0 or -EMSGSIZE.
 */
int nflb_fill_config(struct sk_buff *skb, const struct nflb_net *nn)
{
	return nflb_fill_generation(skb, nn, nflb_generation(nn)) ?:
	       nla_put_u32(skb, NFLB_A_MAX_CONNECTIONS_DEFAULT,
			   nn->max_connections_default) ?:
	       nla_put_string(skb, NFLB_A_MODULE_VERSION, NFLB_VERSION) ?:
	       nla_put_u32(skb, NFLB_A_UAPI_VERSION, NFLB_UAPI_VERSION);
}

/**
 * nflb_fill_net() - describe the totals of a namespace
 * @skb: a message
 * @nn: the namespace; nn->view is held
 *
 * Return: 0 or -EMSGSIZE; then the message is of no use.
 */
int nflb_fill_net(struct sk_buff *skb, struct nflb_net *nn)
{
	struct nflb_stats_sum sum;
	struct nlattr *nest;
	int r;

	nflb_net_stats(nn, &sum);
	if (put_stats(skb, NFLB_A_STATS, &sum, false) ||
	    nla_put_u32(skb, NFLB_A_CONNECTIONS,
			nflb_conn_counted(nn)) ||
	    nla_put_u32(skb, NFLB_A_MAX_CONNECTIONS,
			READ_ONCE(nn->max_connections)))
		return -EMSGSIZE;
	nest = nla_nest_start(skb, NFLB_A_DROPS);
	if (!nest)
		return -EMSGSIZE;
	for (r = 0; r < NFLB_REASON_COUNT; r++)
		if (put_drop(skb, nn, r))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return put_counters(skb, nn);
}
