/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The time, for output.
 */
#ifndef LBADM_TIMESTAMP_H
#define LBADM_TIMESTAMP_H

#include <jansson.h>

/* Now, as RFC 3339 writes it: 2026-11-30T15:36:31.123456+00:00. A new reference. */
json_t *timestamp(void);

#endif /* LBADM_TIMESTAMP_H */
