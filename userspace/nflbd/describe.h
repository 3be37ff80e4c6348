/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A target and its last result as JSON.
 */
#ifndef NFLBD_DESCRIBE_H
#define NFLBD_DESCRIBE_H

#include <jansson.h>

#include "target.h"

/* Each is a new reference. */
json_t *describe_result(const struct target *target);
/* The same, and the verdict and when the next check is due */
json_t *describe_target(const struct target *target);

/* "success", "failure", "void" or "not checked" */
const char *describe_outcome(const struct target *target);

/* Why it is not checked */
const char *describe_idle(const struct target *target);

#endif /* NFLBD_DESCRIBE_H */
