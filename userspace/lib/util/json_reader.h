/* SPDX-License-Identifier: GPL-2.0 */
/*
 * To read JSON from a file: where it is being read, so that what is wrong is told
 * with its line and column, and which keys an object may have.
 */
#ifndef LBADM_JSON_READER_H
#define LBADM_JSON_READER_H

#include <jansson.h>

/* How the value of a key is written. */
enum json_kind {
	JSON_KIND_STRING,
	JSON_KIND_NUMBER,
	JSON_KIND_BOOLEAN,
	JSON_KIND_NUMBER_OR_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT,
	JSON_KIND_SECONDS,	/* a number, with a fraction or without */
	JSON_KIND_BOOLEAN_OR_STRING,
};

/* A key, and the word of the command line that it is. The last has no name. */
struct json_key {
	const char *name;
	enum json_kind kind;
	const char *word;	/* NULL: goes with another key, or is special */
};

/* Messages from here to json_leave() name the place of this key's value, or element. */
void json_enter_key(const char *key);
void json_enter_index(size_t index);
void json_leave(void);

/**
 * json_check_keys() - are all keys known, and have their values the right types?
 * @object: should be an object
 * @keys: that it may have
 * @what: its name in messages
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int json_check_keys(const json_t *object, const struct json_key *keys,
		    const char *what);

/* The same; keys that begin with "x-" may be there, whatever their values are. */
int json_check_keys_open(const json_t *object, const struct json_key *keys,
			 const char *what);

/**
 * json_read() - read a file
 * @name: its name; "-" is standard input
 * @take: gets the value and its ownership, and returns enum lbadm_exit
 * @data: for @take
 *
 * Returns the result of @take, or with a message on errors with the file,
 * LBADM_USAGE. Messages of @take name the place in the file.
 */
int json_read(const char *name, int (*take)(json_t *json, void *data),
	      void *data);

#endif /* LBADM_JSON_READER_H */
