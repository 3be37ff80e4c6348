// SPDX-License-Identifier: GPL-2.0
/*
 * Objects and their commands.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lbadm.h"
#include "model/request.h"

const struct lbadm_object *const lbadm_objects[] = {
	&lbadm_service, &lbadm_backend, &lbadm_laddr, &lbadm_device,
	&lbadm_connection, &lbadm_stats, &lbadm_config, &lbadm_monitor, &lbadm_watch,
	&lbadm_explain, &lbadm_health, &lbadm_policy, &lbadm_backend_setup,
	&lbadm_import, &lbadm_version, NULL,
};

const struct lbadm_object *object_find(const char *name)
{
	const struct lbadm_object *const *o = lbadm_objects;

	while (*o && strcmp((*o)->name, name))
		o++;
	return *o;
}

const struct lbadm_command *command_find(const struct lbadm_object *object,
					 const char *name)
{
	const struct lbadm_command *c = object->commands;

	while (c->name && strcmp(c->name, name))
		c++;
	return c->name ? c : NULL;
}

const struct lbadm_command *command_next(const struct lbadm_command *command)
{
	const struct lbadm_command *c = command + 1;

	while (c->name && strcmp(c->name, command->name))
		c++;
	return c->name ? c : NULL;
}

bool command_is_first(const struct lbadm_object *object,
		      const struct lbadm_command *command)
{
	return command_find(object, command->name) == command;
}

static void list_add(char *list, size_t size, const char *word)
{
	size_t used = strlen(list);

	snprintf(list + used, size - used, "%s %s", used ? "," : "", word);
}

int unknown_object(const char *word)
{
	const struct lbadm_object *const *o = lbadm_objects;
	char list[256] = "", text[SUGGEST_TEXT_MAX];
	struct suggestion s;

	suggest_begin(&s, word);
	for (; *o; o++) {
		suggest_try(&s, (*o)->name);
		list_add(list, sizeof(list), (*o)->name);
	}
	if (*suggest_text(&s, text))
		return usage_error("unknown object \"%s\"; %s", word, text);
	return usage_error("unknown object \"%s\"; there are:%s", word, list);
}

int unknown_command(const struct lbadm_object *object, const char *word)
{
	char list[128] = "", text[SUGGEST_TEXT_MAX];
	const struct lbadm_command *c;
	struct suggestion s;

	suggest_begin(&s, word ? word : "");
	for (c = object->commands; c->name; c++) {
		if (!command_is_first(object, c))
			continue;
		suggest_try(&s, c->name);
		list_add(list, sizeof(list), c->name);
	}
	if (!word)
		return usage_error("%s: a command is missing; there are:%s",
				   object->name, list);
	if (*suggest_text(&s, text))
		return usage_error("%s: unknown command \"%s\"; %s",
				   object->name, word, text);
	return usage_error("%s: unknown command \"%s\"; there are:%s",
			   object->name, word, list);
}

int lbadm_dispatch(struct words *words)
{
	const struct lbadm_object *object = &lbadm_service;
	const struct lbadm_command *command;
	const char *name;

	if (words_accept(words, "help"))
		return help(words, true);
	if (words->argc) {
		object = object_find(words_peek(words));
		if (!object)
			return unknown_object(words_peek(words));
	}
	/* OBJECT help, OBJECT COMMAND help: the same as help OBJECT ... */
	if (words->argc > 1 && !strcmp(words->argv[1], "help")) {
		words->argv[1] = words->argv[0];
		words_next(words);
		return help(words, true);
	}
	if (words->argc == 3 && !strcmp(words->argv[2], "help") &&
	    command_find(object, words->argv[1])) {
		words->argc = 2;
		return help(words, true);
	}
	words_next(words);
	command = command_find(object, "");
	if (command)
		return command->run(words);
	name = words_peek(words);
	command = command_find(object, name ? name : "show");
	if (!command)
		return unknown_command(object, name);
	words_next(words);
	return command->run(words);
}
