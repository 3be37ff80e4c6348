/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Per network namespace state.
 */
#ifndef NFLB_NETNS_H
#define NFLB_NETNS_H

#include <linux/bitops.h>
#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/rwsem.h>
#include <linux/siphash.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "nflb.h"
#include "count.h"

struct mem_cgroup;
struct nflb_direct;
struct nflb_hooks;
struct nflb_laddr_pool;
struct nflb_source_filter;
struct nflb_user;

/* IPv4 and IPv6 */
#define NFLB_LADDR_FAMILIES 2

/* nflb_net.vip_filter */
#define NFLB_VIP_FILTER_BITS	10

/**
 * struct nflb_net - the balancer of one network namespace
 * @net: the namespace
 * @conns: connection table, two nodes a connection
 * @services: services with a single port, by nflb_service_key
 * @hosts: addresses of VIPs and backends, by nflb_host_key
 * @endpoints: where backends answer from, by nflb_service_key
 * @vip_filter: nflb_vip_slot() of each VIP since there was none
 * @persist: clients that return to their backend, by persist.c
 * @max_connections: ceiling of @conn_count, and of @persist_count
 * @max_connections_default: its initial value
 * @reject: answer packets that cannot be served (1), or drop them silently (0)
 * @refuse_late: refuse what backends send from a service's port without a
 *	connection (1), or leave it to the host (0)
 * @encap_fragment_inside: fragment what is too long for a tunnel before it goes
 *	in (1), or the outer packet (0)
 * @host_one_sided: a client on this host was served by mode dsr
 * @direct_used: a client sent something to a backend directly
 * @endpoint_ranges: backends that keep the ports of a range
 * @vrf_found: the namespace had a VRF at @vrf_looked, jiffies (route.c)
 * @vrf_looked: 0 is never
 * @hash_seed: of schedulers that hash, shared by balancers that have to agree; a
 *	number of 128 bits, the low half first
 * @maglev_table_size: slots of each Maglev table, a prime
 * @drops: per-CPU counters by reason
 * @source_filter: sources that need a closer look, per CPU (source.c)
 * @address_gen: counts changes of IPv4 addresses, for @source_filter
 * @user: whose it is, and what that has; NULL for the host's own (userns.c)
 * @memcg: who pays for connections of @user, since the first service
 * @direct: flows between clients and backends past the services (beside.c)
 * @laddrs: local addresses, for IPv4 and for IPv6
 * @ways: to backends (forward/way.c)
 * @ways_lock: to change @ways
 * @listeners: sockets that hear of connections (listen.c); read under RCU
 * @listeners_lock: to change @listeners
 * @listener_count: how many they are
 * @conn_count: connections in the table
 * @conn_waiting: those that were, and are not freed yet
 * @probe_count: those of @conn_count that are probes (conn_probe.c)
 * @probes: the probes that were removed, in the order in which their tuples are free
 * @probes_lock: to change @probes
 * @conn_vain: jiffies (32 bits) of the last search in vain, conn_evict.c
 * @persist_count: entries of @persist
 * @persist_waiting: those that were, and are not freed yet
 * @persist_vain: jiffies (32 bits) of the last search in vain
 * @troubled: jiffies (32 bits) when @troubles began to be counted
 * @troubles: events of failing backends since then, conn_passive.c
 * @mutex: serialises requests that change the configuration; held while tables are
 *	built, so only who changes something waits for it
 * @view: what requests read that change nothing; held for writing by changes in
 *	@mutex for the moment in which something becomes visible, so that no number
 *	of readers keeps them waiting longer than one
 * @hashing_mutex: one change of hash_seed or maglev_table_size at a time; outside @mutex
 * @dying: the namespace goes: what takes long ends early
 * @service_list: configured services, in order of creation
 * @service_objects: all that live
 * @service_id: id of the service made last
 * @generation: counts changes of the configuration, for dumps
 * @config_generation: counts them for requests (control/generation.c)
 * @boot: tells its numbers from those of another load of the module
 * @changer: the task whose request is changing the configuration; with @mutex
 * @departed: counters of services that are freed
 * @stats_base: `stats zero` subtracts this from the totals
 * @drops_base: the same for @drops
 * @counters_base: the same for the other counters
 * @hooks: by hook.c, from the first service until there is neither a service nor a
 *	connection
 * @devices: that the fast path is attached to, in order of attachment; changed
 *	under RTNL, read under RCU
 * @awaited: devices that are waited for whenever they are missing
 *	(control/device_wait.c); changed under RTNL, read under RCU
 * @awaited_count: how many they are
 * @had_devices: there was a device, or one that is waited for
 * @live: 1, and for each of @service_objects 1
 * @gone: @live is 0
 * @gc_work: sweeps the connection table
 * @gc_table: bucket_table.hash_rnd of the table that is swept
 * @gc_bucket: where the sweep is in it
 * @gc_started: jiffies when this sweep began
 * @gc_walking: a sweep is under way
 * @gc_again: another is wanted at once
 * @gc_pressed: or as soon as may be
 * @gc_next: jiffies when that is
 * @persist_work: sweeps @persist
 * @lifecycle_work: looks after backends that drain or begin slowly
 * @sysctl_header: of /proc/sys/net/nflb
 * @sysctl_table: its table
 */
struct nflb_net {
	struct net		*net;
	int			max_connections;
	int			max_connections_default;
	int			reject;
	int			refuse_late;
	int			encap_fragment_inside;
	bool			host_one_sided;
	bool			direct_used;
	u32			endpoint_ranges;
	bool			vrf_found;
	unsigned long		vrf_looked;
	siphash_key_t		hash_seed;
	u32			maglev_table_size;
	struct nflb_drops __percpu *drops;
	struct nflb_source_filter __percpu *source_filter;
	atomic_t		address_gen;
	struct nflb_user	*user;
	struct mem_cgroup	*memcg;
	struct nflb_direct	*direct;
	struct nflb_laddr_pool __rcu *laddrs[NFLB_LADDR_FAMILIES];
	struct list_head	ways;
	spinlock_t		ways_lock; /* to change it, and nflb_backend.way */
	struct list_head	listeners;
	spinlock_t		listeners_lock; /* to change it */
	unsigned int		listener_count;

	/*
	 * A table begins with what is read for every packet, and ends with how
	 * many entries it has: that may not share a line with the next one's.
	 */
	struct rhashtable	conns ____cacheline_aligned_in_smp;
	struct rhashtable	services ____cacheline_aligned_in_smp;
	struct rhashtable	hosts;
	struct rhashtable	endpoints;
	DECLARE_BITMAP(vip_filter, BIT(NFLB_VIP_FILTER_BITS));
	struct rhashtable	persist ____cacheline_aligned_in_smp;

	/* Written for every new connection */
	atomic_t		conn_count ____cacheline_aligned_in_smp;
	atomic_t		conn_waiting;
	u32			conn_vain;
	atomic_t		persist_count;
	atomic_t		persist_waiting;
	u32			persist_vain;
	atomic_t		probe_count;
	struct list_head	probes;
	spinlock_t		probes_lock; /* to change it */
	u32			troubled;
	atomic_t		troubles;

	struct mutex		mutex ____cacheline_aligned_in_smp;
	struct rw_semaphore	view; /* within mutex */
	struct mutex		hashing_mutex; /* outside mutex */
	bool			dying;
	struct list_head	service_list;
	struct list_head	service_objects;
	u32			service_id;
	atomic_t		generation;
	atomic64_t		config_generation;
	u32			boot;
	struct task_struct	*changer;
	struct nflb_stats_sum	departed;
	struct nflb_stats_sum	stats_base;
	u64			drops_base[NFLB_REASON_COUNT];
	u64			counters_base[NFLB_COUNTER_COUNT];
	struct nflb_hooks	*hooks;
	struct list_head	devices;
	struct list_head	awaited;
	unsigned int		awaited_count;
	bool			had_devices;

	refcount_t		live;
	struct completion	gone;

	struct delayed_work	gc_work;
	u32			gc_table;
	unsigned int		gc_bucket;
	unsigned long		gc_started;
	bool			gc_walking;
	bool			gc_again;
	bool			gc_pressed;
	unsigned long		gc_next;
	struct delayed_work	persist_work;
	struct delayed_work	lifecycle_work;

	struct ctl_table_header	*sysctl_header;
	struct ctl_table	*sysctl_table;
};

/* Fields that packets read and that new connections write have lines of their own. */
static_assert(!IS_ENABLED(CONFIG_SMP) ||
	      (offsetof(struct nflb_net, conns) % L1_CACHE_BYTES == 0 &&
	       offsetof(struct nflb_net, services) % L1_CACHE_BYTES == 0 &&
	       offsetof(struct nflb_net, persist) % L1_CACHE_BYTES == 0 &&
	       offsetof(struct nflb_net, conn_count) % L1_CACHE_BYTES == 0 &&
	       offsetof(struct nflb_net, mutex) % L1_CACHE_BYTES == 0));

/* Frees services, backends and snapshots; flushed before a namespace goes. */
extern struct workqueue_struct *nflb_wq;

extern unsigned int nflb_net_id;

struct nflb_net *nflb_net(const struct net *net);

/* nflb_net() inline, for packets. Context: rcu_read_lock() held. */
static __always_inline struct nflb_net *nflb_net_rcu(const struct net *net)
{
	return rcu_dereference(net->gen)->ptr[nflb_net_id];
}

/* Is reading the listed configuration allowed? */
static inline bool nflb_config_held(struct nflb_net *nn)
{
	return lockdep_is_held(&nn->mutex) || lockdep_is_held(&nn->view);
}

/* The configuration changed: dumps that are under way tell their readers. */
static inline void nflb_changed(struct nflb_net *nn)
{
	atomic_inc(&nn->generation);
}

/* netlink_callback.seq; never 0, with which consistency is not checked. */
static inline unsigned int nflb_dump_seq(const struct nflb_net *nn)
{
	return (u32)atomic_read(&nn->generation) << 1 | 1;
}

int nflb_netns_init(void);
void nflb_netns_exit(void);

#endif /* NFLB_NETNS_H */
