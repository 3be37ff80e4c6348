/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A backend that often becomes unhealthy stays so for longer. No clocks, no memory.
 */
#ifndef NFLBD_DAMPING_H
#define NFLBD_DAMPING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/health.h"

/**
 * struct damping - the penalty of a backend
 * @penalty: at @at
 * @at: milliseconds
 * @since: when it began to hold the backend, the same
 * @holds: it does
 */
struct damping {
	double penalty;
	uint64_t at, since;
	bool holds;
};

/* The penalty now */
double damping_penalty(const struct damping *d, const struct health_check *check,
		       uint64_t now);

/* The backend became unhealthy. */
void damping_add(struct damping *d, const struct health_check *check, uint64_t now);

/* Does it hold the backend? */
bool damping_holds(const struct damping *d, const struct health_check *check, uint64_t now);

/* Stop holding when the penalty, or the time, has run out. */
void damping_update(struct damping *d, const struct health_check *check, uint64_t now);

#endif /* NFLBD_DAMPING_H */
