/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP options as a client sends them that wants to be taken for another.
 */
#ifndef NFLB_KUNIT_HOSTILE_H
#define NFLB_KUNIT_HOSTILE_H

#include <linux/types.h>

/**
 * struct ku_layout - a list of options
 * @name: what is special about it
 * @len: how many bytes, a multiple of four
 * @bytes: they
 */
struct ku_layout {
	const char	*name;
	unsigned int	len;
	u8		bytes[40];
};

extern const struct ku_layout ku_layouts[];
extern const size_t ku_layout_count;

/* The addresses that are forged there, IPv4's and IPv6's. */
extern const u8 ku_forged4[4];
extern const u8 ku_forged6[16];

#endif /* NFLB_KUNIT_HOSTILE_H */
