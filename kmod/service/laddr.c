// SPDX-License-Identifier: GPL-2.0
/*
 * Which local address and port a new connection gets.
 *
 * (protocol, backend, local address, local port) must be unique. A lookup in the
 * connection table shows whether it is free, so there is no list of free ports, no lock
 * and nothing to release. One local port serves any number of backends.
 *
 * All ports of all local addresses, numbered, are walked in an order that is a
 * permutation of them: no port comes again before all others have come, which
 * keeps it as far as can be from a backend's TIME_WAIT. The permutation is a
 * Feistel network keyed with a secret, so that nobody outside can tell which
 * port comes next (RFC 6056), and another one for each backend.
 */
#include <linux/log2.h>
#include <linux/random.h>
#include <linux/siphash.h>

#include "service/laddr.h"
#include "service/service.h"
#include "netns.h"

/* How many ports that are taken may come before it is given up; */
#define TRIES		512U
/* and how many while it was given up less than so long ago. */
#define TRIES_EXHAUSTED	16U
#define EXHAUSTED_FOR	(HZ / 4)

/*
 * After how many tries ports are short, so that what is not assured has to give
 * way, and for how long this is then known beforehand. The order of ports makes
 * it the one that has had its port for longest, or nearly.
 */
#define TRIES_SHORT	4U
#define SHORT_FOR	(HZ / 4)
/* And after how many an assured one is evicted, if it may be forged and is silent */
#define TRIES_SEVERE	32U

/* Tries at ports that are the same ones each time: nflb_laddr_fixed() */
#define TRIES_FIXED	8U

#define ROUNDS		4

static hsiphash_key_t permutation_key __read_mostly;

/**
 * nflb_laddr_init() - choose the secret, once a module
 */
void nflb_laddr_init(void)
{
	get_random_bytes(&permutation_key, sizeof(permutation_key));
}

/**
 * nflb_laddr_addr() - one of successive addresses
 * @laddr: the addresses
 * @n: which, less than @laddr->addr_count
 * @addr: set to it
 */
void nflb_laddr_addr(const struct nflb_laddr *laddr, u32 n,
		     union nflb_addr *addr)
{
	u64 low;

	*addr = laddr->first;
	if (laddr->family == AF_INET) {
		addr->ip = htonl(ntohl(addr->ip) + n);
		return;
	}
	low = (u64)ntohl(addr->all[2]) << 32 | ntohl(addr->all[3]);
	low += n;
	addr->all[2] = htonl(low >> 32);
	addr->all[3] = htonl((u32)low);
}

/**
 * nflb_laddr_pool_finish() - number the ports of a pool
 * @pool: the pool; its addresses are there, the sum of ports fits in 31 bits
 */
void nflb_laddr_pool_finish(struct nflb_laddr_pool *pool)
{
	u32 i;

	pool->total = 0;
	for (i = 0; i < pool->count; i++) {
		struct nflb_laddr *l = &pool->laddrs[i];

		l->start = pool->total;
		pool->total += l->addr_count * l->port_count;
	}
	pool->half_bits = DIV_ROUND_UP(order_base_2(max(pool->total, 4U)), 2);
}
NFLB_EXPORT_KUNIT(nflb_laddr_pool_finish);

static u16 nth_port(const struct nflb_laddr *l, u32 n)
{
	u32 port = l->ports.first + n;
	int i;

	for (i = 0; i < l->excluded_count && port >= l->excluded[i].first; i++)
		port += l->excluded[i].last - l->excluded[i].first + 1;
	return port;
}

/**
 * nflb_laddr_at() - one of the ports of a pool
 * @pool: the pool
 * @n: which, less than @pool->total
 * @addr: set to its address
 * @port: set to it
 */
void nflb_laddr_at(const struct nflb_laddr_pool *pool, u32 n,
		   union nflb_addr *addr, __be16 *port)
{
	u32 low = 0, high = pool->count - 1;
	const struct nflb_laddr *l;

	while (low < high) {
		u32 middle = (low + high + 1) / 2;

		if (pool->laddrs[middle].start <= n)
			low = middle;
		else
			high = middle - 1;
	}
	l = &pool->laddrs[low];
	n -= l->start;
	/* Successive ones have other addresses. */
	nflb_laddr_addr(l, n % l->addr_count, addr);
	*port = htons(nth_port(l, n / l->addr_count));
}
NFLB_EXPORT_KUNIT(nflb_laddr_at);

static bool has_port(const struct nflb_laddr *l, u16 port)
{
	int i;

	if (port < l->ports.first || port > l->ports.last)
		return false;
	for (i = 0; i < l->excluded_count; i++)
		if (port >= l->excluded[i].first && port <= l->excluded[i].last)
			return false;
	return true;
}

/**
 * nflb_laddr_has() - may a connection have this local address and port?
 * @nn: the namespace
 * @addr: the address
 * @port: the port
 * @family: of the address
 *
 * Context: rcu_read_lock() held. Return: whether they are among those configured.
 */
bool nflb_laddr_has(const struct nflb_net *nn, const union nflb_addr *addr,
		    __be16 port, u8 family)
{
	const struct nflb_laddr_pool *pool;
	union nflb_addr last;
	u32 i;

	pool = rcu_dereference(nn->laddrs[nflb_laddr_index(family)]);
	for (i = 0; pool && i < pool->count; i++) {
		const struct nflb_laddr *l = &pool->laddrs[i];

		nflb_laddr_addr(l, l->addr_count - 1, &last);
		if (nflb_laddr_compare(addr, &l->first, family) >= 0 &&
		    nflb_laddr_compare(addr, &last, family) <= 0 &&
		    has_port(l, ntohs(port)))
			return true;
	}
	return false;
}

static u32 feistel(u32 n, u8 half_bits, u32 salt)
{
	u32 mask = (1U << half_bits) - 1;
	u32 left = n >> half_bits, right = n & mask;
	u32 round, next;

	for (round = 0; round < ROUNDS; round++) {
		next = left ^ (hsiphash_3u32(right, round, salt,
					     &permutation_key) & mask);
		left = right;
		right = next;
	}
	return left << half_bits | right;
}

/**
 * nflb_laddr_permute() - the place of a number in the pool's order
 * @pool: the pool
 * @n: a number less than @pool->total
 * @salt: which permutation
 *
 * The network permutes the numbers up to a power of four. A result outside of the pool is
 * permuted again, on average four times at most.
 *
 * Return: a number less than @pool->total; another for each @n.
 */
u32 nflb_laddr_permute(const struct nflb_laddr_pool *pool, u32 n, u32 salt)
{
	do
		n = feistel(n, pool->half_bits, salt);
	while (n >= pool->total);
	return n;
}
NFLB_EXPORT_KUNIT(nflb_laddr_permute);

/* All twice, if they are few: the second pass at the latest evicts their holders. */
static unsigned int tries(const struct nflb_backend *backend, u32 total)
{
	u32 since = nflb_now() - READ_ONCE(backend->ports_exhausted);

	return min(2 * total, since < EXHAUSTED_FOR ? TRIES_EXHAUSTED : TRIES);
}

/* After how many tries an assured connection is evicted, if it is not proven. */
static unsigned int tries_severe(const struct nflb_backend *backend, u32 total)
{
	return min3(total, TRIES_SEVERE, tries(backend, total) / 2);
}

/* May connections that are not assured be evicted for the next one? */
static bool tried_enough(const struct nflb_laddr_pool *pool,
			 unsigned int attempt)
{
	return attempt + 1 >= min(pool->total, TRIES_SHORT);
}

static void nth(const struct nflb_laddr_pool *pool,
		const struct nflb_backend *backend, u32 n,
		struct nflb_tuple *out)
{
	n = nflb_laddr_permute(pool, n % pool->total, backend->port_salt);
	nflb_laddr_at(pool, n, &out->dst, &out->dport);
}

/* For attempt number @attempt at a connection; or NULL, with a reason. */
static const struct nflb_laddr_pool *
pool_for(const struct nflb_net *nn, const struct nflb_backend *backend,
	 unsigned int attempt, u8 family, enum nflb_reason *reason)
{
	const struct nflb_laddr_pool *pool;

	pool = rcu_dereference(nn->laddrs[nflb_laddr_index(family)]);
	if (pool && attempt < tries(backend, pool->total))
		return pool;
	*reason = pool ? NFLB_REASON_PORTS_EXHAUSTED :
			 NFLB_REASON_NO_LOCAL_ADDRESS;
	return NULL;
}

/**
 * nflb_laddr_next() - a local address and port to try for a new connection
 * @nn: the namespace
 * @backend: where it goes
 * @attempt: how many were tried for it, and were taken
 * @out: dst and dport are set; family is that of the backend
 * @reason: why not, when false is returned
 *
 * Context: rcu_read_lock() held. Return: true when @out is set.
 */
bool nflb_laddr_next(struct nflb_net *nn, struct nflb_backend *backend,
		     unsigned int attempt, struct nflb_tuple *out,
		     enum nflb_reason *reason)
{
	const struct nflb_laddr_pool *pool;

	pool = pool_for(nn, backend, attempt, out->family, reason);
	if (unlikely(attempt && pool && tried_enough(pool, attempt)))
		WRITE_ONCE(backend->ports_short, nflb_now());
	if (pool)
		nth(pool, backend, atomic_inc_return(&backend->port_cursor),
		    out);
	else if (*reason == NFLB_REASON_PORTS_EXHAUSTED)
		WRITE_ONCE(backend->ports_exhausted, nflb_now());
	return pool;
}

/**
 * nflb_laddr_peek() - return the choice of nflb_laddr_next(), without side effects
 * @nn: the namespace
 * @backend: where it goes
 * @attempt: how many were tried for it, and were taken
 * @out: dst and dport are set; family is that of the backend
 * @reason: why not, when false is returned
 *
 * Context: rcu_read_lock() held. Return: true when @out is set.
 */
bool nflb_laddr_peek(struct nflb_net *nn, const struct nflb_backend *backend,
		     unsigned int attempt, struct nflb_tuple *out,
		     enum nflb_reason *reason)
{
	const struct nflb_laddr_pool *pool;

	pool = pool_for(nn, backend, attempt, out->family, reason);
	if (pool)
		nth(pool, backend,
		    atomic_read(&backend->port_cursor) + attempt + 1, out);
	return pool;
}

/**
 * nflb_laddr_fixed() - a local address and port that depend on the client
 * @nn: the namespace
 * @backend: where it goes
 * @client: a number of the client's, which nobody else can tell
 * @attempt: how many were tried, and were taken
 * @out: dst and dport are set; family is that of the backend
 * @reason: why not, when false is returned
 *
 * Context: rcu_read_lock() held. Return: true when @out is set.
 */
bool nflb_laddr_fixed(struct nflb_net *nn, const struct nflb_backend *backend,
		      u32 client, unsigned int attempt, struct nflb_tuple *out,
		      enum nflb_reason *reason)
{
	const struct nflb_laddr_pool *pool;

	pool = pool_for(nn, backend, attempt, out->family, reason);
	if (!pool)
		return false;
	*reason = NFLB_REASON_PORTS_EXHAUSTED;
	if (attempt >= TRIES_FIXED)
		return false;
	nth(pool, backend, client % pool->total + attempt, out);
	return true;
}

/**
 * nflb_laddr_short() - is there hardly another local port for a new connection?
 * @nn: the namespace
 * @backend: where it goes
 * @attempt: how many were tried for it, and were taken
 * @family: that of the backend
 *
 * Context: rcu_read_lock() held. Return: how bad it is.
 */
enum nflb_shortage nflb_laddr_short(const struct nflb_net *nn,
				    const struct nflb_backend *backend,
				    unsigned int attempt, u8 family)
{
	const struct nflb_laddr_pool *pool;

	pool = rcu_dereference(nn->laddrs[nflb_laddr_index(family)]);
	if (!pool ||
	    attempt >= tries_severe(backend, pool->total))
		return NFLB_SHORTAGE_SEVERE;
	return tried_enough(pool, attempt) ||
	       nflb_now() - READ_ONCE(backend->ports_short) < SHORT_FOR ?
	       NFLB_SHORTAGE : NFLB_SHORTAGE_NONE;
}
