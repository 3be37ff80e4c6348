/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hash of the connection table.
 *
 * The tuple goes through NH with words of 64 bits and secret keys (Black et al.,
 * UMAC: Fast and Secure Message Authentication, 1999; also RFC 4418, section
 * 5.2.1), a product for every two words: no two tuples, however chosen, have the
 * same 128 bits more often than chance has it, as long as nobody sees hashes. A
 * second product makes 32 bits of these. Since it xors its halves, as wyhash
 * does, ports that follow each other do not become numbers that follow each
 * other; a sum of products would leave some keys with ten times the collisions.
 * A third of SipHash's instructions for IPv4, a sixth for IPv6.
 *
 * When chains are long all the same the table takes another seed, which is part
 * of the second step's key.
 */
#ifndef NFLB_CONN_HASH_H
#define NFLB_CONN_HASH_H

#include <linux/siphash.h>

#include "packet/tuple.h"

/**
 * struct nflb_hash_key - secret
 * @nh: added to the words of a tuple
 * @fold: for the second step
 */
struct nflb_hash_key {
	u64	nh[6];
	u64	fold[2];
};

/**
 * struct nflb_flow_key - a tuple in as few words as its family needs
 * @src: source address, as in union nflb_addr; of IPv4, the first word has it
 *	and nothing else is looked at
 * @dst: destination address
 * @ports: both ports, as they stand in packets
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 *
 * The family is given besides, so that it can be known at compile time. Made to
 * be held in registers.
 */
struct nflb_flow_key {
	u64	src[2];
	u64	dst[2];
	u32	ports;
	u8	proto;
};

/* struct nflb_flow_key.ports of a tuple */
static __always_inline u32 nflb_tuple_ports(const struct nflb_tuple *t)
{
	return *(const u32 *)&t->sport;
}

static __always_inline void nflb_flow_key(struct nflb_flow_key *key,
					  const struct nflb_tuple *t, u8 family)
{
	if (family == AF_INET) {
		key->src[0] = (__force u32)t->src.ip;
		key->dst[0] = (__force u32)t->dst.ip;
	} else {
		key->src[0] = t->src.words[0];
		key->src[1] = t->src.words[1];
		key->dst[0] = t->dst.words[0];
		key->dst[1] = t->dst.words[1];
	}
	key->ports = nflb_tuple_ports(t);
	key->proto = t->proto;
}

static __always_inline bool nflb_flow_key_is(const struct nflb_flow_key *key,
					     const struct nflb_tuple *t,
					     u8 family)
{
	/* Most candidates differ in a port: that comes first. */
	if (key->ports != nflb_tuple_ports(t))
		return false;
	if (family == AF_INET)
		return (u32)key->src[0] == (__force u32)t->src.ip &&
		       (u32)key->dst[0] == (__force u32)t->dst.ip &&
		       key->proto == t->proto && t->family == AF_INET;
	return key->src[0] == t->src.words[0] &&
	       key->src[1] == t->src.words[1] &&
	       key->dst[0] == t->dst.words[0] &&
	       key->dst[1] == t->dst.words[1] &&
	       key->proto == t->proto && t->family == AF_INET6;
}

#ifdef __SIZEOF_INT128__
static __always_inline u32 nflb_flow_key_hash(const struct nflb_flow_key *t,
					      u8 family,
					      const struct nflb_hash_key *key,
					      u32 seed)
{
	u64 seed2 = (u64)seed << 32 | seed;
	unsigned __int128 sum;

	if (family == AF_INET) {
		sum = (unsigned __int128)((t->src[0] << 32 | t->dst[0]) +
					  key->nh[0]) *
		      (((u64)t->proto << 32 | t->ports) + key->nh[1]);
	} else {
		sum = (unsigned __int128)(t->src[0] + key->nh[0]) *
		      (t->src[1] + key->nh[1]);
		sum += (unsigned __int128)(t->dst[0] + key->nh[2]) *
		       (t->dst[1] + key->nh[3]);
		sum += (unsigned __int128)(t->ports + key->nh[4]) *
		       (t->proto + key->nh[5]);
	}
	sum = (unsigned __int128)((u64)sum ^ (u64)(sum >> 64) ^ key->fold[0]) *
	      (key->fold[1] ^ seed2);
	return (u64)sum ^ (u64)(sum >> 64);
}
#else
/* Without wide products SipHash is the cheaper one. */
static inline u32 nflb_flow_key_hash(const struct nflb_flow_key *t, u8 family,
				     const struct nflb_hash_key *key, u32 seed)
{
	hsiphash_key_t siphash_key = {
		.key = { key->nh[0] ^ seed, key->nh[1] },
	};
	u64 words[5] = { t->src[0], t->dst[0] };

	if (family == AF_INET6) {
		words[2] = t->src[1];
		words[3] = t->dst[1];
	}
	words[4] = (u64)t->proto << 32 | t->ports;
	return hsiphash(words, sizeof(words), &siphash_key);
}
#endif

static __always_inline u32 nflb_tuple_hash(const struct nflb_tuple *t,
					   const struct nflb_hash_key *key,
					   u32 seed)
{
	struct nflb_flow_key flow;

	if (t->family == AF_INET) {
		nflb_flow_key(&flow, t, AF_INET);
		return nflb_flow_key_hash(&flow, AF_INET, key, seed);
	}
	nflb_flow_key(&flow, t, AF_INET6);
	return nflb_flow_key_hash(&flow, AF_INET6, key, seed);
}

#endif /* NFLB_CONN_HASH_H */
