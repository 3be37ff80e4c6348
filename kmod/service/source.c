// SPDX-License-Identifier: GPL-2.0
/*
 * Which sources packets may come from. What is received comes from one other
 * host (RFC 1122, 3.2.1.3; RFC 4291, 2.7): an answer to anything else would go
 * to many, or to the balancer.
 */
#include <linux/hash.h>
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/route.h>

#include "service/service.h"
#include "service/source.h"
#include "netns.h"

#define DEVICES_MAX 512

/**
 * nflb_addr_is_local() - is this an address of the host?
 * @net: the namespace
 * @addr: the address
 * @family: its family
 */
bool nflb_addr_is_local(struct net *net, const union nflb_addr *addr,
			u8 family)
{
	if (family == AF_INET)
		return inet_addr_type(net, addr->ip) == RTN_LOCAL;
	return ipv6_chk_addr(net, &addr->in6, NULL, 0);
}

static unsigned int filter_bit(__be32 addr)
{
	return hash_32((__force u32)addr, ilog2(NFLB_SOURCE_BITS));
}

static void filter_add(struct nflb_source_filter *filter, __be32 addr)
{
	__set_bit(filter_bit(addr), filter->bits);
}

/*
 * The entries of fib_add_ifaddr() in the local table, for each address. Returns false
 * when there are too many: of addresses, for the filter to be of use; of devices,
 * for a packet to wait for.
 */
static bool filter_fill(struct nflb_source_filter *filter, struct net *net)
{
	unsigned int addresses = 0, devices = 0;
	const struct in_ifaddr *ifa;
	struct in_device *in_dev;
	struct net_device *dev;

	for_each_netdev_rcu(net, dev) {
		if (++devices > DEVICES_MAX)
			return false;
		in_dev = __in_dev_get_rcu(dev);
		if (!in_dev)
			continue;
		in_dev_for_each_ifa_rcu(ifa, in_dev) {
			if (++addresses > NFLB_SOURCE_BITS / 4)
				return false;
			filter_add(filter, ifa->ifa_local);
			filter_add(filter, ifa->ifa_broadcast);
			filter_add(filter, ifa->ifa_address & ifa->ifa_mask);
			filter_add(filter, ifa->ifa_address | ~ifa->ifa_mask);
		}
	}
	return true;
}

static noinline void filter_make(struct nflb_source_filter *filter,
				 struct nflb_net *nn)
{
	filter->gen = atomic_read(&nn->address_gen);
	filter->made = true;
	/* Pairs with the barrier in address_event(). */
	smp_rmb();
	bitmap_zero(filter->bits, NFLB_SOURCE_BITS);
	if (!filter_fill(filter, nn->net))
		bitmap_fill(filter->bits, NFLB_SOURCE_BITS);
}

/* An address came or went: its device's list is what it will be. */
static int address_event(struct notifier_block *nb, unsigned long event,
			 void *ptr)
{
	const struct in_ifaddr *ifa = ptr;
	struct nflb_net *nn = nflb_net(dev_net(ifa->ifa_dev->dev));

	/*
	 * Whoever sees the new generation has to see the list, too. Pairs with the
	 * barrier in filter_make().
	 */
	smp_mb__before_atomic();
	atomic_inc(&nn->address_gen);
	return NOTIFY_DONE;
}

static struct notifier_block address_notifier = {
	.notifier_call = address_event,
};

/**
 * nflb_source_init() - begin to hear of addresses
 *
 * Context: process; after nflb_netns_init(). Return: 0 or a negative errno.
 */
int nflb_source_init(void)
{
	return register_inetaddr_notifier(&address_notifier);
}

/**
 * nflb_source_exit() - hear no more
 */
void nflb_source_exit(void)
{
	unregister_inetaddr_notifier(&address_notifier);
}

/* May @addr be the host's own, or a broadcast address? If not, it is neither. */
static bool filter_has(struct nflb_net *nn, __be32 addr)
{
	struct nflb_source_filter *filter = this_cpu_ptr(nn->source_filter);

	if (unlikely(!filter->made ||
		     filter->gen != atomic_read(&nn->address_gen)))
		filter_make(filter, nn);
	return test_bit(filter_bit(addr), filter->bits);
}

static bool source_ok_v4(const struct nflb_pkt *pkt)
{
	__be32 src = pkt->tuple.src.ip;
	struct net *net = pkt->nn->net;

	if (ipv4_is_multicast(src) || ipv4_is_lbcast(src) ||
	    ipv4_is_zeronet(src) || ipv4_is_loopback(src))
		return false;
	/* Routes of type local make addresses that no device has. */
	if (likely(!net->ipv4.fib_has_custom_local_routes &&
		   !filter_has(pkt->nn, src)))
		return true;
	/* The local table alone: broadcast addresses, and the host's own. */
	return inet_addr_type_dev_table(net, pkt->skb->dev, src) ==
	       RTN_UNICAST;
}

static bool source_ok_v6(const struct nflb_pkt *pkt)
{
	const struct in6_addr *src = &pkt->tuple.src.in6;

	return !ipv6_addr_is_multicast(src) && !ipv6_addr_any(src) &&
	       !ipv6_addr_loopback(src) &&
	       !ipv6_chk_addr(pkt->nn->net, src, NULL, 0);
}

/**
 * nflb_source_ok() - can a packet come from where it says?
 * @pkt: the packet
 *
 * Packets from the host to itself may have one of its own addresses. No client
 * may use a VIP: the backend's answer would come back to that VIP as a new request.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: true when it
 * can.
 */
bool nflb_source_ok(const struct nflb_pkt *pkt)
{
	const union nflb_addr *src = &pkt->tuple.src;
	const struct nflb_host *host;

	if (nflb_pkt_is_local_out(pkt) ||
	    pkt->skb->dev->flags & IFF_LOOPBACK)
		return true;
	if (unlikely(nflb_source_may_be_vip(pkt))) {
		host = nflb_host_lookup(pkt->nn, src, pkt->tuple.family);
		if (host && READ_ONCE(host->vips))
			return false;
	}
	return pkt->tuple.family == AF_INET ? source_ok_v4(pkt) :
					      source_ok_v6(pkt);
}
