/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to messages, messages to JSON objects: the only place that knows
 * numbers of attributes. The objects have the keys that `-j` prints; text is
 * printed from the same objects.
 */
#ifndef LBADM_MSG_H
#define LBADM_MSG_H

#include <jansson.h>
#include <libmnl/libmnl.h>

#include "model/request.h"

/* Each puts one attribute, or nest, into a message that has room for it: all that a
 * request can hold is less than MNL_SOCKET_BUFFER_SIZE, but for lists of backends and
 * a health check. For these there is msg_list_size().
 */

/* Which service is meant; the service as it is to be. */
void msg_put_service_id(struct nlmsghdr *nlh, const struct service_id *id);
void msg_put_service(struct nlmsghdr *nlh, const struct service_request *req);
/* A backend, and its settings to change. */
void msg_put_backend(struct nlmsghdr *nlh, const struct backend_request *req);
/* A service's whole list of backends, and that what is not named of the service
 * is to have its default; with @force, states that were set by hand are taken
 * back. The message has msg_list_size() bytes of room.
 */
void msg_put_exact(struct nlmsghdr *nlh, const struct backend_request *backends,
		   size_t count, bool force);
size_t msg_list_size(size_t count);
/* Verdicts on backends of a service. The message has msg_list_size() bytes of room. */
void msg_put_health(struct nlmsghdr *nlh, const struct health_request *reqs,
		    size_t count);
/* A probe to add, with its backend, or one to delete. */
void msg_put_probe(struct nlmsghdr *nlh, const struct probe_request *req);
void msg_put_probe_tuple(struct nlmsghdr *nlh, const struct probe_request *req);
/* Local addresses. */
void msg_put_laddr(struct nlmsghdr *nlh, const struct laddr_request *req);
/* The filter of a list of connections: up to three attributes, or none. */
void msg_put_conn_filter(struct nlmsghdr *nlh,
			 const struct conn_filter *filter);
/* A packet to explain. */
void msg_put_packet(struct nlmsghdr *nlh, const struct packet_request *req);
/* End connections at once. */
void msg_put_now(struct nlmsghdr *nlh);

/* Each returns a new reference, or NULL when the message has no such object. */
json_t *msg_get_service(const struct nlmsghdr *nlh);
json_t *msg_get_backend(const struct nlmsghdr *nlh);
/* The id of the backend, or 0 if there is none. */
uint32_t msg_get_backend_id(const struct nlmsghdr *nlh);
/* The attributes that identify the service, as sent; for telling whether it is the last one again. */
const struct nlattr *msg_service_attr(const struct nlmsghdr *nlh);
json_t *msg_get_conn(const struct nlmsghdr *nlh);
json_t *msg_get_laddr(const struct nlmsghdr *nlh);
json_t *msg_get_device(const struct nlmsghdr *nlh);
/* Totals of the namespace, with "drops" by reason and other "counters". */
json_t *msg_get_stats(const struct nlmsghdr *nlh);
/* What CONFIG_GET says of the module: "module" and "module-protocol", if it does */
json_t *msg_get_version(const struct nlmsghdr *nlh);
/* {"count": N} */
json_t *msg_get_count(const struct nlmsghdr *nlh);

/* The fate of a packet */
json_t *msg_get_explain(const struct nlmsghdr *nlh);

/* An object with "event", and its subject; a backend's has its "service".
 * Returns a new reference, or NULL for an unknown command.
 */
json_t *msg_get_event(const struct nlmsghdr *nlh);

/* Records of connections, one after the other; NULL if there are none. */
const void *msg_get_records(const struct nlmsghdr *nlh, size_t *len);
/* enum nflb_record_result of each record; NULL if there are none */
const uint8_t *msg_get_record_results(const struct nlmsghdr *nlh, size_t *len);
/* At most 65,000 bytes of them */
void msg_put_records(struct nlmsghdr *nlh, const void *records, size_t len);

#endif /* LBADM_MSG_H */
