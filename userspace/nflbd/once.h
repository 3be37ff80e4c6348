/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nflbd --once and --check: without the module.
 */
#ifndef NFLBD_ONCE_H
#define NFLBD_ONCE_H

#include <event2/event.h>
#include <stdbool.h>

#include "settings.h"

/* Some check did not succeed. */
#define ONCE_FAILED 4

/**
 * once_check() - is a configuration right?
 * @name: of the file
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int once_check(const char *name);

/**
 * once_run() - run each check of a configuration once, and print the results
 * @base: the loop
 * @name: of the file
 * @settings: limits
 * @json: print a JSON object a line
 *
 * Returns enum lbadm_exit, or ONCE_FAILED.
 */
int once_run(struct event_base *base, const char *name,
	     const struct settings *settings, bool json);

#endif /* NFLBD_ONCE_H */
