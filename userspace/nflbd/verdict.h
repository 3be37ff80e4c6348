/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From results to a verdict: a state machine without clocks, sockets or memory.
 */
#ifndef NFLBD_VERDICT_H
#define NFLBD_VERDICT_H

#include <linux/nflb.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/health.h"
#include "result.h"

/* Void results in a row that are worth an event */
#define VERDICT_VOIDS 10

/**
 * struct verdict - the verdict on a backend, and the results toward another
 * @health: the verdict
 * @since: when it changed, milliseconds
 * @contrary: results in a row that contradict it
 * @voids: void results in a row
 */
struct verdict {
	enum nflb_health health;
	uint64_t since;
	uint32_t contrary;
	uint32_t voids;
};

/* A backend that nobody checked before: as "initial" says. */
void verdict_begin(struct verdict *v, const struct health_check *check, uint64_t now);

/**
 * verdict_resume() - go on with a verdict that the kernel has
 * @v: the verdict
 * @health: of the kernel
 * @now: milliseconds
 *
 * It takes as many results to change it as if this program had made it.
 */
void verdict_resume(struct verdict *v, enum nflb_health health, uint64_t now);

/* Take a result. Returns whether the verdict changed. */
bool verdict_take(struct verdict *v, const struct health_check *check,
		  const struct result *result, uint64_t now);

/* Milliseconds from the begin of the last check to the next, without jitter. */
uint32_t verdict_interval(const struct verdict *v, const struct health_check *check,
			  uint64_t now);

#endif /* NFLBD_VERDICT_H */
