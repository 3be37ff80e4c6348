// SPDX-License-Identifier: GPL-2.0
/*
 * The verdict on a backend.
 *
 * unknown, checking --first result--> healthy or unhealthy
 * healthy   --unhealth-threshold failures in a row--> unhealthy
 * unhealthy --health-threshold successes in a row--> healthy
 *
 * Void results change nothing, and do not interrupt a row.
 */
#include "verdict.h"

#define SLOW_AFTER 600000	/* ms, until checks of an unhealthy backend get rarer */
#define SLOWEST 3		/* doublings */

void verdict_begin(struct verdict *v, const struct health_check *check, uint64_t now)
{
	*v = (struct verdict){
		.health = check->initial == NFLB_HEALTH_INITIAL_DOWN ?
			  NFLB_HEALTH_CHECKING : NFLB_HEALTH_UNKNOWN,
		.since = now,
	};
}

void verdict_resume(struct verdict *v, enum nflb_health health, uint64_t now)
{
	/* An ejected backend has to succeed as an unhealthy one has. */
	*v = (struct verdict){
		.health = health == NFLB_HEALTH_EJECTED ? NFLB_HEALTH_UNHEALTHY :
							  health,
		.since = now,
	};
}

static bool is_decided(const struct verdict *v)
{
	return v->health == NFLB_HEALTH_HEALTHY || v->health == NFLB_HEALTH_UNHEALTHY;
}

static bool change(struct verdict *v, enum nflb_health health, uint64_t now)
{
	v->health = health;
	v->since = now;
	v->contrary = 0;
	return true;
}

bool verdict_take(struct verdict *v, const struct health_check *check,
		  const struct result *result, uint64_t now)
{
	enum nflb_health said = result->kind == RESULT_SUCCESS ?
				NFLB_HEALTH_HEALTHY : NFLB_HEALTH_UNHEALTHY;

	if (result->kind == RESULT_VOID) {
		v->voids++;
		return false;
	}
	v->voids = 0;
	if (!is_decided(v))
		return change(v, said, now);
	if (said == v->health) {
		v->contrary = 0;
		return false;
	}
	v->contrary++;
	if (v->contrary < (said == NFLB_HEALTH_HEALTHY ? check->health_threshold :
							 check->unhealth_threshold))
		return false;
	return change(v, said, now);
}

uint32_t verdict_interval(const struct verdict *v, const struct health_check *check,
			  uint64_t now)
{
	uint64_t doublings;

	if (v->contrary)
		return check->fast_interval;
	if (v->health != NFLB_HEALTH_UNHEALTHY)
		return check->interval;
	doublings = (now - v->since) / SLOW_AFTER;
	return check->down_interval << (doublings < SLOWEST ? doublings : SLOWEST);
}
