/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How functions of the library report errors. They return an exit status, and describe
 * the error by usage_error() or fail(), which each program defines.
 */
#ifndef LBADM_REPORT_H
#define LBADM_REPORT_H

/* Exit statuses; documented, scripts rely on them. */
enum lbadm_exit {
	LBADM_OK = 0,
	LBADM_USAGE = 1,	/* the command line or the input is wrong */
	LBADM_REFUSED = 2,	/* the kernel refused; nothing was changed */
	LBADM_UNAVAILABLE = 3,	/* no module, or no permission */
	LBADM_DIFFERS = 4,	/* config diff found a difference; version, that they do not fit */
};

/* The words of one command; those that are left to be read. */
struct words {
	char **argv;
	int argc;
};

/* Report an error in the input, with its place if that is known. Returns LBADM_USAGE, for `return`.
 */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and returns @status. */
int fail(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Where commands come from: "FILE:LINE: " or "". */
extern char lbadm_where[];
#define LBADM_WHERE_MAX 512
/* Called before that is printed, by who can tell more exactly; or NULL. */
extern void (*lbadm_locate)(void);

#endif /* LBADM_REPORT_H */
