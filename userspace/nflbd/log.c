// SPDX-License-Identifier: GPL-2.0
/*
 * Messages, and how the library reports errors in this program.
 */
#define _GNU_SOURCE
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "util/escape.h"
#include "util/report.h"

char lbadm_where[LBADM_WHERE_MAX];
void (*lbadm_locate)(void);

static struct {
	bool journal;
	char *buf;
	size_t size;
} to;

/* The variable may be inherited by a program whose output goes elsewhere. */
void log_init(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long device, inode;
	struct stat st;

	to.journal = stream && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
		     !fstat(STDERR_FILENO, &st) && st.st_dev == device &&
		     st.st_ino == inode;
}

bool log_is_journal(void)
{
	return to.journal;
}

void log_capture(char *buf, size_t size)
{
	to.buf = buf;
	to.size = size;
}

static void put(int priority, const char *where, const char *text)
{
	if (to.buf) {
		snprintf(to.buf, to.size, "%s%s", where, text);
		return;
	}
	if (to.journal) {
		sd_journal_send("PRIORITY=%d", priority, "MESSAGE=%s%s", where, text,
				NULL);
		return;
	}
	fflush(stdout);
	fputs("nflbd: ", stderr);
	escape_print(stderr, where);
	escape_print(stderr, text);
	fputc('\n', stderr);
}

static void format_and_put(int priority, const char *where, const char *format,
			   va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		abort();
	put(priority, where, text);
	free(text);
}

void log_line(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_and_put(priority, "", format, args);
	va_end(args);
}

int usage_error(const char *format, ...)
{
	va_list args;

	if (lbadm_locate)
		lbadm_locate();
	va_start(args, format);
	format_and_put(LOG_ERR, lbadm_where, format, args);
	va_end(args);
	return LBADM_USAGE;
}

int fail(int status, const char *format, ...)
{
	va_list args;

	if (lbadm_locate)
		lbadm_locate();
	va_start(args, format);
	format_and_put(status ? LOG_ERR : LOG_WARNING, lbadm_where, format, args);
	va_end(args);
	return status;
}
