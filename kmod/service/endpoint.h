/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where backends answer from: address, port and protocol of those whose answers
 * come by the balancer.
 */
#ifndef NFLB_ENDPOINT_H
#define NFLB_ENDPOINT_H

#include <linux/rhashtable-types.h>

#include "service/service.h"

/**
 * struct nflb_endpoint - a place that backends answer from
 * @node: in nflb_net.endpoints
 * @key: protocol, address and port; port 0 is for backends that keep the ports
 *	of a service with a range of them
 * @answers: backends on it whose answers come by the balancer
 * @backends: all backends on it
 * @rcu: to free it
 */
struct nflb_endpoint {
	struct rhash_head	node;
	struct nflb_service_key	key;
	u32			answers;
	struct list_head	backends;
	struct rcu_head		rcu;
};

extern const struct rhashtable_params nflb_endpoint_params;

int nflb_endpoint_attach(struct nflb_backend *b);
void nflb_endpoint_detach(struct nflb_backend *b);
void nflb_endpoint_forward(struct nflb_backend *b,
			   const struct nflb_forward_ops *ops);
bool nflb_endpoint_answers(struct nflb_net *nn, const union nflb_addr *addr,
			   __be16 port, u8 proto, u8 family);

#endif /* NFLB_ENDPOINT_H */
