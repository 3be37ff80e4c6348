// SPDX-License-Identifier: GPL-2.0
/*
 * Help, in 80 columns.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lbadm.h"
#include "model/request.h"
#include "model/vocabulary.h"

#define WIDTH		79
/* Where descriptions begin */
#define COLUMN		28
/* More words than these are not shown in a list of commands. */
#define FEW_WORDS	4
#define FORM_MAX	160

/* Print @text, which begins at column @indent; so do further lines. */
static void put_text(const char *text, int indent)
{
	int at = indent, length;

	for (; *text; text += length + strspn(text + length, " ")) {
		length = strcspn(text, " ");
		if (at > indent && at + 1 + length > WIDTH) {
			printf("\n%*s", indent, "");
			at = indent;
		}
		at += printf("%s%.*s", at > indent ? " " : "", length, text);
	}
	putchar('\n');
}

/* A name, and its description beside it or below */
static void put_pair(int indent, const char *name, int column, const char *text)
{
	int at = printf("%*s%s", indent, "", name);

	if (!*text) {
		putchar('\n');
		return;
	}
	if (at > column - 2) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", column - at, "");
	put_text(text, column);
}

/* --- the grammar of a command */

static void put_item(int *at, const char *item)
{
	int length = strlen(item);

	if (*at + 1 + length > WIDTH) {
		printf("\n%*s", 12, "");
		*at = 11;
	} else {
		putchar(' ');
	}
	fputs(item, stdout);
	*at += 1 + length;
}

static void form_of(const struct word *word, char *buf, size_t size)
{
	char form[FORM_MAX] = "";

	if (word->kind)
		kind_form(word->kind, form, sizeof(form));
	/* An argument shows its name, or its set of words if it has one. */
	if (word_is_argument(word))
		snprintf(buf, size, "%s", word->kind && word->kind->names &&
			 !word->kind->form ? form : word->name);
	else
		snprintf(buf, size, "%s%s%s", word->name, *form ? " " : "", form);
}

/* The words that an argument may be followed by, in brackets */
static void put_words(int *at, const struct word *words)
{
	char form[FORM_MAX], item[FORM_MAX + 8];

	for (; words && words->name; words++) {
		if (!word_is_spoken(words))
			continue;
		form_of(words, form, sizeof(form));
		snprintf(item, sizeof(item), "[%s]%s", form,
			 words->flags & WORD_REPEATED ? "..." : "");
		put_item(at, item);
	}
}

static int count_spoken(const struct word *words)
{
	int count = 0;

	for (; words && words->name; words++)
		count += word_is_spoken(words);
	return count;
}

static void put_usage(const char *before, const struct lbadm_object *object,
		      const struct lbadm_command *command)
{
	const struct word *arg = command->args;
	char form[FORM_MAX], item[FORM_MAX + 8];
	int at, open = 0;

	at = printf("%slbadm %s%s%s", before, object->name,
		    *command->name ? " " : "", command->name);
	for (; arg && arg->name; arg++) {
		form_of(arg, form, sizeof(form));
		open += !!(arg->flags & WORD_OPTIONAL);
		snprintf(item, sizeof(item), "%s%s%s%s",
			 arg->flags & WORD_OPTIONAL ? "[" : "", form,
			 arg->flags & WORD_REPEATED ? "..." : "",
			 arg[1].name ? "" : &"]]]]"[4 - open]);
		put_item(&at, item);
	}
	if (count_spoken(command->words) > FEW_WORDS)
		put_item(&at, "[SETTINGS]");
	else
		put_words(&at, command->words);
	putchar('\n');
}

/* --- the words of a command */

static void put_names(const struct names *names, int indent)
{
	char list[FORM_MAX];
	size_t i;

	if (!names->about) {
		printf("%*s", COLUMN, "");
		put_text(names_list(names, list, sizeof(list)), COLUMN);
		return;
	}
	for (i = 0; i < names->count; i++)
		put_pair(indent, names->names[i], indent + 15, names->about[i]);
}

/* "help (0 to 65535, default 1)" */
static void describe_word(const struct word *word, char *buf, size_t size)
{
	const struct kind *kind = word->kind;
	const char *about = kind && !word->help ? kind->about : NULL;
	size_t used;

	used = snprintf(buf, size, "%s%s%s", word->help ? word->help : "",
			word->help && about ? "; " : "", about ? about : "");
	if (kind && kind->max)
		used += snprintf(buf + used, size - used, " (%u to %u", kind->min,
				 kind->max);
	if (word->standard)
		used += snprintf(buf + used, size - used, "%sdefault %s",
				 kind && kind->max ? ", " : " (",
				 word->standard);
	if (word->standard || (kind && kind->max))
		snprintf(buf + used, size - used, ")");
}

static void put_word(const struct word *word)
{
	char form[FORM_MAX], text[400];

	form_of(word, form, sizeof(form));
	describe_word(word, text, sizeof(text));
	put_pair(2, form, COLUMN, text);
	/* Those that the form lists need no list. */
	if (word->kind && word->kind->names &&
	    (word->kind->names->about || word->kind->form))
		put_names(word->kind->names, 6);
}

static void put_list(const struct word *list)
{
	for (; list && list->name; list++)
		if (word_is_spoken(list))
			put_word(list);
}

static void put_sentence(const char *text)
{
	char buf[160];

	snprintf(buf, sizeof(buf), "%s.", text);
	if (*buf >= 'a' && *buf <= 'z')
		*buf -= 'a' - 'A';
	put_text(buf, 0);
}

static int help_command(const struct lbadm_object *object,
			const struct lbadm_command *first)
{
	const struct lbadm_command *c;

	for (c = first; c; c = command_next(c))
		put_usage(c == first ? "usage: " : "       ", object, c);
	for (c = first; c; c = command_next(c)) {
		putchar('\n');
		put_sentence(c->help);
		if ((c->args && c->args->name) || count_spoken(c->words))
			putchar('\n');
		put_list(c->args);
		put_list(c->words);
	}
	return LBADM_OK;
}

static int help_object(const struct lbadm_object *object)
{
	const struct lbadm_command *c;

	if (command_find(object, ""))
		return help_command(object, command_find(object, ""));
	printf("usage: lbadm [OPTIONS] %s COMMAND [ARGUMENTS]\n\n", object->name);
	put_sentence(object->summary);
	putchar('\n');
	for (c = object->commands; c->name; c++) {
		put_usage("  ", object, c);
		printf("      ");
		put_text(c->help, 6);
	}
	printf("\n\"lbadm help %s COMMAND\" explains the words of a command.\n",
	       object->name);
	return LBADM_OK;
}

static int help_all(void)
{
	const struct lbadm_object *const *object = lbadm_objects;
	const struct lbadm_option *o = lbadm_option_table;
	char name[80], form[60];

	puts("usage: lbadm [OPTIONS] OBJECT COMMAND [ARGUMENTS]\n"
	     "       lbadm [OPTIONS] -b FILE\n"
	     "\n"
	     "Objects:");
	for (; *object; object++)
		put_pair(2, (*object)->name, 18, (*object)->summary);
	puts("\nOptions, anywhere on the line:");
	for (; o->name; o++) {
		*form = '\0';
		if (o->kind)
			kind_form(o->kind, form, sizeof(form));
		snprintf(name, sizeof(name), "-%c, --%s%s%s", o->letter, o->name,
			 *form ? " " : "", form);
		put_pair(2, name, 34, o->help);
	}
	puts("\n"
	     "lbadm help OBJECT            its commands\n"
	     "lbadm help OBJECT COMMAND    all words of a command, and their values\n"
	     "lbadm help schedulers        (modes, encaps, states) the values alone");
	return LBADM_OK;
}

/* --- sets of values: "schedulers" */

static const struct names *const topics[] = {
	&scheduler_names, &mode_names, &encap_names, &backend_state_names,
};

#define TOPIC_COUNT (sizeof(topics) / sizeof(topics[0]))

void help_topics(void (*offer)(const char *word, const char *about))
{
	char name[40];
	size_t i;

	for (i = 0; i < TOPIC_COUNT; i++) {
		snprintf(name, sizeof(name), "%ss", topics[i]->what);
		offer(name, "the values alone");
	}
}

static const struct names *find_topic(const char *word)
{
	char name[40];
	size_t i;

	for (i = 0; i < TOPIC_COUNT; i++) {
		snprintf(name, sizeof(name), "%ss", topics[i]->what);
		if (!strcmp(name, word))
			return topics[i];
	}
	return NULL;
}

static int help_word(const struct lbadm_command *command, const char *name)
{
	const struct word *word = NULL;

	for (; command && !word; command = command_next(command))
		word = command->words ? word_find(command->words, name) : NULL;
	if (!word)
		return usage_error("unexpected word \"%s\"", name);
	put_word(word);
	return LBADM_OK;
}

int help(struct words *words, bool strict)
{
	const struct lbadm_object *object;
	const struct lbadm_command *command;
	const struct names *topic;
	const char *word = words_next(words);

	if (!word)
		return help_all();
	object = object_find(word);
	topic = object ? NULL : find_topic(word);
	if (topic && words_end(words))
		return LBADM_USAGE;
	if (topic)
		put_names(topic, 0);
	if (!object)
		return topic ? LBADM_OK : unknown_object(word);
	word = words_peek(words);
	command = command_find(object, "");
	if (!command && word)
		command = command_find(object, words_next(words));
	if (!command && word)
		return unknown_command(object, word);
	if (!command)
		return help_object(object);
	/* "lbadm service add tcp ... -h": ignore the remaining words. */
	if (!strict || !words->argc)
		return help_command(object, command);
	if (words->argc > 1) {
		words_next(words);
		return words_end(words);
	}
	return help_word(command, words_next(words));
}
