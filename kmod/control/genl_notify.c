// SPDX-License-Identifier: GPL-2.0
/*
 * Events, to whoever listens: nothing is built while nobody does. An event that
 * cannot be delivered makes its listeners' next read fail with ENOBUFS, so that
 * they know that they missed something.
 */
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_notify.h"
#include "datapath/event.h"
#include "netns.h"

/* Does the family exist? Its groups' numbers mean nothing else. */
static bool enabled __read_mostly;

/**
 * nflb_notify_enable() - begin or end to tell of anything
 * @on: which
 *
 * Context: process, sleeps. When it returns no event of a packet is under way.
 */
void nflb_notify_enable(bool on)
{
	WRITE_ONCE(enabled, on);
	if (!on)
		synchronize_rcu();
}

static bool wanted(const struct nflb_net *nn, enum nflb_genl_group group)
{
	return READ_ONCE(enabled) &&
	       genl_has_listeners(&nflb_genl_family, nn->net, group);
}

static struct sk_buff *event_new(u8 cmd, gfp_t gfp, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(NFLB_MSG_SIZE, gfp);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put(skb, 0, 0, &nflb_genl_family, 0, cmd);
	if (!*hdr) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

/* @skb may be NULL, when there was no memory: then it is known to be lost. */
static void event_send(const struct nflb_net *nn, struct sk_buff *skb,
		       void *hdr, int err, enum nflb_genl_group group,
		       gfp_t gfp)
{
	if (skb && !err) {
		genlmsg_end(skb, hdr);
		genlmsg_multicast_netns(&nflb_genl_family, nn->net, skb, 0,
					group, gfp);
		return;
	}
	nlmsg_free(skb);
	genl_set_err(&nflb_genl_family, nn->net, 0, group, -ENOBUFS);
}

/**
 * nflb_notify_service() - tell of a change of a service
 * @svc: the service; nn->mutex is held
 * @cmd: NFLB_CMD_SERVICE_ADD, _SET or _DEL
 */
void nflb_notify_service(const struct nflb_service *svc, u8 cmd)
{
	struct sk_buff *skb;
	void *hdr = NULL;
	int err = 0;

	if (!wanted(svc->nn, NFLB_GENL_GROUP_CONFIG))
		return;
	skb = event_new(cmd, GFP_KERNEL, &hdr);
	if (skb)
		err = nflb_fill_service(skb, svc);
	event_send(svc->nn, skb, hdr, err, NFLB_GENL_GROUP_CONFIG, GFP_KERNEL);
}

/**
 * nflb_notify_backend() - tell of a change of a backend
 * @backend: the backend; nn->mutex is held
 * @cmd: NFLB_CMD_BACKEND_ADD, _SET or _DEL
 */
void nflb_notify_backend(const struct nflb_backend *backend, u8 cmd)
{
	const struct nflb_net *nn = backend->service->nn;
	struct sk_buff *skb;
	void *hdr = NULL;
	int err = 0;

	if (!wanted(nn, NFLB_GENL_GROUP_CONFIG))
		return;
	skb = event_new(cmd, GFP_KERNEL, &hdr);
	if (skb)
		err = nflb_fill_backend(skb, backend);
	event_send(nn, skb, hdr, err, NFLB_GENL_GROUP_CONFIG, GFP_KERNEL);
}

/**
 * nflb_notify_laddr() - tell of a change of local addresses
 * @nn: the namespace; nn->mutex is held
 * @laddr: the addresses
 * @cmd: NFLB_CMD_LADDR_ADD or _DEL
 */
void nflb_notify_laddr(const struct nflb_net *nn,
		       const struct nflb_laddr *laddr, u8 cmd)
{
	struct sk_buff *skb;
	void *hdr = NULL;
	int err = 0;

	if (!wanted(nn, NFLB_GENL_GROUP_CONFIG))
		return;
	skb = event_new(cmd, GFP_KERNEL, &hdr);
	if (skb)
		err = nflb_fill_laddr(skb, nn, laddr);
	event_send(nn, skb, hdr, err, NFLB_GENL_GROUP_CONFIG, GFP_KERNEL);
}

/**
 * nflb_notify_device() - tell of a device that got the fast path or lost it
 * @nn: the namespace; nn->mutex is held
 * @dev: the device
 * @cmd: NFLB_CMD_DEVICE_ADD or _DEL
 */
void nflb_notify_device(const struct nflb_net *nn, const struct net_device *dev,
			u8 cmd)
{
	struct sk_buff *skb;
	void *hdr = NULL;
	int err = 0;

	if (!wanted(nn, NFLB_GENL_GROUP_CONFIG))
		return;
	skb = event_new(cmd, GFP_KERNEL, &hdr);
	if (skb)
		err = nflb_fill_device(skb, dev);
	event_send(nn, skb, hdr, err, NFLB_GENL_GROUP_CONFIG, GFP_KERNEL);
}

static noinline void tell_of_conn(struct nflb_net *nn,
				  const struct nflb_conn *conn, u8 cmd)
{
	struct sk_buff *skb;
	void *hdr = NULL;
	int err = 0;

	skb = event_new(cmd, GFP_ATOMIC, &hdr);
	if (skb)
		err = nflb_fill_conn(skb, conn);
	event_send(nn, skb, hdr, err, NFLB_GENL_GROUP_CONNECTIONS, GFP_ATOMIC);
}

/**
 * nflb_notify_conn() - tell of the begin or end of a connection
 * @nn: its namespace
 * @conn: the connection
 * @cmd: NFLB_CMD_CONN_NEW or _END
 *
 * Context: any but hard interrupts, rcu_read_lock() held.
 */
void nflb_notify_conn(struct nflb_net *nn, const struct nflb_conn *conn,
		      u8 cmd)
{
	if (unlikely(wanted(nn, NFLB_GENL_GROUP_CONNECTIONS)))
		tell_of_conn(nn, conn, cmd);
}
