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

void msg_put_service_id(struct nlmsghdr *nlh, const struct service_id *id);
void msg_put_service(struct nlmsghdr *nlh, const struct service_request *req);
void msg_put_backend(struct nlmsghdr *nlh, const struct backend_request *req);
void msg_put_conn_filter(struct nlmsghdr *nlh,
			 const struct conn_filter *filter);
void msg_put_now(struct nlmsghdr *nlh);

/* Each returns a new reference, or NULL when the message has no such object. */
json_t *msg_get_service(const struct nlmsghdr *nlh);
json_t *msg_get_backend(const struct nlmsghdr *nlh);
json_t *msg_get_conn(const struct nlmsghdr *nlh);
json_t *msg_get_stats(const struct nlmsghdr *nlh);
json_t *msg_get_count(const struct nlmsghdr *nlh);

/* An object with "event" and what it is about; NULL for an unknown command. */
json_t *msg_get_event(const struct nlmsghdr *nlh);

#endif /* LBADM_MSG_H */
