// SPDX-License-Identifier: GPL-2.0
/*
 * Settings of a file that are possible but hardly meant. The module warns of the same
 * (control/config_warn.c), and of what depends on the host besides: routes, broadcast
 * addresses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "model/subject.h"
#include "util/json_reader.h"
#include "util/localnet.h"

/* All VIPs, sorted, to look a backend up */
struct vips {
	const struct addr **addrs;
	size_t count;
};

static int compare(const void *a, const void *b)
{
	return memcmp(*(const struct addr *const *)a,
		      *(const struct addr *const *)b, sizeof(struct addr));
}

static struct vips vips_of(const struct config *config)
{
	struct vips vips = { .count = config->service_count };
	size_t i;

	vips.addrs = calloc(vips.count + 1, sizeof(*vips.addrs));
	if (!vips.addrs)
		abort();
	for (i = 0; i < vips.count; i++)
		vips.addrs[i] = &config->services[i].request.id.address;
	qsort(vips.addrs, vips.count, sizeof(*vips.addrs), compare);
	return vips;
}

static bool is_vip(const struct vips *vips, const struct addr *addr)
{
	return bsearch(&addr, vips->addrs, vips->count, sizeof(*vips->addrs),
		       compare);
}

/* Does a backend before this one name the same place in another way? */
static bool has_twin(const struct config_service *service, size_t number)
{
	const struct nflb_rules_service s = config_rules_service(service);
	const struct backend_request *one = &service->backends[number];
	const struct backend_request *b;

	for (b = service->backends; b < one; b++)
		if (!memcmp(&b->address, &one->address, sizeof(b->address)) &&
		    nflb_rules_same_place(&s, b->port, one->port))
			return true;
	return false;
}

/* Has a family local addresses? Any family: @len 0 */
static bool has_laddr(const struct config *config, uint8_t len)
{
	size_t i;

	for (i = 0; i < config->laddr_count; i++)
		if (!len || config->laddrs[i].first.len == len)
			return true;
	return false;
}

/* Is there none at all for a service that needs some? */
static bool lacks_laddrs(const struct config *config,
			 const struct config_service *service)
{
	return service->request.mode.value == NFLB_MODE_FULLNAT &&
	       !has_laddr(config, 0);
}

static void warn_backend(const struct config *config, const struct vips *vips,
			 const struct config_service *service, size_t number,
			 const char *subject)
{
	const struct backend_request *b = &service->backends[number];
	uint32_t mode = b->mode.set ? b->mode.value :
				      service->request.mode.value;
	char text[SUBJECT_MAX];
	const char *why;

	if (is_vip(vips, &b->address))
		why = "this address is a VIP: its packets go to the balancer's host and to no service";
	else if (nflb_rules_loopback(b->address.bytes, b->address.len) &&
		 localnet_is_routed())
		why = "a loopback address works only on devices with the sysctl route_localnet";
	else if (has_twin(service, number))
		why = "it is there twice, with the service's port and without a port: set and drain change one of them";
	else if (mode == NFLB_MODE_FULLNAT &&
		 !has_laddr(config, b->address.len) &&
		 !lacks_laddrs(config, service))
		why = "mode fullnat needs a local address of the backend's family, and there is none in local-addresses";
	else
		return;
	fail(LBADM_OK, "%s: backend %s: warning: %s", subject,
	     subject_backend(text, b), why);
}

static void warn_service(const struct config *config, const struct vips *vips,
			 const struct config_service *service)
{
	char text[SUBJECT_MAX], subject[SUBJECT_MAX + 16];
	size_t i;

	snprintf(subject, sizeof(subject), "service %s",
		 subject_service(text, &service->request.id));
	if (lacks_laddrs(config, service))
		fail(LBADM_OK, "%s: warning: mode fullnat needs local addresses, and local-addresses has none",
		     subject);
	json_enter_key("backends");
	for (i = 0; i < service->backend_count; i++) {
		json_enter_index(i);
		warn_backend(config, vips, service, i, subject);
		json_leave();
	}
	json_leave();
}

void config_warn(const struct config *config)
{
	struct vips vips = vips_of(config);
	size_t i;

	json_enter_key("services");
	for (i = 0; i < config->service_count; i++) {
		json_enter_index(i);
		warn_service(config, &vips, &config->services[i]);
		json_leave();
	}
	json_leave();
	free(vips.addrs);
}
