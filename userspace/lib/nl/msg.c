// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to messages.
 */
#include "nl/msg.h"

#include <arpa/inet.h>
#include <linux/nflb.h>

static void put_port(struct nlmsghdr *nlh, uint16_t type, uint16_t port)
{
	mnl_attr_put_u16(nlh, type, htons(port));
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type,
		     const struct addr *addr)
{
	mnl_attr_put(nlh, type, addr->len, addr->bytes);
}

static void put_u8(struct nlmsghdr *nlh, uint16_t type, const struct opt *opt)
{
	if (opt->set)
		mnl_attr_put_u8(nlh, type, opt->value);
}

static void put_u32(struct nlmsghdr *nlh, uint16_t type, const struct opt *opt)
{
	if (opt->set)
		mnl_attr_put_u32(nlh, type, opt->value);
}

static void put_label(struct nlmsghdr *nlh, uint16_t type,
		      const struct label *label)
{
	if (label->set)
		mnl_attr_put_strz(nlh, type, label->text);
}

static void put_id(struct nlmsghdr *nlh, const struct service_id *id)
{
	mnl_attr_put_u8(nlh, NFLB_A_SERVICE_PROTOCOL, id->protocol);
	put_addr(nlh, NFLB_A_SERVICE_ADDRESS, &id->address);
	put_port(nlh, NFLB_A_SERVICE_PORT, id->port);
	if (id->port_last)
		put_port(nlh, NFLB_A_SERVICE_PORT_LAST, id->port_last);
}

void msg_put_service_id(struct nlmsghdr *nlh, const struct service_id *id)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFLB_A_SERVICE);

	put_id(nlh, id);
	mnl_attr_nest_end(nlh, nest);
}

/* The attribute that follows @type is the prefix's length. */
static void put_prefix(struct nlmsghdr *nlh, int type,
		       const struct prefix *prefix)
{
	if (!prefix->address.len)
		return;
	put_addr(nlh, type, &prefix->address);
	put_u8(nlh, type + 1, &prefix->length);
}

void msg_put_service(struct nlmsghdr *nlh, const struct service_request *req)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFLB_A_SERVICE);

	put_id(nlh, &req->id);
	put_u8(nlh, NFLB_A_SERVICE_MODE, &req->mode);
	put_u8(nlh, NFLB_A_SERVICE_ENCAP, &req->encap);
	if (req->encap_port.set)
		put_port(nlh, NFLB_A_SERVICE_ENCAP_PORT,
			 req->encap_port.value);
	put_prefix(nlh, NFLB_A_SERVICE_ENCAP_SOURCE4, &req->encap_source4);
	put_prefix(nlh, NFLB_A_SERVICE_ENCAP_SOURCE6, &req->encap_source6);
	if (*req->scheduler)
		mnl_attr_put_strz(nlh, NFLB_A_SERVICE_SCHEDULER,
				  req->scheduler);
	put_u32(nlh, NFLB_A_SERVICE_PERSIST, &req->persist);
	put_u8(nlh, NFLB_A_SERVICE_PERSIST_PREFIX4, &req->persist_prefix4);
	put_u8(nlh, NFLB_A_SERVICE_PERSIST_PREFIX6, &req->persist_prefix6);
	put_u32(nlh, NFLB_A_SERVICE_SLOW_START, &req->slow_start);
	put_u8(nlh, NFLB_A_SERVICE_TOA, &req->toa);
	put_u8(nlh, NFLB_A_SERVICE_TOA_KIND6, &req->toa_kind6);
	put_u8(nlh, NFLB_A_SERVICE_PROXY, &req->proxy);
	put_u8(nlh, NFLB_A_SERVICE_ONE_PACKET, &req->one_packet);
	put_u32(nlh, NFLB_A_SERVICE_TIMEOUT_SYN, &req->timeout_syn);
	put_u32(nlh, NFLB_A_SERVICE_TIMEOUT_ESTABLISHED,
		&req->timeout_established);
	put_u32(nlh, NFLB_A_SERVICE_TIMEOUT_FIN, &req->timeout_fin);
	put_u32(nlh, NFLB_A_SERVICE_TIMEOUT_UDP, &req->timeout_udp);
	if (req->health_check)
		mnl_attr_put_strz(nlh, NFLB_A_SERVICE_HEALTH_CHECK,
				  req->health_check);
	put_u8(nlh, NFLB_A_SERVICE_HEALTH_INITIAL, &req->health_initial);
	put_u8(nlh, NFLB_A_SERVICE_HEALTH_ON_UNHEALTHY, &req->on_unhealthy);
	put_u8(nlh, NFLB_A_SERVICE_HEALTH_WHEN_NONE, &req->when_none);
	put_u8(nlh, NFLB_A_SERVICE_HEALTH_PANIC, &req->panic);
	put_label(nlh, NFLB_A_SERVICE_NAME, &req->name);
	put_label(nlh, NFLB_A_SERVICE_COMMENT, &req->comment);
	mnl_attr_nest_end(nlh, nest);
}

void msg_put_backend(struct nlmsghdr *nlh, const struct backend_request *req)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFLB_A_BACKEND);

	put_addr(nlh, NFLB_A_BACKEND_ADDRESS, &req->address);
	put_port(nlh, NFLB_A_BACKEND_PORT, req->port);
	put_u32(nlh, NFLB_A_BACKEND_WEIGHT, &req->weight);
	put_u8(nlh, NFLB_A_BACKEND_STATE, &req->state);
	put_u8(nlh, NFLB_A_BACKEND_MODE, &req->mode);
	put_u8(nlh, NFLB_A_BACKEND_ENCAP, &req->encap);
	if (req->encap_port.set)
		put_port(nlh, NFLB_A_BACKEND_ENCAP_PORT,
			 req->encap_port.value);
	put_u32(nlh, NFLB_A_BACKEND_MAX_CONNECTIONS, &req->max_connections);
	put_u32(nlh, NFLB_A_BACKEND_DEADLINE, &req->deadline);
	put_label(nlh, NFLB_A_BACKEND_NAME, &req->name);
	put_label(nlh, NFLB_A_BACKEND_COMMENT, &req->comment);
	mnl_attr_nest_end(nlh, nest);
}

/* An attribute has 64 KiB at most: bytes after which a list continues in another one,
 * and the bytes of a backend with all that it can have set.
 */
#define LIST_PART 32768
#define LIST_BACKEND_MAX 480
/* Verdicts that fit into one attribute; they have a text */
#define HEALTH_PART 256

size_t msg_list_size(size_t count)
{
	return MNL_SOCKET_BUFFER_SIZE + NFLB_HEALTH_CHECK_SIZE +
	       (count + 1) * LIST_BACKEND_MAX;
}

static size_t list_bytes(const struct nlmsghdr *nlh, const struct nlattr *nest)
{
	return (char *)mnl_nlmsg_get_payload_tail(nlh) - (const char *)nest;
}

void msg_put_exact(struct nlmsghdr *nlh, const struct backend_request *backends,
		   size_t count, bool force)
{
	struct nlattr *nest;
	size_t i = 0;

	mnl_attr_put(nlh, NFLB_A_EXACT, 0, NULL);
	if (force)
		mnl_attr_put(nlh, NFLB_A_FORCE, 0, NULL);
	/* At least one list, or the present one would stay. */
	do {
		nest = mnl_attr_nest_start(nlh, NFLB_A_BACKENDS);
		do {
			if (i < count)
				msg_put_backend(nlh, &backends[i++]);
		} while (i < count && list_bytes(nlh, nest) < LIST_PART);
		mnl_attr_nest_end(nlh, nest);
	} while (i < count);
}

static void put_verdict(struct nlmsghdr *nlh, const struct health_request *req)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFLB_A_BACKEND);

	put_addr(nlh, NFLB_A_BACKEND_ADDRESS, &req->backend.address);
	put_port(nlh, NFLB_A_BACKEND_PORT, req->backend.port);
	mnl_attr_put_u32(nlh, NFLB_A_BACKEND_ID, req->id);
	mnl_attr_put_u8(nlh, NFLB_A_BACKEND_HEALTH, req->health);
	put_u8(nlh, NFLB_A_BACKEND_HEALTH_WEIGHT, &req->weight);
	mnl_attr_put_strz(nlh, NFLB_A_BACKEND_HEALTH_REASON, req->reason);
	mnl_attr_nest_end(nlh, nest);
}

void msg_put_health(struct nlmsghdr *nlh, const struct health_request *reqs,
		    size_t count)
{
	struct nlattr *list;
	size_t i = 0;

	while (i < count) {
		list = mnl_attr_nest_start(nlh, NFLB_A_BACKENDS);
		do {
			put_verdict(nlh, &reqs[i++]);
		} while (i < count && i % HEALTH_PART);
		mnl_attr_nest_end(nlh, list);
	}
}

/* @flags 0 is none at all */
static void put_probe_conn(struct nlmsghdr *nlh, const struct probe_request *req,
			   uint32_t flags)
{
	struct nlattr *nest;

	msg_put_service_id(nlh, req->service);
	nest = mnl_attr_nest_start(nlh, NFLB_A_CONN);
	put_addr(nlh, NFLB_A_CONN_CLIENT_ADDRESS, &req->client);
	put_port(nlh, NFLB_A_CONN_CLIENT_PORT, req->client_port);
	put_port(nlh, NFLB_A_CONN_PORT, req->port);
	if (flags) {
		mnl_attr_put_u32(nlh, NFLB_A_CONN_FLAGS, flags);
		mnl_attr_put_u32(nlh, NFLB_A_CONN_EXPIRES, req->seconds);
	}
	mnl_attr_nest_end(nlh, nest);
}

void msg_put_probe(struct nlmsghdr *nlh, const struct probe_request *req)
{
	struct nlattr *nest;

	put_probe_conn(nlh, req, NFLB_CONN_FLAG_PROBE);
	nest = mnl_attr_nest_start(nlh, NFLB_A_BACKEND);
	put_addr(nlh, NFLB_A_BACKEND_ADDRESS, &req->backend->address);
	put_port(nlh, NFLB_A_BACKEND_PORT, req->backend->port);
	mnl_attr_put_u32(nlh, NFLB_A_BACKEND_ID, req->id);
	mnl_attr_nest_end(nlh, nest);
}

void msg_put_probe_tuple(struct nlmsghdr *nlh, const struct probe_request *req)
{
	put_probe_conn(nlh, req, 0);
}

void msg_put_laddr(struct nlmsghdr *nlh, const struct laddr_request *req)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFLB_A_LADDR);
	uint16_t pairs[2 * NFLB_LADDR_EXCLUDED_MAX];
	unsigned int i;

	put_addr(nlh, NFLB_A_LADDR_ADDRESS, &req->first);
	put_addr(nlh, NFLB_A_LADDR_ADDRESS_LAST, &req->last);
	if (req->ports.first) {
		put_port(nlh, NFLB_A_LADDR_PORT, req->ports.first);
		put_port(nlh, NFLB_A_LADDR_PORT_LAST, req->ports.last);
	}
	for (i = 0; i < req->excluded_count; i++) {
		pairs[2 * i] = htons(req->excluded[i].first);
		pairs[2 * i + 1] = htons(req->excluded[i].last);
	}
	if (i)
		mnl_attr_put(nlh, NFLB_A_LADDR_EXCLUDED,
			     2 * i * sizeof(pairs[0]), pairs);
	mnl_attr_nest_end(nlh, nest);
}

void msg_put_conn_filter(struct nlmsghdr *nlh,
			 const struct conn_filter *filter)
{
	struct nlattr *nest;

	if (filter->has_service)
		msg_put_service_id(nlh, &filter->service);
	if (filter->has_backend)
		msg_put_backend(nlh, &filter->backend);
	if (!filter->client.len && !filter->state.set)
		return;
	nest = mnl_attr_nest_start(nlh, NFLB_A_FILTER);
	if (filter->client.len)
		put_addr(nlh, NFLB_A_FILTER_CLIENT_ADDRESS, &filter->client);
	put_u8(nlh, NFLB_A_FILTER_CLIENT_PREFIX, &filter->client_prefix);
	put_u8(nlh, NFLB_A_FILTER_STATE, &filter->state);
	mnl_attr_nest_end(nlh, nest);
}

void msg_put_packet(struct nlmsghdr *nlh, const struct packet_request *req)
{
	struct nlattr *explain = mnl_attr_nest_start(nlh, NFLB_A_EXPLAIN);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFLB_A_EXPLAIN_ARRIVES);

	mnl_attr_put_u8(nlh, NFLB_A_PACKET_PROTOCOL, req->protocol);
	put_addr(nlh, NFLB_A_PACKET_SOURCE, &req->source);
	put_port(nlh, NFLB_A_PACKET_SOURCE_PORT, req->source_port);
	put_addr(nlh, NFLB_A_PACKET_DESTINATION, &req->destination);
	put_port(nlh, NFLB_A_PACKET_DESTINATION_PORT, req->destination_port);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, explain);
	if (req->device)
		mnl_attr_put_strz(nlh, NFLB_A_DEVICE, req->device);
}

void msg_put_now(struct nlmsghdr *nlh)
{
	mnl_attr_put(nlh, NFLB_A_NOW, 0, NULL);
}
