/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attributes of a message or a nest by their number, and as JSON. For msg_get*.c
 * only.
 */
#ifndef LBADM_TABLE_H
#define LBADM_TABLE_H

#include <jansson.h>
#include <libmnl/libmnl.h>
#include <stdint.h>

#include "model/names.h"

/* More than the highest attribute of any nest. */
#define TABLE_SIZE 64

/* NULL for an absent attribute; the last one of a repeated attribute. */
struct table {
	const struct nlattr *attrs[TABLE_SIZE];
};

void table_fill_nest(struct table *table, const struct nlattr *nest);
void table_fill(struct table *table, const struct nlmsghdr *nlh);

/* An unsigned number of whatever size it has; 0 when absent. */
uint64_t get_uint(const struct table *table, int type);
/* In host order; 0 when absent. */
uint16_t get_port(const struct table *table, int type);
/* A new reference, or NULL. */
json_t *get_addr(const struct table *table, int type);

/* Each sets a key, if there is the attribute. */
void set_uint(json_t *to, const char *key, const struct table *table, int type);
/* The same, but 0 means off or no limit, and is left out. */
void set_nonzero(json_t *to, const char *key, const struct table *table,
		 int type);
void set_port(json_t *to, const char *key, const struct table *table, int type);
/* A word or, if there is none, the number. */
void set_name(json_t *to, const char *key, const struct names *names,
	      const struct table *table, int type);
void set_string(json_t *to, const char *key, const struct table *table,
		int type);
/* "protocol" */
void set_protocol(json_t *to, const struct table *table, int type);

#endif /* LBADM_TABLE_H */
