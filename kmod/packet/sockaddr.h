/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses in the shape that %pISpc prints.
 */
#ifndef NFLB_SOCKADDR_H
#define NFLB_SOCKADDR_H

#include <linux/in6.h>

#include "packet/tuple.h"

static inline void nflb_sockaddr(struct sockaddr_in6 *sa,
				 const union nflb_addr *addr, __be16 port,
				 u8 family)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)sa;

	memset(sa, 0, sizeof(*sa));
	if (family == AF_INET) {
		sin->sin_family = AF_INET;
		sin->sin_addr.s_addr = addr->ip;
		sin->sin_port = port;
		return;
	}
	sa->sin6_family = family;
	sa->sin6_addr = addr->in6;
	sa->sin6_port = port;
}

#endif /* NFLB_SOCKADDR_H */
