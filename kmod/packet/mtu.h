/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arithmetic on MTUs. A route's metric can be any number, and any user can be
 * root of a network namespace with routes of its own. So every MTU of a route
 * passes nflb_mtu_floor(), and subtracting from one never wraps.
 */
#ifndef NFLB_MTU_H
#define NFLB_MTU_H

#include <net/dst.h>
#include <net/ip.h>
#include <net/ipv6.h>

/* The minimum MTU of a link: RFC 791, section 3.2; RFC 8200, section 5. */
static inline unsigned int nflb_mtu_min(u8 family)
{
	return family == AF_INET ? IPV4_MIN_MTU : IPV6_MIN_MTU;
}

static inline unsigned int nflb_mtu_floor(unsigned int mtu, u8 family)
{
	return max(mtu, nflb_mtu_min(family));
}

/* The rest of @mtu after @len bytes of headers */
static inline unsigned int nflb_mtu_less(unsigned int mtu, unsigned int len)
{
	return mtu > len ? mtu - len : 0;
}

/* MTU of the path of a packet that begins at this host, such as a tunnel's. */
static inline unsigned int nflb_mtu_path(const struct dst_entry *dst, u8 family)
{
	return nflb_mtu_floor(dst_mtu(dst), family);
}

/*
 * How many bytes behind a header of @hlen a fragment has, unless it is the last:
 * a multiple of 8 (RFC 791, section 3.2), or 0 if no fragment fits.
 */
static inline unsigned int nflb_mtu_fragment(unsigned int mtu, unsigned int hlen)
{
	return nflb_mtu_less(mtu, hlen) & ~7U;
}

#endif /* NFLB_MTU_H */
