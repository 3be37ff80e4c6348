// SPDX-License-Identifier: GPL-2.0
/*
 * Asks agents. One that does not answer changes nothing.
 */
#include "agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "compose.h"
#include "event.h"
#include "figures.h"

#define RUNNING_MAX 1024	/* questions at a time */

/**
 * struct agent - an agent
 * @target: on which it is
 * @keys: of the question
 * @check: that runs, or NULL
 * @timer: of the next one
 * @text: the answer so far
 * @len: of @text
 * @answered: before
 */
struct agent {
	struct target *target;
	struct health_check keys;
	struct check *check;
	struct event timer;
	char text[ANSWER_MAX_BYTES];
	size_t len;
	bool answered;
};

static struct {
	struct event_base *base;
	void (*changed)(struct target *target);
	unsigned int running;
} all;

void agent_init(struct event_base *base, void (*changed)(struct target *target))
{
	all.base = base;
	all.changed = changed;
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	struct agent *agent = check->owner;
	ssize_t len = recv(fd, agent->text + agent->len, sizeof(agent->text) - agent->len, 0);

	(void)what;
	check->waiting = false;
	if (len < 0 && errno != EAGAIN)
		return check_end_errno(check, errno);
	agent->len += len > 0 ? len : 0;
	if (!len || agent->len == sizeof(agent->text) ||
	    memchr(agent->text, '\n', agent->len))
		return check_succeed(check, NULL);
	check_wait(check, EV_READ, readable);
}

static void connected(struct check *check)
{
	const char *text = check->keys->agent.send;

	/* It fits into an empty buffer. */
	if (text && *text && send(check->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return check_end_errno(check, errno);
	check_wait(check, EV_READ, readable);
}

static void start(struct check *check)
{
	check_connect(check, SOCK_STREAM, connected);
}

static const struct check_ops check_agent = { .start = start };

static void wait_for(struct agent *agent, uint32_t ms)
{
	struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(&agent->timer, &after);
}

static bool differ(const struct answer_state *a, const struct answer_state *b)
{
	return a->weight != b->weight || a->drain != b->drain || a->maint != b->maint ||
	       a->down != b->down;
}

/* The kernel may have a verdict from before the start: the first answer is always new. */
static void take(struct agent *agent, const struct answer_state *before)
{
	struct target *target = agent->target;
	bool news = differ(&target->lowered, before);

	if (news)
		event_agent(target);
	if (news || !agent->answered)
		all.changed(target);
	agent->answered = true;
}

static void done(struct check *check, void *owner)
{
	struct agent *agent = owner;
	struct target *target = agent->target;
	struct answer_state before = target->lowered;
	bool good;

	agent->check = NULL;
	all.running--;
	good = check->result.kind == RESULT_SUCCESS &&
	       answer_read(&target->lowered, agent->text, agent->len);
	figures_agent(good);
	wait_for(agent, agent->keys.agent.interval);
	if (good)
		take(agent, &before);
}

static void ask(evutil_socket_t fd, short what, void *arg)
{
	struct agent *agent = arg;
	struct check_place place = target_place(agent->target);

	(void)fd;
	(void)what;
	place.port = agent->keys.agent.port;
	agent->len = 0;
	if (all.running < RUNNING_MAX)
		agent->check = check_start_as(&check_agent, all.base, &agent->keys, &place,
					      done, agent);
	if (agent->check)
		all.running++;
	else
		wait_for(agent, agent->keys.agent.interval);
}

void agent_update(struct target *target, bool on)
{
	struct agent *agent;

	on = on && all.base && target->usable && target->check.agent.port;
	if (!on || target->agent) {
		if (!on)
			agent_stop(target);
		return;
	}
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		abort();
	agent->target = target;
	agent->keys = target->check;
	agent->keys.via = HEALTH_DIRECT;
	target->agent = agent;
	evtimer_assign(&agent->timer, all.base, ask, agent);
	wait_for(agent, (uintptr_t)target / 64 % 200);
}

void agent_stop(struct target *target)
{
	struct agent *agent = target->agent;

	target->lowered = ANSWER_NOTHING;
	if (!agent)
		return;
	if (agent->check) {
		check_cancel(agent->check);
		all.running--;
	}
	evtimer_del(&agent->timer);
	free(agent);
	target->agent = NULL;
}
