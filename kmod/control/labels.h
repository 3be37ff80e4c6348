/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names and comments of services and backends.
 */
#ifndef NFLB_LABELS_H
#define NFLB_LABELS_H

#include "service/service.h"

/**
 * struct nflb_labels_change - labels that an object is to get
 * @changed: which
 * @text: the new ones; the old ones after nflb_labels_swap()
 */
struct nflb_labels_change {
	bool	changed[NFLB_LABEL_COUNT];
	char	*text[NFLB_LABEL_COUNT];
};

int nflb_labels_prepare(struct nflb_labels_change *change, char *const *have,
			const char *const *wanted, bool exact);
void nflb_labels_swap(struct nflb_labels_change *change, char **labels);
void nflb_labels_free(char **labels);

/* Would the change do anything? */
static inline bool nflb_labels_differ(const struct nflb_labels_change *change)
{
	return change->changed[NFLB_LABEL_NAME] ||
	       change->changed[NFLB_LABEL_COMMENT];
}

#endif /* NFLB_LABELS_H */
