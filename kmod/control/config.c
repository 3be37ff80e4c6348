// SPDX-License-Identifier: GPL-2.0
/*
 * Services: add, set, delete, and their counters. Every change is prepared
 * aside, then published in one step; a request that fails changes nothing.
 *
 * Changes hold nn->mutex from beginning to end, and nn->view only while they write data
 * that others read. They build tables without nn->view, so only other changes wait for
 * that.
 */
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "control/config.h"
#include "control/genl_notify.h"
#include "control/labels.h"
#include "control/lifecycle.h"
#include "control/objects.h"
#include "userns.h"
#include "service/endpoint.h"
#include "service/source.h"
#include "conn/conn.h"
#include "conn/conn_state.h"
#include "conn/persist.h"
#include "forward/forward.h"
#include "forward/toa.h"
#include "path/hook.h"
#include "netns.h"

static const struct nflb_service_settings default_settings = {
	.mode = NFLB_MODE_DNAT,
	.scheduler = NFLB_SCHEDULER_DEFAULT,
	.persist_prefix4 = 32,
	.persist_prefix6 = 64,
	.toa_kind6 = NFLB_TOA_KIND,
	.timeouts = {
		[NFLB_TIMEOUT_SYN] = NFLB_TIMEOUT_SYN_DEFAULT,
		[NFLB_TIMEOUT_ESTABLISHED] = NFLB_TIMEOUT_ESTABLISHED_DEFAULT,
		[NFLB_TIMEOUT_FIN] = NFLB_TIMEOUT_FIN_DEFAULT,
		[NFLB_TIMEOUT_UDP] = NFLB_TIMEOUT_UDP_DEFAULT,
	},
};

/**
 * nflb_service_request_free() - free the memory of a request
 * @req: the request; parsed, or in part if parsing failed
 */
void nflb_service_request_free(struct nflb_service_request *req)
{
	kvfree(req->backends);
	kfree(req->health_check);
}
NFLB_EXPORT_KUNIT(nflb_service_request_free);

/* Returns whether a request has another health check than the service. */
static bool health_check_differs(const struct nflb_service *svc,
				 const struct nflb_service_request *req)
{
	if (!(req->set & (NFLB_SET_HEALTH_CHECK | NFLB_SET_EXACT)))
		return false;
	return strcmp(svc->health_check ?: "", req->health_check ?: "");
}

static bool has_range(const struct nflb_service_id *id)
{
	return id->port_last != id->key.port;
}

/**
 * nflb_service_find() - a configured service by its identity
 * @nn: the namespace; nn->mutex or nn->view is held
 * @id: which
 *
 * Return: the service or NULL.
 */
struct nflb_service *nflb_service_find(struct nflb_net *nn,
				       const struct nflb_service_id *id)
{
	struct nflb_service *svc = NULL, *s;
	struct nflb_host *host;

	lockdep_assert(nflb_config_held(nn));
	rcu_read_lock();
	if (!has_range(id)) {
		svc = rhashtable_lookup(&nn->services, &id->key,
					nflb_service_params);
		goto out;
	}
	host = nflb_host_lookup(nn, &id->key.addr, id->key.family);
	if (!host)
		goto out;
	list_for_each_entry_rcu(s, &host->ranges, range) {
		if (s->key.proto == id->key.proto &&
		    s->key.port == id->key.port &&
		    s->port_last == id->port_last) {
			svc = s;
			break;
		}
	}
out:
	rcu_read_unlock();
	return svc;
}
NFLB_EXPORT_KUNIT(nflb_service_find);

/* Merge the attributes of a request into settings. */
static void settings_apply(struct nflb_service_settings *settings,
			   const struct nflb_service_request *req)
{
	int t;

	if (req->set & NFLB_SET_MODE)
		settings->mode = req->settings.mode;
	if (req->set & NFLB_SET_ENCAP) {
		settings->encap = req->settings.encap;
		settings->encap_port = req->settings.encap_port;
	}
	for (t = 0; t < 2; t++)
		if (req->set & NFLB_SET_ENCAP_SOURCE(t))
			settings->encap_source[t] =
				req->settings.encap_source[t];
	if (req->set & NFLB_SET_SCHEDULER)
		strscpy_pad(settings->scheduler, req->settings.scheduler,
			    sizeof(settings->scheduler));
	if (req->set & NFLB_SET_PERSIST) {
		settings->persist = req->settings.persist;
		settings->persist_prefix4 = req->settings.persist_prefix4;
		settings->persist_prefix6 = req->settings.persist_prefix6;
	}
	if (req->set & NFLB_SET_TOA)
		settings->toa = req->settings.toa;
	if (req->set & NFLB_SET_TOA_KIND6)
		settings->toa_kind6 = req->settings.toa_kind6;
	if (req->set & NFLB_SET_PROXY)
		settings->proxy = req->settings.proxy;
	if (req->set & NFLB_SET_ONE_PACKET)
		settings->one_packet = req->settings.one_packet;
	if (req->set & NFLB_SET_SLOW_START)
		settings->slow_start = req->settings.slow_start;
	if (req->set & NFLB_SET_HEALTH_INITIAL)
		settings->health_initial = req->settings.health_initial;
	if (req->set & NFLB_SET_ON_UNHEALTHY)
		settings->on_unhealthy = req->settings.on_unhealthy;
	if (req->set & NFLB_SET_WHEN_NONE)
		settings->when_none = req->settings.when_none;
	if (req->set & NFLB_SET_PANIC)
		settings->panic = req->settings.panic;
	for (t = 0; t < NFLB_TIMEOUT_COUNT; t++) {
		if (!(req->set & NFLB_SET_TIMEOUT(t)))
			continue;
		settings->timeouts[t] = req->settings.timeouts[t] ?:
					default_settings.timeouts[t];
	}
}

static u32 range_width(const struct nflb_service *svc)
{
	return ntohs(svc->port_last) - ntohs(svc->key.port);
}

/* Narrowest first, then lowest first: the order in which a packet asks. */
static void range_insert(struct nflb_host *host, struct nflb_service *svc)
{
	struct list_head *at = &host->ranges;
	struct nflb_service *s;

	list_for_each_entry(s, &host->ranges, range) {
		if (range_width(s) > range_width(svc) ||
		    (range_width(s) == range_width(svc) &&
		     ntohs(s->key.port) > ntohs(svc->key.port)))
			break;
		at = &s->range;
	}
	list_add_rcu(&svc->range, at);
}

/* Let packets find it. */
static int service_link(struct nflb_net *nn, struct nflb_service *svc)
{
	struct nflb_host *host;
	int err;

	host = nflb_host_get(nn, &svc->key.addr, svc->key.family);
	if (!host)
		return -ENOMEM;
	if (nflb_service_has_range(svc)) {
		range_insert(host, svc);
	} else {
		err = rhashtable_insert_fast(&nn->services, &svc->node,
					     nflb_service_params);
		if (err) {
			nflb_host_put(nn, host);
			return err;
		}
	}
	WRITE_ONCE(host->vips, host->vips + 1);
	set_bit(nflb_vip_slot(&svc->key.addr), nn->vip_filter);
	down_write(&nn->view);
	list_add_tail(&svc->list, &nn->service_list);
	up_write(&nn->view);
	return 0;
}

static void service_unlink(struct nflb_net *nn, struct nflb_service *svc)
{
	struct nflb_host *host;

	rcu_read_lock();
	host = nflb_host_lookup(nn, &svc->key.addr, svc->key.family);
	rcu_read_unlock();
	if (nflb_service_has_range(svc))
		list_del_rcu(&svc->range);
	else
		rhashtable_remove_fast(&nn->services, &svc->node,
				       nflb_service_params);
	down_write(&nn->view);
	list_del(&svc->list);
	up_write(&nn->view);
	if (list_empty(&nn->service_list))
		bitmap_zero(nn->vip_filter, BIT(NFLB_VIP_FILTER_BITS));
	WRITE_ONCE(host->vips, host->vips - 1);
	nflb_host_put(nn, host);
}

/* Without a service, the hooks stay as long as connections need them. */
static void hooks_release(struct nflb_net *nn)
{
	if (list_empty(&nn->service_list) && !nflb_hooks_release(nn))
		nflb_lifecycle_kick(nn);
}

/**
 * nflb_service_add() - add a service
 * @nn: the namespace; nn->mutex is held, there is no such service
 * @req: the service
 * @extack: for a message; a warning when 0 is returned
 *
 * Return: 0 or a negative errno.
 */
int nflb_service_add(struct nflb_net *nn, struct nflb_service_request *req,
		     struct netlink_ext_ack *extack)
{
	struct nflb_service_settings settings = default_settings;
	struct nflb_labels_change labels;
	struct nflb_service *svc;
	struct nflb_backend *b;
	int err;

	settings_apply(&settings, req);
	err = nflb_settings_check(NULL, &settings, req, extack);
	if (err)
		return err;
	err = nflb_hooks_register(nn);
	if (err) {
		NL_SET_ERR_MSG(extack, "cannot register netfilter hooks");
		return err;
	}
	nflb_user_begin(nn);
	svc = nflb_service_alloc(nn, &req->id.key, req->id.port_last, extack);
	if (IS_ERR(svc)) {
		err = PTR_ERR(svc);
		goto err_hooks;
	}
	err = nflb_labels_prepare(&labels, svc->labels, req->labels, false);
	if (err)
		goto err_put;
	nflb_labels_swap(&labels, svc->labels);
	if (req->set & NFLB_SET_BACKENDS)
		err = nflb_backends_replace(svc, req, &settings, extack);
	else
		err = nflb_service_publish(svc, &settings, extack);
	if (err)
		goto err_put;
	swap(svc->health_check, req->health_check);
	err = service_link(nn, svc);
	if (err)
		goto err_backends;
	nflb_notify_service(svc, NFLB_CMD_SERVICE_ADD);
	list_for_each_entry(b, &svc->backends, list)
		nflb_notify_backend(b, NFLB_CMD_BACKEND_ADD);
	nflb_service_warn(svc, extack);
	return 0;

err_backends:
	while (!list_empty(&svc->backends))
		nflb_backend_discard(list_first_entry(&svc->backends,
						      struct nflb_backend,
						      list), NFLB_GONE_ALL);
err_put:
	nflb_service_put(svc);
err_hooks:
	hooks_release(nn);
	return err;
}
NFLB_EXPORT_KUNIT(nflb_service_add);

/* Settings that no packet reads. Running dumps report the interruption to their readers. */
static void strings_change(struct nflb_service *svc,
			   struct nflb_service_request *req,
			   struct nflb_labels_change *labels)
{
	down_write(&svc->nn->view);
	if (req->set & (NFLB_SET_HEALTH_CHECK | NFLB_SET_EXACT))
		swap(svc->health_check, req->health_check);
	nflb_labels_swap(labels, svc->labels);
	nflb_changed(svc->nn);
	up_write(&svc->nn->view);
}

/**
 * nflb_service_set() - change a service
 * @nn: the namespace; nn->mutex is held
 * @svc: the service
 * @req: the changes
 * @extack: for a message; a warning when 0 is returned
 *
 * Ends only connections of backends that leave the list. Takes ownership of the parts of
 * @req that it keeps.
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_service_set(struct nflb_net *nn, struct nflb_service *svc,
		     struct nflb_service_request *req,
		     struct netlink_ext_ack *extack)
{
	struct nflb_service_settings settings = req->set & NFLB_SET_EXACT ?
						default_settings : svc->settings;
	bool differs = health_check_differs(svc, req);
	struct nflb_labels_change labels;
	int err;

	settings_apply(&settings, req);
	err = nflb_settings_check(svc, &settings, req, extack) ?:
	      nflb_labels_prepare(&labels, svc->labels, req->labels,
				  req->set & NFLB_SET_EXACT);
	if (err)
		return err;
	differs |= memcmp(&settings, &svc->settings, sizeof(settings)) != 0;
	if (req->set & NFLB_SET_BACKENDS)
		err = nflb_backends_replace(svc, req, &settings, extack);
	else if (differs)
		err = nflb_service_publish(svc, &settings, extack);
	if (!err && req->set & (NFLB_SET_BACKENDS | NFLB_SET_MODE |
				NFLB_SET_ENCAP))
		nflb_service_warn(svc, extack);
	if (!err && (differs || nflb_labels_differ(&labels))) {
		strings_change(svc, req, &labels);
		nflb_notify_service(svc, NFLB_CMD_SERVICE_SET);
	}
	nflb_labels_free(labels.text);
	return err;
}
NFLB_EXPORT_KUNIT(nflb_service_set);

/**
 * nflb_service_del() - delete a service, end its connections
 * @nn: the namespace; nn->mutex is held
 * @svc: the service
 *
 * Context: process.
 */
void nflb_service_del(struct nflb_net *nn, struct nflb_service *svc)
{
	struct nflb_backend *b;

	lockdep_assert_held(&nn->mutex);
	nflb_notify_service(svc, NFLB_CMD_SERVICE_DEL);
	service_unlink(nn, svc);
	nflb_changed(nn);
	down_write(&nn->view);
	list_for_each_entry(b, &svc->objects, object)
		WRITE_ONCE(b->gone, NFLB_GONE_ALL);
	up_write(&nn->view);
	while (!list_empty(&svc->backends))
		nflb_backend_discard(list_first_entry(&svc->backends,
						      struct nflb_backend,
						      list), NFLB_GONE_ALL);
	nflb_service_put(svc);
	hooks_release(nn);
	nflb_conn_gc_kick(nn);
	nflb_persist_kick(nn);
}
NFLB_EXPORT_KUNIT(nflb_service_del);

/**
 * nflb_config_flush() - delete all services
 * @nn: the namespace
 *
 * Context: process, takes nn->mutex.
 */
void nflb_config_flush(struct nflb_net *nn)
{
	struct nflb_service *svc, *tmp;

	mutex_lock(&nn->mutex);
	list_for_each_entry_safe(svc, tmp, &nn->service_list, list)
		nflb_service_del(nn, svc);
	mutex_unlock(&nn->mutex);
	nflb_lifecycle_stop(nn);
	nflb_persist_stop(nn);
	cancel_delayed_work_sync(&nn->gc_work);
}

/**
 * nflb_config_drain() - wait until everything that was deleted is freed
 *
 * The callback of a connection may free its persistence entry, which frees the backend by
 * a work, which frees the service: hence four rounds.
 *
 * Context: process, sleeps.
 */
void nflb_config_drain(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		rcu_barrier();
		flush_workqueue(nflb_wq);
	}
	rcu_barrier();
}
NFLB_EXPORT_KUNIT(nflb_config_drain);

/* All counters of a backend since it was created, and its present connections. */
static void backend_sum(const struct nflb_backend *b,
			struct nflb_stats_sum *sum)
{
	u32 conns = atomic_read(&b->conns);
	u32 active = min_t(u32, atomic_read(&b->active), conns);

	nflb_stats_read(b->stats, sum);
	sum->active += active;
	sum->inactive += conns - active;
}

/**
 * nflb_backend_stats() - counters of a backend since `stats zero`
 * @backend: the backend
 * @sum: where to
 */
void nflb_backend_stats(const struct nflb_backend *backend,
			struct nflb_stats_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	backend_sum(backend, sum);
	nflb_stats_sub(sum, &backend->stats_base);
}
NFLB_EXPORT_KUNIT(nflb_backend_stats);

/*
 * All that a service ever counted: departed backends, and packets that no backend was
 * picked for, included.
 */
static void service_sum(const struct nflb_service *svc,
			struct nflb_stats_sum *sum)
{
	const struct nflb_backend *b;

	*sum = svc->departed;
	sum->drops += nflb_service_drops(svc);
	list_for_each_entry(b, &svc->objects, object) {
		backend_sum(b, sum);
		cond_resched();
	}
}

/**
 * nflb_service_stats() - counters of a service since `stats zero`
 * @svc: the service; nn->view is held
 * @sum: where to
 */
void nflb_service_stats(const struct nflb_service *svc,
			struct nflb_stats_sum *sum)
{
	lockdep_assert_held(&svc->nn->view);
	service_sum(svc, sum);
	nflb_stats_sub(sum, &svc->stats_base);
}
NFLB_EXPORT_KUNIT(nflb_service_stats);

static void net_sum(const struct nflb_net *nn, struct nflb_stats_sum *sum)
{
	const struct nflb_service *svc;
	struct nflb_stats_sum one;

	lockdep_assert_held(&nn->view);
	*sum = nn->departed;
	list_for_each_entry(svc, &nn->service_objects, object) {
		service_sum(svc, &one);
		nflb_stats_add(sum, &one);
	}
}

/**
 * nflb_net_stats() - counters of a namespace since `stats zero`
 * @nn: the namespace; nn->view is held
 * @sum: where to
 */
void nflb_net_stats(const struct nflb_net *nn, struct nflb_stats_sum *sum)
{
	net_sum(nn, sum);
	nflb_stats_sub(sum, &nn->stats_base);
}
NFLB_EXPORT_KUNIT(nflb_net_stats);

/**
 * nflb_stats_zero() - count from zero
 * @nn: the namespace; nn->view is held
 *
 * The counters themselves continue: their present values are the new baseline.
 */
void nflb_stats_zero(struct nflb_net *nn)
{
	struct nflb_service *svc;
	struct nflb_backend *b;
	int r;

	net_sum(nn, &nn->stats_base);
	for (r = 0; r < NFLB_REASON_COUNT; r++)
		nn->drops_base[r] += nflb_drops_read(nn, r);
	for (r = 0; r < NFLB_COUNTER_COUNT; r++)
		nn->counters_base[r] += nflb_counter_read(nn, r);
	list_for_each_entry(svc, &nn->service_objects, object) {
		service_sum(svc, &svc->stats_base);
		list_for_each_entry(b, &svc->objects, object) {
			memset(&b->stats_base, 0, sizeof(b->stats_base));
			nflb_stats_read(b->stats, &b->stats_base);
		}
	}
}
NFLB_EXPORT_KUNIT(nflb_stats_zero);
