/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table "nflb" of nftables: read, and changed by transactions of nft's own
 * library.
 */
#ifndef LBADM_NFT_H
#define LBADM_NFT_H

#include <jansson.h>

/**
 * nft_run() - one transaction, in nft's language
 * @commands: a transaction: all of them take effect, or none
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int nft_run(const char *commands);

/**
 * nft_try_list() - the same as nft_list(), but silent
 * @objects: set as by nft_list()
 * @why: the error
 * @size: of @why
 *
 * Returns enum lbadm_exit.
 */
int nft_try_list(json_t **objects, char *why, size_t size);

/**
 * nft_list() - the contents of the table, as libnftables-json(5) describes them
 * @objects: set to a new reference, an array; NULL when there is no table
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int nft_list(json_t **objects);

#endif /* LBADM_NFT_H */
