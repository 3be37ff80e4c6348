/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of a health check beyond the values of single keys. For health_read.c only.
 */
#ifndef LBADM_HEALTH_RULES_H
#define LBADM_HEALTH_RULES_H

#include "model/health.h"

/**
 * health_rules() - apply the rules, and set all that is derived from other keys
 * @check: its keys are read
 * @place: the service and the backend
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int health_rules(struct health_check *check, const struct health_place *place);

#endif /* LBADM_HEALTH_RULES_H */
