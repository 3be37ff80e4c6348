/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services and their backends, as far as checks are concerned.
 */
#ifndef NFLBD_TARGET_H
#define NFLBD_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "check.h"
#include "damping.h"
#include "model/health.h"
#include "model/request.h"
#include "model/subject.h"
#include "verdict.h"

/**
 * struct service - a service that has a health check
 * @next: in the list of all
 * @chain: of services with the same hash
 * @id: which
 * @mode: of backends that have none of their own
 * @check: its "health-check" as text
 * @version: of @check
 * @targets: its backends
 * @hint: where the next one of a reading probably is
 * @number: greater than those of older services
 * @weights: until weights may change again
 * @weighed: when they changed, milliseconds; 0 is never
 * @seen: by the reading of the configuration that goes on
 * @dirty: a verdict has to be sent
 * @has_timer: @weights is set up
 */
struct service {
	struct service *next, *chain;
	struct service_id id;
	uint32_t mode;
	char *check;
	uint32_t version;
	struct target *targets, **hint;
	uint64_t number;
	struct event weights;
	uint64_t weighed;
	bool seen, dirty, has_timer;
};

/**
 * struct target - a backend that is checked
 * @next: of the same service
 * @service: its service
 * @backend: address and port
 * @id: the kernel's number of it
 * @mode: its own, or the service's
 * @own: its own "health-check" as text, or NULL
 * @version: of the service's text that @check was read from
 * @check: how to check it
 * @usable: @check could be read; else @why says why not
 * @why: an error message
 * @idle: not to be checked: its state is down, or the protocol none
 * @seen: as of the service
 * @forced: its verdict was set by hand
 * @dirty: the kernel has to get the verdict
 * @kernel: the verdict that the kernel has
 * @kernel_weight: percent, the same
 * @verdict: ours
 * @last: the last result
 * @checked: there was one
 * @lowered: what its agent has lowered
 * @agent: who is asked, or NULL
 * @damping: of changes to unhealthy
 * @composed: the verdict for the kernel, as it was last
 * @weight: percent, of @last and @lowered, for the kernel
 * @warned: an event about the certificate was sent
 * @timer: of the next check
 * @scheduled: @timer is set up
 * @waits: in the queue of checks that are due
 * @queue: the next one there
 * @share: those that share the check
 * @sharing: the next one of them
 * @running: the check that runs, or NULL
 * @began: when the last check began, microseconds
 * @due: when the next one is to begin, the same
 */
struct target {
	struct target *next;
	struct service *service;
	struct backend_request backend;
	uint32_t id, mode;
	char *own;
	uint32_t version;
	struct health_check check;
	bool usable, idle, seen, forced, dirty, warned, scheduled, waits, checked;
	char why[160];
	enum nflb_health kernel;
	uint8_t kernel_weight;
	struct verdict verdict;
	struct result last;
	struct answer_state lowered;
	struct agent *agent;
	struct damping damping;
	enum nflb_health composed;
	uint8_t weight;
	struct event timer;
	struct target *queue;
	struct share *share;
	struct target *sharing;
	struct check *running;
	uint64_t began, due;
};

extern struct service *target_services;

/* The service with this identity, or NULL. */
struct service *target_find_service(const struct service_id *id);

/**
 * target_add_service() - a service, new or known
 * @id: which
 * @mode: of its backends
 * @check: its "health-check"; NULL or "" is none
 *
 * Returns NULL if it has no check; one that had one is deleted then.
 */
struct service *target_add_service(const struct service_id *id, uint32_t mode,
				   const char *check);

/**
 * target_add() - a backend, new or known
 * @service: its service
 * @backend: with mode and state if they are set
 * @id: the kernel's number
 * @check: its own "health-check", or NULL
 * @now: milliseconds
 * @fresh: set to whether it is new or has another check than before
 *
 * A backend that only has another check keeps its verdict.
 */
struct target *target_add(struct service *service, const struct backend_request *backend,
			  uint32_t id, const char *check, uint64_t now, bool *fresh);

/* The backend, or NULL. */
struct target *target_find(struct service *service, const struct backend_request *backend);

/* How many there are */
size_t target_count(void);

/* Mark all as not seen; then delete those that still are. */
void target_forget_all(void);
void target_delete_unseen(void);

/* Where checks of it go to */
struct check_place target_place(const struct target *target);

/* "tcp 192.0.2.10:80 -> 10.0.0.1:8080". Returns @buf. */
#define TARGET_TEXT_MAX (2 * SUBJECT_MAX + 8)
const char *target_text(const struct target *target, char buf[TARGET_TEXT_MAX]);

#endif /* NFLBD_TARGET_H */
