// SPDX-License-Identifier: GPL-2.0
/*
 * Would the kernel accept a file? The module's own rules, applied to all of it, with the
 * place in the file. Knowledge of the kernel is not checked: devices, memory, and
 * the limits of a user namespace.
 */
#include <netinet/in.h>
#include <nflb/rules.h>
#include <stdio.h>
#include <string.h>

#include "model/config.h"
#include "model/health.h"
#include "model/names.h"
#include "model/subject.h"
#include "util/json_reader.h"
#include "util/localnet.h"

/* Say that a rule is broken by @subject, or by its @key. */
static int broken(const char *key, const char *subject, const char *why)
{
	if (key)
		json_enter_key(key);
	usage_error("%s: %s", subject, why);
	if (key)
		json_leave();
	return LBADM_USAGE;
}

static bool any_mode(const struct config_service *service, uint32_t mode)
{
	size_t i;

	if (service->request.mode.value == mode)
		return true;
	for (i = 0; i < service->backend_count; i++)
		if (service->backends[i].mode.set &&
		    service->backends[i].mode.value == mode)
			return true;
	return false;
}

/* Is a source of outer headers named? The unspecified address is none. */
static bool has_source(const struct prefix *source)
{
	static const uint8_t unspecified[16];

	return source->length.set &&
	       memcmp(source->address.bytes, unspecified, sizeof(unspecified));
}

struct nflb_rules_service
config_rules_service(const struct config_service *service)
{
	const struct service_request *req = &service->request;

	return (struct nflb_rules_service){
		.addr_len = req->id.address.len,
		.mode = req->mode.value,
		.encap = req->encap.value,
		.tcp = req->id.protocol == IPPROTO_TCP,
		.range = req->id.port_last || !req->id.port,
		.encap_port = req->encap_port.set,
		.encap_source = has_source(&req->encap_source4) ||
				has_source(&req->encap_source6),
		.toa = req->toa.value,
		.proxy = req->proxy.value,
		.one_packet = req->one_packet.value,
		.persist = req->persist.value,
		.any_dsr = any_mode(service, NFLB_MODE_DSR),
		.any_fullnat = any_mode(service, NFLB_MODE_FULLNAT),
		.port = req->id.port,
	};
}

/* The key that a broken rule of nflb_rules_settings() is about */
static const char *settings_key(const struct nflb_rules_service *s)
{
	if (nflb_rules_one_packet(s).err)
		return "one-packet";
	if ((s->encap != NFLB_ENCAP_NONE || s->encap_source) && !s->any_dsr)
		return s->encap != NFLB_ENCAP_NONE ? "encap" : "encap-source";
	return s->toa ? "toa" : "proxy-protocol";
}

static int encap_source_rules(const struct prefix *source, const char *subject)
{
	struct nflb_refusal refusal;

	if (!has_source(source))
		return LBADM_OK;
	refusal = nflb_rules_encap_source(source->address.bytes,
					  source->address.len,
					  source->length.value);
	return refusal.err ? broken("encap-source", subject, refusal.why) :
			     LBADM_OK;
}

static int backend_rules(const struct nflb_rules_service *s,
			 const struct backend_request *backend,
			 const char *service)
{
	const struct nflb_rules_backend b = {
		.addr_len = backend->address.len,
		.mode = backend->mode.set ? backend->mode.value :
					    NFLB_RULES_INHERIT,
		.encap = backend->encap.set ? backend->encap.value :
					      NFLB_RULES_INHERIT,
		.encap_port = backend->encap_port.set,
		.port = backend->port,
	};
	struct nflb_refusal refusal = nflb_rules_backend(s, &b);
	char text[SUBJECT_MAX], subject[2 * SUBJECT_MAX + 32];

	if (!refusal.err &&
	    nflb_rules_loopback(backend->address.bytes, backend->address.len) &&
	    !localnet_is_routed())
		refusal.why = NFLB_RULES_LOOPBACK_WHY;
	if (!refusal.why)
		return LBADM_OK;
	snprintf(subject, sizeof(subject), "%s: backend %s", service,
		 subject_backend(text, backend));
	return broken(NULL, subject, refusal.why);
}

static int scheduler_rules(const char *scheduler, const char *subject)
{
	char list[160], text[SUGGEST_TEXT_MAX], why[360];

	if (!*scheduler || names_find(&scheduler_names, scheduler) >= 0)
		return LBADM_OK;
	names_list(&scheduler_names, list, sizeof(list));
	names_suggest(&scheduler_names, scheduler, text);
	snprintf(why, sizeof(why), "there is no scheduler \"%s\"; %s%s",
		 scheduler, *text ? text : "there are: ", *text ? "" : list);
	return broken("scheduler", subject, why);
}

static struct health_place place_of(const struct config_service *service)
{
	const struct service_request *req = &service->request;

	return (struct health_place){
		.protocol = req->id.protocol,
		.port = req->id.port,
		.port_last = req->id.port_last,
		.mode = req->mode.value,
	};
}

/* Is it the VIP of a service with a backend of mode dsr? */
static bool is_dsr_vip(const struct config *config, const struct addr *addr)
{
	size_t i;

	for (i = 0; addr->len && i < config->service_count; i++)
		if (any_mode(&config->services[i], NFLB_MODE_DSR) &&
		    !memcmp(&config->services[i].request.id.address, addr,
			    sizeof(*addr)))
			return true;
	return false;
}

static int health_rules_of(const struct config *config, size_t number,
			   const char *subject)
{
	struct health_place place = place_of(&config->services[number]);
	const json_t *services = json_object_get(config->json, "services");
	const json_t *object = json_object_get(json_array_get(services, number),
					       "health-check");
	struct health_check check;
	const char *why;
	int status;

	if (!object)
		return LBADM_OK;
	json_enter_key("health-check");
	status = health_read(object, NULL, &place, &check);
	if (!status) {
		if (is_dsr_vip(config, &check.source_addr))
			status = broken("source", "source",
					"this is the VIP of a service of mode dsr, whose answers do not return");
		why = health_warning(&check, &place);
		if (why)
			fail(LBADM_OK, "%s: warning: %s", subject, why);
		health_free(&check);
	}
	json_leave();
	return status;
}

static int service_rules(const struct config *config, size_t number)
{
	const struct config_service *service = &config->services[number];
	const struct service_request *req = &service->request;
	struct nflb_rules_service s = config_rules_service(service);
	struct nflb_refusal refusal = nflb_rules_settings(&s);
	char text[SUBJECT_MAX], subject[SUBJECT_MAX + 16];
	int status;
	size_t i;

	snprintf(subject, sizeof(subject), "service %s",
		 subject_service(text, &req->id));
	status = scheduler_rules(req->scheduler, subject);
	status |= encap_source_rules(&req->encap_source4, subject);
	status |= encap_source_rules(&req->encap_source6, subject);
	if (refusal.err)
		status |= broken(settings_key(&s), subject, refusal.why);
	status |= health_rules_of(config, number, subject);
	json_enter_key("backends");
	for (i = 0; i < service->backend_count; i++) {
		json_enter_index(i);
		status |= backend_rules(&s, &service->backends[i], subject);
		json_leave();
	}
	json_leave();
	return status;
}

/* How many local addresses and ports of a family there are so far */
struct laddr_sum {
	uint32_t ranges;
	uint64_t ports;
};

/* Returns why the ports cannot be so, or NULL, and how many there are. */
static const char *laddr_ports(const struct laddr_request *laddr,
			       uint32_t *count)
{
	struct port_range ports = config_laddr_ports(laddr);
	struct nflb_refusal refusal = nflb_rules_ports(ports.first, ports.last);
	uint16_t before = 0;
	unsigned int i;

	*count = ports.last - ports.first + 1;
	for (i = 0; i < laddr->excluded_count && !refusal.err; i++) {
		const struct port_range *excluded = &laddr->excluded[i];

		refusal = nflb_rules_excluded(ports.first, ports.last, before,
					      excluded->first, excluded->last);
		before = excluded->last;
		*count -= excluded->last - excluded->first + 1;
	}
	return refusal.why ? refusal.why : *count ? NULL : "no port is left";
}

static int laddr_rules(const struct config *config, size_t number,
		       struct laddr_sum *sum)
{
	const struct laddr_request *laddr = &config->laddrs[number];
	char text[SUBJECT_MAX], subject[SUBJECT_MAX + 32];
	uint32_t addresses, ports = 0;
	struct nflb_refusal refusal;
	const char *why;
	size_t i;

	refusal = nflb_rules_addr_range(laddr->first.bytes, laddr->last.bytes,
					laddr->first.len, &addresses);
	why = refusal.why ? refusal.why : laddr_ports(laddr, &ports);
	for (i = 0; i < number && !why; i++)
		if (config_laddrs_overlap(&config->laddrs[i], laddr))
			why = "some of these addresses and ports are already local addresses";
	if (!why)
		why = nflb_rules_laddr_limits(sum->ranges, sum->ports,
					      (uint64_t)addresses * ports).why;
	sum->ranges++;
	sum->ports += (uint64_t)addresses * ports;
	if (!why)
		return LBADM_OK;
	snprintf(subject, sizeof(subject), "local address %s",
		 subject_laddr(text, laddr));
	return broken(NULL, subject, why);
}

int config_rules(const struct config *config)
{
	struct laddr_sum sums[2] = { 0 };
	int status = LBADM_OK;
	size_t i;

	json_enter_key("services");
	for (i = 0; i < config->service_count; i++) {
		json_enter_index(i);
		status |= service_rules(config, i);
		json_leave();
	}
	json_leave();
	json_enter_key("local-addresses");
	for (i = 0; i < config->laddr_count; i++) {
		json_enter_index(i);
		status |= laddr_rules(config, i,
				      &sums[config->laddrs[i].first.len == 16]);
		json_leave();
	}
	json_leave();
	return status;
}

static int take(json_t *json, void *data)
{
	struct config *config = data;
	int status = config_from_json(json, config);

	if (status)
		return status;
	status = config_rules(config);
	config_warn(config);
	if (status)
		config_free(config);
	return status;
}

int config_read_checked(const char *name, struct config *config)
{
	return json_read(name, take, config);
}

int config_check(const char *name)
{
	struct config config;
	int status = config_read_checked(name, &config);

	if (!status)
		config_free(&config);
	return status;
}
