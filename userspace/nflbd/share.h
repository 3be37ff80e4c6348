/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets that are checked alike share one check: those with the same address, port and
 * effective keys. One of them leads: it has the timer.
 */
#ifndef NFLBD_SHARE_H
#define NFLBD_SHARE_H

#include "target.h"

struct share;

/* Join those that are checked alike. Returns whether @target leads. Again: the same. */
bool share_join(struct target *target);

/* Leave them. Returns the target that leads instead, if @target did, or NULL. */
struct target *share_leave(struct target *target);

/* The one that leads: @target itself if it shares with none. */
struct target *share_leader(const struct target *target);

/* The next one of them after @target, or NULL */
struct target *share_next(const struct target *target);

/* How many there are */
size_t share_count(const struct target *target);

/* Between these, a target that leaves gets no successor. The last returns who leads then. */
struct share *share_hold(struct target *target);
struct target *share_release(struct share *share);

#endif /* NFLBD_SHARE_H */
