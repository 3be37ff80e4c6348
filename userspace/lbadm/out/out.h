/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Printing: JSON objects as they are, or as text made from them.
 */
#ifndef LBADM_OUT_H
#define LBADM_OUT_H

#include <jansson.h>
#include <stdbool.h>

/* None of these takes a reference. */

/* Print a value as JSON, and a newline; flushed. */
void out_json(const json_t *value);

/* Text of services with their backends; of backends; of local addresses; of totals. */
void out_services(const json_t *services);
void out_backends(const json_t *backends);
/* The verdicts on backends. */
void out_health(const json_t *backends);
void out_laddrs(const json_t *laddrs);
void out_devices(const json_t *devices);
void out_stats(const json_t *stats);

/**
 * out_connection() - print one of a list, as text or JSON
 * @connection: the object
 * @first: whether it is the first of the list
 *
 * There may be millions, so they are not gathered before. An array that an
 * error cuts short is left open, so that nobody takes it for the whole.
 */
void out_connection(const json_t *connection, bool first);

/**
 * out_connections_end() - end the list
 * @none: whether there was none
 */
void out_connections_end(bool none);

/* Text of policies. */
void out_policies(const json_t *policies);

/* Text of what would become of a packet. */
void out_explain(const json_t *answer);

/* Text of one event, a line; flushed. */
void out_event(const json_t *event);

#endif /* LBADM_OUT_H */
