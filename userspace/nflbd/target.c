// SPDX-License-Identifier: GPL-2.0
/*
 * The services and backends that are checked, and how they change with the
 * configuration.
 */
#include "target.h"

#include <linux/nflb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "compose.h"
#include "control.h"
#include "event.h"
#include "log.h"
#include "path.h"
#include "schedule.h"
#include "tls_session.h"

/* Hash buckets of services */
#define BUCKETS 4096

struct service *target_services;
static struct service *buckets[BUCKETS];
static size_t target_total;

static void *allocate(size_t size)
{
	void *mem = calloc(1, size);

	if (!mem)
		abort();
	return mem;
}

static void drop_check(struct target *target)
{
	tls_session_drop(&target->check);
	health_free(&target->check);
}

static void target_free(struct target *target)
{
	control_forget(target);
	agent_stop(target);
	target_total--;
	schedule_stop(target);
	if (target->usable)
		drop_check(target);
	free(target->own);
	free(target);
}

/* FNV-1a */
static struct service **bucket_of(const struct service_id *id)
{
	const unsigned char *byte = (const unsigned char *)id;
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < sizeof(*id); i++)
		hash = (hash ^ byte[i]) * 16777619u;
	return &buckets[hash % BUCKETS];
}

static void service_free(struct service *service)
{
	struct service **chain = bucket_of(&service->id);
	struct target *target;

	while (*chain != service)
		chain = &(*chain)->chain;
	while ((target = service->targets)) {
		service->targets = target->next;
		target_free(target);
	}
	*chain = service->chain;
	compose_forget(service);
	free(service->check);
	free(service);
}

struct service *target_find_service(const struct service_id *id)
{
	struct service *service = *bucket_of(id);

	while (service && memcmp(&service->id, id, sizeof(*id)))
		service = service->chain;
	return service;
}

static struct service *service_new(const struct service_id *id)
{
	struct service *service = allocate(sizeof(*service));
	struct service **bucket = bucket_of(id);
	static uint64_t number;

	service->id = *id;
	service->number = ++number;
	service->hint = &service->targets;
	service->chain = *bucket;
	*bucket = service;
	service->next = target_services;
	target_services = service;
	return service;
}

struct service *target_add_service(const struct service_id *id, uint32_t mode,
				   const char *check)
{
	struct service *service = target_find_service(id);

	if (!check || !*check)
		return NULL;
	if (!service)
		service = service_new(id);
	service->mode = mode;
	service->seen = true;
	service->hint = &service->targets;
	if (service->check && !strcmp(service->check, check))
		return service;
	free(service->check);
	service->check = strdup(check);
	if (!service->check)
		abort();
	service->version++;
	return service;
}

static bool is_backend(const struct target *target,
		       const struct backend_request *backend)
{
	return target->backend.port == backend->port &&
	       !memcmp(&target->backend.address, &backend->address,
		       sizeof(backend->address));
}

static struct target **find_target(struct service *service,
				   const struct backend_request *backend)
{
	struct target **at = service->hint;

	if (*at && is_backend(*at, backend))
		return at;
	for (at = &service->targets; *at; at = &(*at)->next)
		if (is_backend(*at, backend))
			break;
	return at;
}

struct target *target_find(struct service *service, const struct backend_request *backend)
{
	return *find_target(service, backend);
}

static void refuse(struct target *target, const char *key, const char *why)
{
	snprintf(target->why, sizeof(target->why), "%s: %s", key, why);
	drop_check(target);
	target->usable = false;
	event_misconfigured(target);
}

static bool needs_port(const struct health_check *check)
{
	return check->protocol != HEALTH_PING && check->protocol != HEALTH_EXEC &&
	       check->protocol != HEALTH_NONE;
}

/* Read the keys of a target. A backend with unusable keys is not checked. */
static void read_check(struct target *target, const char *own)
{
	const struct service *service = target->service;
	struct health_place place = {
		.protocol = service->id.protocol,
		.port = service->id.port,
		.port_last = service->id.port_last,
		.mode = target->mode,
	};
	char why[sizeof(target->why) - 8] = "";
	const char *warning;

	log_capture(target->why, sizeof(target->why));
	target->usable = !health_read_text(service->check, own, &place, &target->check);
	log_capture(NULL, 0);
	if (!target->usable)
		return event_misconfigured(target);
	if (target->check.via == HEALTH_PATH && !path_is_supported(why, sizeof(why))) {
		if (!target->check.via_auto)
			return refuse(target, "via", why);
		target->check.via = HEALTH_DIRECT;
	}
	if (needs_port(&target->check) && !target_place(target).port)
		return refuse(target, "port",
			      "a service of several ports needs one in its health check");
	warning = health_warning(&target->check, &place);
	if (warning)
		event_warning(target, warning);
}

static struct target *target_new(struct service *service, struct target **at,
				 const struct backend_request *backend)
{
	struct target *target = allocate(sizeof(*target));

	target->service = service;
	target->backend.address = backend->address;
	target->backend.port = backend->port;
	target->kernel_weight = 100;
	target->last.weight = target->weight = 100;
	target->lowered = ANSWER_NOTHING;
	target->next = *at;
	*at = target;
	target_total++;
	return target;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* Read the check again if it may be another one. Returns whether it may. */
static bool refresh(struct target *target, const char *own, uint32_t mode)
{
	if (target->version == target->service->version && target->mode == mode &&
	    same_text(target->own, own))
		return false;
	control_forget(target);
	agent_stop(target);
	schedule_stop(target);
	if (target->usable)
		drop_check(target);
	free(target->own);
	target->own = own ? strdup(own) : NULL;
	target->version = target->service->version;
	target->mode = mode;
	read_check(target, own);
	return true;
}

struct target *target_add(struct service *service, const struct backend_request *backend,
			  uint32_t id, const char *check, uint64_t now, bool *fresh)
{
	struct target **at = find_target(service, backend), *target = *at;
	uint32_t mode = backend->mode.set ? backend->mode.value : service->mode;
	bool idle, known = target;

	/* A backend that was deleted and added again is another one. */
	if (target && target->id != id) {
		*at = target->next;
		target_free(target);
		known = false;
	}
	target = known ? target : target_new(service, at, backend);
	service->hint = &target->next;
	target->seen = true;
	target->id = id;
	*fresh = refresh(target, check, mode);
	if (!known && target->usable)
		verdict_begin(&target->verdict, &target->check, now);
	idle = !target->usable || target->check.protocol == HEALTH_NONE ||
	       (backend->state.set && backend->state.value == NFLB_BACKEND_DOWN);
	*fresh |= idle != target->idle;
	target->idle = idle;
	agent_update(target, !backend->state.set ||
			     backend->state.value != NFLB_BACKEND_DOWN);
	return target;
}

size_t target_count(void)
{
	return target_total;
}

void target_forget_all(void)
{
	struct service *service;
	struct target *target;

	for (service = target_services; service; service = service->next) {
		service->seen = false;
		for (target = service->targets; target; target = target->next)
			target->seen = false;
	}
}

static void delete_unseen(struct service *service)
{
	struct target **at = &service->targets, *target;

	while ((target = *at)) {
		if (target->seen) {
			at = &target->next;
			continue;
		}
		*at = target->next;
		target_free(target);
	}
}

void target_delete_unseen(void)
{
	struct service **at = &target_services, *service;

	while ((service = *at)) {
		if (!service->seen) {
			*at = service->next;
			service_free(service);
			continue;
		}
		delete_unseen(service);
		at = &service->next;
	}
}

/* A check through the module goes to the VIP, and so to a port of the service. */
static struct check_place place_of_path(const struct target *target)
{
	const struct service_id *id = &target->service->id;

	return (struct check_place){
		.address = id->address,
		.port = target->check.port ? target->check.port :
			id->port_last ? 0 : id->port,
		.stream = id->protocol == IPPROTO_TCP,
		.pin = { id, &target->backend, target->id },
	};
}

struct check_place target_place(const struct target *target)
{
	const struct service *service = target->service;

	if (target->check.via == HEALTH_PATH)
		return place_of_path(target);
	return (struct check_place){
		.address = target->backend.address,
		.port = target->check.port ? target->check.port :
			target->backend.port ? target->backend.port :
			service->id.port_last ? 0 : service->id.port,
		.stream = service->id.protocol == IPPROTO_TCP,
	};
}

const char *target_text(const struct target *target, char buf[TARGET_TEXT_MAX])
{
	char service[SUBJECT_MAX], backend[SUBJECT_MAX];

	snprintf(buf, TARGET_TEXT_MAX, "%s -> %s",
		 subject_service(service, &target->service->id),
		 subject_backend(backend, &target->backend));
	return buf;
}
