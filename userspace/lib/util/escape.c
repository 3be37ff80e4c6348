// SPDX-License-Identifier: GPL-2.0
/*
 * Text from outside, made safe for a terminal: names, files and addresses can hold
 * sequences that move the cursor or change the window's title.
 */
#include "util/escape.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static size_t continuation_bytes(const char *p, size_t wanted)
{
	size_t i;

	for (i = 0; i < wanted && ((unsigned char)p[i] & 0xc0) == 0x80; i++)
		;
	return i;
}

/* The code point at @p; 0 if it is not UTF-8 in its shortest form. @len is set. */
static uint32_t decode(const char *p, size_t *len)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned char first = *p;
	size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0;
	uint32_t code = first & (more ? 0x3f >> more : 0x7f);
	size_t i;

	*len = 1;
	if ((first >= 0x80 && !more) || first >= 0xf8 ||
	    continuation_bytes(p + 1, more) < more)
		return 0;
	for (i = 1; i <= more; i++)
		code = code << 6 | ((unsigned char)p[i] & 0x3f);
	if (code < least[more] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*len = more + 1;
	return code;
}

void escape_write(FILE *to, const char *text, size_t size)
{
	const char *end = text + size;
	uint32_t code;
	size_t len, i;

	for (; text < end; text += len) {
		code = decode(text, &len);
		if (code >= 0xa0 || (code >= 0x20 && code < 0x7f))
			fwrite(text, 1, len, to);
		else
			for (i = 0; i < len; i++)
				fprintf(to, "\\x%02x", (unsigned char)text[i]);
	}
}

void escape_print(FILE *to, const char *text)
{
	escape_write(to, text, strlen(text));
}
