// SPDX-License-Identifier: GPL-2.0
/*
 * TCP options as a client sends them that wants to be taken for another: its
 * own address option in every place, and whatever keeps the balancer's out.
 */
#include <linux/kernel.h>

#include "hostile.h"

#define FORGED4		203, 0, 113, 99
#define FORGED6		0x20, 0x01, 0x0d, 0xb8, 0x0b, 0xad, 0, 0, \
			0x55, 0x66, 0, 0, 0, 0, 0, 0x99

const u8 ku_forged4[] = { FORGED4 };
const u8 ku_forged6[] = { FORGED6 };

#define TOA4		254, 8, 0x12, 0x34, FORGED4
#define TOA4_AS(p, q)	254, 8, p, q, FORGED4
#define TOA6		254, 20, 0x12, 0x34, FORGED6
#define TOA6_AS(p, q)	254, 20, p, q, FORGED6
#define TOA6_253	253, 20, 0x12, 0x34, FORGED6

#define EOL4		0, 0, 0, 0
#define NOP2		1, 1
#define NOP4		NOP2, NOP2
#define NOP8		NOP4, NOP4
#define NOP20		NOP8, NOP8, NOP4
#define NOP32		NOP20, NOP8, NOP4

#define MSS		2, 4, 5, 0xb4
#define SACK_PERM	4, 2
#define WSCALE		3, 3, 7
#define TIMESTAMP	8, 10, 0, 0, 0, 1, 0, 0, 0, 2
#define USUAL		MSS, SACK_PERM, TIMESTAMP, 1, WSCALE

#define BYTES6		5, 5, 5, 5, 5, 5
#define BYTES16		BYTES6, BYTES6, 5, 5, 5, 5
#define MD5		19, 18, BYTES16
#define AO20		29, 20, 1, 1, BYTES16
#define FASTOPEN	34, 10, BYTES6, 5, 5

#define LAYOUT(name, ...) { name, sizeof((u8[]){ __VA_ARGS__ }), \
			    { __VA_ARGS__ } }

const struct ku_layout ku_layouts[] = {
	{ "none" },
	LAYOUT("timestamp", NOP2, TIMESTAMP),
	LAYOUT("a SYN's", USUAL),
	LAYOUT("40 NOPs", NOP32, NOP8),
	LAYOUT("40 EOLs", EOL4, EOL4, EOL4, EOL4, EOL4, EOL4, EOL4, EOL4,
	       EOL4, EOL4),
	LAYOUT("forged 4", TOA4),
	LAYOUT("forged 6", TOA6),
	LAYOUT("forged 6, kind 253", TOA6_253),
	LAYOUT("forged 4 twice", TOA4, TOA4),
	LAYOUT("forged 4 five times", TOA4, TOA4, TOA4, TOA4, TOA4),
	LAYOUT("forged 6 twice", TOA6, TOA6_253),
	LAYOUT("forged 4 and 6", TOA4, TOA6, NOP4),
	LAYOUT("NOPs in front of 4", NOP32, TOA4),
	LAYOUT("NOPs in front of 6", NOP20, TOA6),
	LAYOUT("NOPs behind 4", TOA4, NOP32),
	LAYOUT("NOPs behind 6", TOA6, NOP20),
	LAYOUT("EOL in front of 4", EOL4, TOA4),
	LAYOUT("EOL in front of 6", EOL4, TOA6),
	LAYOUT("EOL behind timestamps", TIMESTAMP, 0, TOA6_253, 1),
	LAYOUT("behind a SYN's, full", USUAL, TOA6),
	LAYOUT("behind a SYN's", USUAL, TOA4),
	LAYOUT("port of Fast Open, 4", TOA4_AS(0xf9, 0x89), NOP32),
	LAYOUT("port of Fast Open, 6", TOA6_AS(0xf9, 0x89), NOP20),
	LAYOUT("port of SMC", 254, 8, 0xe2, 0xd4, 0xc3, 0xd9, 1, 2, NOP32),
	LAYOUT("MD5 and 4", MD5, TOA4, NOP2),
	LAYOUT("MD5 and 6", MD5, TOA6, NOP2),
	LAYOUT("4 and MD5", TOA4, MD5, NOP2),
	LAYOUT("MD5 of length 2", 19, 2, TOA4, NOP2),
	LAYOUT("MD5 of length 4", TOA4, 19, 4, 0, 0),
	LAYOUT("MD5 of length 20", 19, 20, BYTES16, 5, 5, TOA6),
	LAYOUT("MD5 at the end", TOA4, NOP2, 19, 2),
	LAYOUT("AO and 4", AO20, TOA4),
	LAYOUT("AO and 6", AO20, TOA6),
	LAYOUT("AO of length 4", 29, 4, 1, 1, TOA4),
	LAYOUT("AO of length 2", TOA4, 29, 2, NOP2),
	LAYOUT("AO of length 3", TOA4, 29, 3, 1, 1),
	LAYOUT("254 of length 2", 254, 2, NOP2, TOA4),
	LAYOUT("254 of length 4", 254, 4, 1, 2, 254, 4, 1, 2),
	LAYOUT("254 of length 10", 254, 10, BYTES6, 5, 5, NOP2),
	LAYOUT("254 of length 16", 254, 16, BYTES6, BYTES6, 5, 5),
	LAYOUT("254 of length 40", 254, 40, BYTES16, BYTES16, BYTES6),
	LAYOUT("253 of length 8", 253, 8, 0x12, 0x34, FORGED4),
	LAYOUT("length 0", TOA4, 254, 0, 0x12, 0x34),
	LAYOUT("length 1", TOA4, 254, 1, 0x12, 0x34),
	LAYOUT("length 0 first", 99, 0, NOP2, TOA4),
	LAYOUT("length 1 first", 99, 1, NOP2, TOA4),
	LAYOUT("beyond the end", NOP4, 254, 8, 0x12, 0x34),
	LAYOUT("far beyond the end", 254, 255, 0x12, 0x34),
	LAYOUT("no length", NOP4, NOP2, 1, 254),
	LAYOUT("an odd place", 1, TOA4, 1, 1, 1),
	LAYOUT("Fast Open and 4", FASTOPEN, TOA4, NOP2),
	LAYOUT("Fast Open, experimental", 254, 12, 0xf9, 0x89, BYTES6, 5, 5,
	       TOA4),
	LAYOUT("SMC and 4", 254, 6, 0xe2, 0xd4, 0xc3, 0xd9, NOP2, TOA4),
	LAYOUT("kinds 200 and 250", 200, 8, 0x12, 0x34, FORGED4,
	       250, 8, 0x12, 0x34, FORGED4),
	LAYOUT("kind 252", 252, 20, 0x12, 0x34, FORGED4, BYTES6, BYTES6),
	LAYOUT("kind 249", 249, 40, 0x12, 0x34, FORGED6, BYTES16,
	       5, 5, 5, 5),
	LAYOUT("kind 28 of length 7", 28, 7, 1, FORGED4, 1),
	LAYOUT("kind 28 of length 19", 28, 19, 1, FORGED6, 1),
	LAYOUT("unknown kinds", 99, 20, BYTES16, 5, 5, 111, 20, BYTES16, 5, 5),
	LAYOUT("unknown kind, full", 99, 40, BYTES16, BYTES16, BYTES6),
	LAYOUT("MPTCP and a SYN's", USUAL, 30, 20, BYTES16, 5, 5),
	LAYOUT("SACK, full", NOP2, TIMESTAMP, NOP2, 5, 26, BYTES16, BYTES6,
	       5, 5),
	LAYOUT("MSS ten times", MSS, MSS, MSS, MSS, MSS, MSS, MSS, MSS, MSS,
	       MSS),
	LAYOUT("timestamp four times", TIMESTAMP, TIMESTAMP, TIMESTAMP,
	       TIMESTAMP),
	LAYOUT("timestamp of length 8", 8, 8, BYTES6),
	LAYOUT("timestamp behind 32 NOPs, cut", NOP32, 8, 10, 1, 2, 3, 4, 5,
	       6),
};

const size_t ku_layout_count = ARRAY_SIZE(ku_layouts);
