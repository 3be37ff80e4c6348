/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When checks begin: phases, jitter, and limits on all of them together.
 */
#ifndef NFLBD_SCHEDULE_H
#define NFLBD_SCHEDULE_H

#include <event2/event.h>

#include "settings.h"
#include "target.h"

/**
 * schedule_init() - set up, before any target
 * @base: the loop
 * @settings: limits; copied
 * @done: called with each result, after the verdict took it
 * @changed: the verdict is another one, or the weight
 */
void schedule_init(struct event_base *base, const struct settings *settings,
		   void (*done)(struct target *target, bool changed));

/* Take other limits. */
void schedule_limit(const struct settings *settings);

/* Check a target from now on; the first time soon, but not all targets at once. */
void schedule_start(struct target *target);

/* Check it as soon as the limits allow. */
void schedule_now(struct target *target);

/* Check it earlier than planned, but not within "fast-interval" of the last check. */
void schedule_hurry(struct target *target);

/* Stop checking it; a check that runs is cancelled. */
void schedule_stop(struct target *target);

/* How many checks run, and how many wait for the limits. */
void schedule_load(uint32_t *running, uint32_t *waiting);

/* For the watchdog: did a check end since the last call, or was none to end? */
bool schedule_is_alive(void);

/* Milliseconds of the clock of verdicts */
uint64_t schedule_clock(void);

void schedule_exit(void);

#endif /* NFLBD_SCHEDULE_H */
