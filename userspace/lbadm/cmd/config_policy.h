/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Policies of a configuration, for the commands `config` and `policy`.
 */
#ifndef LBADM_CONFIG_POLICY_H
#define LBADM_CONFIG_POLICY_H

#include <jansson.h>

#include "model/config.h"

/**
 * struct known_policies - the policies of nftables
 * @list: as policies_read() finds it; NULL if it cannot be read
 * @status: enum lbadm_exit, why not
 * @why: in words
 */
struct known_policies {
	json_t *list;
	int status;
	char why[256];
};

/* Ask nftables; @known->list is a new reference. */
void policies_from_kernel(struct known_policies *known);

/* Does a configuration ask for a policy? */
bool policies_wanted(const struct config *wanted);

/* Existing policies, and those of a configuration; a new reference. */
json_t *policies_put(const json_t *have, const struct config *wanted);
/* The same without those that an earlier configuration wanted. */
json_t *policies_final(const json_t *have, const struct config *wanted);

/**
 * policies_step() - from some policies to others
 * @before: all that there are
 * @after: all that there are to be
 *
 * Returns enum lbadm_exit, with a message on errors; nothing was changed then.
 */
int policies_step(const json_t *before, const json_t *after);

#endif /* LBADM_CONFIG_POLICY_H */
