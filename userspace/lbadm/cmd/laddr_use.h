/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many local ports are in use.
 */
#ifndef LBADM_LADDR_USE_H
#define LBADM_LADDR_USE_H

#include <jansson.h>

/**
 * laddr_use() - give local addresses "stats" of their ports
 * @laddrs: as read_list() has them
 *
 * All local addresses of a family are one pool, so each of them gets the same:
 * "ports-total", "ports-used" by connections to all destinations, "ports-busiest" of
 * these to the destination that has most, and "busiest", which one.
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int laddr_use(json_t *laddrs);

#endif /* LBADM_LADDR_USE_H */
