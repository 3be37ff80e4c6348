// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to backends in the course of time: one that drains is told of
 * when its last connection is gone, or ended when its deadline passes; the
 * weight of one that came grows (slow start). What could not be published for want
 * of memory is published later. When the last service is gone, the
 * hooks go with its last connection. One work a namespace looks after all, once a
 * second and only while there is something to look after.
 */
#include <linux/jiffies.h>

#include "control/config.h"
#include "control/genl_notify.h"
#include "control/health.h"
#include "control/lifecycle.h"
#include "conn/conn.h"
#include "conn/persist.h"
#include "path/hook.h"
#include "netns.h"

/* Weights while a backend begins slowly: in 64ths, if their sum allows it. */
#define SLOW_START_SCALE 64U

/* What its connections are told */
static u8 gone_of(const struct nflb_backend *b)
{
	if (b->state == NFLB_BACKEND_DOWN ||
	    (b->state == NFLB_BACKEND_DRAIN && b->drained))
		return NFLB_GONE_ALL;
	return nflb_health_gone(b);
}

/* Some connections, and clients that are remembered, have no backend any more. */
static void backends_left(struct nflb_net *nn)
{
	nflb_conn_gc_kick(nn);
	nflb_persist_kick(nn);
}

/* Time passes for one that drains. Returns true while there is more to come. */
static bool drain_step(struct nflb_backend *b)
{
	bool late = b->deadline && time_after_eq(jiffies, b->deadline);

	if (b->state != NFLB_BACKEND_DRAIN || b->drained)
		return false;
	if (!late && atomic_read(&b->conns))
		return true;
	b->drained = true;
	b->deadline = 0;
	WRITE_ONCE(b->gone, NFLB_GONE_ALL);
	nflb_conn_gc_kick(b->service->nn);
	nflb_notify_backend(b, NFLB_CMD_BACKEND_DRAINED);
	return false;
}

/* Returns true when its weight has to be published anew. */
static bool ramp_step(struct nflb_backend *b)
{
	unsigned long ramp = b->service->settings.slow_start * HZ;

	if (!b->ramping)
		return false;
	if (time_after_eq(jiffies, b->ramp_start + ramp))
		b->ramping = false;
	return true;
}

static bool service_step(struct nflb_service *svc)
{
	bool more = false, publish = false;
	struct nflb_backend *b;
	int err;

	list_for_each_entry(b, &svc->backends, list) {
		more |= drain_step(b);
		publish |= ramp_step(b);
		more |= b->ramping;
	}
	/*
	 * Without memory packets see the old weights for another second. What its user
	 * has no room for is not tried again.
	 */
	if (publish || svc->behind) {
		err = nflb_service_republish(svc, NULL);
		svc->behind = err && err != -ENOSPC;
	}
	return more || svc->behind;
}

static void lifecycle_work(struct work_struct *work)
{
	struct nflb_net *nn = container_of(to_delayed_work(work),
					   struct nflb_net, lifecycle_work);
	struct nflb_service *svc;
	bool more = false;

	/* Nobody else's work is to wait while a user's tables are built. */
	if (!mutex_trylock(&nn->mutex)) {
		if (!READ_ONCE(nn->dying))
			queue_delayed_work(system_unbound_wq,
					   &nn->lifecycle_work, HZ / 10);
		return;
	}
	list_for_each_entry(svc, &nn->service_list, list) {
		/* Whoever ends a namespace waits for this. */
		if (READ_ONCE(nn->dying))
			break;
		more |= service_step(svc);
	}
	if (list_empty(&nn->service_list))
		more = !nflb_hooks_release(nn);
	if (more && !READ_ONCE(nn->dying))
		queue_delayed_work(system_unbound_wq, &nn->lifecycle_work, HZ);
	mutex_unlock(&nn->mutex);
}

/**
 * nflb_lifecycle_init() - nothing to look after yet
 * @nn: the namespace
 */
void nflb_lifecycle_init(struct nflb_net *nn)
{
	INIT_DELAYED_WORK(&nn->lifecycle_work, lifecycle_work);
}

/**
 * nflb_lifecycle_kick() - there is something to look after
 * @nn: the namespace
 */
void nflb_lifecycle_kick(struct nflb_net *nn)
{
	queue_delayed_work(system_unbound_wq, &nn->lifecycle_work, HZ / 10);
}
NFLB_EXPORT_KUNIT(nflb_lifecycle_kick);

/**
 * nflb_lifecycle_behind() - what packets see of a service is out of date
 * @svc: the service, which could not be published; nn->mutex is held
 *
 * It is published again every second, until that succeeds or its user is at the limit.
 */
void nflb_lifecycle_behind(struct nflb_service *svc)
{
	lockdep_assert_held(&svc->nn->mutex);
	svc->behind = true;
	nflb_lifecycle_kick(svc->nn);
}

/**
 * nflb_lifecycle_stop() - look after nothing more
 * @nn: the namespace, which has no services any more
 *
 * Context: process, sleeps; nn->mutex is not held.
 */
void nflb_lifecycle_stop(struct nflb_net *nn)
{
	cancel_delayed_work_sync(&nn->lifecycle_work);
}

/**
 * nflb_lifecycle_came() - a backend is new, or up again
 * @b: the backend; nn->mutex is held
 *
 * It begins slowly when its service wants that, and has others to take the
 * load meanwhile.
 */
void nflb_lifecycle_came(struct nflb_backend *b)
{
	const struct nflb_snapshot *snapshot;
	struct nflb_service *svc = b->service;

	snapshot = rcu_dereference_protected(svc->snapshot,
					     lockdep_is_held(&svc->nn->mutex));
	b->ramping = snapshot && snapshot->count && svc->settings.slow_start;
	b->ramp_start = jiffies;
	if (b->ramping)
		nflb_lifecycle_kick(svc->nn);
}

/**
 * nflb_lifecycle_gone() - tell a service's connections of their backends
 * @svc: the service; nn->mutex is held
 * @open: let backends have connections again; else, end those of the others
 *
 * A snapshot is published between the two: no new connection goes to a backend
 * that would end it.
 */
void nflb_lifecycle_gone(struct nflb_service *svc, bool open)
{
	struct nflb_backend *b;
	bool end = false;

	list_for_each_entry(b, &svc->backends, list) {
		bool shunned = !nflb_health_takes(b, svc->panic);
		u8 gone = gone_of(b);

		if (open ? gone < b->gone : gone > b->gone) {
			WRITE_ONCE(b->gone, gone);
			end |= !open;
		}
		if (shunned != open)
			WRITE_ONCE(b->shunned, shunned);
	}
	if (end)
		backends_left(svc->nn);
}

/**
 * nflb_lifecycle_state() - a backend's state was set, and is published
 * @b: the backend; nn->mutex is held
 * @has_deadline: it is to drain until then
 * @deadline: seconds from now
 *
 * `down` ends its connections; `up` takes new ones. A deadline stays as long as it
 * drains by hand, whatever its service's list says meanwhile; also one that passed.
 */
void nflb_lifecycle_state(struct nflb_backend *b, bool has_deadline,
			  u32 deadline)
{
	bool end;
	u8 gone;

	if (has_deadline || b->by_hand != NFLB_BACKEND_DRAIN)
		b->drained = false;
	if (has_deadline)
		b->deadline = (jiffies + deadline * HZ) ?: 1;
	else if (b->by_hand != NFLB_BACKEND_DRAIN)
		b->deadline = 0;
	if (b->state != NFLB_BACKEND_UP)
		b->ramping = false;
	if (b->state == NFLB_BACKEND_DRAIN)
		nflb_lifecycle_kick(b->service->nn);
	gone = gone_of(b);
	end = gone > b->gone;
	WRITE_ONCE(b->gone, gone);
	if (end)
		backends_left(b->service->nn);
}

/**
 * nflb_lifecycle_weight_scale() - by what a service's weights are multiplied
 * @svc: the service; nn->mutex is held
 *
 * So that a weight of 1 can grow, or have a part. The sum of all fits into 32 bits.
 *
 * Return: 1 to 64.
 */
u32 nflb_lifecycle_weight_scale(const struct nflb_service *svc)
{
	const struct nflb_backend *b;
	bool parts = false;
	u32 sum = 1;

	/* 4,096 backends of weight 65,535 fit into 32 bits. */
	list_for_each_entry(b, &svc->backends, list) {
		parts |= b->ramping || b->health_weight != 100;
		sum += b->weight;
	}
	return parts ? clamp(U32_MAX / sum, 1U, SLOW_START_SCALE) : 1;
}

/**
 * nflb_lifecycle_weight() - the weight of a backend now
 * @b: the backend; nn->mutex is held
 * @s: settings of its service
 * @scale: of nflb_lifecycle_weight_scale()
 * @panic: health is ignored
 *
 * Return: 1 to NFLB_WEIGHT_MAX * @scale; or 0 for no new connections.
 */
u32 nflb_lifecycle_weight(const struct nflb_backend *b,
			  const struct nflb_service_settings *s, u32 scale,
			  bool panic)
{
	unsigned long ramp = s->slow_start * HZ;
	u64 weight = (u64)b->weight * scale;
	unsigned long age;

	if (!panic && weight && b->health_weight)
		weight = max_t(u64, div_u64(weight * b->health_weight, 100), 1);
	else if (!panic)
		weight = 0;
	if (!weight || !b->ramping || !ramp)
		return weight;
	age = min(jiffies - b->ramp_start, ramp);
	return max_t(u64, div64_ul(weight * age, ramp), 1);
}

/**
 * nflb_lifecycle_condition() - why a backend is, or is not, picked
 * @b: the backend; nn->mutex is held
 *
 * Return: "ready", "slow-start", "full", "weight-0", "draining", "drained",
 * "down", "checking", "unhealthy", "ejected" or "panic".
 */
const char *nflb_lifecycle_condition(const struct nflb_backend *b)
{
	const char *health;

	if (b->state == NFLB_BACKEND_DOWN)
		return "down";
	if (b->state == NFLB_BACKEND_DRAIN)
		return b->drained ? "drained" : "draining";
	if (!b->weight)
		return "weight-0";
	health = nflb_health_condition(b);
	if (health)
		return health;
	if (nflb_backend_full(b))
		return "full";
	return b->ramping ? "slow-start" : "ready";
}
NFLB_EXPORT_KUNIT(nflb_lifecycle_condition);
