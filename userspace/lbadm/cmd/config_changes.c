// SPDX-License-Identifier: GPL-2.0
/*
 * The changes that a step makes, one by one.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/config_plan.h"
#include "model/names.h"
#include "model/policy.h"
#include "model/settings.h"
#include "model/subject.h"

/* Append a change and return it, to add its identity. */
static json_t *change_add(json_t *changes, const char *action,
			  const char *object)
{
	json_t *change = json_pack("{s:s, s:s}", "action", action,
				   "object", object);

	json_array_append_new(changes, change);
	return change;
}

static const char *action_of(const void *before, const void *after)
{
	return !before ? "add" : after ? "change" : "remove";
}

/* "from" and "to"; either may be NULL. Takes the references. */
static void set_sides(json_t *change, json_t *from, json_t *to)
{
	if (from)
		json_object_set_new(change, "from", from);
	if (to)
		json_object_set_new(change, "to", to);
}

/* Remove each key that has the same value in both. Returns whether any is left. */
static bool keep_different(json_t *a, json_t *b)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(a, next, key, value) {
		if (!json_equal(value, json_object_get(b, key)))
			continue;
		json_object_del(b, key);
		json_object_del(a, key);
	}
	return json_object_size(a) || json_object_size(b);
}

/* Only settings that differ from those of @standard, which this takes. */
static json_t *without_defaults(json_t *settings, json_t *standard)
{
	keep_different(standard, settings);
	json_decref(standard);
	return settings;
}

/* --- services and backends */

static json_t *service_change(json_t *changes, const char *action,
			      const struct config_service *service)
{
	json_t *change = change_add(changes, action, "service");

	subject_set_service(change, &service->request.id);
	return change;
}

static json_t *backend_change(json_t *changes, const char *action,
			      const struct config_service *service,
			      const struct backend_request *backend)
{
	json_t *change = change_add(changes, action, "backend");
	json_t *its = json_object();

	subject_set_service(its, &service->request.id);
	json_object_set_new(change, "service", its);
	subject_set_backend(change, backend);
	return change;
}

static json_t *service_settings(const struct config_service *service)
{
	const struct service_request nothing = { 0 };

	return without_defaults(config_service_json(&service->request),
				config_service_json(&nothing));
}

static json_t *backend_settings(const struct backend_request *backend)
{
	const struct backend_request nothing = { 0 };
	struct backend_request n, standard;

	config_normal_backends(&n, &standard, backend, &nothing);
	return without_defaults(config_backend_json(&n),
				config_backend_json(&standard));
}

/* One that both have. */
static void compare_backend(json_t *changes,
			    const struct config_service *service,
			    const struct backend_request *before,
			    const struct backend_request *after, bool force)
{
	struct backend_request have, wanted;
	json_t *from, *to;

	config_normal_backends(&have, &wanted, before, after);
	from = config_backend_json(&have);
	to = config_backend_json(&wanted);
	if (force && before->by_hand.set)
		json_object_set_new(from, "by-hand", json_string(names_get(
			&backend_state_names, before->by_hand.value)));
	if (keep_different(from, to)) {
		set_sides(backend_change(changes, "change", service, after),
			  from, to);
		return;
	}
	json_decref(from);
	json_decref(to);
}

static void compare_backends(json_t *changes, const struct step *step)
{
	static const struct config_service none;
	const struct config_service *before = step->service_before ?: &none;
	const struct config_service *after = step->service_after ?: &none;
	const struct backend_request *one, *other;
	size_t i;

	for (i = 0; i < after->backend_count; i++) {
		one = &after->backends[i];
		other = config_find_backend(before, i, one);
		if (other)
			compare_backend(changes, after, other, one,
					step->force);
		else
			set_sides(backend_change(changes, "add", after, one),
				  NULL, backend_settings(one));
	}
	for (i = 0; i < before->backend_count; i++) {
		one = &before->backends[i];
		if (!config_find_backend(after, i, one))
			set_sides(backend_change(changes, "remove", before, one),
				  backend_settings(one), NULL);
	}
}

static void compare_service(json_t *changes, const struct step *step)
{
	json_t *from = config_service_json(&step->service_before->request);
	json_t *to = config_service_json(&step->service_after->request);

	if (keep_different(from, to)) {
		set_sides(service_change(changes, "change",
					 step->service_after), from, to);
		return;
	}
	json_decref(from);
	json_decref(to);
}

static void service_changes(json_t *changes, const struct step *step)
{
	const struct config_service *before = step->service_before;
	const struct config_service *after = step->service_after;

	if (before && after)
		compare_service(changes, step);
	else if (after)
		set_sides(service_change(changes, "add", after), NULL,
			  service_settings(after));
	else
		set_sides(service_change(changes, "remove", before),
			  service_settings(before), NULL);
	compare_backends(changes, step);
}

/* --- policies */

/* "config" says that it is a configuration's and not made by hand. */
static json_t *policy_settings(const json_t *policy)
{
	static const char *const keys[] = {
		"deny", "allow", "rate", "burst", "config",
	};
	json_t *settings = json_object(), *value;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		value = json_object_get(policy, keys[i]);
		if (value)
			json_object_set(settings, keys[i], value);
	}
	return settings;
}

static void policy_change(json_t *changes, const json_t *before,
			  const json_t *after)
{
	json_t *change = change_add(changes, action_of(before, after), "policy");
	json_t *from = before ? policy_settings(before) : NULL;
	json_t *to = after ? policy_settings(after) : NULL;
	struct service_id id;

	policy_id(&id, after ? after : before);
	subject_set_service(change, &id);
	if (before && after)
		keep_different(from, to);
	else
		json_object_del(before ? from : to, "config");
	set_sides(change, from, to);
}

/* Do both say the same? One that was made by hand becomes the configuration's. */
static bool same_policy(const json_t *before, const json_t *after)
{
	return policy_same(before, after) &&
	       (json_object_get(before, "config") ||
		!json_object_get(after, "config"));
}

static void policy_changes(json_t *changes, const json_t *before,
			   const json_t *after)
{
	const json_t *policy, *other;
	struct service_id id;
	size_t i;

	json_array_foreach(after, i, policy) {
		policy_id(&id, policy);
		other = policy_find(before, &id);
		if (!other || !same_policy(other, policy))
			policy_change(changes, other, policy);
	}
	json_array_foreach(before, i, policy) {
		policy_id(&id, policy);
		if (!policy_find(after, &id))
			policy_change(changes, policy, NULL);
	}
}

/* --- the rest */

static json_t *laddr_settings(const struct laddr_request *laddr)
{
	char text[NFLB_LADDR_EXCLUDED_MAX * 12 + 1] = "";
	json_t *settings = json_object();
	unsigned int i;
	size_t used = 0;

	for (i = 0; i < laddr->excluded_count; i++)
		used += snprintf(text + used, sizeof(text) - used,
				 laddr->excluded[i].first ==
				 laddr->excluded[i].last ? "%s%u" : "%s%u-%u",
				 i ? "," : "", laddr->excluded[i].first,
				 laddr->excluded[i].last);
	if (used)
		json_object_set_new(settings, "exclude", json_string(text));
	return settings;
}

static void laddr_changes(json_t *changes, const struct step *step)
{
	const struct laddr_request *before = step->laddr_before;
	const struct laddr_request *after = step->laddr_after;
	json_t *change = change_add(changes, action_of(before, after), "laddr");

	subject_set_laddr(change, after ? after : before);
	set_sides(change, before ? laddr_settings(before) : NULL,
		  after ? laddr_settings(after) : NULL);
}

/* A wish for XDP that is not attached counts when it goes. */
static json_t *device_settings(const struct device_request *device,
			       const struct device_request *other)
{
	bool xdp = device->xdp || (device->late && !(other && other->xdp));
	json_t *settings = json_object();

	if (xdp || other)
		json_object_set_new(settings, "xdp", json_boolean(xdp));
	return settings;
}

static void device_changes(json_t *changes, const struct step *step)
{
	const struct device_request *before = step->device_before;
	const struct device_request *after = step->device_after;
	json_t *change;

	change = change_add(changes, action_of(before, after), "device");
	json_object_set_new(change, "device",
			    json_string((after ? after : before)->name));
	set_sides(change, before ? device_settings(before, after) : NULL,
		  after ? device_settings(after, before) : NULL);
}

/* A key is a secret and must not end up in the journal. */
static void setting_changes(json_t *changes, const struct step *step)
{
	const struct setting *setting = &setting_table[step->setting];
	json_t *change = change_add(changes, "change", "setting");
	json_t *from, *to;

	if (setting->kind == SETTING_KEY) {
		from = json_string("hidden");
		to = json_string("hidden, and different");
	} else {
		from = setting_json(setting, step->setting_before);
		to = setting_json(setting, step->setting_after);
	}
	set_sides(change, json_pack("{s:o}", setting->key, from),
		  json_pack("{s:o}", setting->key, to));
}

void step_changes(const struct step *step, json_t *changes)
{
	if (step->service_before || step->service_after)
		service_changes(changes, step);
	else if (step->laddr_before || step->laddr_after)
		laddr_changes(changes, step);
	else if (step->policies_after)
		policy_changes(changes, step->policies_before,
			       step->policies_after);
	else if (step->setting_after)
		setting_changes(changes, step);
	else
		device_changes(changes, step);
}

/* --- states that apply keeps */

static json_t *by_hand(const struct backend_request *backend, bool force)
{
	json_t *json = json_object();

	if (backend->by_hand.set && !force)
		json_object_set_new(json, "state", json_string(names_get(
			&backend_state_names, backend->by_hand.value)));
	if (backend->hand_deadline.set && !force)
		json_object_set_new(json, "deadline", json_integer(
			backend->hand_deadline.value));
	if (backend->forced.set)
		json_object_set_new(json, "health", json_string(names_get(
			&health_names, backend->forced.value)));
	return json;
}

void kept_by_hand(const struct config *have, const struct config *wanted,
		  bool force, json_t *changes)
{
	const struct config_service *service, *stays;
	const struct backend_request *backend;
	size_t i, j;

	for (i = 0; i < have->service_count; i++) {
		service = &have->services[i];
		stays = config_find_service(wanted, &service->request.id);
		for (j = 0; j < service->backend_count && stays; j++) {
			backend = &service->backends[j];
			if (((backend->by_hand.set && !force) ||
			     backend->forced.set) &&
			    config_find_backend(stays, j, backend))
				json_object_set_new(backend_change(
					changes, "keep", service, backend),
					"by-hand", by_hand(backend, force));
		}
	}
}
