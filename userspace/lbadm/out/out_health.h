/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What nflbd says about checks, as text.
 */
#ifndef LBADM_OUT_HEALTH_H
#define LBADM_OUT_HEALTH_H

#include "out/grid.h"

/* Cells: "http 200 in 1.8 ms", and "0.9 s" until the next check. NULL without a checker */
const char *text_check(char buf[CELL_MAX], const json_t *backend);
const char *text_next(char buf[CELL_MAX], const json_t *backend);

/* A line: a step of a check or its result; an event */
void out_health_step(const json_t *line);
void out_health_event(const json_t *event);

#endif /* LBADM_OUT_HEALTH_H */
