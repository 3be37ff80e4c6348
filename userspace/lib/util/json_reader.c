// SPDX-License-Identifier: GPL-2.0
/*
 * jansson tells the place of what is not JSON, but not that of a value which
 * cannot be used; so it is kept where the reader is.
 */
#define _GNU_SOURCE
#include "util/json_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/report.h"
#include "util/json_locate.h"
#include "util/suggest.h"

/* services, index, backends, index, health-check, command, index; and some */
#define DEPTH_MAX 12

/* The present place, for messages */
static struct {
	const char *name;
	const char *text;		/* NULL: no file */
	struct json_step path[DEPTH_MAX];
	size_t depth;
	bool at_key;
	char before[LBADM_WHERE_MAX];	/* of a batch, "FILE:LINE: " */
} reader;

static void locate(void)
{
	unsigned int line, column;

	if (!reader.text)
		return;
	json_locate(reader.text, reader.path, reader.depth, reader.at_key,
		    &line, &column);
	snprintf(lbadm_where, LBADM_WHERE_MAX, "%.200s%.250s:%u:%u: ",
		 reader.before, reader.name, line, column);
}

void json_enter_key(const char *key)
{
	reader.path[reader.depth++] = (struct json_step){ .key = key };
}

void json_enter_index(size_t index)
{
	reader.path[reader.depth++] = (struct json_step){ .index = index };
}

void json_leave(void)
{
	reader.depth--;
}

static bool is_kind(const json_t *value, enum json_kind kind)
{
	switch (kind) {
	case JSON_KIND_STRING: return json_is_string(value);
	case JSON_KIND_NUMBER: return json_is_integer(value);
	case JSON_KIND_BOOLEAN: return json_is_boolean(value);
	case JSON_KIND_NUMBER_OR_STRING:
		return json_is_integer(value) || json_is_string(value);
	case JSON_KIND_ARRAY: return json_is_array(value);
	case JSON_KIND_SECONDS: return json_is_number(value);
	case JSON_KIND_BOOLEAN_OR_STRING:
		return json_is_boolean(value) || json_is_string(value);
	default: return json_is_object(value);
	}
}

static const char *kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_KIND_STRING] = "a string",
		[JSON_KIND_NUMBER] = "a number",
		[JSON_KIND_BOOLEAN] = "true or false",
		[JSON_KIND_NUMBER_OR_STRING] = "a number or a string",
		[JSON_KIND_ARRAY] = "an array",
		[JSON_KIND_OBJECT] = "an object",
		[JSON_KIND_SECONDS] = "a number",
		[JSON_KIND_BOOLEAN_OR_STRING] = "true, false or a string",
	};

	return names[kind];
}

static int unknown_key(const struct json_key *keys, const char *key)
{
	char list[1024] = "", text[SUGGEST_TEXT_MAX];
	struct suggestion s;
	size_t used = 0;
	int status;

	suggest_begin(&s, key);
	for (; keys->name; keys++) {
		suggest_try(&s, keys->name);
		used += snprintf(list + used, sizeof(list) - used, "%s%s",
				 used ? ", " : "", keys->name);
	}
	json_enter_key(key);
	reader.at_key = true;
	if (*suggest_text(&s, text))
		status = usage_error("unknown key \"%s\"; %s", key, text);
	else
		status = usage_error("unknown key \"%s\"; there are: %s", key,
				     list);
	reader.at_key = false;
	json_leave();
	return status;
}

static int check_keys(const json_t *object, const struct json_key *keys,
		      const char *what, bool extensions)
{
	const char *name;
	json_t *value;
	int status = LBADM_OK;

	if (!json_is_object(object))
		return usage_error("%s is an object: {...}", what);
	json_object_foreach((json_t *)object, name, value) {
		const struct json_key *key = keys;

		while (key->name && strcmp(key->name, name))
			key++;
		if (!key->name && extensions && !strncmp(name, "x-", 2))
			continue;
		if (!key->name)
			return unknown_key(keys, name);
		if (is_kind(value, key->kind))
			continue;
		json_enter_key(name);
		status = usage_error("%s: %s is expected", name,
				     kind_name(key->kind));
		json_leave();
		return status;
	}
	return status;
}

int json_check_keys(const json_t *object, const struct json_key *keys,
		    const char *what)
{
	return check_keys(object, keys, what, false);
}

int json_check_keys_open(const json_t *object, const struct json_key *keys,
			 const char *what)
{
	return check_keys(object, keys, what, true);
}

/* All of a file, which ends where a NUL is; or NULL, having said why. */
static char *file_text(const char *name, size_t *len)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "r") : stdin;
	char *text = NULL;
	size_t size = 0;
	ssize_t got;

	if (!file) {
		usage_error("%s: %s", name, strerror(errno));
		return NULL;
	}
	errno = 0;
	got = getdelim(&text, &size, '\0', file);
	if (ferror(file) || (got < 0 && !feof(file))) {
		usage_error("%s: %s", name, strerror(errno));
		free(text);
		text = NULL;
	}
	*len = got < 0 ? 0 : got;
	if (file != stdin)
		fclose(file);
	return text;
}

int json_read(const char *name, int (*take)(json_t *json, void *data),
	      void *data)
{
	json_error_t error;
	json_t *json;
	char *text;
	size_t len;
	int status;

	text = file_text(name, &len);
	if (!text)
		return LBADM_USAGE;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		status = usage_error("%s:%d:%d: %s", name, error.line,
				     error.column, error.text);
		free(text);
		return status;
	}
	reader.name = name;
	reader.text = text;
	reader.depth = 0;
	snprintf(reader.before, LBADM_WHERE_MAX, "%s", lbadm_where);
	lbadm_locate = locate;
	status = take(json, data);
	lbadm_locate = NULL;
	reader.text = NULL;
	snprintf(lbadm_where, LBADM_WHERE_MAX, "%s", reader.before);
	free(text);
	return status;
}
