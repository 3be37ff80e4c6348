// SPDX-License-Identifier: GPL-2.0
/*
 * A line of a batch into words.
 */
#include "util/split.h"

#include <string.h>

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Unquote one word to @to. Returns where it ends, or NULL for an open quote. */
static char *take_word(char *from, char *to)
{
	char quote = '\0';

	for (; *from && (quote || !is_blank(*from)); from++) {
		if (quote && *from == quote)
			quote = '\0';
		else if (!quote && (*from == '"' || *from == '\''))
			quote = *from;
		else
			*to++ = *from;
	}
	if (quote)
		return NULL;
	if (*from)
		from++;
	*to = '\0';
	return from;
}

int split_words(char *line, char *argv[SPLIT_WORDS_MAX])
{
	int count = 0;

	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line || *line == '#')
			return count;
		if (count == SPLIT_WORDS_MAX)
			return SPLIT_TOO_MANY;
		argv[count++] = line;
		line = take_word(line, line);
		if (!line)
			return SPLIT_QUOTE;
	}
}
