/* SPDX-License-Identifier: GPL-2.0 */
/*
 * XDP on network devices of the current network namespace: a program of two
 * instructions, which calls the module's function nflb_xdp().
 */
#ifndef LBADM_XDP_H
#define LBADM_XDP_H

#include <stdint.h>

/* Whose program a device has. */
enum xdp_owner {
	XDP_NOBODY,	/* no program */
	XDP_NFLB,	/* lbadm attached it */
	XDP_OTHER,
	XDP_UNKNOWN,	/* a program, but no permission to see more */
};

struct xdp_state {
	enum xdp_owner owner;
	uint32_t program;	/* its number, 0 if there is none */
};

/* Say that there is no permission. Returns LBADM_UNAVAILABLE. */
int xdp_no_permission(void);

/**
 * xdp_look() - which XDP program does a device have?
 * @name: the device; one that does not exist has none
 * @state: set on success
 *
 * Also removes pins whose device is gone. Returns enum lbadm_exit, with a message on errors.
 */
int xdp_look(const char *name, struct xdp_state *state);

/**
 * xdp_each() - all devices of this namespace that lbadm attached XDP to
 * @cb: called for each, with its name
 * @data: for @cb
 *
 * Also removes pins whose device is gone. Without permission there are none.
 */
void xdp_each(void (*cb)(const char *name, void *data), void *data);

/**
 * xdp_attach() - attach XDP, in driver mode
 * @name: the device, which has the ingress hook
 *
 * Returns enum lbadm_exit, with a message on errors; nothing was changed then.
 */
int xdp_attach(const char *name);

/**
 * xdp_detach() - undo xdp_attach()
 * @name: the device
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int xdp_detach(const char *name);

#endif /* LBADM_XDP_H */
