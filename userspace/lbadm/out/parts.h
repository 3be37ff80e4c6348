/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parts of text that is made from JSON objects. For out/ only.
 */
#ifndef LBADM_PARTS_H
#define LBADM_PARTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "util/addr.h"

#define BOLD "\033[1m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

/* A number as text */
#define NUMBER_MAX 24
/* An address and a port as text */
#define ENDPOINT_MAX (ADDR_TEXT_MAX + 16)
/* A protocol, an address and ports as text */
#define SERVICE_MAX (ENDPOINT_MAX + NUMBER_MAX)

/* @code, or nothing when there is to be no colour. */
const char *color(const char *code);

/* "?" and 0 if the key is missing. */
const char *string_of(const json_t *object, const char *key);
json_int_t number_of(const json_t *object, const char *key);
/* A word or, if this lbadm knows none, its number as text in @buf. */
const char *word_of(char buf[NUMBER_MAX], const json_t *object, const char *key);
/* Address and port, in one column. Returns @buf. */
const char *endpoint(char *buf, size_t size, const json_t *object,
		     const char *address_key, const char *port_key);

/* "PROTO VIP". Returns @buf. */
const char *service_text(char buf[SERVICE_MAX], const json_t *service);

/* Write a word or, if it has none, its number. */
void write_value(FILE *to, const json_t *value);
/* Write " KEY VALUE" if there is one. */
void write_pair(FILE *to, const json_t *object, const char *key);
/* Write " KEY TEXT" if there is one, with quotes; control characters are escaped. */
void write_text(FILE *to, const json_t *object, const char *key);
/* Write @text as one word of a batch. */
void write_quoted(FILE *to, const char *text);
/* Write the encapsulation as the command line takes it: gue with its port. */
void write_encap(FILE *to, const json_t *object);
/* The same to standard output. */
void print_pair(const json_t *object, const char *key);
void print_encap(const json_t *object);

#endif /* LBADM_PARTS_H */
