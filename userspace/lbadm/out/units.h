/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers for people: three digits and a unit. For out/ only.
 */
#ifndef LBADM_UNITS_H
#define LBADM_UNITS_H

#include <jansson.h>

enum unit {
	UNIT_PLAIN,	/* as it is: a weight, seconds */
	UNIT_COUNT,	/* K, M, G, T: powers of 1,000 */
	UNIT_BYTES,	/* the same, with a B */
};

#define UNITS_MAX 32

/**
 * units_format() - a number as text
 * @buf: UNITS_MAX bytes
 * @value: the number
 * @unit: how to shorten it; --exact turns that off
 *
 * Digits are cut off, not rounded: the text never says more than there was.
 * Returns @buf.
 */
const char *units_format(char buf[UNITS_MAX], json_int_t value, enum unit unit);

#endif /* LBADM_UNITS_H */
