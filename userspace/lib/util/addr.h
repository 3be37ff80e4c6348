/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses with ports, to and from text. Nothing is resolved by name.
 */
#ifndef LBADM_ADDR_H
#define LBADM_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest text: "[", an address, "]:", two ports. */
#define ADDR_TEXT_MAX 64

/**
 * struct addr - an IPv4 or IPv6 address
 * @len: 4 or 16; 0 is none
 * @bytes: in network order
 */
struct addr {
	uint8_t len;
	uint8_t bytes[16];
};

/* Parse an address, in brackets or not. Returns whether it is one. */
bool addr_parse(struct addr *addr, const char *text);

/* Split "ADDR:REST", "[ADDR]:REST", "ADDR", "[ADDR]": address and rest (NULL
 * when there is none, else within @text). Returns whether the address is one.
 */
bool addr_split(struct addr *addr, const char **rest, const char *text);

/* Parse "ADDR" or "ADDR/LENGTH"; without one, all of it counts. Returns whether it
 * is that.
 */
bool prefix_parse(struct addr *addr, uint32_t *length, const char *text);

/* Clear the host part of an address. */
void prefix_mask(struct addr *addr, uint32_t length);

/* Write the address alone. Returns @buf. */
const char *addr_format(char buf[ADDR_TEXT_MAX], const struct addr *addr);

/* Parse a decimal number up to @max, digits only. Returns whether it is one. */
bool number_parse(uint32_t *number, const char *text, uint32_t max);

/* Parse a port, 1 to 65535. Returns whether it is one. */
bool port_parse(const char *text, uint16_t *port);

#endif /* LBADM_ADDR_H */
