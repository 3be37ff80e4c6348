// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the configuration that of a file: reads the one that the kernel has, and
 * takes the steps between them. If somebody else changes the configuration
 * meanwhile, it begins again.
 */
#include "cmd/config_apply.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/config_plan.h"
#include "cmd/device.h"
#include "model/policy.h"
#include "nl/change.h"

/* How often it begins again. */
#define TRIES 10
/* The longest wait before the second try, in microseconds; it doubles. */
#define WAIT 10000

/* Undo the first @count steps, the last one first. */
static int plan_undo(const struct plan *plan, size_t count, const char *before)
{
	int status = LBADM_OK;

	while (count--) {
		step_where(&plan->steps[count], before);
		if (step_undo(&plan->steps[count]))
			status = LBADM_REFUSED;
	}
	return status;
}

static bool has_policy(const struct step *step)
{
	const struct config_service *service = step->service_after;

	return service && service->policy && !policy_is_empty(service->policy);
}

/*
 * @done is set to the number of steps that were taken. A service whose policy cannot
 * be made is left out.
 */
static int plan_run(struct plan *plan, const char *before,
		    bool keep_going, size_t *done)
{
	bool open_to_all = !plan->put;
	int status, refused = LBADM_OK;
	struct step *step;
	size_t i;

	*done = 0;
	for (i = 0; i < plan->count; i++) {
		step = &plan->steps[i];
		step_where(step, before);
		status = open_to_all && has_policy(step) ?
			 fail(LBADM_REFUSED, "left out, because its policy cannot be installed") :
			 step_run(step);
		step->taken = !status;
		if (!status) {
			++*done;
			continue;
		}
		refused = status;
		open_to_all |= step->policies_after == plan->put && plan->put;
		if (!keep_going || status == LBADM_UNAVAILABLE || change_stale())
			break;
	}
	return refused;
}

static int mixed(int status)
{
	return fail(status, "cannot roll this back: the configuration is neither the old one nor the new one");
}

/* One try of many. */
struct attempt {
	struct apply_options how;
	json_t *changes;	/* of all tries */
	bool dirty;	/* an earlier try left steps behind */
	bool again;	/* somebody else changed the configuration */
	bool warned;	/* of nftables */
	char before[LBADM_WHERE_MAX];
};

/* Note each step that was taken and is not undone. */
static void note_changes(struct attempt *a, const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (plan->steps[i].taken)
			step_changes(&plan->steps[i], a->changes);
}

static int run(struct attempt *a, const struct config *have,
	       const struct config *wanted, const json_t *policies)
{
	struct plan plan;
	size_t done;
	int status;

	plan_make(&plan, have, wanted, policies, a->how.force);
	status = plan_run(&plan, a->before, a->how.keep_going, &done);
	a->again = change_stale();
	if (a->again)
		a->dirty |= done;
	else if (status && !a->how.keep_going &&
		 (plan_undo(&plan, done, a->before) || a->dirty))
		mixed(status);
	if (!status || a->again || a->how.keep_going)
		note_changes(a, &plan);
	snprintf(lbadm_where, LBADM_WHERE_MAX, "%s", a->before);
	plan_free(&plan);
	return status;
}

/* Without nftables, refuse services with a policy: they must not be open to all. */
static int check_policies(struct attempt *a, const struct config *wanted,
			  const struct known_policies *policies)
{
	if (policies->list)
		return LBADM_OK;
	if (policies_wanted(wanted))
		return fail(policies->status, "policies: %s", policies->why);
	if (!a->warned)
		fail(LBADM_OK, "warning: policies are not compared: %s",
		     policies->why);
	a->warned = true;
	return LBADM_OK;
}

static int apply_once(struct attempt *a, const struct config *wanted)
{
	struct known_policies policies;
	struct config have;
	int status, without;

	status = change_begin();
	status = status ? status : config_have(&have, &policies);
	if (status)
		return a->dirty && !a->how.keep_going ? mixed(status) : status;
	without = check_policies(a, wanted, &policies);
	if (!without || a->how.keep_going)
		status = run(a, &have, wanted, policies.list);
	else if (a->dirty)
		mixed(without);
	status = status ? status : without;
	change_end();
	config_free(&have);
	json_decref(policies.list);
	return status;
}

/* The changes of a plan that is not carried out */
static void foresee(struct attempt *a, const struct config *have,
		    const struct config *wanted, const json_t *policies)
{
	struct plan plan;
	size_t i;

	plan_make(&plan, have, wanted, policies, a->how.force);
	for (i = 0; i < plan.count; i++)
		step_changes(&plan.steps[i], a->changes);
	kept_by_hand(have, wanted, a->how.force, a->changes);
	plan_free(&plan);
}

static int diff_once(struct attempt *a, const struct config *wanted)
{
	struct known_policies policies;
	struct config have;
	int status;

	json_array_clear(a->changes);
	status = change_begin();
	status = status ? status : config_have(&have, &policies);
	if (status)
		return status;
	status = change_check();
	a->again = change_stale();
	if (!status && !a->again)
		status = check_policies(a, wanted, &policies);
	if (!status && !a->again)
		foresee(a, &have, wanted, policies.list);
	change_end();
	config_free(&have);
	json_decref(policies.list);
	return status;
}

/* Of two who wait for each other, one waits longer. */
static void wait_a_moment(unsigned int tries)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	srandom(now.tv_nsec ^ getpid());
	usleep(random() % ((useconds_t)WAIT << tries));
}

/* Try until nobody else changes the configuration meanwhile. */
static int persist(struct attempt *a, const struct config *wanted,
		   int (*once)(struct attempt *a, const struct config *wanted))
{
	unsigned int tries = 0;
	int status;

	do {
		if (tries)
			wait_a_moment(tries);
		a->again = false;
		status = once(a, wanted);
	} while (a->again && ++tries < TRIES);
	if (a->again)
		status = fail(LBADM_REFUSED, "the configuration keeps changing, %u attempts failed",
			      tries);
	return status;
}

int apply(const struct config *wanted, const struct apply_options *how,
	  json_t **changes)
{
	struct attempt a = { .how = *how, .changes = json_array() };
	sigset_t all, old;
	int status, missing;

	*changes = a.changes;
	snprintf(a.before, sizeof(a.before), "%s", lbadm_where);
	/* Who interrupts it wants it to end, but not between two steps. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	status = persist(&a, wanted, apply_once);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (a.again && a.dirty)
		mixed(status);
	if (status && (!how->keep_going || a.again))
		return status;
	missing = warn_of_absent(wanted->devices, wanted->device_count);
	return status ? status : missing;
}

int config_diff(const struct config *wanted, const struct apply_options *how,
		json_t **changes)
{
	struct attempt a = { .how = *how, .changes = json_array() };
	int status = persist(&a, wanted, diff_once);

	*changes = a.changes;
	if (status) {
		json_decref(a.changes);
		*changes = NULL;
	}
	return status;
}
