/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hashes of flows for schedulers: the same on every machine that has the same
 * key, of whatever byte order, so that several balancers agree without talking.
 */
#ifndef NFLB_SCHED_FLOW_H
#define NFLB_SCHED_FLOW_H

#include <linux/bitops.h>
#include <linux/siphash.h>
#include <asm/byteorder.h>

#include "sched/sched.h"

/**
 * nflb_flow_key() - the key of a service's hashes
 * @seed: net.nflb.hash_seed
 *
 * The words are fixed, and not those of the connection table, which are secret
 * and differ from boot to boot. Who minds that clients can find out where their
 * flows go sets net.nflb.hash_seed: 128 bits, for fewer can be searched from a
 * few answers of backends.
 */
static inline siphash_key_t nflb_flow_key(const siphash_key_t *seed)
{
	return (siphash_key_t){
		.key = { 0x6e666c62666c6f77ULL ^ seed->key[0],
			 0x736368656475ULL ^ seed->key[1] },
	};
}

static inline siphash_key_t nflb_flow_try(const struct nflb_snapshot *snapshot,
					  u32 try)
{
	return (siphash_key_t){
		.key = { snapshot->hash_key.key[0],
			 snapshot->hash_key.key[1] ^ try },
	};
}

/*
 * What stands in packets, as numbers: those that little endian machines read, so
 * that only others have to turn them.
 */
static inline u16 nflb_flow_u16(__be16 raw)
{
	return le16_to_cpu((__force __le16)raw);
}

static inline u32 nflb_flow_u32(__be32 raw)
{
	return le32_to_cpu((__force __le32)raw);
}

static inline u64 nflb_flow_u64(u64 raw)
{
	return le64_to_cpu((__force __le64)raw);
}

/* Of the client's address alone. IPv4 hashes the words that are not zero. */
static inline u64 nflb_flow_source(const struct nflb_snapshot *snapshot,
				   const struct nflb_tuple *t, u32 try)
{
	siphash_key_t key = nflb_flow_try(snapshot, try);

	return t->family == AF_INET ?
	       siphash_1u32(nflb_flow_u32(t->src.ip), &key) :
	       siphash_2u64(nflb_flow_u64(t->src.words[0]),
			    nflb_flow_u64(t->src.words[1]), &key);
}

/* Of addresses, ports and protocol. */
static inline u64 nflb_flow_tuple(const struct nflb_snapshot *snapshot,
				  const struct nflb_tuple *t, u32 try)
{
	siphash_key_t key = nflb_flow_try(snapshot, try);
	u64 ports = (u64)nflb_flow_u16(t->sport) << 32 |
		    (u32)nflb_flow_u16(t->dport) << 8 | t->proto;

	if (t->family == AF_INET)
		return siphash_2u64((u64)nflb_flow_u32(t->src.ip) << 32 |
				    nflb_flow_u32(t->dst.ip), ports, &key);
	return siphash_4u64(nflb_flow_u64(t->src.words[0]),
			    nflb_flow_u64(t->src.words[1]),
			    nflb_flow_u64(t->dst.words[0]) ^ ports,
			    nflb_flow_u64(t->dst.words[1]) ^ ror64(ports, 20),
			    &key);
}

#endif /* NFLB_SCHED_FLOW_H */
