// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm: options, dispatch, help, batches.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lbadm.h"
#include "model/request.h"
#include "nl/sock.h"
#include "util/split.h"

#ifndef LBADM_VERSION
#define LBADM_VERSION "unknown"
#endif

struct lbadm_options lbadm_options;
char lbadm_where[LBADM_WHERE_MAX];
void (*lbadm_locate)(void);

static const struct lbadm_object *const objects[] = {
	&lbadm_service, &lbadm_backend, &lbadm_laddr, &lbadm_device,
	&lbadm_connection, &lbadm_stats, &lbadm_config, &lbadm_monitor,
	&lbadm_explain, &lbadm_health, &lbadm_policy, &lbadm_backend_setup,
	&lbadm_import,
};

#define OBJECT_COUNT (sizeof(objects) / sizeof(objects[0]))

static void complain(const char *format, va_list args)
{
	fflush(stdout);
	if (lbadm_locate)
		lbadm_locate();
	fprintf(stderr, "lbadm: %s", lbadm_where);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
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

static void help_object(const struct lbadm_object *object)
{
	const struct lbadm_command *c;

	for (c = object->commands; c->name; c++)
		printf("    lbadm %s%s%s%s%s\n", object->name,
		       *c->name ? " " : "", c->name, *c->grammar ? " " : "",
		       c->grammar);
}

int lbadm_help(const struct lbadm_object *object)
{
	size_t i;

	puts("usage: lbadm [OPTIONS] OBJECT COMMAND [ARGUMENTS]\n");
	if (object)
		help_object(object);
	for (i = 0; !object && i < OBJECT_COUNT; i++) {
		printf("%s: %s\n", objects[i]->name, objects[i]->summary);
		help_object(objects[i]);
	}
	puts("\n"
	     "SERVICE is PROTO VIP:     tcp 192.0.2.10:80, udp [2001:db8::10]:53,\n"
	     "                          tcp 192.0.2.10:8000-8010, tcp 192.0.2.10:*\n"
	     "BACKEND is ADDR[:PORT]:   10.0.0.11:8080, [2001:db8::11]:8080, 10.0.0.11\n"
	     "\n"
	     "options:\n"
	     "  -j, --json               machine-readable output\n"
	     "  -s, --stats              counters; twice: rates over one second too\n"
	     "  -n, --netns NAME         act in that network namespace\n"
	     "  -b, --batch FILE         commands from FILE, one a line; - is standard input\n"
	     "  -c, --color auto|always|never\n"
	     "  -V, --version            -h, --help");
	return LBADM_OK;
}

static const struct lbadm_object *find_object(const char *name)
{
	size_t i;

	for (i = 0; i < OBJECT_COUNT; i++)
		if (!strcmp(objects[i]->name, name))
			return objects[i];
	return NULL;
}

static void list_add(char *list, size_t size, const char *word)
{
	size_t used = strlen(list);

	snprintf(list + used, size - used, "%s %s", used ? "," : "", word);
}

static int unknown_object(const char *word)
{
	char list[256] = "";
	size_t i;

	for (i = 0; i < OBJECT_COUNT; i++)
		list_add(list, sizeof(list), objects[i]->name);
	return usage_error("unknown object \"%s\"; there are:%s", word, list);
}

static int unknown_command(const struct lbadm_object *object,
			   const char *word)
{
	const struct lbadm_command *c;
	char list[128] = "";

	for (c = object->commands; c->name; c++)
		list_add(list, sizeof(list), c->name);
	if (!word)
		return usage_error("%s: a command is missing; there are:%s",
				   object->name, list);
	return usage_error("%s: unknown command \"%s\"; there are:%s",
			   object->name, word, list);
}

/* After `help`: nothing, or an object. */
static int help_words(const struct lbadm_object *object, struct words *words)
{
	if (!object && words->argc) {
		object = find_object(words_peek(words));
		if (!object)
			return unknown_object(words_peek(words));
		words_next(words);
	}
	if (words->argc)
		return words_end(words);
	return lbadm_help(object);
}

static int dispatch_object(const struct lbadm_object *object,
			   struct words *words)
{
	bool named = words->argc;
	const char *word = named ? words->argv[0] : "show";
	const struct lbadm_command *c;

	if (!strcmp(word, "help")) {
		words_next(words);
		return help_words(object, words);
	}
	for (c = object->commands; c->name; c++) {
		if (!*c->name)
			return c->run(words);
		if (strcmp(c->name, word))
			continue;
		words_next(words);
		return c->run(words);
	}
	return unknown_command(object, named ? word : NULL);
}

int lbadm_dispatch(struct words *words)
{
	const struct lbadm_object *object = &lbadm_service;

	if (words_accept(words, "help"))
		return help_words(NULL, words);
	if (words->argc) {
		object = find_object(words_peek(words));
		if (!object)
			return unknown_object(words_peek(words));
		words_next(words);
	}
	return dispatch_object(object, words);
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
		/* What follows a NUL would be ignored without a word. */
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

static int enter_netns(const char *name)
{
	char path[512];
	int fd, status = LBADM_OK;

	if (!*name || strchr(name, '/'))
		return usage_error("\"%s\": not a name of a network namespace",
				   name);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return usage_error("there is no network namespace \"%s\"",
				   name);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		status = fail(LBADM_UNAVAILABLE,
			      "cannot enter network namespace \"%s\": %s",
			      name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return status;
}

/* Even "always" does not colour what is not a terminal; but against NO_COLOR,
 * which is a general wish, it is the particular one.
 */
static int set_color(const char *when)
{
	const char *no_color = getenv("NO_COLOR");

	if (!strcmp(when, "always"))
		lbadm_options.color = true;
	else if (!strcmp(when, "never"))
		lbadm_options.color = false;
	else if (!strcmp(when, "auto"))
		lbadm_options.color = !(no_color && *no_color);
	else
		return usage_error("color \"%s\": auto, always or never is expected",
				   when);
	if (!isatty(STDOUT_FILENO))
		lbadm_options.color = false;
	return LBADM_OK;
}

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "stats", no_argument, NULL, 's' },
	{ "netns", required_argument, NULL, 'n' },
	{ "batch", required_argument, NULL, 'b' },
	{ "color", required_argument, NULL, 'c' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* The next option, or -1, or '?' having said what is wrong. */
static int next_option(int argc, char **argv)
{
	/* Before it is taken; options are not mixed with words ("+"). */
	const char *word = argv[optind];
	size_t len;
	int c, i = -1;

	c = getopt_long(argc, argv, "+jsn:b:c:Vh", long_options, &i);
	if (c == -1 || c == '?' || i < 0)
		return c;
	/* getopt_long() takes "--js" for "--json". Words are written out. */
	len = strcspn(word + 2, "=");
	if (len == strlen(long_options[i].name))
		return c;
	usage_error("unknown option \"%s\"", word);
	return '?';
}

static int run(int argc, char **argv)
{
	const char *batch_file = NULL, *netns = NULL;
	int c, status = set_color("auto");
	struct words words;

	while (!status && (c = next_option(argc, argv)) != -1) {
		switch (c) {
		case 'j': lbadm_options.json = true; break;
		case 's': lbadm_options.stats++; break;
		case 'n': netns = optarg; break;
		case 'b': batch_file = optarg; break;
		case 'c': status = set_color(optarg); break;
		case 'V': puts("lbadm " LBADM_VERSION); return LBADM_OK;
		case 'h': return lbadm_help(NULL);
		default: return LBADM_USAGE;
		}
	}
	words = (struct words){ .argv = argv + optind, .argc = argc - optind };
	if (!status && netns)
		status = enter_netns(netns);
	if (!status && batch_file && words.argc)
		status = usage_error("\"%s\": a batch takes its commands from the file",
				     words.argv[0]);
	if (status)
		return status;
	return batch_file ? batch(batch_file) : lbadm_dispatch(&words);
}

int main(int argc, char **argv)
{
	static char name[] = "lbadm";
	int status;

	/* getopt_long() begins its messages with it. */
	if (argc)
		argv[0] = name;
	status = run(argc, argv);
	sock_close();
	if ((fflush(stdout) || ferror(stdout)) && !status)
		status = fail(LBADM_USAGE, "cannot write: %s",
			      strerror(errno));
	return status;
}
