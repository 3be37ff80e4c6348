// SPDX-License-Identifier: GPL-2.0
/*
 * The state of the backends of a host in all services of the network namespace. The
 * kernel changes one backend at a time. So each request depends on nobody else changing
 * the configuration, and if one is refused, those before it are undone.
 */
#include "cmd/backend_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/config_apply.h"
#include "cmd/config_plan.h"
#include "cmd/filter.h"
#include "lbadm.h"
#include "model/names.h"
#include "model/subject.h"
#include "nl/change.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

/* How often it begins again when others change the configuration. */
#define TRIES 10

/* One backend that is to change. */
struct target {
	const struct config_service *service;
	const struct backend_request *backend;
};

struct targets {
	struct config have;
	struct target *list;
	size_t count, services, done;
};

static int find_targets(struct targets *t, const struct backend_request *host)
{
	const struct config_service *service;
	size_t i, j, before, total = 0;
	int status;

	status = config_have_services(&t->have);
	if (status)
		return status;
	for (i = 0; i < t->have.service_count; i++)
		total += t->have.services[i].backend_count;
	t->list = calloc(total + 1, sizeof(*t->list));
	if (!t->list)
		abort();
	for (i = 0; i < t->have.service_count; i++) {
		service = &t->have.services[i];
		before = t->count;
		for (j = 0; j < service->backend_count; j++)
			if (is_on_host(&service->backends[j],
				       &service->request.id, host))
				t->list[t->count++] = (struct target){
					service, &service->backends[j],
				};
		t->services += t->count > before;
	}
	return LBADM_OK;
}

static void free_targets(struct targets *t)
{
	config_free(&t->have);
	free(t->list);
}

static int set_state(const struct target *target, uint32_t state,
		     const struct opt *deadline)
{
	struct backend_request req = {
		.address = target->backend->address,
		.port = target->backend->port,
		.state = { .set = true, .value = state },
		.deadline = *deadline,
	};
	char service[SUBJECT_MAX], backend[SUBJECT_MAX];
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;

	nlh = sock_request(buf, NFLB_CMD_BACKEND_SET, 0);
	msg_put_service_id(nlh, &target->service->request.id);
	msg_put_backend(nlh, &req);
	sock_subject("service %s: backend %s",
		     subject_service(service, &target->service->request.id),
		     subject_backend(backend, &req));
	return change_talk(nlh);
}

/* "Up" clears the state that the configuration has, too: only a list restores it. */
static int undo_one(const struct target *target)
{
	const struct backend_request *b = target->backend;
	const struct opt none = { 0 };

	if (b->state.set && b->state.value != NFLB_BACKEND_UP)
		return service_restore(target->service);
	return set_state(target, b->by_hand.set ? b->by_hand.value :
						  NFLB_BACKEND_UP,
			 b->by_hand.set ? &b->hand_deadline : &none);
}

/* The last one first. Names each that could not be undone. */
static void undo(struct targets *t)
{
	char service[SUBJECT_MAX], backend[SUBJECT_MAX];
	const struct target *target;

	while (t->done) {
		target = &t->list[--t->done];
		if (undo_one(target))
			fail(LBADM_REFUSED, "service %s: backend %s: this is changed, and could not be undone",
			     subject_service(service, &target->service->request.id),
			     subject_backend(backend, target->backend));
	}
}

static int run(struct targets *t, uint32_t state, const struct opt *deadline)
{
	int status = LBADM_OK;

	for (; t->done < t->count && !status; t->done += !status)
		status = set_state(&t->list[t->done], state, deadline);
	return status;
}

/* Why there is nothing to do */
static int no_target(const struct backend_request *host)
{
	char text[SUBJECT_MAX];

	return usage_error("no service has the backend %s",
			   subject_backend(text, host));
}

static json_t *report_json(const struct targets *t)
{
	json_t *list = json_array(), *backend, *service;
	size_t i;

	for (i = 0; i < t->count; i++) {
		backend = json_object();
		service = json_object();
		subject_set_service(service, &t->list[i].service->request.id);
		subject_set_backend(backend, t->list[i].backend);
		json_object_set_new(backend, "service", service);
		json_array_append_new(list, backend);
	}
	return json_pack("{s:i, s:o}", "count", (int)t->count, "backends", list);
}

static void report(const struct targets *t, uint32_t state)
{
	json_t *json;

	if (lbadm_options.json) {
		json = report_json(t);
		out_json(json);
		json_decref(json);
		return;
	}
	printf("%zu backend%s in %zu service%s: %s\n", t->count,
	       t->count == 1 ? "" : "s", t->services,
	       t->services == 1 ? "" : "s",
	       names_get(&backend_state_names, state));
}

static int try_once(struct targets *t, const struct backend_request *host,
		    uint32_t state, bool *again)
{
	int status = change_begin();

	memset(t, 0, sizeof(*t));
	status = status ? status : find_targets(t, host);
	if (!status)
		status = t->count ? run(t, state, &host->deadline) :
				    no_target(host);
	*again = status && change_stale();
	change_end();
	return status;
}

/* A try keeps the changes of those before it, and starts from the current state. */
static int try_all(const struct backend_request *host, uint32_t state)
{
	struct targets tries[TRIES];
	unsigned int count = 0, i;
	bool again;
	int status;

	do {
		status = try_once(&tries[count], host, state, &again);
	} while (++count < TRIES && again);
	if (again)
		status = fail(LBADM_REFUSED, "the configuration keeps changing, %u attempts failed",
			      count);
	for (i = count; i-- && status;)
		undo(&tries[i]);
	if (!status)
		report(&tries[count - 1], state);
	for (i = 0; i < count; i++)
		free_targets(&tries[i]);
	return status;
}

int backend_host_state(struct words *words, const struct word *list,
		       enum nflb_backend_state state)
{
	struct backend_request host;
	int status;

	status = parse_backend_id(words, &host);
	if (!status)
		status = list ? parse_words(words, list, &host) :
				words_end(words);
	return status ? status : try_all(&host, state);
}
