/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which network namespace a process is in.
 */
#ifndef LBADM_UTIL_NETNS_H
#define LBADM_UTIL_NETNS_H

#include <stdint.h>

/* The inode of this process's network namespace, or 0 without /proc. */
uint64_t netns_inode(void);

#endif /* LBADM_UTIL_NETNS_H */
