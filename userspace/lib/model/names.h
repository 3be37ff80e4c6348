/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words for numbers of the protocol.
 */
#ifndef LBADM_NAMES_H
#define LBADM_NAMES_H

#include <stddef.h>

#include "util/suggest.h"

/**
 * struct names - words, by number
 * @what: their kind, for messages
 * @names: the words
 * @count: how many
 * @about: a line on each, for help; or NULL
 */
struct names {
	const char *what;
	const char *const *names;
	size_t count;
	const char *const *about;
};

extern const struct names protocol_names, verdict_names, mode_names, encap_names,
	backend_state_names, conn_state_names, health_names, health_initial_names,
	on_unhealthy_names, when_none_names, scheduler_names, verdict_word_names,
	policy_list_names, when_names, watch_sort_names;

/* The number of a word, or -1. */
int names_find(const struct names *names, const char *word);
/* The word of a number, or NULL for one from a newer kernel. */
const char *names_get(const struct names *names, unsigned int number);
/* All words, "a, b or c". Returns @buf. */
const char *names_list(const struct names *names, char *buf, size_t size);

/* "did you mean a or b?", or "" if no word is near. Returns @buf. */
const char *names_suggest(const struct names *names, const char *word,
			  char buf[SUGGEST_TEXT_MAX]);

/* The reason of a verdict that was set by hand */
#define HEALTH_FORCED "forced"

#endif /* LBADM_NAMES_H */
