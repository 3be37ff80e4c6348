/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line as a whole: options, objects, help, completion.
 */
#ifndef LBADM_CLI_H
#define LBADM_CLI_H

#include <stdbool.h>

#include "lbadm.h"
#include "util/suggest.h"

/**
 * struct lbadm_option - an option, before or after the object
 * @letter: after one dash
 * @name: after two
 * @kind: the kind of its value; NULL if it has none
 * @help: one short description, without a full stop
 * @more: sentences that the man page adds, or NULL
 */
struct lbadm_option {
	char letter;
	const char *name;
	const struct kind *kind;
	const char *help;
	const char *more;
};

/* The last has no name. */
extern const struct lbadm_option lbadm_option_table[];

/**
 * struct command_line - the options of a command line
 * @batch: a file of commands, or NULL
 * @netns: a network namespace, or NULL
 * @help: --help was given
 * @version: --version was given
 * @words: everything else
 * @pending: the last option lacks a value of this kind; NULL if it does not
 */
struct command_line {
	const char *batch, *netns;
	bool help, version;
	struct words words;
	const struct kind *pending;
};

/**
 * options_take() - tell options and words apart
 * @line: set
 * @argc: of the command line, without the command's name
 * @argv: words are moved to its beginning
 *
 * Options with meaning to all commands go to lbadm_options. Returns enum lbadm_exit,
 * with a message on errors.
 */
int options_take(struct command_line *line, int argc, char **argv);

/* All objects; the last is NULL. */
extern const struct lbadm_object *const lbadm_objects[];

/* NULL if there is none of that name. */
const struct lbadm_object *object_find(const char *name);
/* The first way to write a command, and the next of the same; or NULL. */
const struct lbadm_command *command_find(const struct lbadm_object *object,
					 const char *name);
const struct lbadm_command *command_next(const struct lbadm_command *command);
/* Is this the first way to write it? */
bool command_is_first(const struct lbadm_object *object,
		      const struct lbadm_command *command);

/* Say which objects, or which commands of one, there are. Returns LBADM_USAGE. */
int unknown_object(const char *word);
int unknown_command(const struct lbadm_object *object, const char *word);

/* Print help: general, or on the object, command, word or set of values that @words
 * name. Words after a command count only if @strict. Returns enum lbadm_exit.
 */
int help(struct words *words, bool strict);
/* Sets of values that there is help on */
void help_topics(void (*offer)(const char *word, const char *about));

/* Print the candidates for the last of these words, one per line: the word, a tab, and
 * a description. A line ":files" stands for names of files. Returns LBADM_OK.
 */
int complete(int argc, char **argv);

/* Print all of the vocabulary as JSON, for scripts/vocabulary.py. Returns LBADM_OK. */
int describe(void);

/* Go to a network namespace. Returns enum lbadm_exit. */
int enter_netns(const char *name);

#endif /* LBADM_CLI_H */
