// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel gets.
 */
#include "compose.h"

#include <stdio.h>

#include "schedule.h"

#define EVERY 5000		/* ms between changes of weights */
#define TOGETHER 20		/* ms in which changes are one */

static struct {
	struct event_base *base;
	void (*send)(struct target *target);
} all;

void compose_init(struct event_base *base, void (*send)(struct target *target))
{
	all.base = base;
	all.send = send;
}

static bool is_lowered(const struct target *target)
{
	return (target->lowered.down || target->lowered.maint) &&
	       target->verdict.health != NFLB_HEALTH_UNHEALTHY &&
	       target->verdict.health != NFLB_HEALTH_CHECKING;
}

static bool is_damped(const struct target *target)
{
	return target->usable && target->verdict.health == NFLB_HEALTH_HEALTHY &&
	       damping_holds(&target->damping, &target->check, schedule_clock());
}

static bool is_usable(const struct target *target)
{
	return !target->idle && target->verdict.health == NFLB_HEALTH_HEALTHY &&
	       !is_lowered(target) && !is_damped(target);
}

bool compose_is_held(const struct target *target)
{
	const struct target *other;

	if (!is_damped(target))
		return false;
	for (other = target->service->targets; other; other = other->next)
		if (other != target && is_usable(other))
			return true;
	return false;
}

enum nflb_health compose_health(const struct target *target)
{
	return is_lowered(target) || compose_is_held(target) ? NFLB_HEALTH_UNHEALTHY :
								target->verdict.health;
}

const char *compose_reason(const struct target *target, char buf[RESULT_TEXT_MAX])
{
	*buf = '\0';
	if (is_lowered(target))
		snprintf(buf, RESULT_TEXT_MAX, "agent %s", target->lowered.maint ?
			 "maint" : target->lowered.word);
	else if (compose_is_held(target))
		snprintf(buf, RESULT_TEXT_MAX, "damping");
	else if (target->verdict.health == NFLB_HEALTH_UNHEALTHY)
		result_text(&target->last, buf);
	return buf;
}

/* 0 is none at all, and no result of rounding. */
static uint8_t round_weight(uint8_t weight)
{
	return weight && weight < 10 ? 10 : (weight + 5) / 10 * 10;
}

static uint8_t wanted(const struct target *target)
{
	uint8_t agent = target->lowered.drain ? 0 : round_weight(target->lowered.weight);

	return agent < target->last.weight ? agent : target->last.weight;
}

static void catch_up(evutil_socket_t fd, short what, void *arg)
{
	struct service *service = arg;
	struct target *target;

	(void)fd;
	(void)what;
	for (target = service->targets; target; target = target->next)
		if (compose_weight(target))
			all.send(target);
}

static void wait_for(struct service *service, uint64_t ms)
{
	struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (!service->has_timer)
		evtimer_assign(&service->weights, all.base, catch_up, service);
	service->has_timer = true;
	if (!evtimer_pending(&service->weights, NULL))
		evtimer_add(&service->weights, &after);
}

bool compose_weight(struct target *target)
{
	struct service *service = target->service;
	uint64_t now = schedule_clock(), since = now - service->weighed;

	if (target->weight == wanted(target))
		return false;
	if (all.base && service->weighed && since > TOGETHER && since < EVERY) {
		wait_for(service, EVERY - since);
		return false;
	}
	if (since > TOGETHER)
		service->weighed = now;
	target->weight = wanted(target);
	return true;
}

void compose_forget(struct service *service)
{
	if (service->has_timer)
		evtimer_del(&service->weights);
}
