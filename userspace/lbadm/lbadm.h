/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by all of lbadm: options and commands.
 */
#ifndef LBADM_H
#define LBADM_H

#include <stdbool.h>

#include "util/report.h"

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

#endif /* LBADM_H */
