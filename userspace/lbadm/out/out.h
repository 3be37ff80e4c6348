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

/* Tables: of services with their backends; of backends; of local addresses; of
 * devices; of totals; of policies. Each returns enum lbadm_exit, having said
 * the error in --output or --sort.
 */
int out_services(const json_t *services);
int out_backends(const json_t *backends);
/* The verdicts on backends. */
int out_health(const json_t *backends);
int out_laddrs(const json_t *laddrs);
int out_devices(const json_t *devices);
int out_stats(const json_t *stats);
int out_policies(const json_t *policies);

/* A list of connections, as a table or JSON. There may be millions: few of them
 * are kept at a time.
 */
struct out_connections {
	struct grid *grid;
	bool none;
};

/**
 * out_connections_begin() - begin a list
 * @list: the list
 *
 * Returns enum lbadm_exit, with a message on errors in --output or --sort.
 */
int out_connections_begin(struct out_connections *list);

/* Add a connection. */
void out_connection(struct out_connections *list, const json_t *connection);

/**
 * out_connections_end() - end the list
 * @list: the list
 * @whole: an array that an error cut short is left open, so that nobody takes
 *	it for the whole
 */
void out_connections_end(struct out_connections *list, bool whole);

/* The fate of a packet, as text. */
void out_explain(const json_t *answer);

/* Text of one event, a line; flushed. */
void out_event(const json_t *event);

#endif /* LBADM_OUT_H */
