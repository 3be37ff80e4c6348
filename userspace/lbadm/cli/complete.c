// SPDX-License-Identifier: GPL-2.0
/*
 * Completion: the candidates for the next word of a command line. Thin scripts for each shell
 * (userspace/completion) ask for it.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/live.h"
#include "lbadm.h"
#include "model/request.h"

#define OFFERED_MAX	256

/* The word to complete, and the candidates already offered */
static struct {
	const char *prefix;	/* that was typed */
	const char *before;	/* "--netns=" of "--netns=NAME", or "" */
	char offered[OFFERED_MAX][48];
	size_t count;
	bool live[LIVE_FILE + 1];
} now;

void offer(const char *word, const char *about)
{
	size_t i;

	if (strncmp(word, now.prefix, strlen(now.prefix)))
		return;
	/* Two ways to write a command may have the same words. */
	for (i = 0; i < now.count; i++)
		if (!strcmp(now.offered[i], word))
			return;
	if (now.count < OFFERED_MAX && strlen(word) < sizeof(now.offered[0]))
		strcpy(now.offered[now.count++], word);
	printf("%s%s\t%s\n", now.before, word, about ? about : "");
}

static void offer_names(const struct names *names)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		offer(names->names[i], names->about ? names->about[i] : NULL);
}

/* The words of "none|ipip|gue[:PORT]", without placeholders in capitals. */
static void offer_form(const char *form)
{
	char word[40];
	size_t length, used;

	for (; islower((unsigned char)*form) || isdigit((unsigned char)*form);
	     form += length + (form[length] == '|')) {
		length = strcspn(form, "|");
		used = strcspn(form, "|[");
		snprintf(word, sizeof(word), "%.*s", (int)used, form);
		offer(word, NULL);
	}
}

static bool is_service(const struct kind *kind)
{
	return kind->live == LIVE_SERVICE || kind->live == LIVE_PROTOCOL;
}

/* How many words a value has */
static int length_of(const struct kind *kind)
{
	return is_service(kind) ? 2 : 1;
}

/* The value of @kind, of which the words in @words are there */
static void offer_value(const struct kind *kind, const struct words *words,
			const struct live_context *context)
{
	if (is_service(kind) && !words->argc) {
		offer_names(&protocol_names);
	} else if (kind->live) {
		if (now.live[kind->live])
			return;
		now.live[kind->live] = true;
		live_offer(kind->live, context,
			   words->argc ? words->argv[0] : NULL);
	} else if (kind->names) {
		offer_names(kind->names);
	} else if (kind->form) {
		offer_form(kind->form);
	}
}

/*
 * Take a value. If it is incomplete, offer the candidates for its next part and return
 * false.
 */
static bool take_value(const struct kind *kind, struct words *words,
		       struct live_context *context)
{
	int length = length_of(kind);

	if (words->argc < length) {
		offer_value(kind, words, context);
		return false;
	}
	if (length == 2) {
		context->protocol = words->argv[0];
		context->vip = words->argv[1];
	}
	words->argc -= length;
	words->argv += length;
	return true;
}

/* Flags may stand anywhere. */
static bool take_flags(const struct word *list, struct words *words,
		       struct live_context *context)
{
	const struct word *word;

	while (words->argc && !strncmp(words->argv[0], "--", 2)) {
		word = list ? word_find(list, words->argv[0]) : NULL;
		if (!word)
			return false;
		words_next(words);
		if (word->kind && !take_value(word->kind, words, context))
			return false;
	}
	return true;
}

/* Words that may come in any order, each once. Returns whether they came to an end. */
static bool walk_words(const struct word *list, struct words *words,
		       struct live_context *context)
{
	const struct word *word, *seen[WORDS_SEEN_MAX];
	size_t count = 0, i;

	while (words->argc) {
		word = word_find(list, words_next(words));
		if (!word || count == WORDS_SEEN_MAX)
			return false;
		if (!(word->flags & WORD_REPEATED))
			seen[count++] = word;
		if (word->kind && !take_value(word->kind, words, context))
			return false;
	}
	for (word = list; word->name; word++) {
		for (i = 0; i < count && seen[i] != word; i++)
			;
		if (i == count && word_is_spoken(word) && *word->name != '-')
			offer(word->name, word->help);
	}
	return true;
}

/* An argument. Returns whether the word to complete comes after it. */
static bool take_arg(const struct word *arg, struct words *words,
		     struct live_context *context)
{
	const struct kind *kind = arg->kind;

	if (!word_is_argument(arg)) {
		if (!words->argc)
			offer(arg->name, arg->help);
		else if (words_accept(words, arg->name))
			return !kind || take_value(kind, words, context);
		return false;
	}
	if (arg->flags & WORD_REPEATED) {
		words->argc = 0;
		offer_value(kind, words, context);
		return false;
	}
	if (words->argc && kind->names && !kind->form &&
	    names_find(kind->names, words->argv[0]) < 0)
		return false;
	return take_value(kind, words, context);
}

static void walk(const struct lbadm_command *command, struct words words)
{
	static const struct word none[] = { { 0 } };
	const struct word *list = command->words ? command->words : none;
	const struct word *arg = command->args ? command->args : none;
	struct live_context context = { 0 };

	for (; arg->name; arg++) {
		if (!take_flags(list, &words, &context))
			return;
		if (arg->flags & WORD_OPTIONAL && words.argc &&
		    word_find(list, words.argv[0]))
			break;
		if (arg->flags & WORD_OPTIONAL && !words.argc)
			walk_words(list, &words, &context);
		if (!take_arg(arg, &words, &context))
			return;
	}
	/* An argument that can be left out can still come. */
	if (walk_words(list, &words, &context) && arg->name)
		offer_value(arg->kind, &words, &context);
}

static void offer_commands(const struct lbadm_object *object)
{
	const struct lbadm_command *c;

	for (c = object->commands; c->name; c++)
		if (*c->name)
			offer(c->name, c->help);
}

static void offer_objects(void)
{
	const struct lbadm_object *const *o = lbadm_objects;

	for (; *o; o++)
		offer((*o)->name, (*o)->summary);
}

/* help [OBJECT [COMMAND]] */
static void walk_help(const struct words *words)
{
	const struct lbadm_object *object;

	if (!words->argc) {
		offer_objects();
		help_topics(offer);
		return;
	}
	object = object_find(words->argv[0]);
	if (object && words->argc == 1)
		offer_commands(object);
}

/* Words that begin with a dash: options, and flags of the command */
static void offer_options(const struct lbadm_command *command)
{
	const struct lbadm_option *o = lbadm_option_table;
	const struct word *word;
	char name[40];

	for (; command; command = command_next(command))
		for (word = command->words; word && word->name; word++)
			if (*word->name == '-')
				offer(word->name, word->help);
	for (; o->name; o++) {
		snprintf(name, sizeof(name), "--%s", o->name);
		offer(name, o->help);
	}
}

static void walk_object(struct words *words)
{
	const struct lbadm_object *object = object_find(words->argv[0]);
	const struct lbadm_command *command;
	bool flag = *now.prefix == '-';

	if (!object)
		return;
	words_next(words);
	command = command_find(object, "");
	if (!command && words->argc)
		command = command_find(object, words_next(words));
	else if (!command && !flag)
		offer_commands(object);
	/* After a command only if somebody begins to type it */
	if (!words->argc && (!command || *now.prefix) && !flag)
		offer("help", "explain this");
	if (flag)
		offer_options(command);
	for (; command && !flag; command = command_next(command))
		walk(command, *words);
}

/* "--netns=NAME": the value is completed. */
static bool walk_value(const char *typed)
{
	static char before[40];
	const struct lbadm_option *o = lbadm_option_table;
	const struct words none = { 0 };
	size_t length = strcspn(typed, "=");

	if (strncmp(typed, "--", 2) || !typed[length] ||
	    length + 2 > sizeof(before))
		return false;
	while (o->name && (strlen(o->name) != length - 2 ||
			   memcmp(o->name, typed + 2, length - 2)))
		o++;
	snprintf(before, sizeof(before), "%.*s", (int)length + 1, typed);
	now.before = before;
	now.prefix = typed + length + 1;
	if (o->name && o->kind)
		offer_value(o->kind, &none, &(struct live_context){ 0 });
	return true;
}

int complete(int argc, char **argv)
{
	static const struct words none;
	struct command_line line;

	/* A message would garble the line that the user is typing. */
	if (!freopen("/dev/null", "w", stderr))
		return LBADM_OK;
	now.prefix = argc ? argv[argc - 1] : "";
	now.before = "";
	if (options_take(&line, argc ? argc - 1 : 0, argv)) {
		if (line.pending)
			offer_value(line.pending, &none,
				    &(struct live_context){ 0 });
		return LBADM_OK;
	}
	if (walk_value(now.prefix))
		return LBADM_OK;
	if (line.netns && enter_netns(line.netns))
		return LBADM_OK;
	if (line.words.argc && !strcmp(line.words.argv[0], "help")) {
		words_next(&line.words);
		walk_help(&line.words);
	} else if (line.words.argc) {
		walk_object(&line.words);
	} else if (*now.prefix == '-') {
		offer_options(NULL);
	} else {
		offer("help", "explain objects and commands");
		offer_objects();
	}
	return LBADM_OK;
}
