/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks through the module: the connection of a socket is pinned to a backend before
 * the socket connects to the VIP.
 */
#ifndef NFLBD_PATH_H
#define NFLBD_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "check.h"

/**
 * path_is_supported() - can the module pin connections?
 * @why: set to the reason why not
 * @size: of @why
 */
bool path_is_supported(char *why, size_t size);

/* The kernel's number of a backend, or 0 if it has no such backend. */
uint32_t path_backend_id(const struct service_id *service,
			 const struct backend_request *backend);

/* Which addresses are VIPs of mode dsr: forget all; note one. */
void path_forget_vips(void);
void path_note_vip(const struct addr *address);

/**
 * path_socket() - a socket whose connection to the VIP goes to the check's backend
 * @check: a check with a pin
 * @family: of the VIP
 * @type: SOCK_STREAM or SOCK_DGRAM
 * @protocol: as of socket(2)
 *
 * Returns -1, and has ended the check, if that is not possible.
 */
int path_socket(struct check *check, int family, int type, int protocol);

/**
 * path_end() - unpin the connection of a check that has a result
 * @check: the check
 *
 * The result becomes void if the backend did not have the connection all the time.
 */
void path_end(struct check *check);

/* Unpin the connection of a check without a result. */
void path_cancel(struct check *check);

void path_exit(void);

#endif /* NFLBD_PATH_H */
