/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events: a record in the journal for each change of a verdict, and for problems
 * that an administrator has to solve.
 */
#ifndef NFLBD_EVENT_H
#define NFLBD_EVENT_H

#include "target.h"

/* Send none: of a program that prints results itself. */
void event_silence(void);

/**
 * event_verdict() - a verdict changed
 * @target: the backend, with the new verdict and the result that made it
 * @before: the old one
 * @lasted: seconds
 */
void event_verdict(const struct target *target, enum nflb_health before, uint64_t lasted);

/* The agent has lowered something, or taken it back. */
void event_agent(const struct target *target);

/* Many results in a row were void. */
void event_void(const struct target *target);

/* The certificate expires soon. */
void event_certificate(const struct target *target);

/* The check cannot be read; target->why says why. */
void event_misconfigured(const struct target *target);

/* A check that is possible, but hardly meant */
void event_warning(const struct target *target, const char *why);

#endif /* NFLBD_EVENT_H */
