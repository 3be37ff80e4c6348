// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm config
 */
#include "cmd/config_apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lbadm.h"
#include "model/config.h"
#include "model/vocabulary.h"
#include "nl/change.h"
#include "nl/sock.h"
#include "out/out.h"
#include "out/out_changes.h"
#include "util/whole_file.h"

/* The file that the units apply */
#define CONFIG_FILE "/etc/nflb/nflb.json"
#define NETNS_FILE "/etc/nflb/netns/%s.json"

static bool put_config(FILE *file, const void *config)
{
	return !json_dumpf(config, file, JSON_INDENT(2)) && fputc('\n', file) != EOF;
}

static int config_save(struct words *words)
{
	const char *name = words_next(words);
	struct known_policies policies;
	json_t *config;
	int status;

	status = words_end(words);
	if (!status)
		status = change_begin();
	if (!status)
		status = config_from_kernel(&config, NULL, &policies);
	change_end();
	if (status)
		return status;
	/* A file without them would remove them. */
	if (!policies.list && policies.status == LBADM_UNAVAILABLE) {
		json_decref(config);
		return fail(LBADM_UNAVAILABLE, "policies: %s", policies.why);
	}
	if (!policies.list)
		fail(LBADM_OK, "warning: policies are left out: %s", policies.why);
	json_decref(policies.list);
	if (name && strcmp(name, "-")) {
		status = whole_file(name, put_config, config);
	} else {
		json_dumpf(config, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(config);
	return status;
}

/* The only word, a file's name. Returns enum lbadm_exit. */
static int file_word(struct words *words, const char **name)
{
	*name = words_next(words);
	if (!*name)
		return usage_error("a file is expected, or - for standard input");
	return words_end(words);
}

/* Options of `config apply` */
struct apply_words {
	struct apply_options how;
	const char *last_good;	/* a file; NULL for none */
	const char *name;
	bool dry_run, verbose, quiet;
};

static const struct word apply_flags[] = {
	{ .name = "--dry-run", .help = "print the changes, and make none",
	  .offset = offsetof(struct apply_words, dry_run) },
	{ .name = "--force", .help = "clear states of backends that were set by hand",
	  .offset = offsetof(struct apply_words, how.force) },
	{ .name = "--keep-going", .help = "apply all that the kernel accepts",
	  .offset = offsetof(struct apply_words, how.keep_going) },
	{ .name = "--last-good", .kind = &kind_file,
	  .help = "keep a copy there; with --keep-going, fall back to it",
	  .offset = offsetof(struct apply_words, last_good) },
	{ .name = "--quiet", .help = "do not print a summary of the changes",
	  .offset = offsetof(struct apply_words, quiet) },
	{ .name = "--verbose", .help = "print each change, one per line",
	  .offset = offsetof(struct apply_words, verbose) },
	{ 0 },
};

/* Flags may stand before and after the file. */
static int apply_words(struct words *words, struct apply_words *asked)
{
	int status;

	memset(asked, 0, sizeof(*asked));
	status = parse_flags(words, apply_flags, asked);
	if (status)
		return status;
	asked->name = words_next(words);
	if (!asked->name)
		return usage_error("a file is expected, or - for standard input");
	status = parse_flags(words, apply_flags, asked);
	if (!status && asked->quiet && asked->verbose)
		status = usage_error("--quiet and --verbose exclude each other");
	return status ? status : words_end(words);
}

/* Print the changes, made or planned. */
static void report(const struct apply_words *asked, json_t *changes)
{
	json_t *json;

	if (asked->quiet)
		return;
	if (lbadm_options.json) {
		json = summary_json(changes, asked->dry_run);
		out_json(json);
		json_decref(json);
		return;
	}
	if (asked->verbose || asked->dry_run)
		out_changes(changes);
	out_summary(changes, asked->dry_run);
}

static int apply_and_report(const struct apply_words *asked,
			    const struct config *wanted)
{
	json_t *changes;
	int status = apply(wanted, &asked->how, &changes);

	/* Otherwise nothing changed, or an error describes the result. */
	if (!status || (asked->how.keep_going && json_array_size(changes)))
		report(asked, changes);
	json_decref(changes);
	return status;
}

/* A file that cannot be used is not worth an empty balancer. */
static int apply_last_good(const struct apply_words *asked)
{
	struct config wanted;

	if (config_read(asked->last_good, &wanted))
		return fail(LBADM_USAGE, "no earlier file can be applied instead: nothing is changed");
	fail(LBADM_OK, "warning: %s is applied instead, the last that was good",
	     asked->last_good);
	apply_and_report(asked, &wanted);
	config_free(&wanted);
	return LBADM_USAGE;
}

static void keep_last_good(const char *name, const struct config *config)
{
	if (whole_file(name, put_config, config->json))
		fail(LBADM_OK, "warning: the file is applied, but not kept as the last good one");
}

static int dry_run(const struct apply_words *asked)
{
	struct config wanted;
	json_t *changes;
	int status = config_read_checked(asked->name, &wanted);

	if (status)
		return status;
	status = config_diff(&wanted, &asked->how, &changes);
	config_free(&wanted);
	if (status)
		return status;
	report(asked, changes);
	json_decref(changes);
	return LBADM_OK;
}

static int config_apply(struct words *words)
{
	struct apply_words asked;
	struct config wanted;
	int status;

	status = apply_words(words, &asked);
	if (status)
		return status;
	if (asked.dry_run)
		return dry_run(&asked);
	status = config_read(asked.name, &wanted);
	if (status && asked.how.keep_going && asked.last_good)
		return apply_last_good(&asked);
	if (status)
		return status;
	status = apply_and_report(&asked, &wanted);
	if (!status && asked.last_good)
		keep_last_good(asked.last_good, &wanted);
	config_free(&wanted);
	return status;
}

/* The file that the unit of this network namespace applies. Returns @buf. */
static const char *default_file(char *buf, size_t size)
{
	if (lbadm_options.netns)
		snprintf(buf, size, NETNS_FILE, lbadm_options.netns);
	else
		snprintf(buf, size, CONFIG_FILE);
	return buf;
}

static int diff(struct words *words)
{
	const struct apply_options how = { 0 };
	const char *name = words_next(words);
	struct config wanted;
	json_t *changes;
	char buf[512];
	int status;

	status = words_end(words);
	if (!status)
		status = config_read(name ? name : default_file(buf, sizeof(buf)),
				     &wanted);
	if (status)
		return status;
	status = config_diff(&wanted, &how, &changes);
	config_free(&wanted);
	if (status)
		return status;
	if (lbadm_options.json)
		out_json(changes);
	else
		out_changes(changes);
	if (changes_any(changes))
		status = LBADM_DIFFERS;
	json_decref(changes);
	return status;
}

static int check(struct words *words)
{
	const char *name;
	int status = file_word(words, &name);

	return status ? status : config_check(name);
}

/* A request that changes nothing, but needs the permission to */
static int may_change(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	int status = sock_open();

	return status ? status :
	       sock_talk(sock_request(buf, NFLB_CMD_CONN_COUNT, 0), NULL, NULL);
}

static int config_flush(struct words *words)
{
	const struct apply_options how = { 0 };
	struct config nothing;
	json_t *changes;
	int status;

	status = words_end(words);
	/* It needs the permission even if there is nothing to delete. */
	if (!status)
		status = may_change();
	if (!status)
		status = config_from_json(json_object(), &nothing);
	if (status)
		return status;
	status = apply(&nothing, &how, &changes);
	json_decref(changes);
	config_free(&nothing);
	return status;
}

static const struct word args_maybe_file[] = {
	{ .name = "FILE", .kind = &kind_file, .flags = WORD_OPTIONAL },
	{ 0 },
};

static const struct word args_diff_file[] = {
	{ .name = "FILE", .kind = &kind_file, .standard = CONFIG_FILE,
	  .flags = WORD_OPTIONAL },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "save", config_save, "print the configuration, or write it to a file",
	  args_maybe_file, NULL },
	{ "apply", config_apply, "make the configuration that of a file", args_file,
	  apply_flags },
	{ "diff", diff, "compare the configuration with a file", args_diff_file, NULL },
	{ "check", check, "reject a file that apply would reject; needs no module",
	  args_file, NULL },
	{ "flush", config_flush, "delete all of it", NULL, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_config = {
	"config", "the whole configuration, from and to a file", commands,
};
