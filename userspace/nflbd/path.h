/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks through the module: the connection of a socket is pinned to a backend before
 * the socket connects to the VIP.
 */
#ifndef NFLBD_PATH_H
#define NFLBD_PATH_H

#include <stdbool.h>

/* Can the module pin connections? */
bool path_is_supported(void);

#endif /* NFLBD_PATH_H */
