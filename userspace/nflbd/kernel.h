/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's side: the services and backends to check, and the verdicts on them.
 */
#ifndef NFLBD_KERNEL_H
#define NFLBD_KERNEL_H

#include <event2/event.h>

#include "target.h"

/**
 * kernel_open() - connect, read the configuration, and follow it
 * @base: the loop
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int kernel_open(struct event_base *base);

/* Send the verdict on a target soon, together with others. */
void kernel_send(struct target *target);

/* Read the configuration again, soon. */
void kernel_reload(void);

void kernel_close(void);

#endif /* NFLBD_KERNEL_H */
