/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by all of lbadm: options, exit statuses, commands.
 */
#ifndef LBADM_H
#define LBADM_H

#include <stdbool.h>

/* Exit statuses; documented, scripts rely on them. */
enum lbadm_exit {
	LBADM_OK = 0,
	LBADM_USAGE = 1,	/* the command line or the input is wrong */
	LBADM_REFUSED = 2,	/* the kernel refused; nothing was changed */
	LBADM_UNAVAILABLE = 3,	/* no module, or no permission */
	LBADM_DIFFERS = 4,	/* config diff found a difference; version, that they do not fit */
};

/* Options of the command line. */
struct lbadm_options {
	bool json;
	int stats;		/* how many -s */
	bool color;
	const char *netns;	/* its name, or NULL */
	bool exact;		/* numbers in full */
	bool details;		/* also defaults, and columns that are rarely read */
	bool noheadings;
	bool timestamp;		/* of events */
	const char *output;	/* columns, or NULL */
	const char *sort;	/* columns, or NULL */
};

extern struct lbadm_options lbadm_options;

/* The words of one command; those that are left to be read. */
struct words {
	char **argv;
	int argc;
};

struct word;

/**
 * struct lbadm_command - one command of one object
 * @name: its word; "" if the object has no others
 * @run: does it; the words after @name. Returns enum lbadm_exit
 * @help: one line, without a full stop
 * @args: arguments in their order, model/vocabulary.h; the last without a name; or NULL
 * @words: words that may follow them in any order; or NULL
 *
 * A command that can be written in several ways is there several times, with the same
 * name and @run.
 */
struct lbadm_command {
	const char *name;
	int (*run)(struct words *words);
	const char *help;
	const struct word *args;
	const struct word *words;
};

/**
 * struct lbadm_object - an object and its commands, the last without a name
 * @name: its word
 * @summary: one line for help
 * @commands: its commands
 */
struct lbadm_object {
	const char *name;
	const char *summary;
	const struct lbadm_command *commands;
};

extern const struct lbadm_object lbadm_service, lbadm_backend,
	lbadm_laddr, lbadm_device, lbadm_backend_setup, lbadm_connection,
	lbadm_stats, lbadm_config, lbadm_import, lbadm_monitor,
	lbadm_explain, lbadm_policy, lbadm_health, lbadm_watch, lbadm_version;

/* Run one command line, from argv or from a batch. */
int lbadm_dispatch(struct words *words);

/* Print an error on standard error, with the batch's line if there is one.
 * Returns LBADM_USAGE, for `return`.
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

#endif /* LBADM_H */
