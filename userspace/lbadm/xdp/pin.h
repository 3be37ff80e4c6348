/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pins: names in a BPF file system that keep the links of XDP alive.
 */
#ifndef LBADM_XDP_PIN_H
#define LBADM_XDP_PIN_H

#include <stdbool.h>
#include <stdint.h>

/* A link of XDP that lbadm pinned. */
struct pin {
	int fd;			/* of the link; closed after the callback */
	uint32_t ifindex;	/* of its device, in whichever namespace */
	uint32_t program;
	const char *path;
};

/**
 * pin_make() - keep a link after this process has ended
 * @fd: the link
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int pin_make(int fd);

/**
 * pin_walk() - look at all links, of all network namespaces
 * @cb: called for each; returns true to stop
 * @data: for @cb
 *
 * Pins of links whose device is gone are removed, and not handed to @cb. What is
 * no pin of lbadm's is left alone.
 *
 * Returns 0, or a negative errno when it was not allowed to look.
 */
int pin_walk(bool (*cb)(const struct pin *pin, void *data), void *data);

#endif /* LBADM_XDP_PIN_H */
