/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits for the root of a user namespace.
 */
#ifndef NFLB_USERNS_H
#define NFLB_USERNS_H

#include <linux/netlink.h>
#include <linux/types.h>

#include "netns.h"

struct kmem_cache;

/* The counted objects */
enum nflb_user_what {
	NFLB_USER_CONNECTIONS,
	NFLB_USER_PERSISTENT,	/* clients that are remembered */
	NFLB_USER_SERVICES,
	NFLB_USER_BACKENDS,
	NFLB_USER_SLOTS,	/* of schedulers' tables, two bytes each */
	NFLB_USER_LADDRS,	/* ranges */
	NFLB_USER_COUNT
};

/* The sysctls net.nflb.user_max_*, of the host's first network namespace */
extern int nflb_user_max[NFLB_USER_COUNT];

int nflb_user_init(struct nflb_net *nn);
void nflb_user_exit(struct nflb_net *nn);
void nflb_user_begin(struct nflb_net *nn);

int nflb_user_charge(struct nflb_net *nn, enum nflb_user_what what, u32 n,
		     struct netlink_ext_ack *extack);
void nflb_user_less(struct nflb_user *user, enum nflb_user_what what, u32 n);
bool nflb_user_has_all(const struct nflb_user *user, enum nflb_user_what what);
void *nflb_user_zalloc(struct nflb_net *nn, enum nflb_user_what what,
		       struct kmem_cache *cache, size_t size);

/**
 * nflb_user_uncharge() - a namespace has less
 * @nn: the namespace
 * @what: of what
 * @n: how much less
 *
 * Context: any.
 */
static inline void nflb_user_uncharge(struct nflb_net *nn,
				      enum nflb_user_what what, u32 n)
{
	if (unlikely(nn->user))
		nflb_user_less(nn->user, what, n);
}

/**
 * nflb_user_full() - has a user as much as there may be?
 * @nn: a namespace
 * @what: of what
 *
 * Context: any. Return: false for the host.
 */
static inline bool nflb_user_full(const struct nflb_net *nn,
				  enum nflb_user_what what)
{
	return unlikely(nn->user) && nflb_user_has_all(nn->user, what);
}

#endif /* NFLB_USERNS_H */
