// SPDX-License-Identifier: GPL-2.0
/*
 * Two checks with the same key have the same result.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/health.h"
#include "model/vocabulary.h"

/* Keys that decide about a result's consequences, and not about the result */
static bool is_other(const struct word *word)
{
	static const char *const others[] = { "agent", "passive", "damping", "dry-run" };
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(others[i], word->name))
			return true;
	return word->flags & WORD_SERVICE;
}

static void write_text(FILE *to, const char *text)
{
	if (text)
		fprintf(to, "%zu:%s", strlen(text), text);
}

static void write_json(FILE *to, const json_t *value)
{
	if (value)
		json_dumpf(value, to, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

static void write_value(FILE *to, const struct word *word, const void *field)
{
	const struct kind *kind = word->kind;
	const void *pointer;
	uint32_t number;

	if (!kind) {
		fputc(*(const bool *)field ? '1' : '0', to);
	} else if (kind->names || kind->json == JSON_KIND_NUMBER ||
		   kind->json == JSON_KIND_SECONDS) {
		memcpy(&number, field, sizeof(number));
		fprintf(to, "%" PRIu32, number);
	} else {
		memcpy(&pointer, field, sizeof(pointer));
		if (kind->json == JSON_KIND_STRING)
			write_text(to, pointer);
		else
			write_json(to, pointer);
	}
}

static void write_keys(FILE *to, const struct word *list, const struct health_check *check)
{
	for (; list->name; list++) {
		if (is_other(list))
			continue;
		if (list->kind && list->kind->keys)
			write_keys(to, list->kind->keys, check);
		else
			write_value(to, list, (const char *)check + list->offset);
		fputc(',', to);
	}
}

char *health_key(const struct health_check *check)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	write_keys(to, health_check_words, check);
	return fclose(to) ? NULL : text;
}
