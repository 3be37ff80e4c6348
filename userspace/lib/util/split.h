/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A line of a batch into words.
 */
#ifndef LBADM_SPLIT_H
#define LBADM_SPLIT_H

#define SPLIT_WORDS_MAX 128
#define SPLIT_QUOTE (-1)
#define SPLIT_TOO_MANY (-2)

/* Split @line in place at blanks; "..." and '...' keep blanks, # begins a
 * comment. Returns how many words, SPLIT_QUOTE or SPLIT_TOO_MANY.
 */
int split_words(char *line, char *argv[SPLIT_WORDS_MAX]);

#endif /* LBADM_SPLIT_H */
