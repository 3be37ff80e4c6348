// SPDX-License-Identifier: GPL-2.0
/*
 * Each change to unhealthy adds 1 to the penalty, which halves every half-life. From
 * "suppress" on, the backend is held until the penalty is below 1.
 */
#include "damping.h"

#define RELEASE 1.0
#define PENALTY_MAX 1000.0
#define STEPS_MAX 64		/* of halving; then nothing is left */

double damping_penalty(const struct damping *d, const struct health_check *check,
		       uint64_t now)
{
	uint64_t half = check->damping.half_life * 1000ull, passed = now - d->at;
	double penalty = d->penalty, rest, x;
	unsigned int i;

	if (!half || now < d->at)
		return half ? penalty : 0;
	if (passed / half >= STEPS_MAX)
		return 0;
	for (i = 0; i < passed / half; i++)
		penalty /= 2;
	/* 2^-rest by its series; the rest is below 1. */
	rest = (passed % half) / (double)half * 0.69314718056;
	x = 1 - rest * (1 - rest / 2 * (1 - rest / 3 * (1 - rest / 4 * (1 - rest / 5))));
	return penalty * x;
}

void damping_add(struct damping *d, const struct health_check *check, uint64_t now)
{
	if (!check->damping.half_life)
		return;
	d->penalty = damping_penalty(d, check, now) + 1;
	if (d->penalty > PENALTY_MAX)
		d->penalty = PENALTY_MAX;
	d->at = now;
	if (!d->holds && d->penalty >= check->damping.suppress) {
		d->holds = true;
		d->since = now;
	}
}

bool damping_holds(const struct damping *d, const struct health_check *check, uint64_t now)
{
	return d->holds && check->damping.half_life &&
	       damping_penalty(d, check, now) >= RELEASE &&
	       now - d->since < check->damping.max * 1000ull;
}

void damping_update(struct damping *d, const struct health_check *check, uint64_t now)
{
	d->holds = damping_holds(d, check, now);
}
