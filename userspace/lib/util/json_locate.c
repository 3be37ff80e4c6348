// SPDX-License-Identifier: GPL-2.0
/*
 * Where in a JSON text something stands. The text was parsed by jansson before,
 * so that nothing is wrong in it.
 */
#include "util/json_locate.h"

#include <string.h>

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* @p is behind the opening quote. Returns where the closing one is. */
static const char *string_end(const char *p)
{
	while (*p && *p != '"')
		p += *p == '\\' && p[1] ? 2 : 1;
	return p;
}

/* Returns the text after the value at @p. */
static const char *skip_value(const char *p)
{
	unsigned int depth = 0;

	do {
		if (*p == '"')
			p = string_end(p + 1);
		else if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		if (*p)
			p++;
		/* A number or a word ends at the next delimiter. */
	} while (*p && (depth || !strchr(",}] \t\r\n", *p)));
	return p;
}

/*
 * From a container to its first element. Returns the value, or NULL; @key is set to
 * where its key is.
 */
static const char *descend(const char *p, const struct json_step *step,
			   const char **key)
{
	size_t i, len;

	if (*p != (step->key ? '{' : '['))
		return NULL;
	p = skip_space(p + 1);
	for (i = 0; *p && *p != '}' && *p != ']'; i++) {
		*key = p;
		if (step->key) {
			len = string_end(p + 1) - (p + 1);
			p = skip_space(p + len + 2);
			p = skip_space(p + 1);	/* the colon */
			if (len == strlen(step->key) &&
			    !memcmp(*key + 1, step->key, len))
				return p;
		} else if (i == step->index) {
			return p;
		}
		p = skip_space(skip_value(p));
		if (*p == ',')
			p = skip_space(p + 1);
	}
	return NULL;
}

void json_locate(const char *text, const struct json_step *path, size_t depth,
		 bool at_key, unsigned int *line, unsigned int *column)
{
	const char *value = skip_space(text), *key = value, *next, *p;
	size_t i;

	for (i = 0; i < depth; i++) {
		next = descend(value, &path[i], &key);
		if (!next) {
			at_key = false;
			break;
		}
		value = next;
	}
	if (at_key)
		value = key;
	*line = *column = 1;
	for (p = text; p < value; p++) {
		if (*p == '\n') {
			++*line;
			*column = 0;
		}
		++*column;
	}
}
