/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long a PROXY header of version 2 is: it moves sequence numbers.
 */
#ifndef NFLB_PROXY_LEN_H
#define NFLB_PROXY_LEN_H

#include <linux/socket.h>
#include <linux/types.h>

/* Signature, command, family, length; and two addresses with their ports */
#define NFLB_PROXY_HEAD		16
#define NFLB_PROXY_LEN(family)	(NFLB_PROXY_HEAD + ((family) == AF_INET ? 12 : 36))

/* Length of the header for a client and a VIP of a family, an even number */
static inline u8 nflb_proxy_len(u8 family)
{
	return NFLB_PROXY_LEN(family);
}

#endif /* NFLB_PROXY_LEN_H */
