/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes that depend on nobody else changing the configuration meanwhile.
 */
#ifndef LBADM_CHANGE_H
#define LBADM_CHANGE_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * change_begin() - depend on the configuration as it is now
 *
 * The changes depend on the configuration that is read after this. Returns enum
 * lbadm_exit, with a message on errors.
 */
int change_begin(void);

/* Depend on nothing any more. */
void change_end(void);

/**
 * change_talk() - send a request that changes the configuration
 * @nlh: from sock_request(), with room for one more attribute
 *
 * Between change_begin() and change_end() it is refused when somebody else has
 * changed the configuration; this is not said, change_stale() tells it.
 *
 * Returns enum lbadm_exit.
 */
int change_talk(struct nlmsghdr *nlh);

/* Was a request refused because the configuration changed, since change_begin()? */
bool change_stale(void);

/* Ask whether anybody changed the configuration since change_begin(), for
 * change_stale(). Returns enum lbadm_exit, with a message on errors.
 */
int change_check(void);

/* Can the module wait for devices? Of change_begin(). */
bool change_can_wait(void);

/* The default of max_connections; 0 is not known. Of change_begin(). */
uint32_t change_max_connections(void);

#endif /* LBADM_CHANGE_H */
