/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The output of `watch`: totals, drops, and the busiest services.
 */
#ifndef LBADM_OUT_WATCH_H
#define LBADM_OUT_WATCH_H

#include <jansson.h>
#include <stdio.h>

/* Sort keys, in the order of watch_sort_names */
enum watch_sort {
	WATCH_CONNECTIONS,
	WATCH_PACKETS,
	WATCH_BYTES,
	WATCH_ACTIVE,
};

/**
 * watch_sort() - put the busiest services first, and of each the busiest backends
 * @services: as `service show -s -s` has them; changed
 * @by: the sort key
 */
void watch_sort(json_t *services, enum watch_sort by);

/**
 * out_watch() - print one picture
 * @to: where
 * @sample: an object with "stats" and "services", of which @rates says whether
 *	they have rates
 * @by: how services are sorted
 * @width: of a line, 0 without a limit
 * @rows: services and backends at most, 0 without a limit
 *
 * Returns enum lbadm_exit, with a message on errors in --output.
 */
int out_watch(FILE *to, const json_t *sample, enum watch_sort by, size_t width,
	      size_t rows);

#endif /* LBADM_OUT_WATCH_H */
