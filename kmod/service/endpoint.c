// SPDX-License-Identifier: GPL-2.0
/*
 * Where backends answer from. A packet that comes from such a place without a
 * connection is either late or part of a flow that went to the backend directly
 * (beside.c).
 */
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "service/endpoint.h"
#include "service/forward_ops.h"
#include "netns.h"

const struct rhashtable_params nflb_endpoint_params = {
	.head_offset = offsetof(struct nflb_endpoint, node),
	.key_offset = offsetof(struct nflb_endpoint, key),
	.key_len = offsetofend(struct nflb_service_key, family),
	.automatic_shrinking = true,
};

/* It is hashed by words, without holes. */
static_assert(offsetofend(struct nflb_service_key, family) == 20);

static bool keeps_ports(const struct nflb_backend *b)
{
	return !b->port && nflb_service_has_range(b->service);
}

static struct nflb_endpoint *endpoint_get(struct nflb_net *nn,
					  const struct nflb_service_key *key)
{
	struct nflb_endpoint *ep;

	rcu_read_lock();
	ep = rhashtable_lookup(&nn->endpoints, key, nflb_endpoint_params);
	rcu_read_unlock();
	if (ep)
		return ep;
	ep = kzalloc(sizeof(*ep), GFP_KERNEL_ACCOUNT);
	if (!ep)
		return NULL;
	ep->key = *key;
	INIT_LIST_HEAD(&ep->backends);
	if (rhashtable_insert_fast(&nn->endpoints, &ep->node,
				   nflb_endpoint_params)) {
		kfree(ep);
		return NULL;
	}
	return ep;
}

/**
 * nflb_endpoint_attach() - note where a backend answers from
 * @b: the backend; the mutex of its namespace is held
 *
 * Context: process. Return: 0 or -ENOMEM.
 */
int nflb_endpoint_attach(struct nflb_backend *b)
{
	const struct nflb_service *svc = b->service;
	struct nflb_service_key key = {
		.addr = b->addr,
		.port = b->port,
		.proto = svc->key.proto,
		.family = b->family,
	};
	struct nflb_net *nn = svc->nn;

	lockdep_assert_held(&nn->mutex);
	if (!b->port && !keeps_ports(b))
		key.port = svc->key.port;
	b->endpoint = endpoint_get(nn, &key);
	if (!b->endpoint)
		return -ENOMEM;
	list_add_tail_rcu(&b->answering, &b->endpoint->backends);
	if (!key.port)
		WRITE_ONCE(nn->endpoint_ranges, nn->endpoint_ranges + 1);
	return 0;
}

/**
 * nflb_endpoint_detach() - forget it
 * @b: the backend, which is attached; freed after a grace period at the earliest
 *
 * Context: process; the mutex of its namespace is held.
 */
void nflb_endpoint_detach(struct nflb_backend *b)
{
	struct nflb_net *nn = b->service->nn;
	struct nflb_endpoint *ep = b->endpoint;

	lockdep_assert_held(&nn->mutex);
	nflb_endpoint_forward(b, NULL);
	list_del_rcu(&b->answering);
	b->endpoint = NULL;
	if (!ep->key.port)
		WRITE_ONCE(nn->endpoint_ranges, nn->endpoint_ranges - 1);
	if (!list_empty(&ep->backends))
		return;
	rhashtable_remove_fast(&nn->endpoints, &ep->node,
			       nflb_endpoint_params);
	kfree_rcu(ep, rcu);
}

/**
 * nflb_endpoint_forward() - do the answers of a backend come by the balancer?
 * @b: the backend, which is attached
 * @ops: how packets go to it from now on; NULL when none do
 *
 * Context: process; the mutex of its namespace is held.
 */
void nflb_endpoint_forward(struct nflb_backend *b,
			   const struct nflb_forward_ops *ops)
{
	struct nflb_endpoint *ep = b->endpoint;
	bool answers = ops && !ops->one_sided;

	lockdep_assert_held(&b->service->nn->mutex);
	if (answers == b->answers)
		return;
	b->answers = answers;
	WRITE_ONCE(ep->answers, answers ? ep->answers + 1 : ep->answers - 1);
}

static bool range_has(const struct nflb_endpoint *ep, u16 port)
{
	const struct nflb_backend *b;

	list_for_each_entry_rcu(b, &ep->backends, answering) {
		const struct nflb_service *svc = b->service;

		if (READ_ONCE(b->answers) && port >= ntohs(svc->key.port) &&
		    port <= ntohs(svc->port_last))
			return true;
	}
	return false;
}

/**
 * nflb_endpoint_answers() - do answers of a backend come from there?
 * @nn: the namespace
 * @addr: an address
 * @port: a port
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @family: of the address
 *
 * Not those of mode dsr, which come from the VIP and not to the balancer.
 *
 * Context: rcu_read_lock() held. Return: true when they do.
 */
bool nflb_endpoint_answers(struct nflb_net *nn, const union nflb_addr *addr,
			   __be16 port, u8 proto, u8 family)
{
	struct nflb_service_key key = {
		.addr = *addr,
		.port = port,
		.proto = proto,
		.family = family,
	};
	const struct nflb_endpoint *ep;

	ep = rhashtable_lookup(&nn->endpoints, &key, nflb_endpoint_params);
	if (ep && READ_ONCE(ep->answers))
		return port || range_has(ep, 0);
	if (!READ_ONCE(nn->endpoint_ranges))
		return false;
	key.port = 0;
	ep = rhashtable_lookup(&nn->endpoints, &key, nflb_endpoint_params);
	return ep && READ_ONCE(ep->answers) && range_has(ep, ntohs(port));
}
