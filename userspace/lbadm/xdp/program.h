/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The XDP program: it calls the module's nflb_xdp() and returns its verdict.
 */
#ifndef LBADM_XDP_PROGRAM_H
#define LBADM_XDP_PROGRAM_H

/**
 * program_load() - load the program into the kernel
 * @fd: set on success; the caller closes it
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int program_load(int *fd);

#endif /* LBADM_XDP_PROGRAM_H */
