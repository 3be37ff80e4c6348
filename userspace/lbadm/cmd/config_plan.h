/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The steps from a configuration to another, each of which the kernel takes whole or
 * not at all, and each with its reverse. For config_apply.c and its parts.
 */
#ifndef LBADM_CONFIG_PLAN_H
#define LBADM_CONFIG_PLAN_H

#include "model/config.h"

/* From before to after, of which one may be absent; of one kind. */
struct step {
	const struct config_service *service_before, *service_after;
	const struct laddr_request *laddr_before, *laddr_after;
	const struct device_request *device_before, *device_after;
	const json_t *policies_before, *policies_after;
	const char *setting_before, *setting_after;
	size_t setting;
	bool force;	/* states that were set by hand are taken back */
	bool taken;
};

struct plan {
	struct step *steps;
	size_t count;
	json_t *put, *final;	/* policies that steps point to */
};

/**
 * plan_make() - the steps from one configuration to another
 * @plan: set; for plan_free()
 * @have: the kernel's configuration
 * @wanted: the new configuration
 * @policies: those of nftables; NULL leaves nftables alone
 * @force: take back states of backends that were set by hand
 */
void plan_make(struct plan *plan, const struct config *have,
	       const struct config *wanted, const json_t *policies,
	       bool force);
void plan_free(struct plan *plan);

/* Each returns enum lbadm_exit, with a message on errors. */
int step_run(const struct step *step);
int step_undo(const struct step *step);

/* Restore a service, with all states of its backends. Returns enum lbadm_exit,
 * with a message on errors.
 */
int service_restore(const struct config_service *service);

/* Errors from here on are about this step; @before is said first. */
void step_where(const struct step *step, const char *before);

/**
 * step_changes() - list the changes that a step makes
 * @step: the step
 * @changes: an array, to which they are appended
 *
 * Each is an object with "action" (add, change or remove), "object" (service, backend,
 * laddr, device, setting or policy), its identity, and "from" and "to": objects of
 * settings. Those of a change are the ones that differ.
 */
void step_changes(const struct step *step, json_t *changes);

/* List the states and verdicts that apply leaves alone: "action" is keep, "by-hand" an
 * object.
 */
void kept_by_hand(const struct config *have, const struct config *wanted,
		  bool force, json_t *changes);

#endif /* LBADM_CONFIG_PLAN_H */
