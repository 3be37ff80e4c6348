// SPDX-License-Identifier: GPL-2.0
/*
 * A line of words: "up 50%", "drain", "down # disk full", "ready,up,100% maxconn:30".
 * A description may follow a word of the operational state, after "#".
 */
#include "answer.h"

#include <string.h>

#define SEPARATORS " \t,;"

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(text, word, len);
}

/* "50%"; more than 100 is as much as is configured. */
static bool read_weight(struct answer_state *state, const char *text, size_t len)
{
	unsigned int percent = 0;
	size_t i;

	if (len < 2 || text[len - 1] != '%')
		return false;
	for (i = 0; i < len - 1; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		percent = percent * 10 + text[i] - '0';
		percent = percent > 100 ? 100 : percent;
	}
	state->weight = percent;
	return true;
}

static bool read_word(struct answer_state *state, const char *text, size_t len)
{
	static const char *const downs[] = { "down", "fail", "stopped" };
	size_t i;

	for (i = 0; i < sizeof(downs) / sizeof(downs[0]); i++)
		if (is_word(text, len, downs[i])) {
			state->down = true;
			state->word = downs[i];
			return true;
		}
	if (is_word(text, len, "up"))
		state->down = false;
	else if (is_word(text, len, "ready"))
		state->drain = state->maint = false;
	else if (is_word(text, len, "drain"))
		state->drain = true;
	else if (is_word(text, len, "maint"))
		state->maint = true;
	else
		return (len > 8 && !memcmp(text, "maxconn:", 8)) ||
		       read_weight(state, text, len);
	return true;
}

static size_t line_length(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len && text[i] != '\n' && text[i] != '\r' && text[i] != '#'; i++)
		;
	return i;
}

bool answer_read(struct answer_state *state, const char *text, size_t len)
{
	struct answer_state after = *state;
	size_t i = 0, begin, words = 0;

	len = line_length(text, len);
	while (i < len) {
		if (text[i] && strchr(SEPARATORS, text[i])) {
			i++;
			continue;
		}
		begin = i;
		while (i < len && !(text[i] && strchr(SEPARATORS, text[i])))
			i++;
		if (!read_word(&after, text + begin, i - begin))
			return false;
		words++;
	}
	if (words)
		*state = after;
	return words;
}
