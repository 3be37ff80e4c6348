// SPDX-License-Identifier: GPL-2.0
/*
 * Options. They may stand anywhere, and getopt_long() would take abbreviations of
 * them; so they are told from words here.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lbadm.h"
#include "model/request.h"
#include "model/vocabulary.h"

const struct lbadm_option lbadm_option_table[] = {
	{ 'j', "json", NULL, "print JSON",
	  "For *show*, *count*, *flush*, *explain* and *monitor*." },
	{ 's', "stats", NULL, "show counters, too; twice: also rates",
	  "Rates are measured over one second." },
	{ 'd', "details", NULL, "show also defaults, and rare columns",
	  NULL },
	{ 'o', "output", &kind_columns, "print these columns of a table",
	  "With a plus sign before the first, they are added to the usual ones. "
	  "A wrong name gets an error that lists all columns. Small letters do." },
	{ 'S', "sort", &kind_sort, "sort a table by these columns",
	  "A minus sign before a column sorts it from greatest to least. Services are "
	  "sorted, and within each its backends." },
	{ 'e', "exact", NULL, "print numbers in full, without K, M, G, T", NULL },
	{ 'H', "noheadings", NULL, "print no line with the names of columns", NULL },
	{ 't', "timestamp", NULL, "print when an event happened",
	  "With *monitor*; JSON gets the key *time*." },
	{ 'n', "netns", &kind_netns, "act in that network namespace",
	  "It is one of _/run/netns_." },
	{ 'b', "batch", &kind_file, "read commands from FILE, one a line",
	  "*-* is standard input; see *BATCHES*." },
	{ 'c', "color", &kind_when, "when to use colour",
	  "*auto*, the default, colours a terminal unless *NO_COLOR* is set. "
	  "*always* also colours files and pipes." },
	{ 'V', "version", NULL, "print the version", NULL },
	{ 'h', "help", NULL, "print help",
	  "With an object, or an object and a command, on that." },
	{ 0 },
};

static bool wants_color(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
	       term && *term && strcmp(term, "dumb");
}

/* "always" is a particular wish; NO_COLOR is a general one. */
static int set_color(const char *when)
{
	char *argv[] = { (char *)when };
	struct words words = { .argv = argv, .argc = 1 };
	uint32_t number;
	int status = parse_name(&words, "color", &when_names, &number);

	if (!status)
		lbadm_options.color = !strcmp(when, "always") ||
				      (!strcmp(when, "auto") && wants_color());
	return status;
}

static int set(struct command_line *line, const struct lbadm_option *option,
	       const char *value)
{
	switch (option->letter) {
	case 'j': lbadm_options.json = true; break;
	case 's': lbadm_options.stats++; break;
	case 'd': lbadm_options.details = true; break;
	case 'o': lbadm_options.output = value; break;
	case 'S': lbadm_options.sort = value; break;
	case 'e': lbadm_options.exact = true; break;
	case 'H': lbadm_options.noheadings = true; break;
	case 't': lbadm_options.timestamp = true; break;
	case 'n': line->netns = value; break;
	case 'b': line->batch = value; break;
	case 'c': return set_color(value);
	case 'V': line->version = true; break;
	case 'h': line->help = true; break;
	}
	return LBADM_OK;
}

static const struct lbadm_option *find_letter(char letter)
{
	const struct lbadm_option *o = lbadm_option_table;

	while (o->name && o->letter != letter)
		o++;
	return o->name ? o : NULL;
}

static const struct lbadm_option *find_name(const char *name, size_t length)
{
	const struct lbadm_option *o = lbadm_option_table;

	while (o->name && (strlen(o->name) != length ||
			   memcmp(o->name, name, length)))
		o++;
	return o->name ? o : NULL;
}

/* The commands that the words so far can be the beginning of, or NULL */
static const struct lbadm_command *command_of(const struct words *words)
{
	const struct lbadm_object *object;
	const struct lbadm_command *command;

	object = words->argc ? object_find(words->argv[0]) : NULL;
	if (!object)
		return NULL;
	command = command_find(object, "");
	if (command || words->argc < 2)
		return command;
	return command_find(object, words->argv[1]);
}

/* A word that the command itself has, as `config apply` has --force */
static const struct word *own_word(const struct words *words, const char *name)
{
	const struct lbadm_command *c = command_of(words);
	const struct word *word = NULL;

	for (; c && !word; c = command_next(c))
		word = c->words ? word_find(c->words, name) : NULL;
	return word;
}

/* Any text can follow a word such as `comment`, also "-j". */
static bool is_text(const struct words *words)
{
	const struct word *before;

	if (words->argc < 3)
		return false;
	before = own_word(words, words->argv[words->argc - 1]);
	return before && kind_is_text(before->kind);
}

/* Words that begin with two dashes: options, and words of the command */
static int unknown_option(const struct words *words, const char *option)
{
	static char dashed[16][24];
	const struct lbadm_command *c = command_of(words);
	char text[SUGGEST_TEXT_MAX], list[320] = "";
	const struct word *word;
	struct suggestion s;
	size_t used = 0, i;

	suggest_begin(&s, option);
	for (i = 0; lbadm_option_table[i].name && i < 16; i++) {
		snprintf(dashed[i], sizeof(dashed[i]), "--%s",
			 lbadm_option_table[i].name);
		suggest_try(&s, dashed[i]);
	}
	for (; c; c = command_next(c))
		for (word = c->words; word && word->name; word++) {
			if (strncmp(word->name, "--", 2))
				continue;
			suggest_try(&s, word->name);
			used += snprintf(list + used, sizeof(list) - used,
					 "%s%s", used ? ", " : "; there are: ",
					 word->name);
		}
	if (strlen(option) > 3 && *suggest_text(&s, text))
		return usage_error("unknown option \"%s\"; %s", option, text);
	return usage_error("unknown option \"%s\"%s", option, list);
}

/* "--NAME", "--NAME=VALUE", "--NAME VALUE" */
static int take_long(struct command_line *line, char ***next, char **end)
{
	char *word = *(*next)++, *equal = strchr(word, '=');
	const struct lbadm_option *option;
	const char *value = equal ? equal + 1 : NULL;

	option = find_name(word + 2, strcspn(word + 2, "="));
	if (!option)
		return unknown_option(&line->words, word);
	if (value && !option->kind)
		return usage_error("option --%s: no value is expected",
				   option->name);
	if (option->kind && !value && *next < end)
		value = *(*next)++;
	if (option->kind && !value)
		line->pending = option->kind;
	if (line->pending)
		return usage_error("option --%s: a value is missing",
				   option->name);
	return set(line, option, value);
}

/* "-js", "-n NAME", "-nNAME" */
static int take_short(struct command_line *line, char ***next, char **end)
{
	char *word = *(*next)++, *letter;
	int status = LBADM_OK;

	for (letter = word + 1; *letter && !status; letter++) {
		const struct lbadm_option *option = find_letter(*letter);

		if (!option)
			return unknown_option(&line->words,
					      (char[]){ '-', *letter, '\0' });
		if (!option->kind) {
			status = set(line, option, NULL);
			continue;
		}
		if (letter[1])
			return set(line, option, letter + 1);
		if (*next == end)
			line->pending = option->kind;
		if (line->pending)
			return usage_error("option -%c: a value is missing",
					   *letter);
		return set(line, option, *(*next)++);
	}
	return status;
}

static void keep(struct words *words, char *word)
{
	words->argv[words->argc++] = word;
}

int options_take(struct command_line *line, int argc, char **argv)
{
	char **next = argv, **end = argv + argc;
	int status;

	*line = (struct command_line){ .words.argv = argv };
	status = set_color("auto");
	while (!status && next < end) {
		/* "-" alone is a file. */
		if (**next != '-' || !(*next)[1] || is_text(&line->words) ||
		    own_word(&line->words, *next)) {
			keep(&line->words, *next++);
		} else if (!strcmp(*next, "--")) {
			for (next++; next < end; next++)
				keep(&line->words, *next);
		} else if ((*next)[1] == '-') {
			status = take_long(line, &next, end);
		} else {
			status = take_short(line, &next, end);
		}
	}
	return status;
}
