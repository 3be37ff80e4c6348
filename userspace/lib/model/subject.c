// SPDX-License-Identifier: GPL-2.0
/*
 * Services, backends and local addresses as text, for messages.
 */
#include "model/subject.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

const char *subject_service(char *buf, const struct service_id *id)
{
	char address[ADDR_TEXT_MAX], ports[16] = "*";

	if (id->port_last)
		snprintf(ports, sizeof(ports), "%u-%u", id->port, id->port_last);
	else if (id->port)
		snprintf(ports, sizeof(ports), "%u", id->port);
	addr_format(address, &id->address);
	snprintf(buf, SUBJECT_MAX, id->address.len == 16 ? "%s [%s]:%s" : "%s %s:%s",
		 id->protocol == IPPROTO_TCP ? "tcp" : "udp", address, ports);
	return buf;
}

const char *subject_backend(char *buf, const struct backend_request *backend)
{
	char address[ADDR_TEXT_MAX];

	addr_format(address, &backend->address);
	if (backend->port)
		snprintf(buf, SUBJECT_MAX, backend->address.len == 16 ?
			 "[%s]:%u" : "%s:%u", address, backend->port);
	else
		snprintf(buf, SUBJECT_MAX, "%s", address);
	return buf;
}

const char *subject_laddr(char *buf, const struct laddr_request *laddr)
{
	char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX];

	addr_format(first, &laddr->first);
	addr_format(last, &laddr->last);
	if (strcmp(first, last))
		snprintf(buf, SUBJECT_MAX, "%s-%s", first, last);
	else
		snprintf(buf, SUBJECT_MAX, "%s", first);
	return buf;
}

/* 80, "8000-8010" or "*" */
static json_t *ports_json(const struct service_id *id)
{
	if (!id->port)
		return json_string("*");
	if (!id->port_last)
		return json_integer(id->port);
	return json_sprintf("%u-%u", id->port, id->port_last);
}

void subject_set_service(json_t *to, const struct service_id *id)
{
	char address[ADDR_TEXT_MAX];

	json_object_set_new(to, "protocol", json_string(
		id->protocol == IPPROTO_TCP ? "tcp" : "udp"));
	json_object_set_new(to, "address",
			    json_string(addr_format(address, &id->address)));
	json_object_set_new(to, "port", ports_json(id));
}

void subject_set_backend(json_t *to, const struct backend_request *backend)
{
	char address[ADDR_TEXT_MAX];

	json_object_set_new(to, "address", json_string(
		addr_format(address, &backend->address)));
	if (backend->port)
		json_object_set_new(to, "port", json_integer(backend->port));
}

void subject_set_laddr(json_t *to, const struct laddr_request *laddr)
{
	char text[SUBJECT_MAX];

	json_object_set_new(to, "address",
			    json_string(subject_laddr(text, laddr)));
	if (laddr->ports.first)
		json_object_set_new(to, "ports", json_sprintf("%u-%u",
			laddr->ports.first, laddr->ports.last));
}
