/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services and backends as the packet path sees them: objects with an
 * identity, and an immutable snapshot of everything that can be changed.
 * control/config.c makes and swaps them.
 */
#ifndef NFLB_SERVICE_H
#define NFLB_SERVICE_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/nflb.h>
#include <net/dst_cache.h>

#include "nflb.h"
#include "packet/tuple.h"
#include "service/stats.h"

struct nflb_endpoint;
struct nflb_sched_ops;
struct nflb_forward_ops;
struct nflb_way;

/**
 * struct nflb_service_key - exact match of a service
 * @addr: the VIP
 * @port: the only port; 0 in the key of ranges (which are not hashed)
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @family: AF_INET or AF_INET6
 */
struct nflb_service_key {
	union nflb_addr	addr;
	__be16		port;
	u8		proto;
	u8		family;
};

/* Labels of a service or a backend, in the order of the attributes. */
enum nflb_label {
	NFLB_LABEL_NAME,
	NFLB_LABEL_COMMENT,
	NFLB_LABEL_COUNT
};

/* How a backend's connections end, nflb_backend.gone. */
enum nflb_gone {
	NFLB_GONE_NOT,		/* all is well */
	NFLB_GONE_STATELESS,	/* deleted: TCP runs out, UDP moves away */
	NFLB_GONE_ALL,		/* down, or deleted at once */
};

/**
 * struct nflb_backend - a real server of a service
 * @stats: per-CPU counters
 * @service: its service; holds a reference
 * @way: to it, of all connections that have no route of their own (forward/way.h)
 * @gone: enum nflb_gone, read on the packet path
 * @deleted: no longer configured
 * @family: of @addr
 * @state: enum nflb_backend_state: the stricter one of @configured and @by_hand
 * @port: 0 keeps the port that the client asked for
 * @addr: where it is
 * @drained: has no connections left, or its deadline passed; was told
 * @ramping: its weight grows, since @ramp_start
 * @weight: as configured
 * @max_connections: ceiling of @conns without @over, 0 is none
 * @id: ascending in the order of creation, cursor of dumps
 * @deadline: jiffies when the rest of a draining one's connections is reset, 0 is never
 * @ramp_start: jiffies when it came back
 * @list: in nflb_service.backends while configured
 * @object: in nflb_service.objects until freed
 * @stats_base: what `stats zero` subtracts
 * @ref: one for the configuration, one a connection
 * @free_work: frees it from process context
 * @mode: enum nflb_mode, or NFLB_MODE_INHERIT
 * @encap: enum nflb_encap, or NFLB_ENCAP_INHERIT
 * @encap_port: UDP port of gue; 0 for the service's
 * @forward: how packets go to it, set when its service is published
 * @gue_port: where it takes packets in GUE, or did last; set likewise
 * @route: to it, if nothing but its address decides that (route.c)
 * @port_salt: order in which local ports are used towards it
 * @conns: connections in the table, on a line of its own
 * @active: those of them that have not begun to end
 * @over: those of them that are over, in TIME_WAIT included
 * @port_cursor: counts local ports that were tried
 * @ident: the next identification that no CPU has yet, see nflb_stats.ident
 * @ports: local ports that its connections have
 * @ports_exhausted: jiffies (32 bits) when all of them were taken
 * @ports_short: jiffies (32 bits) when nearly all were
 * @troubled: jiffies (32 bits) of the last event of a failure, conn_passive.c
 * @limited_vain: jiffies (32 bits) of the last search in @limited in vain
 * @limited: connections made while there was a @max_connections, in the order in
 *	which they are to make room
 * @limited_lock: serialises changes of @limited
 * @endpoint: where it answers from, while configured
 * @answering: in nflb_endpoint.backends
 * @answers: its answers come by the balancer
 * @configured: enum nflb_backend_state, of its service's list
 * @by_hand: enum nflb_backend_state, set for this backend alone; UP is nothing
 * @health: enum nflb_health
 * @health_weight: percent of @weight
 * @shunned: new connections go elsewhere for @health; read on the packet path
 * @health_since: ktime_get_seconds() when @health changed
 * @health_reason: of @health, or ""
 * @labels: by enum nflb_label, each may be NULL; read under nflb_net.view
 */
struct nflb_backend {
	struct nflb_stats __percpu *stats;
	struct nflb_service	*service;
	struct nflb_way __rcu	*way;
	u8			gone;
	u8			family;
	u8			state;
	bool			deleted;
	bool			drained;
	bool			ramping;
	__be16			port;
	union nflb_addr		addr;
	u32			weight;
	u32			max_connections;
	u32			id;
	unsigned long		deadline;
	unsigned long		ramp_start;
	struct list_head	list;
	struct list_head	object;
	struct nflb_stats_sum	stats_base;
	refcount_t		ref;
	struct rcu_work		free_work;
	u8			mode;
	u8			encap;
	__be16			encap_port;
	const struct nflb_forward_ops *forward;
	__be16			gue_port;
	struct dst_cache	route;
	u32			port_salt;
	atomic_t		conns ____cacheline_aligned_in_smp;
	atomic_t		active;
	atomic_t		over;
	atomic_t		port_cursor;
	atomic_t		ident;
	atomic_t		ports;
	u32			ports_exhausted;
	u32			ports_short;
	u32			troubled;
	u32			limited_vain;
	struct list_head	limited;
	spinlock_t		limited_lock; /* of @limited */
	struct nflb_endpoint	*endpoint;
	struct list_head	answering;
	bool			answers;
	u8			configured;
	u8			by_hand;
	u8			health;
	u8			health_weight;
	bool			shunned;
	time64_t		health_since;
	char			health_reason[NFLB_HEALTH_REASON_SIZE];
	char			*labels[NFLB_LABEL_COUNT];
};

/* nflb_backend.mode: the service's */
#define NFLB_MODE_INHERIT U8_MAX
/* nflb_backend.encap: the service's */
#define NFLB_ENCAP_INHERIT U8_MAX

/* Is it to get no new connections? */
static inline bool nflb_backend_leaves(const struct nflb_backend *backend)
{
	return READ_ONCE(backend->gone) ||
	       READ_ONCE(backend->state) != NFLB_BACKEND_UP ||
	       READ_ONCE(backend->shunned) || !READ_ONCE(backend->weight) ||
	       !READ_ONCE(backend->health_weight);
}

/* How many of its connections count against its max-connections */
static inline u32 nflb_backend_held(const struct nflb_backend *backend)
{
	return max(atomic_read(&backend->conns) - atomic_read(&backend->over),
		   0);
}

/* Has it as many connections as it may? */
static inline bool nflb_backend_full(const struct nflb_backend *backend)
{
	u32 max = READ_ONCE(backend->max_connections);

	return unlikely(max) && nflb_backend_held(backend) >= max;
}

/**
 * struct nflb_encap_source - where the source of outer headers is taken from
 * @addr: an address of the prefix
 * @prefix: its length; of the rest, each flow has bits of its own
 * @set: or the address by which the balancer reaches the backend
 */
struct nflb_encap_source {
	union nflb_addr	addr;
	u8		prefix;
	bool		set;
};

/* One backend that may get new connections, in a snapshot. */
struct nflb_candidate {
	struct nflb_backend	*backend;
	u32			weight;
};

/**
 * struct nflb_snapshot - the changeable part of a service, itself immutable, under RCU
 * @sched: picks backends
 * @sched_data: belongs to @sched, freed with the snapshot
 * @toa: length of the option or header with the client's address, 0 if off
 * @toa_kind: kind of that TCP option
 * @proxy: a PROXY header tells it
 * @one_packet: each datagram is scheduled by itself
 * @persist: jiffies for which clients are remembered, 0 is off
 * @persist_mask: the part of a client's address that counts then
 * @encap_source: of outer headers, for IPv4 and for IPv6
 * @hash_key: of net.nflb.hash_seed, for hashes of flows (sched/flow.h)
 * @maglev_size: net.nflb.maglev_table_size
 * @slots: of the scheduler's table, two bytes each; 0 when it is small
 * @weight_scale: by which candidates' weights are multiplied
 * @panic: too few backends are healthy, so health is ignored
 * @timeouts: jiffies, by enum nflb_conn_state
 * @free_work: frees it after a grace period, from process context
 * @count: how many @candidates
 * @candidates: backends that are up and have a weight, in order of creation
 */
struct nflb_snapshot {
	const struct nflb_sched_ops *sched;
	void			*sched_data;
	u8			toa;
	u8			toa_kind;
	bool			proxy;
	bool			one_packet;
	struct nflb_encap_source encap_source[2];
	u32			persist;
	union nflb_addr		persist_mask;
	siphash_key_t		hash_key;
	u32			maglev_size;
	u32			slots;
	u32			weight_scale;
	bool			panic;
	u32			timeouts[NFLB_CONN_STATE_MAX + 1];
	struct rcu_work		free_work;
	u32			count;
	struct nflb_candidate	candidates[];
};

/* Timeouts that a service can set, in seconds. */
enum nflb_timeout {
	NFLB_TIMEOUT_SYN,
	NFLB_TIMEOUT_ESTABLISHED,
	NFLB_TIMEOUT_FIN,
	NFLB_TIMEOUT_UDP,
	NFLB_TIMEOUT_COUNT
};

/**
 * struct nflb_service_settings - an administrator's settings
 * @mode: enum nflb_mode
 * @encap: enum nflb_encap
 * @encap_port: UDP port of gue
 * @encap_source: of outer headers, for IPv4 and for IPv6
 * @toa: tell clients' addresses in a TCP option
 * @toa_kind6: kind of that option for an IPv6 client
 * @proxy: tell clients' addresses by PROXY protocol
 * @one_packet: schedule each datagram of UDP by itself
 * @persist_prefix4: bits of an IPv4 client's address that count for @persist
 * @persist_prefix6: the same of IPv6
 * @persist: seconds for which a client returns to its backend, 0 is off
 * @slow_start: seconds in which the weight of a backend that came grows
 * @health_initial: enum nflb_health_initial
 * @on_unhealthy: enum nflb_on_unhealthy
 * @when_none: enum nflb_when_none
 * @panic: percent of healthy backends below which health is ignored
 * @scheduler: name
 * @timeouts: seconds, by enum nflb_timeout
 */
struct nflb_service_settings {
	u8	mode;
	u8	encap;
	__be16	encap_port;
	struct nflb_encap_source encap_source[2];
	bool	toa;
	u8	toa_kind6;
	bool	proxy;
	bool	one_packet;
	u8	persist_prefix4;
	u8	persist_prefix6;
	u32	persist;
	u32	slow_start;
	u8	health_initial;
	u8	on_unhealthy;
	u8	when_none;
	u8	panic;
	char	scheduler[NFLB_SCHEDULER_NAMSIZ];
	u32	timeouts[NFLB_TIMEOUT_COUNT];
};

/**
 * struct nflb_service - a virtual service
 * @node: in nflb_net.services when it has a single port
 * @key: protocol, VIP and first port
 * @port_last: last port; @key.port when single, 65535 with port 0 for all
 * @range: in nflb_host.ranges when it has more than one port
 * @snapshot: the part that the packet path reads
 * @nn: its namespace
 * @settings: as configured
 * @id: ascending in the order of creation, cursor of dumps
 * @backend_count: length of @backends
 * @object_count: length of @objects
 * @backend_id: id of the backend made last
 * @slots: of its scheduler's table, which its user pays for
 * @list: in nflb_net.service_list while configured
 * @object: in nflb_net.service_objects until freed
 * @backends: configured, in order of creation
 * @objects: all that live, deleted ones with connections included
 * @drops: packets that were dropped before a backend was picked, per CPU
 * @departed: counters of backends that are freed
 * @stats_base: what `stats zero` subtracts
 * @panic: nflb_snapshot.panic
 * @behind: @snapshot is out of date, and is to be made again (lifecycle.c)
 * @persist_count: clients that are remembered
 * @health_check: how backends are to be checked, which others do; or NULL
 * @labels: by enum nflb_label, each may be NULL; read under nflb_net.view
 * @ref: one for the configuration, one a backend
 * @free_work: frees it from process context
 */
struct nflb_service {
	struct rhash_head	node;
	struct nflb_service_key	key;
	__be16			port_last;
	struct list_head	range;
	struct nflb_snapshot __rcu *snapshot;
	struct nflb_net		*nn;
	struct nflb_service_settings settings;
	u32			id;
	u32			backend_count;
	u32			object_count;
	u32			backend_id;
	u32			slots;
	struct list_head	list;
	struct list_head	object;
	struct list_head	backends;
	struct list_head	objects;
	u64 __percpu		*drops;
	struct nflb_stats_sum	departed;
	struct nflb_stats_sum	stats_base;
	bool			panic;
	bool			behind;
	atomic_t		persist_count;
	char			*health_check;
	char			*labels[NFLB_LABEL_COUNT];
	refcount_t		ref;
	struct rcu_work		free_work;
};

/* Key of nflb_net.hosts. */
struct nflb_host_key {
	union nflb_addr	addr;
	u8		family;
};

/**
 * struct nflb_host - an address that is a VIP, a backend's, or both
 * @node: in nflb_net.hosts
 * @key: the address
 * @vips: services on it
 * @backends: backends on it
 * @ranges: services with several ports, narrowest first
 * @rcu: to free it
 */
struct nflb_host {
	struct rhash_head	node;
	struct nflb_host_key	key;
	u32			vips;
	u32			backends;
	struct list_head	ranges;
	struct rcu_head		rcu;
};

static inline bool nflb_service_has_range(const struct nflb_service *svc)
{
	return svc->port_last != svc->key.port;
}

extern const struct rhashtable_params nflb_service_params;
extern const struct rhashtable_params nflb_host_params;

struct nflb_host *nflb_host_lookup(struct nflb_net *nn,
				   const union nflb_addr *addr, u8 family);
struct nflb_service *nflb_service_lookup(struct nflb_net *nn,
					 const struct nflb_tuple *tuple,
					 struct nflb_host **host);

void nflb_backend_put(struct nflb_backend *backend);
void nflb_service_put(struct nflb_service *svc);

#endif /* NFLB_SERVICE_H */
