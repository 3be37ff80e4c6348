/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The backends of a host in all services.
 */
#ifndef LBADM_BACKEND_HOST_H
#define LBADM_BACKEND_HOST_H

#include "model/request.h"
#include "model/vocabulary.h"

/**
 * backend_host_state() - set the state of all backends of a host
 * @words: HOST, and the words after it
 * @list: the words that may follow it, of a struct backend_request; or NULL
 * @state: the state
 *
 * Prints how many there are. Returns enum lbadm_exit, with a message on errors: all
 * backends are as they were then, or a message names those that are not.
 */
int backend_host_state(struct words *words, const struct word *list,
		       enum nflb_backend_state state);

#endif /* LBADM_BACKEND_HOST_H */
