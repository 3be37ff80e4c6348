// SPDX-License-Identifier: GPL-2.0
/*
 * Settings that are possible but hardly meant. The request succeeds; the first of
 * these found is its message. model/config_warn.c of lbadm has the same, for files.
 */
#include <linux/inetdevice.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "control/config.h"
#include "forward/forward.h"
#include "forward/route.h"
#include "netns.h"

enum warning {
	BACKEND_IS_VIP,
	BACKEND_IS_LOOPBACK,
	BACKEND_IS_BROADCAST,
	BACKEND_IS_TWICE,
	BACKEND_NEEDS_LADDR,
	BACKEND_IS_FAR,
	VIP_IS_BROADCAST,
	VIP_IS_BACKEND,
	SERVICE_NEEDS_LADDRS,
};

static const char *const warnings[] = {
	[BACKEND_IS_VIP] =
		"the address of a backend is a VIP here: its packets go to this host and to no service",
	[BACKEND_IS_LOOPBACK] =
		"a loopback address as a backend works only on devices with the sysctl route_localnet",
	[BACKEND_IS_BROADCAST] =
		"the address of a backend is the broadcast address of a link: no packet is sent there",
	[BACKEND_IS_TWICE] =
		"a backend is there twice, with the service's port and without a port: set and drain change one of them",
	[BACKEND_NEEDS_LADDR] =
		"mode fullnat needs a local address of the backend's family, and there is none: add one (laddr add)",
	[BACKEND_IS_FAR] =
		"mode dsr without encap reaches backends on a link of this host only, and a backend is on none",
	[VIP_IS_BROADCAST] =
		"the VIP is the broadcast address of a link: such packets are left to the host",
	[VIP_IS_BACKEND] =
		"the VIP is the address of a backend: that backend's packets go to this host and to no service",
	[SERVICE_NEEDS_LADDRS] =
		"mode fullnat needs local addresses, and there are none: add some (laddr add)",
};

static bool is_loopback(const union nflb_addr *addr, u8 family)
{
	return nflb_rules_loopback(addr, family == AF_INET ? 4 : 16);
}

/* Does some device deliver packets to 127.0.0.0/8? */
static bool routes_localnet(struct net *net)
{
	bool found = IPV4_DEVCONF_ALL(net, ROUTE_LOCALNET);
	struct net_device *dev;
	struct in_device *in;

	rcu_read_lock();
	for_each_netdev_rcu(net, dev) {
		in = __in_dev_get_rcu(dev);
		found = found || (in && IN_DEV_CONF_GET(in, ROUTE_LOCALNET));
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

/**
 * nflb_loopback_check() - can a new backend have this address?
 * @nn: the namespace
 * @addr: the address
 * @family: its family
 * @extack: for a message
 *
 * Packets that arrive are delivered to 127.0.0.0/8 only where a sysctl says so.
 *
 * Context: process. Return: 0 or -EINVAL.
 */
int nflb_loopback_check(const struct nflb_net *nn, const union nflb_addr *addr,
			u8 family, struct netlink_ext_ack *extack)
{
	if (!is_loopback(addr, family) || routes_localnet(nn->net))
		return 0;
	NL_SET_ERR_MSG(extack, NFLB_RULES_LOOPBACK_WHY);
	return -EINVAL;
}

static bool is_broadcast(const struct nflb_net *nn,
			 const union nflb_addr *addr, u8 family)
{
	return family == AF_INET &&
	       inet_addr_type(nn->net, addr->ip) == RTN_BROADCAST;
}

/* How many services or backends have this address? */
struct uses {
	u32 vips;
	u32 backends;
};

static struct uses uses_of(struct nflb_net *nn, const union nflb_addr *addr,
			   u8 family)
{
	struct nflb_host *host;
	struct uses uses = { };

	rcu_read_lock();
	host = nflb_host_lookup(nn, addr, family);
	if (host) {
		uses.vips = host->vips;
		uses.backends = host->backends;
	}
	rcu_read_unlock();
	return uses;
}

/* The same place with the port written out, or left out */
static bool has_twin(const struct nflb_backend *backend)
{
	struct nflb_service *svc = backend->service;
	struct nflb_backend_request other = {
		.addr = backend->addr,
		.family = backend->family,
		.port = backend->port ? 0 : svc->key.port,
	};

	if (nflb_service_has_range(svc) ||
	    (backend->port && backend->port != svc->key.port))
		return false;
	return nflb_backend_find(svc, &other);
}

/* Is it on one of this host's links, or on this host? */
static bool on_link(struct net *net, const struct nflb_backend *b)
{
	struct flowi6 fl6 = { .daddr = b->addr.in6 };
	struct flowi4 fl4 = { .daddr = b->addr.ip };
	struct dst_entry *dst;
	struct rtable *rt;
	bool on;

	if (b->family == AF_INET) {
		rt = ip_route_output_key(net, &fl4);
		if (IS_ERR(rt))
			return false;
		dst = &rt->dst;
	} else {
		dst = ip6_route_output(net, NULL, &fl6);
	}
	on = !dst->error && !nflb_route_has_gateway(dst, b->family);
	dst_release(dst);
	return on;
}

static const char *backend_warning(struct nflb_net *nn,
				   const struct nflb_backend *b)
{
	const struct nflb_forward_ops *ops = b->forward;

	if (uses_of(nn, &b->addr, b->family).vips)
		return warnings[BACKEND_IS_VIP];
	if (is_loopback(&b->addr, b->family))
		return warnings[BACKEND_IS_LOOPBACK];
	if (is_broadcast(nn, &b->addr, b->family))
		return warnings[BACKEND_IS_BROADCAST];
	if (has_twin(b))
		return warnings[BACKEND_IS_TWICE];
	if (ops->mode == NFLB_MODE_FULLNAT &&
	    !rcu_access_pointer(nn->laddrs[nflb_laddr_index(b->family)]))
		return warnings[BACKEND_NEEDS_LADDR];
	if (ops->mode == NFLB_MODE_DSR && ops->encap == NFLB_ENCAP_NONE &&
	    !on_link(nn->net, b))
		return warnings[BACKEND_IS_FAR];
	return NULL;
}

static void warn(const char *why, struct netlink_ext_ack *extack)
{
	if (why && extack)
		extack->_msg = why;
}

/**
 * nflb_backend_warn() - warn of a backend that was added or changed
 * @backend: the backend; nn->mutex is held
 * @extack: for a message
 */
void nflb_backend_warn(const struct nflb_backend *backend,
		       struct netlink_ext_ack *extack)
{
	struct nflb_net *nn = backend->service->nn;

	lockdep_assert_held(&nn->mutex);
	warn(backend_warning(nn, backend), extack);
}

/**
 * nflb_service_warn() - warn of a service that was added or changed
 * @svc: the service; nn->mutex is held
 * @extack: for a message
 *
 * Context: process, sleeps.
 */
void nflb_service_warn(const struct nflb_service *svc,
		       struct netlink_ext_ack *extack)
{
	const union nflb_addr *vip = &svc->key.addr;
	const struct nflb_backend *b;
	struct nflb_net *nn = svc->nn;
	const char *why = NULL;

	lockdep_assert_held(&nn->mutex);
	if (is_broadcast(nn, vip, svc->key.family))
		why = warnings[VIP_IS_BROADCAST];
	else if (uses_of(nn, vip, svc->key.family).backends)
		why = warnings[VIP_IS_BACKEND];
	else if (svc->settings.mode == NFLB_MODE_FULLNAT &&
		 !rcu_access_pointer(nn->laddrs[0]) &&
		 !rcu_access_pointer(nn->laddrs[1]))
		why = warnings[SERVICE_NEEDS_LADDRS];
	list_for_each_entry(b, &svc->backends, list) {
		if (why)
			break;
		why = backend_warning(nn, b);
		cond_resched();
	}
	warn(why, extack);
}
