// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm: one command, or a batch of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "lbadm.h"
#include "model/request.h"
#include "nl/sock.h"
#include "util/escape.h"
#include "util/split.h"

#ifndef LBADM_VERSION
#define LBADM_VERSION "unknown"
#endif

struct lbadm_options lbadm_options;
char lbadm_where[LBADM_WHERE_MAX];
void (*lbadm_locate)(void);

static void complain(const char *format, va_list args)
{
	char *text = NULL;

	fflush(stdout);
	if (lbadm_locate)
		lbadm_locate();
	if (vasprintf(&text, format, args) < 0)
		abort();
	fputs("lbadm: ", stderr);
	escape_print(stderr, lbadm_where);
	escape_print(stderr, text);
	fputc('\n', stderr);
	free(text);
}

int usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	return LBADM_USAGE;
}

int fail(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	return status;
}

static int batch_line(char *line)
{
	char *argv[SPLIT_WORDS_MAX];
	struct words words = { .argv = argv };

	words.argc = split_words(line, argv);
	if (words.argc < 0)
		return usage_error(words.argc == SPLIT_QUOTE ?
				   "a quote is not closed" :
				   "the line has too many words");
	return words.argc ? lbadm_dispatch(&words) : LBADM_OK;
}

static int batch(const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "r") : stdin;
	unsigned int number = 0;
	int status = LBADM_OK;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!file)
		return usage_error("%s: %s", name, strerror(errno));
	while (!status && (len = getline(&line, &size, file)) >= 0) {
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%s:%u: ", name,
			 ++number);
		/* Text after a NUL would be ignored silently. */
		status = strlen(line) == (size_t)len ? batch_line(line) :
			 usage_error("the line has a NUL in it");
	}
	*lbadm_where = '\0';
	if (!status && ferror(file))
		status = usage_error("%s: %s", name, strerror(errno));
	free(line);
	if (file != stdin)
		fclose(file);
	return status;
}

static int run(int argc, char **argv)
{
	struct command_line line;
	int status;

	/* For the generation of man pages and completion; not for people */
	if (argc && !strcmp(argv[0], "__complete"))
		return complete(argc - 1, argv + 1);
	if (argc == 1 && !strcmp(argv[0], "__vocabulary"))
		return describe();
	status = options_take(&line, argc, argv);
	if (status)
		return status;
	if (line.version) {
		puts("lbadm " LBADM_VERSION);
		return LBADM_OK;
	}
	if (line.help)
		return help(&line.words, false);
	lbadm_options.netns = line.netns;
	if (line.netns)
		status = enter_netns(line.netns);
	if (!status && line.batch && line.words.argc)
		status = usage_error("\"%s\": a batch takes its commands from the file",
				     line.words.argv[0]);
	if (status)
		return status;
	return line.batch ? batch(line.batch) : lbadm_dispatch(&line.words);
}

int main(int argc, char **argv)
{
	int status = run(argc ? argc - 1 : 0, argv + 1);

	sock_close();
	if ((fflush(stdout) || ferror(stdout)) && !status)
		status = fail(LBADM_USAGE, "cannot write: %s",
			      strerror(errno));
	return status;
}
