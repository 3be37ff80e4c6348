/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Agents on backends: they lower the weight, drain, or take away, and take that back.
 */
#ifndef NFLBD_AGENT_H
#define NFLBD_AGENT_H

#include <event2/event.h>

#include "target.h"

/* Set up. @changed: the agent of a target said something else than before. */
void agent_init(struct event_base *base, void (*changed)(struct target *target));

/* Ask the agent of a target from now on, if its check has one and @on. */
void agent_update(struct target *target, bool on);

/* Ask it no more, and forget what it said. */
void agent_stop(struct target *target);

#endif /* NFLBD_AGENT_H */
