// SPDX-License-Identifier: GPL-2.0
/*
 * Which service a packet is for.
 */
#include <linux/hash.h>
#include <linux/rhashtable.h>

#include "service/service.h"
#include "netns.h"

/* Mix the topmost bits into lower ones, too: a product alone does not. */
static u64 mix(u64 value)
{
	value *= GOLDEN_RATIO_64;
	return value ^ value >> 32;
}

/* An administrator's services are no attack: no secret is needed. */
static u32 service_hash(const void *data, u32 len, u32 seed)
{
	const struct nflb_service_key *key = data;
	u64 rest = (u64)(__force u16)key->port << 8 | key->proto;

	rest ^= key->addr.words[1] ^ (u64)seed << 24;
	return hash_64(mix(mix(rest) ^ key->addr.words[0]), 32);
}

static int service_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct nflb_service_key *key = arg->key;
	const struct nflb_service *svc = obj;

	return key->port != svc->key.port ||
	       !nflb_addr_equal(&key->addr, &svc->key.addr) ||
	       key->proto != svc->key.proto || key->family != svc->key.family;
}

const struct rhashtable_params nflb_service_params = {
	.head_offset = offsetof(struct nflb_service, node),
	.key_offset = offsetof(struct nflb_service, key),
	.key_len = offsetofend(struct nflb_service_key, family),
	.hashfn = service_hash,
	.obj_cmpfn = service_cmp,
	.automatic_shrinking = true,
};

static u32 host_hash(const void *data, u32 len, u32 seed)
{
	const struct nflb_host_key *key = data;

	return jhash2((__force const u32 *)key->addr.all, 4,
		      seed ^ key->family);
}

static int host_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct nflb_host_key *key = arg->key;
	const struct nflb_host *host = obj;

	return !nflb_addr_equal(&key->addr, &host->key.addr) ||
	       key->family != host->key.family;
}

const struct rhashtable_params nflb_host_params = {
	.head_offset = offsetof(struct nflb_host, node),
	.key_offset = offsetof(struct nflb_host, key),
	.key_len = sizeof(struct nflb_host_key),
	.hashfn = host_hash,
	.obj_cmpfn = host_cmp,
	.automatic_shrinking = true,
};

/**
 * nflb_host_lookup() - is this address a VIP or a backend's?
 * @nn: the namespace
 * @addr: the address
 * @family: its family
 *
 * Context: rcu_read_lock() held. Return: its entry, or NULL.
 */
struct nflb_host *nflb_host_lookup(struct nflb_net *nn,
				   const union nflb_addr *addr, u8 family)
{
	struct nflb_host_key key = { .addr = *addr, .family = family };

	return rhashtable_lookup(&nn->hosts, &key, nflb_host_params);
}

/**
 * nflb_service_lookup() - the service that a client's packet is for
 * @nn: the namespace
 * @tuple: the packet's tuple
 * @host: if no service is found: the entry of its destination, or NULL
 *
 * A single port goes before a range, a narrow range before a wide one.
 *
 * Context: rcu_read_lock() held. Return: the service or NULL.
 */
struct nflb_service *nflb_service_lookup(struct nflb_net *nn,
					 const struct nflb_tuple *tuple,
					 struct nflb_host **host)
{
	struct nflb_service_key key = {
		.addr = tuple->dst,
		.port = tuple->dport,
		.proto = tuple->proto,
		.family = tuple->family,
	};
	u16 port = ntohs(tuple->dport);
	struct nflb_service *svc;

	*host = NULL;
	svc = rhashtable_lookup(&nn->services, &key, nflb_service_params);
	if (svc)
		return svc;

	*host = nflb_host_lookup(nn, &tuple->dst, tuple->family);
	if (!*host)
		return NULL;
	list_for_each_entry_rcu(svc, &(*host)->ranges, range) {
		if (svc->key.proto == tuple->proto &&
		    port >= ntohs(svc->key.port) &&
		    port <= ntohs(svc->port_last))
			return svc;
	}
	return NULL;
}
NFLB_EXPORT_KUNIT(nflb_service_lookup);

/**
 * nflb_service_put() - give a reference back
 * @svc: the service
 *
 * Context: any but hard interrupts.
 */
void nflb_service_put(struct nflb_service *svc)
{
	if (refcount_dec_and_test(&svc->ref))
		queue_rcu_work(nflb_wq, &svc->free_work);
}

/**
 * nflb_backend_put() - give a reference back
 * @backend: the backend
 *
 * Context: any but hard interrupts.
 */
void nflb_backend_put(struct nflb_backend *backend)
{
	if (refcount_dec_and_test(&backend->ref))
		queue_rcu_work(nflb_wq, &backend->free_work);
}
