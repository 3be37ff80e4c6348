// SPDX-License-Identifier: GPL-2.0
/*
 * From a "health-check" object to struct health_check, by the table of its keys.
 */
#include <ctype.h>
#include <linux/nflb.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/health.h"
#include "model/health_rules.h"
#include "model/vocabulary.h"
#include "util/json_reader.h"

static void *place_of(struct health_check *check, const struct word *word)
{
	return (char *)check + word->offset;
}

static void set_u32(struct health_check *check, const struct word *word,
		    uint32_t value)
{
	memcpy(place_of(check, word), &value, sizeof(value));
}

static void set_bool(struct health_check *check, const struct word *word, bool value)
{
	memcpy(place_of(check, word), &value, sizeof(value));
}

static void set_pointer(struct health_check *check, const struct word *word,
			const void *value)
{
	memcpy(place_of(check, word), &value, sizeof(value));
}

static int named(const struct kind *kind, const char *text)
{
	char lower[32];
	size_t i;

	if (!kind->any_case || strlen(text) >= sizeof(lower))
		return names_find(kind->names, text);
	for (i = 0; text[i]; i++)
		lower[i] = tolower((unsigned char)text[i]);
	lower[i] = '\0';
	return names_find(kind->names, lower);
}

/* The default of a key, from the text that documents it. */
static void set_default(struct health_check *check, const struct word *word)
{
	const struct kind *kind = word->kind;
	const char *text = word->standard;

	if (!text)
		return;
	if (!kind)
		set_bool(check, word, !strcmp(text, "on"));
	else if (kind->names)
		set_u32(check, word, names_find(kind->names, text));
	else if (kind->json == JSON_KIND_NUMBER)
		set_u32(check, word, strtoul(text, NULL, 10));
	else if (kind->json == JSON_KIND_SECONDS)
		set_u32(check, word, strtod(text, NULL) * 1000 + 0.5);
	else if (kind->json == JSON_KIND_STRING)
		set_pointer(check, word, text);
}

static void set_defaults(struct health_check *check, const struct word *list)
{
	for (; list->name; list++) {
		if (list->kind && list->kind->keys)
			set_defaults(check, list->kind->keys);
		else
			set_default(check, list);
	}
}

static int read_name(const struct word *word, const char *text,
		     struct health_check *check)
{
	int number = named(word->kind, text);
	char list[256], near[SUGGEST_TEXT_MAX];

	if (number < 0) {
		names_suggest(word->kind->names, text, near);
		return usage_error("%s: %s is expected, not \"%s\"%s%s", word->name,
				   names_list(word->kind->names, list, sizeof(list)),
				   text, *near ? "; " : "", near);
	}
	set_u32(check, word, number);
	return LBADM_OK;
}

static int read_number(const struct word *word, const json_t *value,
		       struct health_check *check)
{
	const struct kind *kind = word->kind;
	json_int_t number = json_integer_value(value);

	if (!number && word->flags & WORD_ZERO) {
		set_default(check, word);
		return LBADM_OK;
	}
	if (number < kind->min || number > kind->max)
		return usage_error("%s: a number from %u to %u is expected",
				   word->name, kind->min, kind->max);
	set_u32(check, word, number);
	return LBADM_OK;
}

static int read_seconds(const struct word *word, const json_t *value,
			struct health_check *check)
{
	const struct kind *kind = word->kind;
	double ms = json_number_value(value) * 1000;

	if (ms == 0 && word->flags & WORD_ZERO) {
		set_u32(check, word, 0);
		set_default(check, word);
		return LBADM_OK;
	}
	if (!(ms >= kind->min && ms <= kind->max))
		return usage_error("%s: a number from %g to %g is expected",
				   word->name, kind->min / 1000.0,
				   kind->max / 1000.0);
	set_u32(check, word, ms + 0.5);
	return LBADM_OK;
}

static bool matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool met;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	met = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return met;
}

static int read_text(const struct word *word, const json_t *value,
		     struct health_check *check)
{
	const struct kind *kind = word->kind;
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (len < kind->min || len > kind->max)
		return usage_error("%s: a text of %u to %u bytes is expected",
				   word->name, kind->min, kind->max);
	if (kind->pattern && !matches(kind->pattern, text))
		return usage_error("%s: %s is expected", word->name, kind->about);
	set_pointer(check, word, text);
	return LBADM_OK;
}

/* A value of several types; health_rules.c reads it. */
static int read_other(const struct word *word, const json_t *value,
		      struct health_check *check)
{
	const struct kind *kind = word->kind;

	if (json_is_string(value) && kind->pattern &&
	    !matches(kind->pattern, json_string_value(value)))
		return usage_error("%s: %s is expected", word->name, kind->about);
	if (json_is_integer(value) && kind->max &&
	    (json_integer_value(value) < kind->min ||
	     json_integer_value(value) > kind->max))
		return usage_error("%s: a number from %u to %u is expected",
				   word->name, kind->min, kind->max);
	set_pointer(check, word, value);
	return LBADM_OK;
}

static int read_keys(const json_t *object, const struct word *list, const char *what,
		     bool of_backend, struct health_check *check);

static int read_value(const struct word *word, const json_t *value, bool of_backend,
		      struct health_check *check)
{
	const struct kind *kind = word->kind;

	if (of_backend && word->flags & WORD_SERVICE)
		return usage_error("%s belongs to the service; a backend cannot override it",
				   word->name);
	if (!kind)
		set_bool(check, word, json_is_true(value));
	else if (kind->keys)
		return read_keys(value, kind->keys, word->name, of_backend, check);
	else if (kind->names)
		return read_name(word, json_string_value(value), check);
	else if (kind->json == JSON_KIND_NUMBER)
		return read_number(word, value, check);
	else if (kind->json == JSON_KIND_SECONDS)
		return read_seconds(word, value, check);
	else if (kind->json == JSON_KIND_STRING)
		return read_text(word, value, check);
	else
		return read_other(word, value, check);
	return LBADM_OK;
}

static int read_keys(const json_t *object, const struct word *list, const char *what,
		     bool of_backend, struct health_check *check)
{
	struct json_key keys[KEYS_MAX];
	int status;

	vocabulary_keys(list, keys);
	status = json_check_keys_open(object, keys, what);
	for (; list->name && !status; list++) {
		const json_t *value = json_object_get(object, list->name);

		if (!value && list->flags & WORD_NEEDED)
			return usage_error("%s: the %s is missing", list->name, what);
		if (!value)
			continue;
		json_enter_key(list->name);
		status = read_value(list, value, of_backend, check);
		json_leave();
	}
	return status;
}

/* The kernel keeps it as compact JSON. */
static int check_size(const json_t *object)
{
	size_t size = json_dumpb(object, NULL, 0, JSON_COMPACT);

	return size < NFLB_HEALTH_CHECK_SIZE ? LBADM_OK :
	       usage_error("health-check: more than %d bytes",
			   NFLB_HEALTH_CHECK_SIZE - 1);
}

static int read_object(const json_t *object, bool of_backend,
		       struct health_check *check)
{
	int status;

	if (!object)
		return LBADM_OK;
	json_array_append(check->json, (json_t *)object);
	status = read_keys(object, health_check_words, "a health check", of_backend,
			   check);
	check->has_passive |= json_object_get(object, "passive") != NULL;
	check->has_announce |= json_object_get(object, "announce") != NULL;
	return status ? status : check_size(object);
}

int health_read(const json_t *service, const json_t *backend,
		const struct health_place *place, struct health_check *check)
{
	int status;

	memset(check, 0, sizeof(*check));
	check->json = json_array();
	set_defaults(check, health_check_words);
	status = read_object(service, false, check);
	status = status ? status : read_object(backend, true, check);
	status = status ? status : health_rules(check, place);
	if (status)
		health_free(check);
	return status;
}

static int load(const char *text, json_t **object)
{
	json_error_t error;

	*object = NULL;
	if (!text || !*text)
		return LBADM_OK;
	*object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	return *object ? LBADM_OK :
	       usage_error("health-check: %d:%d: %s", error.line, error.column,
			   error.text);
}

int health_read_text(const char *service, const char *backend,
		     const struct health_place *place, struct health_check *check)
{
	json_t *of_service = NULL, *of_backend = NULL;
	int status;

	memset(check, 0, sizeof(*check));
	status = load(service, &of_service);
	status = status ? status : load(backend, &of_backend);
	status = status ? status : health_read(of_service, of_backend, place, check);
	json_decref(of_service);
	json_decref(of_backend);
	return status;
}

void health_free(struct health_check *check)
{
	json_decref(check->json);
	check->json = NULL;
}
