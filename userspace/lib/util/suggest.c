// SPDX-License-Identifier: GPL-2.0
/*
 * "Did you mean"
 */
#include "util/suggest.h"

#include <stdio.h>
#include <string.h>

/* Longer words are not compared. */
#define LENGTH_MAX 32

static unsigned int min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * How many letters have to be added, taken away, changed, or swapped with their
 * neighbour (optimal string alignment).
 */
static unsigned int distance_of(const char *a, const char *b)
{
	unsigned int d[LENGTH_MAX + 1][LENGTH_MAX + 1];
	size_t m = strlen(a), n = strlen(b), i, j;

	for (i = 0; i <= m; i++)
		d[i][0] = i;
	for (j = 0; j <= n; j++)
		d[0][j] = j;
	for (i = 1; i <= m; i++)
		for (j = 1; j <= n; j++) {
			d[i][j] = min(min(d[i - 1][j], d[i][j - 1]) + 1,
				      d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[m][n];
}

void suggest_begin(struct suggestion *s, const char *word)
{
	size_t length = strlen(word);

	*s = (struct suggestion){ .word = word };
	/* No farther than this; a short word is near to too many. */
	s->distance = length < 3 ? 0 : length < 6 ? 1 : length < 9 ? 2 : 3;
}

void suggest_try(struct suggestion *s, const char *known)
{
	size_t length = strlen(s->word);
	unsigned int distance;

	if (!length || length > LENGTH_MAX || strlen(known) > LENGTH_MAX)
		return;
	distance = distance_of(s->word, known);
	/* A beginning is as good as one wrong letter. */
	if (length > 1 && !strncmp(s->word, known, length))
		distance = min(distance, 1);
	else if (distance > s->distance)
		return;
	if (distance < s->distance)
		s->count = 0;
	else if (distance > s->distance && s->count)
		return;
	s->distance = distance;
	if (s->count < SUGGEST_MAX)
		s->best[s->count] = known;
	s->count++;
}

const char *suggest_text(const struct suggestion *s, char buf[SUGGEST_TEXT_MAX])
{
	buf[0] = '\0';
	if (s->count && s->count <= SUGGEST_MAX)
		snprintf(buf, SUGGEST_TEXT_MAX, "did you mean %s%s%s?",
			 s->best[0], s->count > 1 ? " or " : "",
			 s->count > 1 ? s->best[1] : "");
	return buf;
}
