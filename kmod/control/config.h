/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The administrator's requests, as plain structures: genl_parse.c is the last to see
 * netlink attributes.
 */
#ifndef NFLB_CONFIG_H
#define NFLB_CONFIG_H

#include <linux/netlink.h>
#include <nflb/rules.h>

#include "service/laddr.h"
#include "service/service.h"

/**
 * struct nflb_service_id - which service
 * @key: protocol, VIP, first port (0: all)
 * @port_last: last port; equal to the first of a single one
 */
struct nflb_service_id {
	struct nflb_service_key	key;
	__be16			port_last;
};

/* Attributes of a request; others stay as they are, or get their defaults. */
#define NFLB_SET_MODE		BIT(0)
#define NFLB_SET_SCHEDULER	BIT(1)
#define NFLB_SET_TIMEOUT(t)	BIT(2 + (t))
#define NFLB_SET_BACKENDS	BIT(8)
#define NFLB_SET_PERSIST	BIT(9)
#define NFLB_SET_SLOW_START	BIT(10)
#define NFLB_SET_TOA		BIT(11)
#define NFLB_SET_TOA_KIND6	BIT(12)
#define NFLB_SET_PROXY		BIT(13)
#define NFLB_SET_ENCAP		BIT(14)
#define NFLB_SET_ENCAP_SOURCE(i) BIT(15 + (i))
/* Missing attributes of an existing service get their defaults, too. */
#define NFLB_SET_EXACT		BIT(17)
#define NFLB_SET_HEALTH_CHECK	BIT(18)
#define NFLB_SET_HEALTH_INITIAL	BIT(19)
#define NFLB_SET_ON_UNHEALTHY	BIT(20)
#define NFLB_SET_WHEN_NONE	BIT(21)
#define NFLB_SET_PANIC		BIT(22)
/* Clear states that were set by hand. */
#define NFLB_SET_FORCE		BIT(23)
#define NFLB_SET_ONE_PACKET	BIT(24)

#define NFLB_SET_WEIGHT		BIT(0)
#define NFLB_SET_STATE		BIT(1)
#define NFLB_SET_MAX_CONNS	BIT(2)
#define NFLB_SET_DEADLINE	BIT(3)
#define NFLB_SET_BACKEND_MODE	BIT(4)
#define NFLB_SET_BACKEND_ENCAP	BIT(5)

/**
 * struct nflb_backend_request - a backend, as a request has it
 * @addr: address
 * @family: of @addr
 * @port: port, or 0 for the service's own
 * @set: NFLB_SET_* of the attributes present
 * @weight: 0 to NFLB_WEIGHT_MAX
 * @state: enum nflb_backend_state
 * @max_connections: 0 is no limit
 * @deadline: seconds until the remaining connections of a draining one are reset
 * @mode: enum nflb_mode
 * @encap: enum nflb_encap
 * @encap_port: UDP port of gue; 0 for the service's
 * @labels: by enum nflb_label, within the message; NULL is not named, "" is none
 */
struct nflb_backend_request {
	union nflb_addr	addr;
	u8		family;
	__be16		port;
	u32		set;
	u32		weight;
	u8		state;
	u32		max_connections;
	u32		deadline;
	u8		mode;
	u8		encap;
	__be16		encap_port;
	const char	*labels[NFLB_LABEL_COUNT];
};

/**
 * struct nflb_service_request - a service, as a request has it
 * @id: which
 * @set: NFLB_SET_* of the attributes present
 * @settings: their values
 * @backends: the whole list, with NFLB_SET_BACKENDS
 * @backend_count: its length
 * @health_check: with NFLB_SET_HEALTH_CHECK, NULL for none
 * @labels: by enum nflb_label, within the message; NULL is not named, "" is none
 *
 * nflb_service_request_free() frees its memory.
 */
struct nflb_service_request {
	struct nflb_service_id		id;
	u32				set;
	struct nflb_service_settings	settings;
	struct nflb_backend_request	*backends;
	u32				backend_count;
	char				*health_check;
	const char			*labels[NFLB_LABEL_COUNT];
};

void nflb_service_request_free(struct nflb_service_request *req);

struct nflb_service *nflb_service_find(struct nflb_net *nn,
				       const struct nflb_service_id *id);
struct nflb_backend *nflb_backend_find(struct nflb_service *svc,
				       const struct nflb_backend_request *req);

const struct nflb_forward_ops *
nflb_backend_forward(const struct nflb_backend *b,
		     const struct nflb_service_settings *settings);
int nflb_refused(struct nflb_refusal refusal, const struct nlattr *attr,
		 struct netlink_ext_ack *extack);
int nflb_settings_check(const struct nflb_service *svc,
			const struct nflb_service_settings *settings,
			const struct nflb_service_request *req,
			struct netlink_ext_ack *extack);
int nflb_backends_check(const struct nflb_service *svc,
			const struct nflb_service_settings *settings,
			struct netlink_ext_ack *extack);

int nflb_loopback_check(const struct nflb_net *nn, const union nflb_addr *addr,
			u8 family, struct netlink_ext_ack *extack);
void nflb_backend_warn(const struct nflb_backend *backend,
		       struct netlink_ext_ack *extack);
void nflb_service_warn(const struct nflb_service *svc,
		       struct netlink_ext_ack *extack);

int nflb_service_add(struct nflb_net *nn, struct nflb_service_request *req,
		     struct netlink_ext_ack *extack);
int nflb_service_set(struct nflb_net *nn, struct nflb_service *svc,
		     struct nflb_service_request *req,
		     struct netlink_ext_ack *extack);
void nflb_service_del(struct nflb_net *nn, struct nflb_service *svc);

int nflb_backend_add(struct nflb_service *svc,
		     const struct nflb_backend_request *req,
		     struct netlink_ext_ack *extack);
int nflb_backend_set(struct nflb_backend *backend,
		     const struct nflb_backend_request *req,
		     struct netlink_ext_ack *extack);
int nflb_backend_del(struct nflb_backend *backend, bool now,
		     struct netlink_ext_ack *extack);
int nflb_backends_replace(struct nflb_service *svc,
			  const struct nflb_service_request *req,
			  const struct nflb_service_settings *settings,
			  struct netlink_ext_ack *extack);
int nflb_service_publish(struct nflb_service *svc,
			 const struct nflb_service_settings *settings,
			 struct netlink_ext_ack *extack);
int nflb_service_republish(struct nflb_service *svc,
			   struct netlink_ext_ack *extack);
void nflb_backend_discard(struct nflb_backend *backend, enum nflb_gone gone);

int nflb_laddr_add(struct nflb_net *nn, const struct nflb_laddr *laddr,
		   struct netlink_ext_ack *extack);
int nflb_laddr_del(struct nflb_net *nn, const struct nflb_laddr *laddr,
		   bool ports, struct netlink_ext_ack *extack);
bool nflb_laddr_nth(struct nflb_net *nn, u32 n, struct nflb_laddr *laddr);
u32 nflb_laddr_foreign(const struct nflb_net *nn,
		       const struct nflb_laddr *laddr);
void nflb_laddr_exit(struct nflb_net *nn);

void nflb_config_flush(struct nflb_net *nn);
void nflb_config_drain(void);

void nflb_backend_stats(const struct nflb_backend *backend,
			struct nflb_stats_sum *sum);
void nflb_service_stats(const struct nflb_service *svc,
			struct nflb_stats_sum *sum);
void nflb_net_stats(const struct nflb_net *nn, struct nflb_stats_sum *sum);
void nflb_stats_zero(struct nflb_net *nn);

#endif /* NFLB_CONFIG_H */
