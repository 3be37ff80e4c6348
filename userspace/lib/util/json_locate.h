/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where in a JSON text something stands, which jansson does not tell.
 */
#ifndef LBADM_JSON_LOCATE_H
#define LBADM_JSON_LOCATE_H

#include <stdbool.h>
#include <stddef.h>

/* From a value into one that it holds: by key, or by index when that is NULL. */
struct json_step {
	const char *key;
	size_t index;
};

/**
 * json_locate() - the line and column of a value, both from 1
 * @text: JSON without errors
 * @path: from the outermost value
 * @depth: length of @path
 * @at_key: of the key before it
 * @line: set
 * @column: set; in bytes
 *
 * If it is not found, the place of its container.
 */
void json_locate(const char *text, const struct json_step *path, size_t depth,
		 bool at_key, unsigned int *line, unsigned int *column);

#endif /* LBADM_JSON_LOCATE_H */
