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
 * Returns enum lbadm_exit, with a message on errors.
 */
int read_backends(const struct service_id *id, json_t **backends);

/**
 * read_services() - services, each with its "backends"
 * @id: one; NULL for all
 * @services: set to a new reference, an array, on success
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int read_services(const struct service_id *id, json_t **services);

/**
 * read_list() - all objects of one kind, by a dump
 * @cmd: enum nflb_cmd
 * @get: makes an object of a message; a new reference, or NULL
 * @list: set to a new reference, an array, on success
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int read_list(int cmd, json_t *(*get)(const struct nlmsghdr *nlh),
	      json_t **list);

/**
 * read_rated() - read, with "rates" measured over a second if -s -s is given
 * @read: one of those above
 * @id: for @read
 * @objects: for @read
 *
 * Returns the result of @read.
 */
int read_rated(int (*read)(const struct service_id *id, json_t **objects),
	       const struct service_id *id, json_t **objects);

/* Give each of @after, services or backends, its "rates" since @before. */
void set_rates(const json_t *before, json_t *after, double seconds);

/* Give totals their rates since @before: "rates", "drop-rates", "counter-rates". */
void set_stats_rates(const json_t *before, json_t *after, double seconds);

/* Sleep for a second. Returns how long it really was. */
double wait_second(void);

/* The totals, with drops and counters. Set to a new reference on success. */
int read_stats(json_t **stats);

/* Without -s, "stats" are left out of JSON. */
void drop_stats(json_t *objects);

/* Leave only the backend that was asked for; complain when it is not there. */
int narrow_backends(json_t *backends, const struct backend_request *req);

#endif /* LBADM_SHOW_H */
