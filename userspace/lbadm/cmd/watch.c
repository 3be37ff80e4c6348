// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm watch
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>

#include "cmd/show.h"
#include "lbadm.h"
#include "model/names.h"
#include "model/vocabulary.h"
#include "nl/sock.h"
#include "out/grid.h"
#include "out/out.h"
#include "out/out_watch.h"
#include "out/screen.h"
#include "util/timestamp.h"

struct watch_request {
	struct opt interval, count, sort;
};

static const struct word watch_words[] = {
	{ .name = "interval", .kind = &kind_interval, .standard = "2",
	  .help = "how often to look",
	  .offset = offsetof(struct watch_request, interval) },
	{ .name = "count", .kind = &kind_count,
	  .help = "end after N intervals",
	  .offset = offsetof(struct watch_request, count) },
	{ .name = "sort", .kind = &kind_watch_sort, .standard = "connections",
	  .help = "the key to sort by",
	  .offset = offsetof(struct watch_request, sort) },
	{ 0 },
};

struct watch {
	const struct service_id *id;	/* one service, or NULL */
	enum watch_sort by;
	bool draw;
	json_t *sample;			/* the last, with rates */
	struct timespec taken;
};

static double seconds_between(const struct timespec *a,
			      const struct timespec *b)
{
	return b->tv_sec - a->tv_sec + (b->tv_nsec - a->tv_nsec) / 1e9;
}

/* Look again; rates are those since the look before. */
static int look(struct watch *w)
{
	json_t *services, *stats, *sample;
	struct timespec now;
	double seconds;
	int status;

	status = read_services(w->id, &services);
	if (status)
		return status;
	status = read_stats(&stats);
	if (status) {
		json_decref(services);
		return status;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	sample = json_object();
	json_object_set_new(sample, "time", timestamp());
	if (w->sample) {
		seconds = seconds_between(&w->taken, &now);
		set_rates(json_object_get(w->sample, "services"), services,
			  seconds);
		set_stats_rates(json_object_get(w->sample, "stats"), stats,
				seconds);
		json_object_set_new(sample, "seconds", json_real(seconds));
	}
	json_object_set_new(sample, "stats", stats);
	json_object_set_new(sample, "services", services);
	json_decref(w->sample);
	w->sample = sample;
	w->taken = now;
	return LBADM_OK;
}

static int draw(struct watch *w)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int status;

	if (!to)
		return fail(LBADM_UNAVAILABLE, "out of memory");
	status = out_watch(to, w->sample, w->by, grid_width(),
			   screen_height());
	fclose(to);
	if (!status)
		screen_draw(text);
	free(text);
	return status;
}

static int show(struct watch *w)
{
	int status;

	watch_sort(json_object_get(w->sample, "services"), w->by);
	if (lbadm_options.json) {
		out_json(w->sample);
		return LBADM_OK;
	}
	if (w->draw)
		return draw(w);
	status = out_watch(stdout, w->sample, w->by, grid_width(), 0);
	if (!status)
		putchar('\n');
	fflush(stdout);
	return status;
}

/* Returns whether it is a key that ends all. */
static bool take_key(struct watch *w, char key)
{
	switch (key) {
	case 'c': w->by = WATCH_CONNECTIONS; break;
	case 'p': w->by = WATCH_PACKETS; break;
	case 'b': w->by = WATCH_BYTES; break;
	case 'a': w->by = WATCH_ACTIVE; break;
	}
	return key == 'q' || key == 'Q';
}

/* Until the next look; @stop is set if there is to be none. */
static int wait_interval(struct watch *w, unsigned int seconds, bool *stop)
{
	struct timespec until = w->taken;
	int status = LBADM_OK;
	char key;

	until.tv_sec += seconds;
	while (!status) {
		switch (screen_wait(&until, &key)) {
		case SCREEN_TIME:
			return LBADM_OK;
		case SCREEN_STOP:
			*stop = true;
			return LBADM_OK;
		case SCREEN_KEY:
			*stop = take_key(w, key);
			if (*stop)
				return LBADM_OK;
			break;
		case SCREEN_REDRAW:
			break;
		}
		if (w->draw)
			status = show(w);
	}
	return status;
}

static int watch_on(struct watch *w, const struct watch_request *req)
{
	unsigned int seconds = req->interval.set ? req->interval.value : 2;
	unsigned int rounds = 0;
	bool stop = false;
	int status;

	status = look(w);
	if (!status && w->draw)
		status = show(w);
	while (!status && (!req->count.set || rounds++ < req->count.value)) {
		status = wait_interval(w, seconds, &stop);
		if (status || stop)
			break;
		status = look(w);
		if (!status)
			status = show(w);
	}
	return status;
}

static int watch(struct words *words)
{
	struct watch_request req = { 0 };
	struct service_id id;
	struct watch w = { 0 };
	int status = LBADM_OK;

	if (words->argc && !word_find(watch_words, words_peek(words))) {
		status = parse_service_id(words, &id);
		w.id = &id;
	}
	if (!status)
		status = parse_words(words, watch_words, &req);
	if (!status && lbadm_options.sort)
		status = usage_error("watch: sort by connections, packets, bytes or active, without dashes");
	if (!status)
		status = sock_open();
	if (status)
		return status;
	w.by = req.sort.value;
	w.draw = !lbadm_options.json && screen_possible();
	screen_begin(w.draw);
	status = watch_on(&w, &req);
	screen_end();
	json_decref(w.sample);
	return status;
}

/* An object without commands: its words follow at once. */
static const struct lbadm_command commands[] = {
	{ "", watch, "show rates of services and backends, and drops, again and again",
	  args_maybe_service, watch_words },
	{ 0 },
};

const struct lbadm_object lbadm_watch = {
	"watch", "the busiest services and backends, live", commands,
};
