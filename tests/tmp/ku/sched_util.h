/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services of many backends, picks, and how they are spread.
 */
#ifndef NFLB_KUNIT_SCHED_UTIL_H
#define NFLB_KUNIT_SCHED_UTIL_H

#include "sched/sched.h"
#include "util.h"

#define KS_PICKS 1000000

/* A service with backends 0 to @count - 1, of @weights, or of 1 when NULL; in
 * the order of @order, unless it is NULL.
 */
struct nflb_service *ks_service(struct kunit *test, u8 family,
				const char *scheduler, const u32 *weights,
				u32 count, const u16 *order);
/* The same backends and no others, of new weights; 0 takes one out. */
void ks_reweigh(struct kunit *test, struct nflb_service *svc,
		const u32 *weights, u32 count);
void ks_done(struct nflb_service *svc);
/* The @i-th flow to a service. */
void ks_flow(struct nflb_tuple *tuple, const struct nflb_service *svc, u32 i);
/* The number of the backend picked, or -1. */
int ks_pick(struct nflb_service *svc, const struct nflb_tuple *tuple);
struct nflb_backend *ks_backend(struct nflb_service *svc, u32 number);
/* @picks picks, of flows from the @first on, counted by number. */
u32 *ks_count(struct kunit *test, struct nflb_service *svc, u32 count,
	      u32 first, u32 picks);
/* Expect shares by weight, within what chance does once in a billion times. */
void ks_expect_chance(struct kunit *test, const char *what, const u32 *seen,
		      const u32 *weights, u32 count, u32 picks);

#endif /* NFLB_KUNIT_SCHED_UTIL_H */
