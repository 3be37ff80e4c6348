// SPDX-License-Identifier: GPL-2.0
/*
 * Services, backends, snapshots and hosts: making and freeing them.
 *
 * What the packet path may still see is freed by a work after a grace period:
 * the work takes nn->view, to save the counters of what goes; never nn->mutex,
 * which is held while tables are built. A connection
 * holds its backend, a backend its service; a service holds its snapshot.
 */
#include <linux/random.h>
#include <linux/slab.h>

#include "control/health.h"
#include "control/labels.h"
#include "control/lifecycle.h"
#include "control/objects.h"
#include "userns.h"
#include "conn/conn_state.h"
#include "forward/forward.h"
#include "forward/toa.h"
#include "forward/way.h"
#include "netns.h"
#include "sched/flow.h"
#include "sched/sched.h"

static void snapshot_free_work(struct work_struct *work)
{
	nflb_snapshot_free(container_of(to_rcu_work(work), struct nflb_snapshot,
					free_work));
}

static void persist_mask(union nflb_addr *mask,
			 const struct nflb_service_settings *s, u8 family)
{
	unsigned int i, bits;

	bits = family == AF_INET ? s->persist_prefix4 : s->persist_prefix6;
	memset(mask, 0, sizeof(*mask));
	for (i = 0; i < ARRAY_SIZE(mask->all) && bits; i++) {
		unsigned int n = min(bits, 32U);

		mask->all[i] = htonl(~0U << (32 - n));
		bits -= n;
	}
}

/**
 * nflb_snapshot_build() - what the packet path is to read of a service
 * @svc: the service; its backends as they are now
 * @s: its settings; scheduler and mode exist
 *
 * Context: process, nn->mutex held. Return: the snapshot or ERR_PTR.
 */
struct nflb_snapshot *nflb_snapshot_build(struct nflb_service *svc,
					  const struct nflb_service_settings *s)
{
	const struct nflb_snapshot *old;
	struct nflb_snapshot *snapshot;
	struct nflb_backend *b;
	int err = 0;

	lockdep_assert_held(&svc->nn->mutex);
	snapshot = kvzalloc(struct_size(snapshot, candidates,
					svc->backend_count),
			    GFP_KERNEL_ACCOUNT);
	if (!snapshot)
		return ERR_PTR(-ENOMEM);
	INIT_RCU_WORK(&snapshot->free_work, snapshot_free_work);
	snapshot->sched = nflb_sched_find(s->scheduler);
	memcpy(snapshot->encap_source, s->encap_source,
	       sizeof(snapshot->encap_source));
	snapshot->proxy = s->proxy;
	snapshot->one_packet = s->one_packet;
	if (s->toa && svc->key.proto == IPPROTO_TCP) {
		bool v4 = svc->key.family == AF_INET;

		snapshot->toa = v4 ? NFLB_TOA_LEN4 : NFLB_TOA_LEN6;
		snapshot->toa_kind = v4 ? NFLB_TOA_KIND : s->toa_kind6;
	}
	nflb_conn_state_timeouts(snapshot->timeouts, s->timeouts);
	snapshot->persist = s->persist * HZ;
	persist_mask(&snapshot->persist_mask, s, svc->key.family);
	snapshot->hash_key = nflb_flow_key(&svc->nn->hash_seed);
	snapshot->maglev_size = svc->nn->maglev_table_size;
	snapshot->weight_scale = nflb_lifecycle_weight_scale(svc);
	snapshot->panic = nflb_health_panic(svc, s);
	list_for_each_entry(b, &svc->backends, list) {
		struct nflb_candidate *c =
			&snapshot->candidates[snapshot->count];

		if (b->state != NFLB_BACKEND_UP ||
		    !nflb_health_takes(b, snapshot->panic))
			continue;
		c->backend = b;
		c->weight = nflb_lifecycle_weight(b, s, snapshot->weight_scale,
						  snapshot->panic);
		snapshot->count += !!c->weight;
	}

	old = rcu_dereference_protected(svc->snapshot,
					lockdep_is_held(&svc->nn->mutex));
	if (old && old->sched != snapshot->sched)
		old = NULL;
	if (snapshot->sched->build)
		err = snapshot->sched->build(snapshot, old);
	if (err) {
		kvfree(snapshot);
		return ERR_PTR(err);
	}
	return snapshot;
}

/**
 * nflb_snapshot_free() - free a snapshot that no packet can see
 * @snapshot: the snapshot, or NULL
 */
void nflb_snapshot_free(struct nflb_snapshot *snapshot)
{
	if (!snapshot)
		return;
	if (snapshot->sched->destroy)
		snapshot->sched->destroy(snapshot);
	else
		kvfree(snapshot->sched_data);
	kvfree(snapshot);
}

/**
 * nflb_snapshot_free_rcu() - free a snapshot that was replaced
 * @snapshot: the snapshot, or NULL
 */
void nflb_snapshot_free_rcu(struct nflb_snapshot *snapshot)
{
	if (snapshot)
		queue_rcu_work(nflb_wq, &snapshot->free_work);
}

static void service_free_work(struct work_struct *work)
{
	struct nflb_service *svc = container_of(to_rcu_work(work),
						struct nflb_service, free_work);
	struct nflb_net *nn = svc->nn;

	down_write(&nn->view);
	list_del(&svc->object);
	nflb_stats_add(&nn->departed, &svc->departed);
	nn->departed.drops += nflb_service_drops(svc);
	up_write(&nn->view);
	nflb_snapshot_free(rcu_dereference_protected(svc->snapshot, true));
	kfree(svc->health_check);
	nflb_labels_free(svc->labels);
	free_percpu(svc->drops);
	nflb_user_uncharge(nn, NFLB_USER_SLOTS, svc->slots);
	nflb_user_uncharge(nn, NFLB_USER_SERVICES, 1);
	kfree(svc);
	/* The last one lets the namespace go. */
	if (refcount_dec_and_test(&nn->live))
		complete(&nn->gone);
}

/**
 * nflb_service_alloc() - a service that nobody can find yet
 * @nn: the namespace
 * @key: protocol, VIP, first port
 * @port_last: last port
 * @extack: for a message
 *
 * Context: process, nn->mutex held. Return: the service, with one reference,
 * for nflb_service_put(); or ERR_PTR.
 */
struct nflb_service *nflb_service_alloc(struct nflb_net *nn,
					const struct nflb_service_key *key,
					__be16 port_last,
					struct netlink_ext_ack *extack)
{
	struct nflb_service *svc;
	int err;

	lockdep_assert_held(&nn->mutex);
	err = nflb_user_charge(nn, NFLB_USER_SERVICES, 1, extack);
	if (err)
		return ERR_PTR(err);
	svc = kzalloc(sizeof(*svc), GFP_KERNEL_ACCOUNT);
	if (!svc)
		goto err_user;
	svc->drops = alloc_percpu_gfp(u64, GFP_KERNEL_ACCOUNT);
	if (!svc->drops)
		goto err_free;
	refcount_inc(&nn->live);
	svc->key = *key;
	svc->port_last = port_last;
	svc->nn = nn;
	svc->id = ++nn->service_id;
	refcount_set(&svc->ref, 1);
	INIT_LIST_HEAD(&svc->backends);
	INIT_LIST_HEAD(&svc->objects);
	INIT_LIST_HEAD(&svc->list);
	INIT_LIST_HEAD(&svc->range);
	INIT_RCU_WORK(&svc->free_work, service_free_work);
	down_write(&nn->view);
	list_add_tail(&svc->object, &nn->service_objects);
	up_write(&nn->view);
	return svc;

err_free:
	kfree(svc);
err_user:
	nflb_user_uncharge(nn, NFLB_USER_SERVICES, 1);
	return ERR_PTR(-ENOMEM);
}

static void backend_free_work(struct work_struct *work)
{
	struct nflb_backend *b = container_of(to_rcu_work(work),
					      struct nflb_backend, free_work);
	struct nflb_service *svc = b->service;

	down_write(&svc->nn->view);
	list_del(&b->object);
	svc->object_count--;
	nflb_stats_read(b->stats, &svc->departed);
	up_write(&svc->nn->view);
	nflb_user_uncharge(svc->nn, NFLB_USER_BACKENDS, 1);
	nflb_way_forget(b);
	dst_cache_destroy(&b->route);
	free_percpu(b->stats);
	nflb_labels_free(b->labels);
	kfree(b);
	nflb_service_put(svc);
}

/**
 * nflb_backend_alloc() - a backend that gets no connections yet
 * @svc: its service
 * @addr: its address
 * @family: of the address
 * @port: its port, or 0
 * @extack: for a message
 *
 * Context: process, nn->mutex held. Return: the backend, with one reference,
 * for nflb_backend_put(); or ERR_PTR.
 */
struct nflb_backend *nflb_backend_alloc(struct nflb_service *svc,
					const union nflb_addr *addr,
					u8 family, __be16 port,
					struct netlink_ext_ack *extack)
{
	struct nflb_backend *b;
	int err;

	lockdep_assert_held(&svc->nn->mutex);
	err = nflb_user_charge(svc->nn, NFLB_USER_BACKENDS, 1, extack);
	if (err)
		return ERR_PTR(err);
	b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		goto err_user;
	b->stats = nflb_stats_alloc();
	if (!b->stats)
		goto err_free;
	if (dst_cache_init(&b->route, GFP_KERNEL_ACCOUNT))
		goto err_stats;
	b->addr = *addr;
	b->family = family;
	b->port = port;
	b->weight = 1;
	b->health_weight = 100;
	b->mode = NFLB_MODE_INHERIT;
	b->encap = NFLB_ENCAP_INHERIT;
	b->port_salt = get_random_u32();
	atomic_set(&b->ident, get_random_u32());
	atomic_set(&b->port_cursor, get_random_u32());
	b->ports_exhausted = nflb_now() - HZ;
	b->troubled = b->ports_exhausted;
	b->service = svc;
	b->id = ++svc->backend_id;
	refcount_set(&b->ref, 1);
	refcount_inc(&svc->ref);
	INIT_LIST_HEAD(&b->list);
	INIT_LIST_HEAD(&b->limited);
	spin_lock_init(&b->limited_lock);
	INIT_RCU_WORK(&b->free_work, backend_free_work);
	down_write(&svc->nn->view);
	list_add_tail(&b->object, &svc->objects);
	svc->object_count++;
	up_write(&svc->nn->view);
	return b;

err_stats:
	free_percpu(b->stats);
err_free:
	kfree(b);
err_user:
	nflb_user_uncharge(svc->nn, NFLB_USER_BACKENDS, 1);
	return ERR_PTR(-ENOMEM);
}

/**
 * nflb_host_get() - the host of an address, made when there is none
 * @nn: the namespace
 * @addr: the address
 * @family: its family
 *
 * The caller counts itself in nflb_host.vips or .backends, and undoes that
 * before nflb_host_put().
 *
 * Context: process, nn->mutex held. Return: the host, or NULL.
 */
struct nflb_host *nflb_host_get(struct nflb_net *nn,
				const union nflb_addr *addr, u8 family)
{
	struct nflb_host *host;

	lockdep_assert_held(&nn->mutex);
	rcu_read_lock();
	host = nflb_host_lookup(nn, addr, family);
	rcu_read_unlock();
	if (host)
		return host;
	host = kzalloc(sizeof(*host), GFP_KERNEL_ACCOUNT);
	if (!host)
		return NULL;
	host->key.addr = *addr;
	host->key.family = family;
	INIT_LIST_HEAD(&host->ranges);
	if (rhashtable_insert_fast(&nn->hosts, &host->node,
				   nflb_host_params)) {
		kfree(host);
		return NULL;
	}
	return host;
}

/**
 * nflb_host_put() - forget a host when nothing is on it
 * @nn: the namespace
 * @host: the host
 *
 * Context: process, nn->mutex held.
 */
void nflb_host_put(struct nflb_net *nn, struct nflb_host *host)
{
	lockdep_assert_held(&nn->mutex);
	if (host->vips || host->backends)
		return;
	rhashtable_remove_fast(&nn->hosts, &host->node, nflb_host_params);
	kfree_rcu(host, rcu);
}
