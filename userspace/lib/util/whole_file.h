/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that are there whole, or as they were.
 */
#ifndef LBADM_WHOLE_FILE_H
#define LBADM_WHOLE_FILE_H

#include <stdbool.h>
#include <stdio.h>

/**
 * whole_file() - write a file, which its owner alone may read
 * @name: its name
 * @put: writes the contents; returns false with errno on errors
 * @data: for @put
 *
 * The file gets its name when all of it is on the disk.
 *
 * Returns LBADM_OK, or LBADM_USAGE with a message.
 */
int whole_file(const char *name, bool (*put)(FILE *file, const void *data),
	       const void *data);

#endif /* LBADM_WHOLE_FILE_H */
