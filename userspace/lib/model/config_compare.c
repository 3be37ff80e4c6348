// SPDX-License-Identifier: GPL-2.0
/*
 * Configurations compared: a setting that is not named has its default.
 */
#include <stdlib.h>
#include <string.h>

#include "model/config.h"

bool config_same_backend(const struct backend_request *a,
			 const struct backend_request *b)
{
	return a->port == b->port &&
	       !memcmp(&a->address, &b->address, sizeof(a->address));
}

static void set_default(struct opt *opt, uint32_t value)
{
	if (!opt->set)
		opt->value = value;
	opt->set = true;
}

static void timeout_default(struct opt *opt, uint32_t value)
{
	set_default(opt, value);
	/* 0 asks for the default, too. */
	if (!opt->value)
		opt->value = value;
}

void config_normal_service(struct service_request *n,
			   const struct service_request *req)
{
	memcpy(n, req, sizeof(*n));
	n->health_check = NULL;
	set_default(&n->mode, NFLB_MODE_DNAT);
	set_default(&n->encap, NFLB_ENCAP_NONE);
	if (n->encap.value == NFLB_ENCAP_GUE)
		set_default(&n->encap_port, NFLB_GUE_PORT);
	set_default(&n->toa, 0);
	set_default(&n->toa_kind6, 254);
	set_default(&n->proxy, 0);
	set_default(&n->one_packet, 0);
	set_default(&n->persist, 0);
	set_default(&n->persist_prefix4, 32);
	set_default(&n->persist_prefix6, 64);
	if (!n->persist.value) {
		n->persist_prefix4.value = 32;
		n->persist_prefix6.value = 64;
	}
	set_default(&n->slow_start, 0);
	timeout_default(&n->timeout_syn, NFLB_TIMEOUT_SYN_DEFAULT);
	timeout_default(&n->timeout_established,
			NFLB_TIMEOUT_ESTABLISHED_DEFAULT);
	timeout_default(&n->timeout_fin, NFLB_TIMEOUT_FIN_DEFAULT);
	timeout_default(&n->timeout_udp, NFLB_TIMEOUT_UDP_DEFAULT);
	/* A missing key means "auto". */
	if (!n->encap_source4.length.set)
		memset(&n->encap_source4, 0, sizeof(n->encap_source4));
	if (!n->encap_source6.length.set)
		memset(&n->encap_source6, 0, sizeof(n->encap_source6));
	if (!*n->scheduler)
		strcpy(n->scheduler, NFLB_SCHEDULER_DEFAULT);
	n->name.set = n->comment.set = true;
}

static void normal_backend(struct backend_request *n,
			   const struct backend_request *req)
{
	memcpy(n, req, sizeof(*n));
	set_default(&n->weight, 1);
	set_default(&n->state, NFLB_BACKEND_UP);
	set_default(&n->max_connections, 0);
	n->name.set = n->comment.set = true;
	memset(&n->by_hand, 0, sizeof(n->by_hand));
	memset(&n->hand_deadline, 0, sizeof(n->hand_deadline));
	memset(&n->forced, 0, sizeof(n->forced));
}

void config_normal_backends(struct backend_request *have,
			    struct backend_request *wanted,
			    const struct backend_request *a,
			    const struct backend_request *b)
{
	normal_backend(have, a);
	normal_backend(wanted, b);
	if (a->by_hand.set && wanted->state.value == a->by_hand.value &&
	    have->state.value < wanted->state.value)
		have->state.value = wanted->state.value;
}

/* Is @b configured already? */
static bool same_settings(const struct backend_request *a,
			  const struct backend_request *b)
{
	struct backend_request na, nb;

	config_normal_backends(&na, &nb, a, b);
	return !memcmp(&na, &nb, sizeof(na));
}

const struct backend_request *
config_find_backend(const struct config_service *service, size_t hint,
		    const struct backend_request *backend)
{
	size_t i;

	/* The order is mostly the same. */
	if (hint < service->backend_count &&
	    config_same_backend(&service->backends[hint], backend))
		return &service->backends[hint];
	for (i = 0; i < service->backend_count; i++)
		if (config_same_backend(&service->backends[i], backend))
			return &service->backends[i];
	return NULL;
}

/* The order of keys does not count. */
static bool same_check(const char *a, const char *b)
{
	json_t *one, *other;
	bool same;

	if (!a || !b)
		return (!a || !*a) && (!b || !*b);
	if (!strcmp(a, b))
		return true;
	one = json_loads(a, 0, NULL);
	other = json_loads(b, 0, NULL);
	same = json_equal(one, other);
	json_decref(one);
	json_decref(other);
	return same;
}

bool config_same_service(const struct config_service *a,
			 const struct config_service *b)
{
	struct service_request na, nb;
	size_t i;

	config_normal_service(&na, &a->request);
	config_normal_service(&nb, &b->request);
	if (memcmp(&na, &nb, sizeof(na)) ||
	    !same_check(a->request.health_check, b->request.health_check) ||
	    a->backend_count != b->backend_count)
		return false;
	for (i = 0; i < a->backend_count; i++) {
		const struct backend_request *other;

		other = config_find_backend(b, i, &a->backends[i]);
		if (!other || !same_settings(&a->backends[i], other))
			return false;
	}
	return true;
}

bool config_by_hand(const struct config_service *service)
{
	size_t i;

	for (i = 0; i < service->backend_count; i++)
		if (service->backends[i].by_hand.set)
			return true;
	return false;
}

const struct config_service *
config_find_service(const struct config *config, const struct service_id *id)
{
	size_t i;

	for (i = 0; i < config->service_count; i++)
		if (!memcmp(&config->services[i].request.id, id, sizeof(*id)))
			return &config->services[i];
	return NULL;
}

struct port_range config_laddr_ports(const struct laddr_request *laddr)
{
	if (laddr->ports.first)
		return laddr->ports;
	return (struct port_range){ NFLB_LADDR_PORT_FIRST,
				    NFLB_LADDR_PORT_LAST };
}

/* Addresses of one family, in network order */
static bool addr_after(const struct addr *a, const struct addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) > 0;
}

bool config_laddrs_overlap(const struct laddr_request *a,
			   const struct laddr_request *b)
{
	struct port_range pa = config_laddr_ports(a);
	struct port_range pb = config_laddr_ports(b);

	return a->first.len == b->first.len &&
	       !addr_after(&a->first, &b->last) &&
	       !addr_after(&b->first, &a->last) &&
	       pa.first <= pb.last && pb.first <= pa.last;
}

static void normal_laddr(struct laddr_request *n,
			 const struct laddr_request *laddr)
{
	memcpy(n, laddr, sizeof(*n));
	n->ports = config_laddr_ports(laddr);
}

bool config_has_laddr(const struct config *config,
		      const struct laddr_request *laddr)
{
	struct laddr_request wanted, one;
	size_t i;

	normal_laddr(&wanted, laddr);
	for (i = 0; i < config->laddr_count; i++) {
		normal_laddr(&one, &config->laddrs[i]);
		if (!memcmp(&one, &wanted, sizeof(one)))
			return true;
	}
	return false;
}

const struct device_request *config_find_device(const struct config *config,
						const char *name)
{
	size_t i;

	for (i = 0; i < config->device_count; i++)
		if (!strcmp(config->devices[i].name, name))
			return &config->devices[i];
	return NULL;
}
