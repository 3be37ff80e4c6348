/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices of the fast path, for the commands `device` and `config`.
 */
#ifndef LBADM_DEVICE_H
#define LBADM_DEVICE_H

#include <jansson.h>

#include "model/request.h"

/**
 * read_devices() - the devices that the fast path is attached to
 * @devices: set to a new reference, an array, on success; NULL else
 *
 * Besides its name ("device"), a device has "xdp": true when XDP is attached. With
 * somebody else's XDP program it has "xdp": false and that program's number,
 * "xdp-program"; with the number alone nobody may know whose it is. "ingress": false
 * is there for those that have XDP, but no ingress hook; "absent": true, for devices
 * that are missing and get the hook when they appear. "xdp-wanted": true is there for
 * those that are to have XDP by the configuration, and have none.
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int read_devices(json_t **devices);

/**
 * device_change() - attach and detach the ingress hook and XDP
 * @before: the attached devices; NULL for none
 * @after: the devices to attach; NULL for none
 *
 * A device that is missing and may be waited for gets no XDP, and that is no error.
 * sock_open() was called. Returns enum lbadm_exit, with a message on errors; nothing
 * was changed then.
 */
int device_change(const struct device_request *before,
		  const struct device_request *after);

/**
 * warn_of_absent() - say which devices are missing
 * @wanted: devices
 * @count: how many
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int warn_of_absent(const struct device_request *wanted, size_t count);

#endif /* LBADM_DEVICE_H */
