// SPDX-License-Identifier: GPL-2.0
/*
 * The vocabulary as JSON. scripts/vocabulary.py makes the lists of options in man pages
 * and the JSON schema from it.
 */
#include <jansson.h>
#include <stdio.h>

#include "cli/cli.h"
#include "lbadm.h"
#include "model/settings.h"
#include "model/vocabulary.h"

static void set_string(json_t *object, const char *key, const char *value)
{
	if (value)
		json_object_set_new(object, key, json_string(value));
}

static json_t *names_array(const char *const *names, size_t count)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(array, json_string(names[i]));
	return array;
}

/* How a configuration file writes a value, in words of JSON schema */
static const char *type_of(enum json_kind kind)
{
	static const char *const types[] = {
		[JSON_KIND_STRING] = "string",
		[JSON_KIND_NUMBER] = "integer",
		[JSON_KIND_BOOLEAN] = "boolean",
		[JSON_KIND_NUMBER_OR_STRING] = "integer or string",
		[JSON_KIND_ARRAY] = "array",
		[JSON_KIND_OBJECT] = "object",
		[JSON_KIND_SECONDS] = "number",
		[JSON_KIND_BOOLEAN_OR_STRING] = "boolean or string",
	};

	return types[kind];
}

static json_t *word_array(const struct word *list);

/* The range of a number, or of the length of a string */
static void set_range(json_t *object, const struct kind *kind)
{
	if (!kind->max)
		return;
	if (kind->json == JSON_KIND_SECONDS) {
		json_object_set_new(object, "minimum", json_real(kind->min / 1000.0));
		json_object_set_new(object, "maximum", json_real(kind->max / 1000.0));
		return;
	}
	if (kind->json == JSON_KIND_STRING && !kind->parse) {
		json_object_set_new(object, "min-length", json_integer(kind->min));
		json_object_set_new(object, "max-length", json_integer(kind->max));
		return;
	}
	json_object_set_new(object, "minimum", json_integer(kind->min));
	json_object_set_new(object, "maximum", json_integer(kind->max));
}

static void set_kind(json_t *object, const struct kind *kind)
{
	char form[160];

	if (*kind_form(kind, form, sizeof(form)))
		set_string(object, "form", form);
	set_string(object, "type", type_of(kind->json));
	set_string(object, "pattern", kind->pattern);
	set_range(object, kind);
	if (kind->keys)
		json_object_set_new(object, "keys", word_array(kind->keys));
	if (kind->any_case)
		json_object_set_new(object, "any-case", json_true());
	if (!kind->names)
		return;
	json_object_set_new(object, "values",
			    names_array(kind->names->names,
					kind->names->count));
	if (kind->names->about)
		json_object_set_new(object, "about",
				    names_array(kind->names->about,
						kind->names->count));
}

static void set_flag(json_t *object, const struct word *word, unsigned int flag,
		     const char *key)
{
	if (word->flags & flag)
		json_object_set_new(object, key, json_true());
}

static json_t *word_object(const struct word *word)
{
	json_t *object = json_object();

	set_string(object, "name", word->name);
	set_string(object, "help", word->help);
	set_string(object, "more", word->more);
	set_string(object, "default", word->standard);
	set_flag(object, word, WORD_OPTIONAL, "optional");
	set_flag(object, word, WORD_REPEATED, "repeated");
	set_flag(object, word, WORD_KEY | WORD_KEY_ONLY, "key");
	set_flag(object, word, WORD_KEY_ONLY, "key-only");
	set_flag(object, word, WORD_NEEDED, "needed");
	set_flag(object, word, WORD_ZERO, "zero");
	set_flag(object, word, WORD_SERVICE, "of-service");
	if (word->kind)
		set_kind(object, word->kind);
	else
		set_string(object, "type", "boolean");
	return object;
}

static json_t *word_array(const struct word *list)
{
	json_t *array = json_array();

	for (; list && list->name; list++)
		json_array_append_new(array, word_object(list));
	return array;
}

static json_t *object_object(const struct lbadm_object *object)
{
	const struct lbadm_command *c;
	json_t *commands = json_array();

	for (c = object->commands; c->name; c++)
		json_array_append_new(commands,
				      json_pack("{s:s, s:s, s:o, s:o}",
						"name", c->name, "help", c->help,
						"args", word_array(c->args),
						"words", word_array(c->words)));
	return json_pack("{s:s, s:s, s:o}", "name", object->name, "summary",
			 object->summary, "commands", commands);
}

static json_t *option_array(void)
{
	const struct lbadm_option *o = lbadm_option_table;
	json_t *array = json_array(), *object;

	for (; o->name; o++) {
		object = json_pack("{s:s%, s:s, s:s}", "letter", &o->letter,
				   (size_t)1, "name", o->name, "help", o->help);
		set_string(object, "more", o->more);
		if (o->kind)
			set_kind(object, o->kind);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *setting_array(void)
{
	const struct setting *s = setting_table;
	json_t *array = json_array(), *object;

	for (; s < setting_table + SETTING_COUNT; s++) {
		object = json_pack("{s:s, s:s, s:b}", "name", s->key, "help",
				   s->help, "key", 1);
		set_string(object, "default", s->standard);
		if (s->kind == SETTING_KEY) {
			set_string(object, "type", "string");
			set_string(object, "pattern", "^[0-9a-fA-F]{32}$");
			json_object_del(object, "default");
		} else if (s->kind == SETTING_BOOLEAN) {
			set_string(object, "type", "boolean");
		} else {
			set_string(object, "type", "integer");
			json_object_set_new(object, "minimum",
					    json_integer(s->min));
			json_object_set_new(object, "maximum",
					    json_integer(s->max));
		}
		json_array_append_new(array, object);
	}
	return array;
}

int describe(void)
{
	const struct lbadm_object *const *o = lbadm_objects;
	json_t *all = json_object(), *objects = json_array();

	for (; *o; o++)
		json_array_append_new(objects, object_object(*o));
	json_object_set_new(all, "objects", objects);
	json_object_set_new(all, "options", option_array());
	json_object_set_new(all, "keys",
			    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
				      "config", word_array(config_words),
				      "settings", setting_array(),
				      "service", word_array(service_words),
				      "backend", word_array(backend_words),
				      "local-address", word_array(laddr_words),
				      "device", word_array(device_words),
				      "policy", word_array(policy_words),
				      "health-check",
				      word_array(health_check_words)));
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
	return LBADM_OK;
}
