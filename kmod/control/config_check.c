// SPDX-License-Identifier: GPL-2.0
/*
 * Do the settings of a service and of its backends fit together? The rules are in
 * <nflb/rules.h>, which lbadm has, too.
 */
#include <nflb/rules.h>

#include "control/config.h"
#include "forward/forward.h"
#include "netns.h"

static_assert(NFLB_MODE_INHERIT == NFLB_RULES_INHERIT);
static_assert(NFLB_ENCAP_INHERIT == NFLB_RULES_INHERIT);

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
	/* A list replaces the backends that there are. */
	if (svc && !(req->set & NFLB_SET_BACKENDS))
		list_for_each_entry(b, &svc->backends, list)
			if (b->mode == mode)
				return true;
	return false;
}

static u8 addr_len(u8 family)
{
	return family == AF_INET ? sizeof(__be32) : sizeof(struct in6_addr);
}

static struct nflb_rules_service
rules_service(const struct nflb_service_key *key, bool range,
	      const struct nflb_service_settings *s)
{
	return (struct nflb_rules_service){
		.addr_len = addr_len(key->family),
		.mode = s->mode,
		.encap = s->encap,
		.tcp = key->proto == IPPROTO_TCP,
		.range = range,
		.encap_port = s->encap_port,
		.encap_source = s->encap_source[0].set ||
				s->encap_source[1].set,
		.toa = s->toa,
		.proxy = s->proxy,
		.one_packet = s->one_packet,
		.persist = s->persist,
		.port = ntohs(key->port),
	};
}

/**
 * nflb_refused() - report the outcome of a rule
 * @refusal: the outcome
 * @attr: the attribute that it is about, or NULL
 * @extack: for the reason
 *
 * Return: 0 or a negative errno.
 */
int nflb_refused(struct nflb_refusal refusal, const struct nlattr *attr,
		 struct netlink_ext_ack *extack)
{
	if (refusal.err && extack) {
		extack->_msg = refusal.why;
		NL_SET_BAD_ATTR(extack, attr);
	}
	return refusal.err;
}

/**
 * nflb_settings_check() - do a service's settings go together?
 * @svc: the service, or NULL when it is new
 * @settings: as they would be
 * @req: the request that changes them
 * @extack: for a message
 *
 * Return: 0 or a negative errno.
 */
int nflb_settings_check(const struct nflb_service *svc,
			const struct nflb_service_settings *settings,
			const struct nflb_service_request *req,
			struct netlink_ext_ack *extack)
{
	struct nflb_rules_service s =
		rules_service(&req->id.key, req->id.port_last != req->id.key.port,
			      settings);

	s.any_dsr = has_mode(svc, settings, req, NFLB_MODE_DSR);
	s.any_fullnat = has_mode(svc, settings, req, NFLB_MODE_FULLNAT);
	return nflb_refused(nflb_rules_settings(&s), NULL, extack);
}

static int backend_check(const struct nflb_rules_service *s,
			 const struct nflb_backend *b,
			 struct netlink_ext_ack *extack)
{
	struct nflb_rules_backend rules = {
		.addr_len = addr_len(b->family),
		.mode = b->mode,
		.encap = b->encap,
		.encap_port = b->encap_port,
		.port = ntohs(b->port),
	};

	return nflb_refused(nflb_rules_backend(s, &rules), NULL, extack);
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
	struct nflb_rules_service s =
		rules_service(&svc->key, nflb_service_has_range(svc), settings);
	const struct nflb_backend *b;
	int err;

	lockdep_assert_held(&svc->nn->mutex);
	list_for_each_entry(b, &svc->backends, list) {
		err = backend_check(&s, b, extack);
		if (err)
			return err;
	}
	return 0;
}
