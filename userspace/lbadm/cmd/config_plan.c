// SPDX-License-Identifier: GPL-2.0
/*
 * Which steps lead from a configuration to another, and in which order.
 */
#include "cmd/config_plan.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/config_policy.h"
#include "cmd/settings.h"
#include "model/policy.h"

static struct step *plan_add(struct plan *plan)
{
	struct step *steps = realloc(plan->steps, (plan->count + 1) *
				     sizeof(*plan->steps));

	if (!steps)
		abort();
	plan->steps = steps;
	memset(&steps[plan->count], 0, sizeof(*steps));
	return &steps[plan->count++];
}

/* Is it in the way of one that is to come? */
static bool in_the_way(const struct laddr_request *laddr,
		       const struct config *have, const struct config *wanted)
{
	size_t i;

	for (i = 0; i < wanted->laddr_count; i++)
		if (!config_has_laddr(have, &wanted->laddrs[i]) &&
		    config_laddrs_overlap(laddr, &wanted->laddrs[i]))
			return true;
	return false;
}

/* Those that are not wanted: that are in the way first, the others at the end. */
static void plan_laddrs_del(struct plan *plan, const struct config *have,
			    const struct config *wanted, bool first)
{
	size_t i;

	for (i = 0; i < have->laddr_count; i++)
		if (!config_has_laddr(wanted, &have->laddrs[i]) &&
		    in_the_way(&have->laddrs[i], have, wanted) == first)
			plan_add(plan)->laddr_before = &have->laddrs[i];
}

static void plan_laddrs_add(struct plan *plan, const struct config *have,
			    const struct config *wanted)
{
	size_t i;

	for (i = 0; i < wanted->laddr_count; i++)
		if (!config_has_laddr(have, &wanted->laddrs[i]))
			plan_add(plan)->laddr_after = &wanted->laddrs[i];
}

static void plan_services_put(struct plan *plan, const struct config *have,
			      const struct config *wanted, bool force)
{
	const struct config_service *before, *after;
	struct step *step;
	size_t i;

	for (i = 0; i < wanted->service_count; i++) {
		after = &wanted->services[i];
		before = config_find_service(have, &after->request.id);
		if (before && config_same_service(before, after) &&
		    !(force && config_by_hand(before)))
			continue;
		step = plan_add(plan);
		step->force = force;
		step->service_before = before;
		step->service_after = after;
	}
}

static void plan_services_del(struct plan *plan, const struct config *have,
			      const struct config *wanted)
{
	size_t i;

	for (i = 0; i < have->service_count; i++)
		if (!config_find_service(wanted, &have->services[i].request.id))
			plan_add(plan)->service_before = &have->services[i];
}

/* Devices, or XDP on them, that are to come, or to go. */
static void plan_devices(struct plan *plan, const struct config *have,
			 const struct config *wanted, bool add)
{
	const struct config *from = add ? wanted : have;
	const struct config *to = add ? have : wanted;
	const struct device_request *one, *other;
	struct step *step;
	bool xdp;
	size_t i;

	for (i = 0; i < from->device_count; i++) {
		one = &from->devices[i];
		other = config_find_device(to, one->name);
		/* A wish for XDP is to go as well. */
		xdp = one->xdp || one->late;
		if (other && other->xdp >= xdp)
			continue;
		step = plan_add(plan);
		step->device_before = add ? other : one;
		step->device_after = add ? one : other;
	}
}

static void plan_settings(struct plan *plan, const struct config *have,
			  const struct config *wanted)
{
	const char *before, *after;
	struct step *step;
	size_t i;

	for (i = 0; i < SETTING_COUNT && wanted->has_settings; i++) {
		before = setting_value(have, i);
		after = setting_value(wanted, i);
		if (!strcmp(before, after) || !*after)
			continue;
		step = plan_add(plan);
		step->setting = i;
		step->setting_before = before;
		step->setting_after = after;
	}
}

static void plan_policies(struct plan *plan, const json_t *before,
			  const json_t *after)
{
	char *commands = before ? policies_change(before, after) : NULL;
	struct step *step;

	if (!commands)
		return;
	free(commands);
	step = plan_add(plan);
	step->policies_before = before;
	step->policies_after = after;
}

/*
 * Settings are first: a change of some of them makes the tables of all services
 * again. A policy is there before its service is, and goes after it. For the rest,
 * additions come before removals: new local addresses are there before a service needs
 * them. Devices are removed before others are added, for the module takes a limited
 * number of them; packets take the long way meanwhile. Connections of a service cannot be brought back, so services are deleted last,
 * when hardly anything is left that can fail.
 */
void plan_make(struct plan *plan, const struct config *have,
	       const struct config *wanted, const json_t *policies, bool force)
{
	memset(plan, 0, sizeof(*plan));
	if (policies) {
		plan->put = policies_put(policies, wanted);
		plan->final = policies_final(policies, wanted);
	}
	plan_settings(plan, have, wanted);
	plan_policies(plan, policies, plan->put);
	plan_laddrs_del(plan, have, wanted, true);
	plan_laddrs_add(plan, have, wanted);
	plan_devices(plan, have, wanted, false);
	plan_devices(plan, have, wanted, true);
	plan_services_put(plan, have, wanted, force);
	plan_laddrs_del(plan, have, wanted, false);
	plan_services_del(plan, have, wanted);
	plan_policies(plan, plan->put, plan->final);
}

void plan_free(struct plan *plan)
{
	free(plan->steps);
	json_decref(plan->put);
	json_decref(plan->final);
}
