/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the program counts since its start.
 */
#ifndef NFLBD_FIGURES_H
#define NFLBD_FIGURES_H

#include <jansson.h>
#include <stdint.h>

#include "model/health.h"
#include "result.h"

/* A check ended. */
void figures_check(enum health_protocol protocol, enum result_kind kind);

/* A check began so many microseconds after it was due. */
void figures_late(uint64_t us);

/* A verdict changed; a result was shared by one more backend; verdicts were sent. */
void figures_change(void);
void figures_shared(void);
void figures_message(void);

/* The answer of an agent; 0 if it was none */
void figures_agent(int good);

/* All of them, and those of the process. A new reference. */
json_t *figures_json(void);

#endif /* NFLBD_FIGURES_H */
