/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which services and backends a command shows.
 */
#ifndef LBADM_FILTER_H
#define LBADM_FILTER_H

#include <jansson.h>

#include "model/request.h"
#include "model/vocabulary.h"

/**
 * struct show_filter - the objects to show
 * @protocol: 0 for any
 * @one: a single service is meant: @id
 * @id: the service
 * @vip: an address or prefix of services; address.len 0 for any
 * @one_backend: a single backend of the service is meant: @backend
 * @has_host: backends of a host are meant: @backend, whose port 0 is any
 * @backend: the backend or host
 */
struct show_filter {
	uint8_t protocol;
	bool one, one_backend, has_host;
	struct service_id id;
	struct prefix vip;
	struct backend_request backend;
};

/* The arguments and words of `show`, and a host for other commands */
extern const struct word args_place[], show_words[];
extern const struct kind kind_host;

/**
 * parse_show_filter() - [PROTO [VIP [BACKEND]]] [vip ADDR[/LEN]] [backend HOST]
 * @words: all that is left
 * @filter: set
 * @backends: BACKEND may be there
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int parse_show_filter(struct words *words, struct show_filter *filter,
		      bool backends);

/**
 * is_on_host() - is a backend on a host?
 * @backend: the backend
 * @service: its service
 * @host: an address; with a port, only backends that use this port are on it
 */
bool is_on_host(const struct backend_request *backend,
		const struct service_id *service,
		const struct backend_request *host);

/**
 * read_shown_services() - services that a filter lets through, with their backends
 * @filter: the filter
 * @services: set to a new reference, an array, on success
 *
 * Rates are measured if -s is given twice. Returns enum lbadm_exit, with a message on
 * errors: a single service that is not there is an error.
 */
int read_shown_services(const struct show_filter *filter, json_t **services);

/* The same of backends, each with the identity of its "service". @rated: measure rates. */
int read_shown_backends(const struct show_filter *filter, bool rated,
			json_t **backends);

#endif /* LBADM_FILTER_H */
