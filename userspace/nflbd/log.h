/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages: to standard error, or to the journal.
 */
#ifndef NFLBD_LOG_H
#define NFLBD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

/* By standard error, or, as a service of systemd, by the journal */
void log_init(void);

/* Is it the journal? */
bool log_is_journal(void);

/* A line at a priority of syslog(3) */
void log_line(int priority, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Write errors of the library to @buf instead, the last one; NULL ends that. */
void log_capture(char *buf, size_t size);

#endif /* NFLBD_LOG_H */
