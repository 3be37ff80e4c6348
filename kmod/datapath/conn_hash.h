/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hash of the connection table.
 *
 * Universal hashing with secret keys: no pair of tuples, however chosen, shares
 * a bucket more often than chance has it, as long as nobody sees the hashes
 * (Carter and Wegman). The tuple goes through NH with words of 64 bits (Black et
 * al., UMAC: Fast and Secure Message Authentication, 1999; also RFC 4418,
 * section 5.2.1), a product for every two words; the sum is then folded by
 * multiply-shift. A third of SipHash's instructions for IPv4, a sixth for IPv6.
 *
 * When chains are long all the same the table takes another seed, which is part
 * of the second step's key.
 */
#ifndef NFLB_CONN_HASH_H
#define NFLB_CONN_HASH_H

#include <linux/siphash.h>

#include "datapath/tuple.h"

/**
 * struct nflb_hash_key - secret
 * @nh: added to the words of a tuple
 * @fold: multiplied with the halves of the sum
 */
struct nflb_hash_key {
	u64	nh[6];
	u64	fold[2];
};

static inline u64 nflb_tuple_ports(const struct nflb_tuple *t)
{
	return (u64)(__force u16)t->sport << 16 | (__force u16)t->dport;
}

#ifdef __SIZEOF_INT128__
static __always_inline u32 nflb_tuple_hash(const struct nflb_tuple *t,
					   const struct nflb_hash_key *key,
					   u32 seed)
{
	u64 seed2 = (u64)seed << 32 | seed;
	unsigned __int128 sum;

	if (t->family == AF_INET) {
		u64 addrs = (u64)(__force u32)t->src.ip << 32 |
			    (__force u32)t->dst.ip;

		sum = (unsigned __int128)(addrs + key->nh[0]) *
		      (nflb_tuple_ports(t) + ((u64)t->proto << 32) +
		       key->nh[1]);
	} else {
		sum = (unsigned __int128)(t->src.words[0] + key->nh[0]) *
		      (t->src.words[1] + key->nh[1]);
		sum += (unsigned __int128)(t->dst.words[0] + key->nh[2]) *
		       (t->dst.words[1] + key->nh[3]);
		sum += (unsigned __int128)(nflb_tuple_ports(t) + key->nh[4]) *
		       (t->proto + key->nh[5]);
	}
	return ((u64)sum * (key->fold[0] ^ seed2) +
		(u64)(sum >> 64) * (key->fold[1] ^ seed2)) >> 32;
}
#else
/* Without wide products SipHash is the cheaper one. */
static inline u32 nflb_tuple_hash(const struct nflb_tuple *t,
				  const struct nflb_hash_key *key, u32 seed)
{
	hsiphash_key_t siphash_key = {
		.key = { key->nh[0] ^ seed, key->nh[1] },
	};

	return hsiphash(t, NFLB_TUPLE_KEY_LEN, &siphash_key);
}
#endif

#endif /* NFLB_CONN_HASH_H */
