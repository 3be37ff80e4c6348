/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may begin connections, and how many: for each service a chain of the table
 * "nflb" of nftables.
 */
#ifndef LBADM_POLICY_H
#define LBADM_POLICY_H

#include <jansson.h>

#include "model/request.h"

/* A prefix as text, host bits cleared */
#define PREFIX_TEXT_MAX (ADDR_TEXT_MAX + 4)

/* Words for units of a rate, ended by NULL */
extern const char *const policy_units[];

/**
 * policy_name() - the name of a service's chain
 * @name: where to, POLICY_NAME_MAX bytes
 * @id: the service
 */
#define POLICY_NAME_MAX 80
void policy_name(char *name, const struct service_id *id);

/**
 * policies_read() - all policies, from what nftables has
 * @objects: from nft_list(), may be NULL
 *
 * Returns a new reference, an array of objects: protocol, address, port as of a
 * service; "deny" and "allow", arrays of prefixes; "rate" ("10/second") and
 * "burst"; and "dropped", counters by the same words.
 */
json_t *policies_read(const json_t *objects);

/* The policy of a service; a borrowed reference, or NULL. */
json_t *policy_find(const json_t *policies, const struct service_id *id);

/**
 * policy_write() - the transaction that makes a service's policy so
 * @id: the service
 * @policies: all, as policies_read() found them
 * @policy: as it is to be; NULL for none
 *
 * Returns commands for nft_run(), to be freed.
 */
char *policy_write(const struct service_id *id, const json_t *policies,
		   const json_t *policy);

#endif /* LBADM_POLICY_H */
