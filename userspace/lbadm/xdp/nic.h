/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The properties of a network device that matter to XDP.
 */
#ifndef LBADM_XDP_NIC_H
#define LBADM_XDP_NIC_H

#include <stdbool.h>
#include <stddef.h>

/* The name of its driver, or "?". Returns @buf, of @size bytes. */
const char *nic_driver(const char *name, char *buf, size_t size);
/* Does it take VLAN tags off the frames? */
bool nic_strips_vlan(const char *name);
/* Is there a VLAN on it? */
bool nic_has_vlan(const char *name);

#endif /* LBADM_XDP_NIC_H */
