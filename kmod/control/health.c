// SPDX-License-Identifier: GPL-2.0
/*
 * What a checker says of backends. A verdict stands beside a backend's state and
 * weight: it is no part of the configuration, so an apply does not touch it, and
 * it outlives the checker.
 *
 * When no backend is healthy, the check is likelier to be wrong than all backends
 * are: the service goes on as if nobody had checked, unless it is told to refuse.
 * That is decided in the publish that follows the verdict.
 */
#include <linux/timekeeping.h>

#include "control/config.h"
#include "control/genl_notify.h"
#include "control/health.h"
#include "control/lifecycle.h"
#include "netns.h"

static const char * const condition_names[] = {
	[NFLB_HEALTH_CHECKING] = "checking",
	[NFLB_HEALTH_UNHEALTHY] = "unhealthy",
	[NFLB_HEALTH_EJECTED] = "ejected",
};

static bool fit(const struct nflb_backend *b)
{
	return b->health == NFLB_HEALTH_UNKNOWN ||
	       b->health == NFLB_HEALTH_HEALTHY;
}

/* Does a checker leave it anything? A share of 0 percent is nothing. */
static bool usable(const struct nflb_backend *b)
{
	return fit(b) && b->health_weight;
}

/* Does the administrator want new connections on it? */
static bool wanted(const struct nflb_backend *b)
{
	return b->state == NFLB_BACKEND_UP && b->weight;
}

/**
 * nflb_health_init() - the verdict on a new backend
 * @b: the backend
 * @s: settings of its service
 */
void nflb_health_init(struct nflb_backend *b,
		      const struct nflb_service_settings *s)
{
	b->health = s->health_initial == NFLB_HEALTH_INITIAL_DOWN ?
		    NFLB_HEALTH_CHECKING : NFLB_HEALTH_UNKNOWN;
	b->health_weight = 100;
	b->health_since = ktime_get_seconds();
}

/**
 * nflb_health_panic() - are too few backends healthy to believe it?
 * @svc: the service; nn->mutex is held
 * @s: its settings
 *
 * Those that are still being checked do not count, and are never used. One whose
 * weight a checker lowered to nothing counts as one that is not healthy.
 *
 * Return: true when health is to be ignored.
 */
bool nflb_health_panic(const struct nflb_service *svc,
		       const struct nflb_service_settings *s)
{
	u32 judged = 0, good = 0;
	const struct nflb_backend *b;
	bool checking = false;

	list_for_each_entry(b, &svc->backends, list) {
		if (!wanted(b))
			continue;
		if (b->health == NFLB_HEALTH_CHECKING) {
			checking = true;
			continue;
		}
		judged++;
		good += usable(b);
	}
	if (good == judged)
		return false;
	if (!good)
		return !checking && s->when_none == NFLB_WHEN_NONE_ALL;
	return good * 100 < judged * s->panic;
}

/**
 * nflb_health_takes() - does health let a backend have new connections?
 * @b: the backend
 * @panic: nflb_health_panic() of its service
 */
bool nflb_health_takes(const struct nflb_backend *b, bool panic)
{
	return panic ? b->health != NFLB_HEALTH_CHECKING : fit(b);
}

/**
 * nflb_health_gone() - what a backend's connections are told for its health
 * @b: the backend, of a service that was published
 */
enum nflb_gone nflb_health_gone(const struct nflb_backend *b)
{
	if (b->health == NFLB_HEALTH_CHECKING ||
	    nflb_health_takes(b, b->service->panic))
		return NFLB_GONE_NOT;
	return b->service->settings.on_unhealthy == NFLB_ON_UNHEALTHY_RESET ?
	       NFLB_GONE_ALL : NFLB_GONE_STATELESS;
}

/**
 * nflb_health_condition() - what health says of why a backend is picked or not
 * @b: the backend, of a service that was published
 *
 * Return: a word, or NULL for nothing.
 */
const char *nflb_health_condition(const struct nflb_backend *b)
{
	if (usable(b))
		return NULL;
	if (nflb_health_takes(b, b->service->panic))
		return b->service->panic ? "panic" : "weight-0";
	return condition_names[b->health];
}

/* Exchange verdict and weight of a backend with those of @v. */
static void exchange(struct nflb_health_verdict *v)
{
	struct nflb_backend *b = v->backend;

	swap(b->health, v->health);
	swap(b->health_weight, v->weight);
}

/* Would new connections be spread in another way, if it were so? */
static bool matters(const struct nflb_health_verdict *v)
{
	const struct nflb_backend *b = v->backend;
	bool was = fit(b), is = v->health == NFLB_HEALTH_UNKNOWN ||
			       v->health == NFLB_HEALTH_HEALTHY;

	return was != is || v->weight != b->health_weight ||
	       (b->health == NFLB_HEALTH_CHECKING) !=
	       (v->health == NFLB_HEALTH_CHECKING);
}

/* @v has what was before. Returns whether anything changed. */
static bool finish(const struct nflb_health_verdict *v)
{
	struct nflb_backend *b = v->backend;
	bool other = b->health != v->health;
	bool says = v->has_reason && strcmp(b->health_reason, v->reason);

	if (other)
		b->health_since = ktime_get_seconds();
	/* A reason is that of its verdict. */
	if (says || (other && !v->has_reason))
		strscpy_pad(b->health_reason, v->has_reason ? v->reason : "",
			    sizeof(b->health_reason));
	return other || says || b->health_weight != v->weight;
}

/**
 * nflb_health_set() - take verdicts on some backends of a service
 * @svc: the service; nn->mutex is held
 * @verdicts: on its backends, each once; changed
 * @count: how many
 * @extack: for a message
 *
 * Return: 0; or a negative errno, and nothing has changed.
 */
int nflb_health_set(struct nflb_service *svc,
		    struct nflb_health_verdict *verdicts, u32 count,
		    struct netlink_ext_ack *extack)
{
	struct nflb_net *nn = svc->nn;
	bool publish = false;
	int err = 0;
	u32 i;

	for (i = 0; i < count; i++)
		publish |= matters(&verdicts[i]);
	down_write(&nn->view);
	for (i = 0; i < count; i++) {
		exchange(&verdicts[i]);
		/* One that got nothing until now begins slowly. */
		verdicts[i].changed = fit(verdicts[i].backend) &&
				      verdicts[i].backend->shunned;
		if (verdicts[i].changed)
			nflb_lifecycle_came(verdicts[i].backend);
	}
	up_write(&nn->view);
	if (publish)
		err = nflb_service_republish(svc, extack);
	down_write(&nn->view);
	for (i = 0; i < count; i++) {
		if (!err) {
			verdicts[i].changed = finish(&verdicts[i]);
			continue;
		}
		exchange(&verdicts[i]);
		if (verdicts[i].changed)
			verdicts[i].backend->ramping = false;
	}
	up_write(&nn->view);
	if (err)
		return err;
	for (i = 0; i < count; i++)
		if (verdicts[i].changed)
			nflb_notify_backend(verdicts[i].backend,
					    NFLB_CMD_HEALTH_SET);
	return 0;
}
NFLB_EXPORT_KUNIT(nflb_health_set);
