/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may begin connections, and how many: for each service a chain of the table
 * "nflb" of nftables.
 */
#ifndef LBADM_POLICY_H
#define LBADM_POLICY_H

#include <jansson.h>

#include "model/request.h"

#define NFT_TABLE "inet nflb"

/* A prefix as text, host bits cleared */
#define PREFIX_TEXT_MAX (ADDR_TEXT_MAX + 4)

/* Most connections of a rate, and of a burst */
#define POLICY_RATE_MAX 1000000000

/* Words for units of a rate, ended by NULL */
extern const char *const policy_units[];

struct prefix_text {
	struct addr addr;
	uint32_t length;
	char text[PREFIX_TEXT_MAX];
};

/* Each takes its words and changes @policy, with a message on errors. */

/* The next prefix of a list, as it is kept. */
int policy_next_prefix(struct words *words, const struct service_id *id,
		       struct prefix_text *prefix);
int policy_add_prefixes(struct words *words, const struct service_id *id,
			json_t *policy, const char *key);
/* N/UNIT [burst N] */
int policy_parse_rate(struct words *words, json_t *policy);

/* Is nothing left of it? */
bool policy_is_empty(const json_t *policy);

/**
 * policy_read() - a policy of a configuration
 * @object: as the file has it
 * @id: its service
 * @policy: set to a new reference, as policies_read() would find it
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int policy_read(const json_t *object, const struct service_id *id,
		json_t **policy);

/**
 * policy_name() - the name of a service's chain
 * @name: where to, POLICY_NAME_MAX bytes
 * @id: the service
 */
#define POLICY_NAME_MAX 80
void policy_name(char *name, const struct service_id *id);

/**
 * policies_read() - all policies, from the table of nftables
 * @objects: from nft_list(), may be NULL
 *
 * Returns a new reference, an array of objects: protocol, address, port as of a
 * service; "deny" and "allow", arrays of prefixes; "rate" ("10/second") and
 * "burst"; "dropped", counters by the same words; and "config", true for one that
 * was made from a configuration.
 */
json_t *policies_read(const json_t *objects);

/* The policy of a service; a borrowed reference, or NULL. */
json_t *policy_find(const json_t *policies, const struct service_id *id);

/* The service of a policy. */
void policy_id(struct service_id *id, const json_t *policy);

/* Put @policy, of which this takes a reference, in the place of a service's. */
void policy_replace(json_t *policies, const struct service_id *id,
		    json_t *policy);
void policy_remove(json_t *policies, const struct service_id *id);

/* Do two say the same, whatever they counted and wherever they come from? */
bool policy_same(const json_t *a, const json_t *b);

/**
 * policies_change() - the transaction from some policies to others
 * @before: all that there are
 * @after: all that there are to be
 *
 * Policies that stay the same keep their counters and rates. Returns commands for
 * nft_run(), to be freed; NULL if there is nothing to do.
 */
char *policies_change(const json_t *before, const json_t *after);

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
