// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers for people: three digits and a unit.
 */
#include "out/units.h"

#include <stdio.h>

#include "lbadm.h"

/* @value / @scale with as many decimals as make three digits */
static void format_scaled(char *buf, json_int_t value, json_int_t scale,
			  char prefix, const char *suffix)
{
	json_int_t whole = value / scale, rest = value % scale;

	if (whole >= 100)
		snprintf(buf, UNITS_MAX, "%" JSON_INTEGER_FORMAT "%c%s", whole,
			 prefix, suffix);
	else if (whole >= 10)
		snprintf(buf, UNITS_MAX, "%" JSON_INTEGER_FORMAT ".%d%c%s",
			 whole, (int)(rest / (scale / 10)), prefix, suffix);
	else
		snprintf(buf, UNITS_MAX, "%" JSON_INTEGER_FORMAT ".%02d%c%s",
			 whole, (int)(rest / (scale / 100)), prefix, suffix);
}

const char *units_format(char buf[UNITS_MAX], json_int_t value, enum unit unit)
{
	static const char prefixes[] = "KMGTPE";
	const char *suffix = unit == UNIT_BYTES ? "B" : "";
	json_int_t scale = 1000;
	size_t i = 0;

	if (unit == UNIT_PLAIN || lbadm_options.exact) {
		snprintf(buf, UNITS_MAX, "%" JSON_INTEGER_FORMAT, value);
		return buf;
	}
	if (value > -1000 && value < 1000) {
		snprintf(buf, UNITS_MAX, "%" JSON_INTEGER_FORMAT "%s", value,
			 suffix);
		return buf;
	}
	if (value < 0) {
		/* A counter above 2^63 */
		snprintf(buf, UNITS_MAX, "%" JSON_INTEGER_FORMAT, value);
		return buf;
	}
	while (value / scale >= 1000 && prefixes[i + 1]) {
		scale *= 1000;
		i++;
	}
	format_scaled(buf, value, scale, prefixes[i], suffix);
	return buf;
}
