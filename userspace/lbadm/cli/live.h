/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What there is to be completed: services, backends, devices, ...
 */
#ifndef LBADM_LIVE_H
#define LBADM_LIVE_H

#include "model/vocabulary.h"

/* What was typed before: the last service, as its two words; NULL for none */
struct live_context {
	char *protocol, *vip;
};

/* Offer a candidate; @about may be NULL. */
void offer(const char *word, const char *about);

/**
 * live_offer() - offer what there is
 * @live: of which kind
 * @context: what was typed before
 * @protocol: of LIVE_SERVICE, if that is typed already
 *
 * What cannot be read is not offered.
 */
void live_offer(enum live live, const struct live_context *context,
		const char *protocol);

#endif /* LBADM_LIVE_H */
