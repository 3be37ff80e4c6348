/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the BPF programs and nflb-toa: keys and values of maps.
 */
#ifndef NFLB_TOA_H
#define NFLB_TOA_H

#include <linux/types.h>

#define TOA_ALLOW_MAX 1024

/* Counters, by index. */
enum toa_counter {
	TOA_BELIEVED,
	TOA_REFUSED_SOURCE,
	TOA_MALFORMED,
	TOA_DELIVERED,
	TOA_OTHER_FAMILY,
	TOA_AMBIGUOUS,
	TOA_COUNTER_COUNT
};

/* A socket's client. */
struct toa_client {
	__u32 addr[4];		/* IPv4's in the first */
	__u16 port;		/* both in network order */
	__u16 v6;
};

/* Keys of the tries of believed senders. */
struct toa_allow4 {
	__u32 bits;
	__u32 addr;
};

struct toa_allow6 {
	__u32 bits;
	__u32 addr[4];
};

#endif /* NFLB_TOA_H */
