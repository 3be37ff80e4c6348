/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading services and backends from the kernel, as JSON objects.
 */
#ifndef LBADM_SHOW_H
#define LBADM_SHOW_H

#include <jansson.h>
#include <libmnl/libmnl.h>

#include "model/request.h"

/**
 * read_backends() - backends, each with the identity of its "service"
 * @id: of one service; NULL for all
 * @backends: set to a new reference, an array, on success
 *
 * Returns enum lbadm_exit, having said what is wrong.
 */
int read_backends(const struct service_id *id, json_t **backends);

/**
 * read_services() - services, each with its "backends"
 * @id: one; NULL for all
 * @services: set to a new reference, an array, on success
 *
 * Returns enum lbadm_exit, having said what is wrong.
 */
int read_services(const struct service_id *id, json_t **services);

/**
 * read_list() - all objects of one kind, by a dump
 * @cmd: enum nflb_cmd
 * @get: makes an object of a message; a new reference, or NULL
 * @list: set to a new reference, an array, on success
 *
 * Returns enum lbadm_exit, having said what is wrong.
 */
int read_list(int cmd, json_t *(*get)(const struct nlmsghdr *nlh),
	      json_t **list);

/**
 * read_rated() - read, with "rates" measured over a second if -s -s is given
 * @read: one of those above
 * @id: for @read
 * @objects: for @read
 *
 * Returns what @read returns.
 */
int read_rated(int (*read)(const struct service_id *id, json_t **objects),
	       const struct service_id *id, json_t **objects);

/**
 * rates_of() - what counters gained, per second
 * @before: an object of counters
 * @after: the same, later
 * @seconds: how much later
 *
 * Returns a new reference.
 */
json_t *rates_of(const json_t *before, const json_t *after, double seconds);

/* Sleep for a second. Returns how long it really was. */
double wait_second(void);

/* Without -s, "stats" go from what is printed as JSON. */
void drop_stats(json_t *objects);

/* Leave only the backend that was asked for; complain when it is not there. */
int narrow_backends(json_t *backends, const struct backend_request *req);

#endif /* LBADM_SHOW_H */
