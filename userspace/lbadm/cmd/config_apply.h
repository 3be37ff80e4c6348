/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the configuration that the kernel has to another.
 */
#ifndef LBADM_CONFIG_APPLY_H
#define LBADM_CONFIG_APPLY_H

#include <jansson.h>

#include "cmd/config_policy.h"
#include "model/config.h"

/**
 * config_from_kernel() - read the kernel's configuration, in the form of a file
 * @config: set to a new reference on success
 * @details: an object; gets "services" and "devices" as the kernel reports them. NULL
 *	if they are not needed
 * @policies: set; services have theirs in @config, too
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int config_from_kernel(json_t **config, json_t *details,
		       struct known_policies *policies);


/**
 * config_have() - read the kernel's configuration, with states that were set by hand
 * @have: set on success; for config_free()
 * @policies: set; its list is a new reference
 *
 * Returns enum lbadm_exit, with a message on errors; nothing is to be freed then.
 */
int config_have(struct config *have, struct known_policies *policies);

/* The same of services and backends alone, without policies. */
int config_have_services(struct config *have);

/**
 * struct apply_options - how a configuration is applied
 * @keep_going: if the kernel refuses a change, continue with the others
 * @force: take back states of backends that were set by hand
 */
struct apply_options {
	bool keep_going;
	bool force;
};

/**
 * apply() - let the kernel have this configuration
 * @wanted: all of it
 * @how: options
 * @changes: set to a new reference: the changes, as step_changes() lists them
 *
 * Objects that are the same already are not touched. Without keep_going it takes effect
 * whole or, when the kernel refuses a part of it, not at all. Returns enum
 * lbadm_exit, with a message on errors.
 */
int apply(const struct config *wanted, const struct apply_options *how,
	  json_t **changes);

/**
 * config_diff() - compare the kernel's configuration with another one
 * @wanted: the configuration
 * @how: options; the changes are those that apply() would make with them
 * @changes: set to a new reference on success: those changes, and states set by hand
 *	and stays
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int config_diff(const struct config *wanted, const struct apply_options *how,
		json_t **changes);

#endif /* LBADM_CONFIG_APPLY_H */
