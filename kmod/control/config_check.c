// SPDX-License-Identifier: GPL-2.0
/*
 * What goes together in the settings of a service and of its backends.
 */
#include "control/config.h"
#include "forward/forward.h"
#include "netns.h"

/**
 * nflb_backend_forward() - how packets go to a backend
 * @b: the backend; nn->mutex is held
 * @settings: of its service
 *
 * Return: the operations.
 */
const struct nflb_forward_ops *
nflb_backend_forward(const struct nflb_backend *b,
		     const struct nflb_service_settings *settings)
{
	u8 mode = b->mode == NFLB_MODE_INHERIT ? settings->mode : b->mode;
	u8 encap = b->encap == NFLB_ENCAP_INHERIT ? settings->encap : b->encap;

	return nflb_forward_find(mode, encap);
}

static bool has_mode(const struct nflb_service *svc,
		     const struct nflb_service_settings *settings,
		     const struct nflb_service_request *req, u8 mode)
{
	const struct nflb_backend *b;
	u32 i;

	if (settings->mode == mode)
		return true;
	for (i = 0; i < req->backend_count; i++)
		if (req->backends[i].set & NFLB_SET_BACKEND_MODE &&
		    req->backends[i].mode == mode)
			return true;
	if (svc)
		list_for_each_entry(b, &svc->backends, list)
			if (b->mode == mode)
				return true;
	return false;
}

static int tell_check(const struct nflb_service_settings *settings,
		      const struct nflb_service_request *req, bool fullnat,
		      struct netlink_ext_ack *extack)
{
	if (settings->toa && settings->proxy) {
		NL_SET_ERR_MSG(extack,
			       "toa and proxy-protocol tell the same: one of them must be off");
		return -EINVAL;
	}
	if (settings->toa && req->id.key.proto != IPPROTO_TCP) {
		NL_SET_ERR_MSG(extack, "toa is an option of tcp");
		return -EINVAL;
	}
	if ((settings->toa || settings->proxy) && !fullnat) {
		NL_SET_ERR_MSG(extack,
			       "toa and proxy-protocol go with mode fullnat");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int one_packet_check(const struct nflb_service_settings *settings,
			    const struct nflb_service_request *req,
			    struct netlink_ext_ack *extack)
{
	if (!settings->one_packet)
		return 0;
	if (req->id.key.proto != IPPROTO_UDP) {
		NL_SET_ERR_MSG(extack, "one-packet goes with udp");
		return -EINVAL;
	}
	if (settings->persist) {
		NL_SET_ERR_MSG(extack,
			       "one-packet and persist contradict each other: one of them must be off");
		return -EINVAL;
	}
	return 0;
}

/**
 * nflb_settings_check() - do a service's settings go together?
 * @svc: the service, or NULL when it is new
 * @settings: as they would be
 * @req: what asks for them
 * @extack: for a message
 *
 * Return: 0 or a negative errno.
 */
int nflb_settings_check(const struct nflb_service *svc,
			const struct nflb_service_settings *settings,
			const struct nflb_service_request *req,
			struct netlink_ext_ack *extack)
{
	bool tunnel = settings->encap != NFLB_ENCAP_NONE ||
		      settings->encap_source[0].set ||
		      settings->encap_source[1].set;

	if (settings->encap_port && settings->encap != NFLB_ENCAP_GUE) {
		NL_SET_ERR_MSG(extack, "a port goes with encap gue");
		return -EINVAL;
	}
	if (tunnel && !has_mode(svc, settings, req, NFLB_MODE_DSR)) {
		NL_SET_ERR_MSG(extack, "encapsulation goes with mode dsr");
		return -EOPNOTSUPP;
	}
	return one_packet_check(settings, req, extack) ?:
	       tell_check(settings, req,
			  has_mode(svc, settings, req, NFLB_MODE_FULLNAT),
			  extack);
}

static int backend_check(const struct nflb_service *svc,
			 const struct nflb_backend *b,
			 const struct nflb_service_settings *settings,
			 struct netlink_ext_ack *extack)
{
	const struct nflb_forward_ops *ops = nflb_backend_forward(b, settings);

	if (b->encap_port && b->encap != NFLB_ENCAP_GUE) {
		NL_SET_ERR_MSG(extack, "a port goes with encap gue");
		return -EINVAL;
	}
	if (b->encap != NFLB_ENCAP_INHERIT && b->encap != NFLB_ENCAP_NONE &&
	    ops->mode != NFLB_MODE_DSR) {
		NL_SET_ERR_MSG(extack, "encapsulation goes with mode dsr");
		return -EOPNOTSUPP;
	}
	if (ops->mode == NFLB_MODE_DSR && b->port &&
	    (nflb_service_has_range(svc) || b->port != svc->key.port)) {
		NL_SET_ERR_MSG(extack,
			       "mode dsr cannot change the port: leave it out");
		return -EINVAL;
	}
	if (b->family == svc->key.family || ops->mode == NFLB_MODE_FULLNAT ||
	    ops->encap != NFLB_ENCAP_NONE)
		return 0;
	NL_SET_ERR_MSG(extack,
		       "a backend of another address family than the VIP needs mode fullnat, or dsr with encapsulation");
	return -EAFNOSUPPORT;
}

/**
 * nflb_backends_check() - do a service's settings fit all its backends?
 * @svc: the service; nn->mutex is held
 * @settings: as they would be
 * @extack: for a message
 *
 * Return: 0 or a negative errno.
 */
int nflb_backends_check(const struct nflb_service *svc,
			const struct nflb_service_settings *settings,
			struct netlink_ext_ack *extack)
{
	const struct nflb_backend *b;
	int err;

	lockdep_assert_held(&svc->nn->mutex);
	list_for_each_entry(b, &svc->backends, list) {
		err = backend_check(svc, b, settings, extack);
		if (err)
			return err;
	}
	return 0;
}
