/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that the fast path is attached to.
 */
#ifndef NFLB_DEVICE_H
#define NFLB_DEVICE_H

int nflb_device_init(void);
void nflb_device_exit(void);

#endif /* NFLB_DEVICE_H */
