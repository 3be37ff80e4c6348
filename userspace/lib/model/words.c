// SPDX-License-Identifier: GPL-2.0
/*
 * The words of a command, one after the other.
 */
#include <string.h>

#include "model/request.h"

const char *words_peek(const struct words *words)
{
	return words->argc ? words->argv[0] : NULL;
}

const char *words_next(struct words *words)
{
	if (!words->argc)
		return NULL;
	words->argc--;
	return *words->argv++;
}

bool words_accept(struct words *words, const char *word)
{
	if (!words->argc || strcmp(words->argv[0], word))
		return false;
	words_next(words);
	return true;
}

int words_end(const struct words *words)
{
	if (!words->argc)
		return LBADM_OK;
	return usage_error("unexpected word \"%s\"", words->argv[0]);
}

int words_once(struct words_seen *seen, const char *key)
{
	unsigned int i;

	for (i = 0; i < seen->count; i++)
		if (!strcmp(seen->keys[i], key))
			return usage_error("%s is there twice", key);
	if (seen->count < WORDS_SEEN_MAX)
		seen->keys[seen->count++] = key;
	return LBADM_OK;
}
