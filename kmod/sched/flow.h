/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hashes of flows for schedulers: the same on every machine that has the same
 * seed, so that several balancers agree without talking.
 */
#ifndef NFLB_SCHED_FLOW_H
#define NFLB_SCHED_FLOW_H

#include <linux/siphash.h>

#include "sched/sched.h"

/*
 * The words are fixed, and not those of the connection table, which are secret
 * and differ from boot to boot. Who minds that clients can find out where their
 * flows go sets net.nflb.hash_seed.
 */
static inline siphash_key_t nflb_flow_key(const struct nflb_snapshot *snapshot,
					  u32 try)
{
	return (siphash_key_t){
		.key = { 0x6e666c62666c6f77ULL ^ snapshot->hash_seed,
			 0x736368656475ULL ^ try },
	};
}

/* Of the client's address alone. IPv4 hashes the words that are not zero. */
static inline u64 nflb_flow_source(const struct nflb_snapshot *snapshot,
				   const struct nflb_tuple *t, u32 try)
{
	siphash_key_t key = nflb_flow_key(snapshot, try);

	return t->family == AF_INET ?
	       siphash_1u32((__force u32)t->src.ip, &key) :
	       siphash_2u64(t->src.words[0], t->src.words[1], &key);
}

/* Of addresses, ports and protocol. */
static inline u64 nflb_flow_tuple(const struct nflb_snapshot *snapshot,
				  const struct nflb_tuple *t, u32 try)
{
	siphash_key_t key = nflb_flow_key(snapshot, try);
	u64 ports = (u64)(__force u32)t->sport << 32 |
		    (__force u32)t->dport << 8 | t->proto;

	if (t->family == AF_INET)
		return siphash_2u64((u64)(__force u32)t->src.ip << 32 |
				    (__force u32)t->dst.ip, ports, &key);
	return siphash_4u64(t->src.words[0], t->src.words[1],
			    t->dst.words[0] ^ ports,
			    t->dst.words[1] ^ ror64(ports, 20), &key);
}

#endif /* NFLB_SCHED_FLOW_H */
