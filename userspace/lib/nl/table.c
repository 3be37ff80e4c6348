// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of a message or a nest by their number, and as JSON.
 */
#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "nl/table.h"
#include "util/addr.h"

void table_fill_nest(struct table *table, const struct nlattr *nest)
{
	const struct nlattr *attr;

	memset(table, 0, sizeof(*table));
	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) < TABLE_SIZE)
			table->attrs[mnl_attr_get_type(attr)] = attr;
}

void table_fill(struct table *table, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	memset(table, 0, sizeof(*table));
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) < TABLE_SIZE)
			table->attrs[mnl_attr_get_type(attr)] = attr;
}

uint64_t get_uint(const struct table *table, int type)
{
	const struct nlattr *attr = table->attrs[type];
	uint64_t u64 = 0;
	uint32_t u32;

	if (!attr)
		return 0;
	switch (mnl_attr_get_payload_len(attr)) {
	case 1:
		return mnl_attr_get_u8(attr);
	case 4:
		memcpy(&u32, mnl_attr_get_payload(attr), sizeof(u32));
		return u32;
	case 8:
		memcpy(&u64, mnl_attr_get_payload(attr), sizeof(u64));
		return u64;
	default:
		return 0;
	}
}

uint16_t get_port(const struct table *table, int type)
{
	const struct nlattr *attr = table->attrs[type];

	if (!attr || mnl_attr_get_payload_len(attr) != 2)
		return 0;
	return ntohs(mnl_attr_get_u16(attr));
}

json_t *get_addr(const struct table *table, int type)
{
	const struct nlattr *attr = table->attrs[type];
	struct addr addr = { 0 };
	char buf[ADDR_TEXT_MAX];

	if (!attr)
		return NULL;
	addr.len = mnl_attr_get_payload_len(attr);
	if (addr.len != 4 && addr.len != 16)
		return NULL;
	memcpy(addr.bytes, mnl_attr_get_payload(attr), addr.len);
	return json_string(addr_format(buf, &addr));
}

void set_uint(json_t *to, const char *key, const struct table *table, int type)
{
	if (table->attrs[type])
		json_object_set_new(to, key,
				    json_integer(get_uint(table, type)));
}

void set_nonzero(json_t *to, const char *key, const struct table *table,
		 int type)
{
	if (get_uint(table, type))
		set_uint(to, key, table, type);
}

void set_name(json_t *to, const char *key, const struct names *names,
	      const struct table *table, int type)
{
	const char *name = names_get(names, get_uint(table, type));

	if (!table->attrs[type])
		return;
	json_object_set_new(to, key, name ? json_string(name) :
			    json_integer(get_uint(table, type)));
}

void set_string(json_t *to, const char *key, const struct table *table,
		int type)
{
	const struct nlattr *attr = table->attrs[type];

	if (attr && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		json_object_set_new(to, key,
				    json_string(mnl_attr_get_str(attr)));
}

void set_protocol(json_t *to, const struct table *table, int type)
{
	uint64_t protocol = get_uint(table, type);

	json_object_set_new(to, "protocol",
			    protocol == IPPROTO_TCP ? json_string("tcp") :
			    protocol == IPPROTO_UDP ? json_string("udp") :
			    json_integer(protocol));
}

void set_port(json_t *to, const char *key, const struct table *table, int type)
{
	uint16_t port = get_port(table, type);

	if (port)
		json_object_set_new(to, key, json_integer(port));
}
