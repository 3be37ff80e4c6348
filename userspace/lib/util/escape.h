/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text from outside, made safe for a terminal.
 */
#ifndef LBADM_ESCAPE_H
#define LBADM_ESCAPE_H

#include <stdio.h>

/* Print text with control characters, and bytes that are not UTF-8, as \xHH. */
void escape_print(FILE *to, const char *text);
/* The same of @size bytes, which end with a whole character and are no NUL. */
void escape_write(FILE *to, const char *text, size_t size);

#endif /* LBADM_ESCAPE_H */
