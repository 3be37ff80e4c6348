// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm import: convert the saved configuration of another load balancer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbadm.h"
#include "model/config.h"
#include "model/ipvs.h"
#include "model/vocabulary.h"

/* Arguments of the command */
struct import_options {
	const char *file;	/* "-" is standard input */
	bool keep_going;
};

/* How it went. */
struct import_sum {
	unsigned int lines, failed;
};

static int parse_options(struct words *words, struct import_options *options,
			 struct ipvs_import *import)
{
	int status = LBADM_OK;
	const char *word;

	options->file = NULL;
	options->keep_going = false;
	while (!status && (word = words_next(words))) {
		if (!strcmp(word, "--keep-going")) {
			options->keep_going = true;
		} else if (!strcmp(word, "fwmark")) {
			word = words_next(words);
			status = word ? ipvs_import_mark(import, word) :
				 usage_error("fwmark: N=PROTOCOL:VIP:PORT[,...] is expected");
		} else if (!options->file && (*word != '-' || !word[1])) {
			options->file = word;
		} else {
			status = usage_error("\"%s\": a file, --keep-going, or fwmark is expected",
					     word);
		}
	}
	if (!options->file)
		options->file = "-";
	return status;
}

/* apply must accept the result. */
static int print_config(json_t *json)
{
	struct config config;
	int status;

	status = config_from_json(json_deep_copy(json), &config);
	if (status)
		return status;
	config_free(&config);
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	return LBADM_OK;
}

static bool is_blank(const char *line)
{
	line += strspn(line, " \t\r\n");
	return !*line || *line == '#';
}

/* All lines, whatever becomes of each. */
static int read_lines(FILE *file, const char *name, struct ipvs_import *import,
		      struct import_sum *sum)
{
	char before[LBADM_WHERE_MAX];
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	snprintf(before, sizeof(before), "%s", lbadm_where);
	while ((len = getline(&line, &size, file)) >= 0) {
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%.200s%.200s%sline %u: ",
			 before, strcmp(name, "-") ? name : "",
			 strcmp(name, "-") ? ": " : "", ++number);
		sum->lines += !is_blank(line);
		/* Text after a NUL would be ignored silently. */
		if (strlen(line) != (size_t)len ?
		    usage_error("the line has a NUL in it") :
		    ipvs_import_line(import, line, number))
			sum->failed++;
	}
	free(line);
	snprintf(lbadm_where, LBADM_WHERE_MAX, "%s", before);
	return ferror(file) ? usage_error("%s: %s", name, strerror(errno)) :
			      LBADM_OK;
}

static int convert(const struct import_options *options,
		   struct ipvs_import *import)
{
	FILE *file = strcmp(options->file, "-") ? fopen(options->file, "r") :
						  stdin;
	struct import_sum sum = { 0 };
	json_t *json;
	int status;

	if (!file)
		return usage_error("%s: %s", options->file, strerror(errno));
	status = read_lines(file, options->file, import, &sum);
	if (file != stdin)
		fclose(file);
	if (status)
		return status;
	if (!sum.lines && !options->keep_going)
		return usage_error("%s: there is no line to convert",
				   strcmp(options->file, "-") ? options->file :
				   "standard input");
	status = ipvs_import_end(import);
	if (sum.failed)
		status = usage_error("%u of %u lines could not be converted%s",
				     sum.failed, sum.lines,
				     options->keep_going ? "" :
				     "; --keep-going prints the others");
	if (status && !options->keep_going)
		return status;
	json = ipvs_import_config(import);
	if (print_config(json))
		status = LBADM_USAGE;
	json_decref(json);
	return status;
}

static int import_ipvsadm(struct words *words)
{
	struct ipvs_import *import = ipvs_import_new();
	struct import_options options;
	int status = parse_options(words, &options, import);

	status = status ? status : convert(&options, import);
	ipvs_import_free(import);
	return status;
}

static const struct word args_maybe_file[] = {
	{ .name = "FILE", .kind = &kind_file, .flags = WORD_OPTIONAL },
	{ 0 },
};

static const struct word import_words[] = {
	{ .name = "--keep-going", .help = "print the lines that can be converted, despite errors" },
	{ .name = "fwmark", .kind = &kind_fwmark,
	  .help = "the services that replace firewall mark N",
	  .flags = WORD_REPEATED },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "ipvsadm", import_ipvsadm,
	  "print a configuration that does the same as ipvsadm-save's output",
	  args_maybe_file, import_words },
	{ 0 },
};

const struct lbadm_object lbadm_import = {
	"import", "a configuration from ipvsadm-save's output", commands,
};
