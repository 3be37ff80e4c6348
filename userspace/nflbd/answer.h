/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The answers of agents, in HAProxy's words. Pure functions on bytes.
 */
#ifndef NFLBD_ANSWER_H
#define NFLBD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of an answer that count */
#define ANSWER_MAX_BYTES 256

/**
 * struct answer_state - what an agent has lowered
 * @weight: percent
 * @drain: no new connections, those that there are go on
 * @maint: taken away by the host's administrator
 * @down: the agent says that the server is down
 * @word: of @down: "down", "fail" or "stopped"
 */
struct answer_state {
	uint8_t weight;
	bool drain, maint, down;
	const char *word;
};

/* Nothing is lowered. */
#define ANSWER_NOTHING ((struct answer_state){ .weight = 100 })

/**
 * answer_read() - apply an answer, whole or not at all
 * @state: changed
 * @text: the first line, or more than it
 * @len: of @text
 *
 * Returns whether it was an answer.
 */
bool answer_read(struct answer_state *state, const char *text, size_t len);

#endif /* NFLBD_ANSWER_H */
