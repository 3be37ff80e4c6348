/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the health checker, over its socket.
 */
#ifndef LBADM_DAEMON_H
#define LBADM_DAEMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "model/request.h"

/* Without a message: whether nflbd of this network namespace answers. */
bool daemon_try(FILE **socket);

/* The same. Returns enum lbadm_exit, with a message on errors. */
int daemon_open(FILE **socket);

/**
 * daemon_ask() - send a request
 * @socket: of daemon_open()
 * @request: its word
 * @id: a service, or NULL
 * @backend: a backend of it, or NULL
 * @patient: wait for answers without a limit
 *
 * Returns whether it was sent.
 */
bool daemon_ask(FILE *socket, const char *request, const struct service_id *id,
		const struct backend_request *backend, bool patient);

/* The next line of an answer, a new reference; NULL at the end. */
json_t *daemon_read(FILE *socket);

/**
 * add_checks() - give backends what nflbd knows about their checks
 * @backends: get the key "check"
 * @id: the service whose backends they are, or NULL
 *
 * Does nothing if nflbd does not answer.
 */
void add_checks(json_t *backends, const struct service_id *id);

#endif /* LBADM_DAEMON_H */
