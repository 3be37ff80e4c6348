/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Persistence: a client, or its network, returns to the same backend.
 */
#ifndef NFLB_PERSIST_H
#define NFLB_PERSIST_H

#include "nflb.h"
#include "service/service.h"
#include "conn/conn_evict.h"

struct nflb_persist;

int nflb_persist_init(struct nflb_net *nn);
void nflb_persist_exit(struct nflb_net *nn);
void nflb_persist_kick(struct nflb_net *nn);
void nflb_persist_stop(struct nflb_net *nn);
void nflb_persist_flush(struct nflb_net *nn);

struct nflb_persist *nflb_persist_find(struct nflb_net *nn,
				       const struct nflb_service *svc,
				       const struct nflb_snapshot *snapshot,
				       const union nflb_addr *client,
				       struct nflb_persist **stale);
struct nflb_persist *nflb_persist_claim(struct nflb_net *nn,
					struct nflb_service *svc,
					const struct nflb_snapshot *snapshot,
					const union nflb_addr *client,
					struct nflb_backend *backend);
struct nflb_backend *nflb_persist_backend(const struct nflb_persist *entry);
void nflb_persist_forget(struct nflb_net *nn, struct nflb_persist *entry);
enum nflb_rank nflb_persist_rank(struct rhash_head *head, u32 now, u32 *age);
bool nflb_persist_remove(struct nflb_net *nn, struct rhash_head *head);
void nflb_persist_assure(struct nflb_persist *entry, bool proven);
bool nflb_persist_get(struct nflb_persist *entry);
void nflb_persist_put(struct nflb_persist *entry);

#endif /* NFLB_PERSIST_H */
