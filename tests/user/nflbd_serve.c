// SPDX-License-Identifier: GPL-2.0
/*
 * nflbd without the module: the backends of a file are checked, and the socket is served.
 *
 *   nflbd_serve FILE SETTINGS
 *
 * SIGHUP reads the file again. Verdicts go nowhere.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent.h"
#include "compose.h"
#include "control.h"
#include "curl.h"
#include "log.h"
#include "model/config.h"
#include "schedule.h"
#include "settings.h"
#include "target.h"
#include "tls.h"

static const char *file;
static struct event_base *base;

static void send_target(struct target *target)
{
	(void)target;
}

static void agent_changed(struct target *target)
{
	compose_weight(target);
}

static void done(struct target *target, bool changed)
{
	(void)target;
	(void)changed;
}

static void add_service(const struct config_service *from)
{
	struct service *service = target_add_service(&from->request.id,
						     from->request.mode.value,
						     from->request.health_check);
	struct target *target;
	bool fresh;
	size_t i;

	for (i = 0; service && i < from->backend_count; i++) {
		target = target_add(service, &from->backends[i], i + 1, NULL,
				    schedule_clock(), &fresh);
		if (fresh && target->idle)
			schedule_stop(target);
		else if (fresh)
			schedule_start(target);
	}
}

static void read_file(void)
{
	struct config config;
	size_t i;

	if (config_read(file, &config))
		exit(1);
	target_forget_all();
	for (i = 0; i < config.service_count; i++)
		add_service(&config.services[i]);
	target_delete_unseen();
	config_free(&config);
}

static void hangup(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	read_file();
}

static void stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct event term, hup;

	if (argc != 3)
		return 1;
	file = argv[1];
	log_init();
	signal(SIGPIPE, SIG_IGN);
	if (settings_load(argv[2], 1, &settings))
		return 1;
	base = event_base_new();
	schedule_init(base, &settings, done);
	agent_init(base, agent_changed);
	compose_init(base, send_target);
	evsignal_assign(&term, base, SIGTERM, stop, NULL);
	evsignal_assign(&hup, base, SIGHUP, hangup, NULL);
	evsignal_add(&term, NULL);
	evsignal_add(&hup, NULL);
	read_file();
	control_open(base, settings.socket);
	puts("ready");
	fflush(stdout);
	event_base_dispatch(base);
	control_close();
	target_forget_all();
	target_delete_unseen();
	schedule_exit();
	event_del(&term);
	event_del(&hup);
	curl_exit();
	tls_forget();
	event_base_free(base);
	return 0;
}
