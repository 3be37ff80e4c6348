/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Completion of existing objects: services, backends, devices, ...
 */
#ifndef LBADM_LIVE_H
#define LBADM_LIVE_H

#include "model/vocabulary.h"

/* The last service on the line, as its two words; NULL if there is none */
struct live_context {
	char *protocol, *vip;
};

/* Offer a candidate; @about may be NULL. */
void offer(const char *word, const char *about);

/**
 * live_offer() - offer existing objects
 * @live: of which kind
 * @context: the words before
 * @protocol: of LIVE_SERVICE, if that is typed already
 *
 * Offers nothing that cannot be read.
 */
void live_offer(enum live live, const struct live_context *context,
		const char *protocol);

#endif /* LBADM_LIVE_H */
