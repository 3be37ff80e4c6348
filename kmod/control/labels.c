// SPDX-License-Identifier: GPL-2.0
/*
 * Names and comments of services and backends. Packets never read them: they change
 * under nn->view, without a new snapshot.
 *
 * A change is prepared first, so that nothing can fail once it is visible.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "control/labels.h"

/**
 * nflb_labels_prepare() - copy the labels that a request changes
 * @change: set; for nflb_labels_free() of its text, whatever becomes of it
 * @have: labels that the object has
 * @wanted: labels of the request; NULL is not named, "" is none
 * @exact: a label that is not named is to go
 *
 * Context: process, nn->mutex held. Return: 0 or -ENOMEM, and @change is empty.
 */
int nflb_labels_prepare(struct nflb_labels_change *change, char *const *have,
			const char *const *wanted, bool exact)
{
	const char *text;
	int i;

	memset(change, 0, sizeof(*change));
	for (i = 0; i < NFLB_LABEL_COUNT; i++) {
		text = wanted[i];
		if (!text && exact)
			text = "";
		if (!text || !strcmp(text, have[i] ?: ""))
			continue;
		change->changed[i] = true;
		if (!*text)
			continue;
		change->text[i] = kstrdup(text, GFP_KERNEL_ACCOUNT);
		if (!change->text[i]) {
			nflb_labels_free(change->text);
			memset(change, 0, sizeof(*change));
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * nflb_labels_swap() - make a change, or undo it
 * @change: the change; gets the labels that it replaces
 * @labels: of the object; nn->view is held for writing, or nobody can find it
 */
void nflb_labels_swap(struct nflb_labels_change *change, char **labels)
{
	int i;

	for (i = 0; i < NFLB_LABEL_COUNT; i++)
		if (change->changed[i])
			swap(change->text[i], labels[i]);
}

/**
 * nflb_labels_free() - free labels
 * @labels: of an object that is freed, or of a change
 */
void nflb_labels_free(char **labels)
{
	int i;

	for (i = 0; i < NFLB_LABEL_COUNT; i++)
		kfree(labels[i]);
}
