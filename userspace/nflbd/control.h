/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The socket for lbadm and others: who may connect, and how many.
 */
#ifndef NFLBD_CONTROL_H
#define NFLBD_CONTROL_H

#include <event2/event.h>

#include "target.h"

/* The version of the requests and answers */
#define CONTROL_PROTOCOL 1

/**
 * control_open() - listen
 * @base: the loop
 * @path: of the socket; "" is none
 *
 * Checks are more important than this socket: an error is logged, and that is all.
 */
void control_open(struct event_base *base, const char *path);

/* Send an event to those who watch. */
void control_publish(const char *kind, const struct target *target, const char *text);

/* The target, or its check, is about to be freed. */
void control_forget(const struct target *target);

void control_close(void);

#endif /* NFLBD_CONTROL_H */
