/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sysctl route_localnet.
 */
#ifndef LBADM_LOCALNET_H
#define LBADM_LOCALNET_H

#include <stdbool.h>

/* Does some device of this network namespace deliver packets to 127.0.0.0/8? */
bool localnet_is_routed(void);

#endif /* LBADM_LOCALNET_H */
