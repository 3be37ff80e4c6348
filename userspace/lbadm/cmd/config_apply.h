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
 * config_from_kernel() - what the kernel has, as a file would say it
 * @config: set to a new reference on success
 * @services: likewise, to the services as the kernel told of them; or NULL
 * @policies: set; services have theirs in @config, too
 *
 * Returns enum lbadm_exit, having said what is wrong.
 */
int config_from_kernel(json_t **config, json_t **services,
		       struct known_policies *policies);

/**
 * struct apply_options - how a configuration is applied
 * @keep_going: do what can be done, if the kernel refuses something
 * @force: take back states of backends that were set by hand
 * @verbose: print what was changed
 */
struct apply_options {
	bool keep_going;
	bool force;
	bool verbose;
};

/**
 * apply() - let the kernel have this configuration
 * @wanted: all of it
 * @how: options
 *
 * What is the same already is not touched. Without keep_going it takes effect
 * whole or, when the kernel refuses a part of it, not at all. Returns enum
 * lbadm_exit, having said what is wrong.
 */
int apply(const struct config *wanted, const struct apply_options *how);

#endif /* LBADM_CONFIG_APPLY_H */
