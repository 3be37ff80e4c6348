/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading services and backends from the kernel, as JSON objects.
 */
#ifndef LBADM_SHOW_H
#define LBADM_SHOW_H

#include <jansson.h>

#include "model/request.h"

/* All backends, or one service's (@id not NULL), each with its "service".
 * Returns enum lbadm_exit; @backends is a new reference then.
 */
int read_backends(const struct service_id *id, json_t **backends);
/* All services, or one, each with its "backends". */
int read_services(const struct service_id *id, json_t **services);
/* The same, with "rates" measured over a second when -s -s is given. */
int read_services_rated(const struct service_id *id, json_t **services);
/* Without -s, what only belongs to it goes from what is printed as JSON. */
void drop_stats(json_t *objects);

#endif /* LBADM_SHOW_H */
