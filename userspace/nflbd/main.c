// SPDX-License-Identifier: GPL-2.0
/*
 * nflbd: checks the backends of the services that the module balances.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "agent.h"
#include "compose.h"
#include "control.h"
#include "curl.h"
#include "kernel.h"
#include "log.h"
#include "once.h"
#include "path.h"
#include "schedule.h"
#include "settings.h"
#include "tls.h"
#include "util/report.h"

/* Descriptors beside those of checks */
#define DESCRIPTORS 256

static const char usage[] =
	"usage: nflbd [OPTIONS]\n"
	"  -1, --once FILE      run each check of a configuration once, and print the results\n"
	"  -j, --json           print a JSON object a line\n"
	"  -c, --check FILE     check a configuration, and run nothing\n"
	"  -s, --settings FILE  settings of nflbd; " SETTINGS_FILE " unless given\n"
	"  -V, --version\n"
	"  -h, --help\n";

static struct {
	const char *once, *check, *settings_file;
	bool json;
	struct settings settings;
	struct event_base *base;
} app = { .settings_file = SETTINGS_FILE };

/* A check that runs may need a descriptor, and a command three more. */
static void raise_limit(void)
{
	struct rlimit limit;
	rlim_t wanted = app.settings.max_in_flight + app.settings.max_commands * 3 +
			DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted ||
	    !setrlimit(RLIMIT_NOFILE, &(struct rlimit){
		    wanted, limit.rlim_max > wanted ? limit.rlim_max : wanted }))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	log_line(LOG_WARNING, "%lu descriptors, of %lu that max-in-flight and max-commands need",
		 (unsigned long)limit.rlim_cur, (unsigned long)wanted);
}

static void agent_changed(struct target *target)
{
	compose_weight(target);
	kernel_send(target);
}

static void verdict_done(struct target *target, bool changed)
{
	if (changed)
		kernel_send(target);
}

static void reload(evutil_socket_t fd, short what, void *arg)
{
	struct settings settings;

	(void)fd;
	(void)what;
	(void)arg;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)check_clock());
	/* With an error in the file, the settings stay. */
	if (!settings_load(app.settings_file, 0, &settings)) {
		app.settings = settings;
		raise_limit();
		schedule_limit(&settings);
	}
	tls_forget();
	kernel_reload();
	sd_notify(0, "READY=1");
}

static void stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(app.base);
}

static void feed(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (schedule_is_alive())
		sd_notify(0, "WATCHDOG=1");
}

static int serve(void)
{
	struct event term, interrupt, hangup, watchdog;
	struct timeval half;
	uint64_t usec = 0;
	int status;

	schedule_init(app.base, &app.settings, verdict_done);
	agent_init(app.base, agent_changed);
	compose_init(app.base, kernel_send);
	evsignal_assign(&term, app.base, SIGTERM, stop, NULL);
	evsignal_assign(&interrupt, app.base, SIGINT, stop, NULL);
	evsignal_assign(&hangup, app.base, SIGHUP, reload, NULL);
	event_assign(&watchdog, app.base, -1, EV_PERSIST, feed, NULL);
	evsignal_add(&term, NULL);
	evsignal_add(&interrupt, NULL);
	evsignal_add(&hangup, NULL);
	if (sd_watchdog_enabled(0, &usec) > 0) {
		half = (struct timeval){ usec / 2000000, usec / 2 % 1000000 };
		event_add(&watchdog, &half);
	}
	status = kernel_open(app.base);
	if (!status) {
		control_open(app.base, app.settings.socket);
		sd_notify(0, "READY=1");
		event_base_dispatch(app.base);
		sd_notify(0, "STOPPING=1");
	}
	control_close();
	/* Verdicts stay in the kernel as they are. */
	target_forget_all();
	target_delete_unseen();
	kernel_close();
	path_exit();
	event_del(&term);
	event_del(&interrupt);
	event_del(&hangup);
	event_del(&watchdog);
	schedule_exit();
	return status;
}

/* Returns whether to go on; else the exit status is in @status. */
static bool take_options(int argc, char **argv, int *status)
{
	static const struct option options[] = {
		{ "once", required_argument, NULL, '1' },
		{ "json", no_argument, NULL, 'j' },
		{ "check", required_argument, NULL, 'c' },
		{ "settings", required_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int letter;

	*status = LBADM_USAGE;
	while ((letter = getopt_long(argc, argv, "1:jc:s:Vh", options, NULL)) >= 0) {
		switch (letter) {
		case '1': app.once = optarg; break;
		case 'j': app.json = true; break;
		case 'c': app.check = optarg; break;
		case 's': app.settings_file = optarg; break;
		case 'V':
			puts("nflbd " LBADM_VERSION);
			*status = LBADM_OK;
			return false;
		case 'h':
			fputs(usage, stdout);
			*status = LBADM_OK;
			return false;
		default:
			fputs(usage, stderr);
			return false;
		}
	}
	if (optind < argc)
		usage_error("\"%s\": there are options only; see nflbd --help",
			    argv[optind]);
	return optind == argc;
}

int main(int argc, char **argv)
{
	int status;

	if (!take_options(argc, argv, &status))
		return status;
	log_init();
	signal(SIGPIPE, SIG_IGN);
	if (app.check)
		return once_check(app.check);
	status = settings_load(app.settings_file,
			       strcmp(app.settings_file, SETTINGS_FILE) != 0,
			       &app.settings);
	if (status)
		return status;
	raise_limit();
	app.base = event_base_new();
	if (!app.base)
		return fail(LBADM_UNAVAILABLE, "there is no memory for the event loop");
	status = app.once ? once_run(app.base, app.once, &app.settings, app.json) :
			    serve();
	curl_exit();
	tls_forget();
	event_base_free(app.base);
	if ((fflush(stdout) || ferror(stdout)) && !status)
		status = fail(LBADM_USAGE, "cannot write: %s", strerror(errno));
	return status;
}
