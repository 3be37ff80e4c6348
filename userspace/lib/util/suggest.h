/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "Did you mean": the known word that is nearest to one that is not known.
 */
#ifndef LBADM_SUGGEST_H
#define LBADM_SUGGEST_H

#include <stddef.h>

#define SUGGEST_MAX 2
#define SUGGEST_TEXT_MAX 160

/**
 * struct suggestion - the nearest words so far
 * @word: the typed word
 * @best: the nearest known words
 * @count: how many are as near; more than SUGGEST_MAX are too many to suggest
 * @distance: how far away they are
 */
struct suggestion {
	const char *word;
	const char *best[SUGGEST_MAX];
	unsigned int count, distance;
};

void suggest_begin(struct suggestion *s, const char *word);
/* A known word; it has to last. */
void suggest_try(struct suggestion *s, const char *known);
/* "did you mean A or B?", or "" if nothing is near. Returns @buf. */
const char *suggest_text(const struct suggestion *s, char buf[SUGGEST_TEXT_MAX]);

#endif /* LBADM_SUGGEST_H */
