/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Local addresses: the source addresses of mode fullnat towards backends.
 */
#ifndef NFLB_LADDR_H
#define NFLB_LADDR_H

#include <linux/rcupdate.h>
#include <linux/nflb.h>

#include "nflb.h"
#include "packet/tuple.h"

struct nflb_backend;
struct nflb_net;

/* Ports from @first to @last. */
struct nflb_port_range {
	u16 first;
	u16 last;
};

/* Is there hardly another local port? */
enum nflb_shortage {
	NFLB_SHORTAGE_NONE,
	NFLB_SHORTAGE,		/* some were taken in a row */
	NFLB_SHORTAGE_SEVERE,	/* many were, by connections that are assured */
};

/**
 * struct nflb_laddr - successive addresses with the same ports
 * @first: the lowest address
 * @addr_count: how many
 * @family: theirs
 * @ports: range of usable ports
 * @excluded_count: length of @excluded
 * @excluded: exceptions from @ports, ascending and disjoint
 * @port_count: ports that an address has
 * @start: ports that all before it in the pool have
 */
struct nflb_laddr {
	union nflb_addr		first;
	u32			addr_count;
	u8			family;
	struct nflb_port_range	ports;
	u8			excluded_count;
	struct nflb_port_range	excluded[NFLB_LADDR_EXCLUDED_MAX];
	u32			port_count;
	u32			start;
};

/**
 * struct nflb_laddr_pool - all local addresses of a family, immutable
 * @rcu: to free it
 * @total: ports of all addresses
 * @half_bits: 2 to the power of twice this is not less than @total
 * @count: length of @laddrs
 * @laddrs: in order of creation
 */
struct nflb_laddr_pool {
	struct rcu_head		rcu;
	u32			total;
	u8			half_bits;
	u32			count;
	struct nflb_laddr	laddrs[];
};

/* Index of a family's pool in nflb_net.laddrs. */
static inline unsigned int nflb_laddr_index(u8 family)
{
	return family == AF_INET6;
}

/* Less than, equal to or greater than 0, as @a is to @b. */
static inline int nflb_laddr_compare(const union nflb_addr *a,
				     const union nflb_addr *b, u8 family)
{
	return memcmp(a, b, family == AF_INET ? sizeof(a->ip) :
						sizeof(a->in6));
}

void nflb_laddr_init(void);
void nflb_laddr_addr(const struct nflb_laddr *laddr, u32 n,
		     union nflb_addr *addr);
void nflb_laddr_pool_finish(struct nflb_laddr_pool *pool);
void nflb_laddr_at(const struct nflb_laddr_pool *pool, u32 n,
		   union nflb_addr *addr, __be16 *port);
bool nflb_laddr_has(const struct nflb_net *nn, const union nflb_addr *addr,
		    __be16 port, u8 family);
u32 nflb_laddr_permute(const struct nflb_laddr_pool *pool, u32 n, u32 salt);
bool nflb_laddr_fixed(struct nflb_net *nn, const struct nflb_backend *backend,
		      u32 client, unsigned int attempt, struct nflb_tuple *out,
		      enum nflb_reason *reason);
bool nflb_laddr_next(struct nflb_net *nn, struct nflb_backend *backend,
		     unsigned int attempt, struct nflb_tuple *out,
		     enum nflb_reason *reason);
bool nflb_laddr_peek(struct nflb_net *nn, const struct nflb_backend *backend,
		     unsigned int attempt, struct nflb_tuple *out,
		     enum nflb_reason *reason);
enum nflb_shortage nflb_laddr_short(const struct nflb_net *nn,
				    const struct nflb_backend *backend,
				    unsigned int attempt, u8 family);

#endif /* NFLB_LADDR_H */
