/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink attributes to plain structures.
 */
#ifndef NFLB_GENL_PARSE_H
#define NFLB_GENL_PARSE_H

#include <linux/nflb.h>
#include <net/genetlink.h>

#include "control/config.h"
#include "control/health.h"

/**
 * struct nflb_conn_filter - which connections are meant
 * @has_service: those of @service only
 * @has_backend: those of @backend (address; and port, if not 0) only
 * @has_client: those of clients within @client_prefix bits of @client only
 * @has_state: those in @state only
 * @service: which service
 * @backend: which backend
 * @client: a client's address, or the prefix of many
 * @client_family: its family
 * @client_prefix: how many bits of it count
 * @state: enum nflb_conn_state
 * @flags: NFLB_CONN_FLAG_*: those with the same flags only
 */
struct nflb_conn_filter {
	bool				has_service;
	bool				has_backend;
	bool				has_client;
	bool				has_state;
	struct nflb_service_id		service;
	struct nflb_backend_request	backend;
	union nflb_addr			client;
	u8				client_family;
	u8				client_prefix;
	u8				state;
	u32				flags;
};

#define NFLB_TIMEOUT_POLICY NLA_POLICY_FULL_RANGE(NLA_U32, &nflb_timeout_range)

/* genl_explain.c */
extern const struct nla_policy nflb_explain_policy[NFLB_A_EXPLAIN_MAX + 1];
/* genl_laddr.c */
extern const struct nla_policy nflb_laddr_policy[NFLB_A_LADDR_MAX + 1];
/* genl_probe.c */
extern const struct nla_policy nflb_probe_policy[NFLB_A_CONN_MAX + 1];
/* genl_parse_backend.c */
extern const struct nla_policy nflb_backend_policy[NFLB_A_BACKEND_MAX + 1];
/* genl_parse.c */
extern struct netlink_range_validation nflb_timeout_range;
extern const struct nla_policy nflb_genl_policy[NFLB_A_MAX + 1];

int nflb_parse_service_id(struct nlattr **attrs, struct nflb_service_id *id,
			  struct netlink_ext_ack *extack);
int nflb_parse_service(struct genl_info *info,
		       struct nflb_service_request *req);
int nflb_parse_backend(struct nlattr **attrs,
		       struct nflb_backend_request *req,
		       struct netlink_ext_ack *extack);
int nflb_parse_backends(struct genl_info *info, const struct nlattr *nest,
			struct nflb_service_request *req);
int nflb_parse_labels(struct nlattr *name, struct nlattr *comment,
		      const char *labels[NFLB_LABEL_COUNT],
		      struct netlink_ext_ack *extack);
int nflb_backends_count(struct genl_info *info, const struct nlattr *nest);
int nflb_parse_health_verdict(const struct nlattr *nest,
			      struct nflb_backend_request *which, u32 *id,
			      struct nflb_health_verdict *v,
			      struct netlink_ext_ack *extack);
int nflb_parse_addr(const struct nlattr *attr, union nflb_addr *addr,
		    u8 *family, struct netlink_ext_ack *extack);
int nflb_parse_addr_usable(const struct nlattr *attr,
			   const union nflb_addr *addr,
			   struct netlink_ext_ack *extack);
int nflb_parse_conn_filter(struct nlattr **attrs,
			   struct nflb_conn_filter *filter,
			   struct netlink_ext_ack *extack);

#endif /* NFLB_GENL_PARSE_H */
