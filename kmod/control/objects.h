/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services, backends, snapshots and hosts: making and freeing them.
 */
#ifndef NFLB_OBJECTS_H
#define NFLB_OBJECTS_H

#include "service/service.h"

struct nflb_service *nflb_service_alloc(struct nflb_net *nn,
					const struct nflb_service_key *key,
					__be16 port_last,
					struct netlink_ext_ack *extack);
struct nflb_backend *nflb_backend_alloc(struct nflb_service *svc,
					const union nflb_addr *addr,
					u8 family, __be16 port,
					struct netlink_ext_ack *extack);
struct nflb_snapshot *nflb_snapshot_build(struct nflb_service *svc,
					  const struct nflb_service_settings *s);
void nflb_snapshot_free(struct nflb_snapshot *snapshot);
void nflb_snapshot_free_rcu(struct nflb_snapshot *snapshot);

struct nflb_host *nflb_host_get(struct nflb_net *nn,
				const union nflb_addr *addr, u8 family);
void nflb_host_put(struct nflb_net *nn, struct nflb_host *host);

#endif /* NFLB_OBJECTS_H */
