/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel gets: the verdict of checks, and what lowers it. Nothing raises it.
 */
#ifndef NFLBD_COMPOSE_H
#define NFLBD_COMPOSE_H

#include <event2/event.h>

#include "target.h"

enum nflb_health compose_health(const struct target *target);

/* Is it held unhealthy because it fails often? Never the only usable one. */
bool compose_is_held(const struct target *target);

/* Why it is not healthy; "" if it is. Returns @buf. */
const char *compose_reason(const struct target *target, char buf[RESULT_TEXT_MAX]);

/* Set up. @send: a weight that had to wait can be sent. */
void compose_init(struct event_base *base, void (*send)(struct target *target));

/**
 * compose_weight() - bring target->weight up to date
 * @target: the target
 *
 * Steps are of 10 percent, and a service has new weights once in 5 seconds: each change
 * costs the kernel a table, and moves flows. Returns whether it changed now.
 */
bool compose_weight(struct target *target);

/* The service is about to be freed. */
void compose_forget(struct service *service);

#endif /* NFLBD_COMPOSE_H */
