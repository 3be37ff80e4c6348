/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A service's settings as text. For out/ only.
 */
#ifndef LBADM_OUT_SERVICE_H
#define LBADM_OUT_SERVICE_H

#include <jansson.h>
#include <stdio.h>

/* Write the words that `service add` takes, each after a blank; without -d,
 * timeouts that have their defaults are left out.
 */
void write_service(FILE *to, const json_t *service);

/* The colour of a backend's state */
const char *color_state(const json_t *backend);

#endif /* LBADM_OUT_SERVICE_H */
