// SPDX-License-Identifier: GPL-2.0
/*
 * A target and its last result as JSON: for --once, and for the socket.
 */
#include "describe.h"

#include "compose.h"
#include "model/names.h"
#include "schedule.h"
#include "share.h"

const char *describe_outcome(const struct target *target)
{
	static const char *const words[] = {
		[RESULT_SUCCESS] = "success",
		[RESULT_FAILURE] = "failure",
		[RESULT_VOID] = "void",
	};

	return target->idle ? "not checked" : words[target->last.kind];
}

const char *describe_idle(const struct target *target)
{
	return !target->usable ? target->why :
	       target->check.protocol == HEALTH_NONE ? "protocol none" : "state down";
}

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void put_result(json_t *object, const struct target *target)
{
	const struct result *last = &target->last;

	put(object, "result", json_string(describe_outcome(target)));
	put(object, "protocol", json_string(names_get(&health_protocol_names,
						      target->check.protocol)));
	put(object, "via", json_string(names_get(&health_via_names, target->check.via)));
	if (last->reason)
		put(object, "reason", json_string(reason_word(last->reason)));
	if (*last->detail)
		put(object, "detail", json_string(last->detail));
	put(object, "milliseconds", json_real(last->duration / 1000.0));
	put(object, "weight", json_integer(last->weight));
	if (last->expires != INT32_MAX)
		put(object, "expires-days", json_integer(last->expires));
}

json_t *describe_result(const struct target *target)
{
	char service[SUBJECT_MAX], backend[SUBJECT_MAX];
	json_t *object;

	object = json_pack("{s:s, s:s}",
			   "service", subject_service(service, &target->service->id),
			   "backend", subject_backend(backend, &target->backend));
	if (!target->idle) {
		put_result(object, target);
		return object;
	}
	put(object, "result", json_string(describe_outcome(target)));
	put(object, "detail", json_string(describe_idle(target)));
	return object;
}

static double next_in(const struct target *target)
{
	uint64_t now = check_clock();

	return target->due > now ? (target->due - now) / 1e6 : 0;
}

/* Results in a row against the verdict, and how many change it */
static void put_row(json_t *object, const struct target *target)
{
	const struct health_check *check = &target->check;

	put(object, "contrary", json_integer(target->verdict.contrary));
	put(object, "threshold", json_integer(
		target->verdict.health == NFLB_HEALTH_UNHEALTHY ?
		check->health_threshold : check->unhealth_threshold));
	if (target->verdict.voids)
		put(object, "voids", json_integer(target->verdict.voids));
}

/* What an agent has lowered, and what the kernel gets */
static void put_agent(json_t *object, const struct target *target)
{
	const struct answer_state *lowered = &target->lowered;

	if (!target->agent)
		return;
	put(object, "agent", json_pack("{s:i, s:b, s:b, s:s?}", "weight", lowered->weight,
				       "drain", lowered->drain, "maint", lowered->maint,
				       "down", lowered->down ? lowered->word : NULL));
}

static void put_schedule(json_t *object, const struct target *target)
{
	if (share_count(target) > 1)
		put(object, "shared-by", json_integer(share_count(target)));
	target = share_leader(target);
	if (target->running)
		put(object, "running", json_true());
	else if (target->waits)
		put(object, "waiting", json_true());
	else if (target->scheduled)
		put(object, "next-in", json_real(next_in(target)));
}

json_t *describe_target(const struct target *target)
{
	json_t *object = describe_result(target);

	if (!target->checked && !target->idle) {
		put(object, "result", json_string("none"));
		json_object_del(object, "milliseconds");
		json_object_del(object, "weight");
	}
	put(object, "health", json_string(names_get(&health_names,
						    compose_health(target))));
	put(object, "kernel-weight", json_integer(target->weight));
	put_agent(object, target);
	if (target->usable && target->check.damping.half_life)
		put(object, "penalty", json_real(damping_penalty(
			&target->damping, &target->check, schedule_clock())));
	if (compose_is_held(target))
		put(object, "held", json_true());
	put(object, "age", json_integer((schedule_clock() - target->verdict.since) / 1000));
	if (target->forced)
		put(object, "forced", json_true());
	if (!target->usable)
		return object;
	if (target->check.dry_run)
		put(object, "dry-run", json_true());
	if (target->idle)
		return object;
	put(object, "via", json_string(names_get(&health_via_names, target->check.via)));
	put_row(object, target);
	put_schedule(object, target);
	return object;
}
