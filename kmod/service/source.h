/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which sources packets may come from.
 */
#ifndef NFLB_SOURCE_H
#define NFLB_SOURCE_H

#include <linux/hash.h>
#include <linux/percpu.h>

#include "packet/packet.h"
#include "netns.h"

/* Bits of the filter, a power of two */
#define NFLB_SOURCE_BITS 1024

/**
 * struct nflb_source_filter - IPv4 addresses that are perhaps the host's own
 * @gen: nflb_net.address_gen when it was made
 * @made: it was
 * @bits: a Bloom filter with one hash: an address whose bit is clear is not one
 *
 * One a CPU, made anew by whoever finds it old: an address of a device that is
 * not the host's own needs no route lookup then.
 */
struct nflb_source_filter {
	int		gen;
	bool		made;
	unsigned long	bits[BITS_TO_LONGS(NFLB_SOURCE_BITS)];
};

/* Where nflb_net.vip_filter tells whether an address may be a VIP */
static inline unsigned int nflb_vip_slot(const union nflb_addr *addr)
{
	return hash_64(addr->words[0] ^ addr->words[1], NFLB_VIP_FILTER_BITS);
}

/* May a packet come from a VIP? It does not, if not. */
static inline bool nflb_source_may_be_vip(const struct nflb_pkt *pkt)
{
	return test_bit(nflb_vip_slot(&pkt->tuple.src), pkt->nn->vip_filter);
}

int nflb_source_init(void);
void nflb_source_exit(void);
bool nflb_source_ok(const struct nflb_pkt *pkt);
bool nflb_addr_is_local(struct net *net, const union nflb_addr *addr,
			u8 family);

#endif /* NFLB_SOURCE_H */
