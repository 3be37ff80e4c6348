/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses and tuples: one shape for IPv4 and IPv6.
 */
#ifndef NFLB_TUPLE_H
#define NFLB_TUPLE_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/string.h>

/**
 * union nflb_addr - an IPv4 or IPv6 address
 * @ip: IPv4; the other twelve bytes are zero, so that addresses of one family
 *	can be compared and hashed whole
 * @in6: IPv6
 * @all: the words of either
 * @words: the same, to compare
 */
union nflb_addr {
	__be32		ip;
	struct in6_addr	in6;
	__be32		all[4];
	u64		words[2];
};

/* All sixteen bytes are written, which an initializer by one member may not. */
static inline void nflb_addr_set_v4(union nflb_addr *addr, __be32 ip)
{
	addr->words[0] = 0;
	addr->words[1] = 0;
	addr->ip = ip;
}

/**
 * struct nflb_tuple - the identity of a flow: the key of the connection table
 * @src: source address
 * @dst: destination address
 * @sport: source port
 * @dport: destination port
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @family: AF_INET or AF_INET6
 * @key_end: not a member; the key ends here
 * @aux: belongs to the connection that holds the tuple, see conn.h
 */
struct nflb_tuple {
	union nflb_addr	src;
	union nflb_addr	dst;
	__be16		sport;
	__be16		dport;
	u8		proto;
	u8		family;
	struct { }	key_end;
	u16		aux;
};

#define NFLB_TUPLE_KEY_LEN offsetof(struct nflb_tuple, key_end)

/* nflb_tuple_equal() compares two members at once. */
static_assert(offsetof(struct nflb_tuple, sport) % 4 == 0 &&
	      offsetof(struct nflb_tuple, dport) ==
	      offsetofend(struct nflb_tuple, sport));
static_assert(offsetof(struct nflb_tuple, proto) % 2 == 0 &&
	      offsetof(struct nflb_tuple, family) ==
	      offsetofend(struct nflb_tuple, proto));

static inline bool nflb_addr_equal(const union nflb_addr *a,
				   const union nflb_addr *b)
{
	return a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

/* Of an IPv6 address: is it known on one link only? */
static inline bool nflb_addr_is_link_local(const union nflb_addr *addr)
{
	return (addr->all[0] & htonl(0xffc00000)) == htonl(0xfe800000);
}

static inline bool nflb_tuple_equal(const struct nflb_tuple *a,
				    const struct nflb_tuple *b)
{
	/* Most candidates differ in a port: that comes first. */
	return *(const u32 *)&a->sport == *(const u32 *)&b->sport &&
	       nflb_addr_equal(&a->src, &b->src) &&
	       nflb_addr_equal(&a->dst, &b->dst) &&
	       *(const u16 *)&a->proto == *(const u16 *)&b->proto;
}

static inline void nflb_tuple_invert(struct nflb_tuple *to,
				     const struct nflb_tuple *from)
{
	to->src = from->dst;
	to->dst = from->src;
	to->sport = from->dport;
	to->dport = from->sport;
	to->proto = from->proto;
	to->family = from->family;
	to->aux = 0;
}

#endif /* NFLB_TUPLE_H */
