/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Printing: JSON objects as they are, or as text made from them.
 */
#ifndef LBADM_OUT_H
#define LBADM_OUT_H

#include <jansson.h>

/* Print a value as JSON, and a newline. */
void out_json(const json_t *value);

/* Text of services with their backends; of connections; of totals. */
void out_services(const json_t *services);
void out_backends(const json_t *backends);
void out_connections(const json_t *connections);
void out_stats(const json_t *stats);
/* One line. */
void out_event(const json_t *event);

#endif /* LBADM_OUT_H */
