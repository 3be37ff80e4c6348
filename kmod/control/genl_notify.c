// SPDX-License-Identifier: GPL-2.0
/*
 * Events, to whoever listens: nothing is built while nobody does. Changes of the
 * configuration go to a multicast group, connections to sockets that asked for them
 * (listen.c). An event that cannot be delivered makes its listeners' next read fail
 * with ENOBUFS, so that they know that they missed something.
 */
#include "control/generation.h"
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_notify.h"
#include "control/listen.h"
#include "conn/event.h"
#include "netns.h"

/* Does the family exist? Its group's number means nothing else. */
static bool enabled __read_mostly;

static bool wanted(const struct nflb_net *nn)
{
	return READ_ONCE(enabled) &&
	       genl_has_listeners(&nflb_genl_family, nn->net,
				  NFLB_GENL_GROUP_CONFIG);
}

/* A change of the configuration that is being told of. */
struct event {
	const struct nflb_net	*nn;
	u8			cmd;
	struct sk_buff		*skb;
	void			*hdr;
};

/* Those who listen know then that they missed something. */
static void event_lost(const struct event *ev)
{
	nlmsg_free(ev->skb);
	genl_set_err(&nflb_genl_family, ev->nn->net, 0,
		     NFLB_GENL_GROUP_CONFIG, -ENOBUFS);
}

/* Returns true when there is @ev->skb to be filled in, for event_send(). */
static bool event_new(struct event *ev)
{
	if (!wanted(ev->nn))
		return false;
	ev->skb = genlmsg_new(NFLB_MSG_SIZE, GFP_KERNEL);
	if (ev->skb)
		ev->hdr = genlmsg_put(ev->skb, 0, 0, &nflb_genl_family, 0,
				      ev->cmd);
	if (!ev->hdr ||
	    nflb_fill_generation(ev->skb, ev->nn, nflb_generation(ev->nn))) {
		event_lost(ev);
		return false;
	}
	return true;
}

static void event_send(const struct event *ev, int err)
{
	if (err) {
		event_lost(ev);
		return;
	}
	genlmsg_end(ev->skb, ev->hdr);
	genlmsg_multicast_netns(&nflb_genl_family, ev->nn->net, ev->skb, 0,
				NFLB_GENL_GROUP_CONFIG, GFP_KERNEL);
}

#define CONFIG_EVENT(_nn, _cmd) { .nn = (_nn), .cmd = (_cmd) }

/**
 * nflb_notify_service() - tell of a change of a service
 * @svc: the service; nn->mutex is held
 * @cmd: NFLB_CMD_SERVICE_ADD, _SET or _DEL
 */
void nflb_notify_service(const struct nflb_service *svc, u8 cmd)
{
	struct event ev = CONFIG_EVENT(svc->nn, cmd);

	int err;

	if (!event_new(&ev))
		return;
	down_read(&svc->nn->view);
	err = nflb_fill_service(ev.skb, svc);
	up_read(&svc->nn->view);
	event_send(&ev, err);
}

/**
 * nflb_notify_backend() - tell of a change of a backend
 * @backend: the backend; nn->mutex is held
 * @cmd: NFLB_CMD_BACKEND_ADD, _SET or _DEL
 */
void nflb_notify_backend(const struct nflb_backend *backend, u8 cmd)
{
	struct event ev = CONFIG_EVENT(backend->service->nn, cmd);

	int err;

	if (!event_new(&ev))
		return;
	down_read(&backend->service->nn->view);
	err = nflb_fill_backend(ev.skb, backend);
	up_read(&backend->service->nn->view);
	event_send(&ev, err);
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
	struct event ev = CONFIG_EVENT(nn, cmd);

	if (event_new(&ev))
		event_send(&ev, nflb_fill_laddr(ev.skb, nn, laddr));
}

/**
 * nflb_notify_device() - tell of a device that got the fast path or lost it
 * @nn: the namespace; RTNL is held
 * @name: the device
 * @absent: it is waited for, or was
 * @xdp: XDP is wanted on it
 * @cmd: NFLB_CMD_DEVICE_ADD or _DEL
 */
void nflb_notify_device(const struct nflb_net *nn, const char *name,
			bool absent, bool xdp, u8 cmd)
{
	struct event ev = CONFIG_EVENT(nn, cmd);

	if (event_new(&ev))
		event_send(&ev, nflb_fill_device(ev.skb, name, absent, xdp));
}

static struct sk_buff *conn_event(const struct nflb_conn *conn, u8 cmd,
				  u32 portid)
{
	struct sk_buff *skb;
	void *hdr;

	skb = genlmsg_new(NFLB_CONN_MSG_SIZE, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, portid, 0, &nflb_genl_family, 0, cmd);
	if (!hdr || nflb_fill_conn(skb, conn)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

/*
 * An event that cannot be made is missing in the numbers of the next. A reader whose
 * buffer is full gets ENOBUFS.
 */
static void tell_listener(struct nflb_net *nn, struct nflb_listener *l,
			  const struct nflb_conn *conn, u8 cmd)
{
	struct sk_buff *skb = conn_event(conn, cmd, l->portid);

	spin_lock_bh(&l->lock);
	l->seq++;
	if (skb) {
		nlmsg_hdr(skb)->nlmsg_seq = l->seq;
		genlmsg_unicast(nn->net, skb, l->portid);
	}
	spin_unlock_bh(&l->lock);
}

static void tell_of_conn(struct nflb_net *nn, const struct nflb_conn *conn,
			 u8 cmd)
{
	struct nflb_listener *l;

	list_for_each_entry_rcu(l, &nn->listeners, list)
		tell_listener(nn, l, conn, cmd);
}

/* One that cannot be made is lost: the next failure makes another. */
static void tell_of_trouble(struct nflb_net *nn,
			    const struct nflb_backend *backend,
			    enum nflb_passive what)
{
	struct sk_buff *skb;
	void *hdr;

	if (!wanted(nn))
		return;
	skb = genlmsg_new(NFLB_TROUBLE_MSG_SIZE, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &nflb_genl_family, 0,
			  NFLB_CMD_BACKEND_TROUBLE);
	if (!hdr || nflb_fill_trouble(skb, backend, what)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&nflb_genl_family, nn->net, skb, 0,
				NFLB_GENL_GROUP_CONFIG,
				GFP_ATOMIC | __GFP_NOWARN);
}

static const struct nflb_event_ops event_ops = {
	.conn = tell_of_conn,
	.trouble = tell_of_trouble,
};

/**
 * nflb_notify_enable() - begin or end to tell of anything
 * @on: which
 *
 * Context: process, sleeps. When it returns no event of a packet is under way.
 */
void nflb_notify_enable(bool on)
{
	WRITE_ONCE(enabled, on);
	nflb_event_register(on ? &event_ops : NULL);
}
