// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the checks of a configuration file, each once.
 */
#include "once.h"

#include <jansson.h>
#include <stdio.h>

#include "describe.h"
#include "event.h"
#include "model/config.h"
#include "model/names.h"
#include "path.h"
#include "schedule.h"
#include "target.h"
#include "util/report.h"

static struct {
	struct event_base *base;
	size_t left;
} once;

int once_check(const char *name)
{
	return config_check(name);
}

static void done(struct target *target, bool changed)
{
	(void)changed;
	schedule_stop(target);
	if (!--once.left)
		event_base_loopbreak(once.base);
}

static bool is_by_path(const struct target *target)
{
	return target->usable && target->check.via == HEALTH_PATH;
}

static void add_backends(struct service *service, const struct config_service *from)
{
	struct target *target;
	bool fresh;
	size_t i;

	for (i = 0; i < from->backend_count; i++) {
		target = target_add(service, &from->backends[i], i + 1, NULL, 0, &fresh);
		if (is_by_path(target))
			target->id = path_backend_id(&service->id, &target->backend);
		if (target->mode == NFLB_MODE_DSR)
			path_note_vip(&service->id.address);
		once.left += !target->idle;
	}
}

/* The list of all has the newest first. */
static void add_services(const struct config *config)
{
	const struct config_service *from;
	struct service *service;
	size_t i;

	for (i = config->service_count; i--;) {
		from = &config->services[i];
		service = target_add_service(&from->request.id, from->request.mode.value,
					     from->request.health_check);
		if (service)
			add_backends(service, from);
	}
}

static void start_all(void)
{
	struct service *service;
	struct target *target;

	for (service = target_services; service; service = service->next)
		for (target = service->targets; target; target = target->next)
			if (!target->idle)
				schedule_now(target);
}

static void print_text(const struct target *target)
{
	char subject[TARGET_TEXT_MAX], reason[RESULT_TEXT_MAX];
	const char *word = target->usable ?
			   names_get(&health_protocol_names, target->check.protocol) : "";

	printf("%s  %s", target_text(target, subject), describe_outcome(target));
	if (target->idle) {
		printf("  %s\n", describe_idle(target));
		return;
	}
	result_text(&target->last, reason);
	printf("  %s%s%s in %.1f ms%s", word, *reason ? " " : "", reason,
	       target->last.duration / 1000.0, is_by_path(target) ? " via path" : "");
	if (target->last.expires != INT32_MAX)
		printf(", certificate expires in %d days", target->last.expires);
	if (target->last.weight != 100)
		printf(", weight %u%%", target->last.weight);
	putchar('\n');
}

static void print_json(const struct target *target)
{
	json_t *object = describe_result(target);

	json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(object);
}

static int print_all(bool json)
{
	struct service *service;
	struct target *target;
	int status = LBADM_OK;

	for (service = target_services; service; service = service->next) {
		for (target = service->targets; target; target = target->next) {
			(json ? print_json : print_text)(target);
			if (!target->usable ||
			    (!target->idle && target->last.kind != RESULT_SUCCESS))
				status = ONCE_FAILED;
		}
	}
	return status;
}

int once_run(struct event_base *base, const char *name,
	     const struct settings *settings, bool json)
{
	struct config config;
	int status;

	status = config_read_checked(name, &config);
	if (status)
		return status;
	event_silence();
	once.base = base;
	schedule_init(base, settings, done);
	add_services(&config);
	config_free(&config);
	start_all();
	if (once.left)
		event_base_dispatch(base);
	status = print_all(json);
	target_forget_all();
	target_delete_unseen();
	schedule_exit();
	path_exit();
	return status;
}
