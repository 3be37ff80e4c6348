/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes of a configuration, as step_changes() lists them: a line each, and their sum.
 */
#ifndef LBADM_OUT_CHANGES_H
#define LBADM_OUT_CHANGES_H

#include <jansson.h>
#include <stdbool.h>

/* Print a line for each: "+", "-", "~", or "=" for a state that stays. */
void out_changes(const json_t *changes);

/* Is there any? States that stay are none. */
bool changes_any(const json_t *changes);

/* Print "3 services added, 1 changed", or with @dry_run "3 services to add". */
void out_summary(const json_t *changes, bool dry_run);

/**
 * summary_json() - the same as an object
 * @changes: the changes
 * @dry_run: they were not made
 *
 * Returns a new reference: "changed", "dry-run", "summary" with the counts of each kind
 * of object, and "changes".
 */
json_t *summary_json(json_t *changes, bool dry_run);

#endif /* LBADM_OUT_CHANGES_H */
