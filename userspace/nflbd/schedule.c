// SPDX-License-Identifier: GPL-2.0
/*
 * Each target has a timer. One that fires begins a check, unless too many checks run or
 * began in this second; then the target waits in a queue.
 */
#include "schedule.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "event.h"
#include "compose.h"
#include "figures.h"
#include "share.h"

#define FIRST_MAX 2000		/* ms, until the first check of a target */
#define REFILL 10		/* ms, between looks at the queue while it waits for tokens */
#define OVERDUE 10000		/* ms beyond the longest timeout */

static struct {
	struct event_base *base;
	struct settings limits;
	void (*done)(struct target *target, bool changed);
	struct target *first, *last;	/* that wait */
	struct event refill;
	double tokens;
	uint64_t filled;		/* microseconds */
	uint32_t running, commands, waiting;
	uint64_t ended, fed;		/* how many, and at the last feed */
	uint32_t longest;		/* timeout of a check so far, ms */
	uint64_t seed;
} all;

uint64_t schedule_clock(void)
{
	return check_clock() / 1000;
}

/* xorshift: not for secrets */
static uint64_t random_number(void)
{
	all.seed ^= all.seed << 13;
	all.seed ^= all.seed >> 7;
	all.seed ^= all.seed << 17;
	return all.seed;
}

static struct timeval in_ms(uint64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

static void fill(void)
{
	uint64_t now = check_clock();
	double most = all.limits.max_checks_per_second / 10.0;

	all.tokens += (now - all.filled) * (all.limits.max_checks_per_second / 1e6);
	if (all.tokens > (most < 1 ? 1 : most))
		all.tokens = most < 1 ? 1 : most;
	all.filled = now;
}

static void wait_until(struct target *target, uint64_t ms)
{
	struct timeval after = in_ms(ms);

	target->due = check_clock() + ms * 1000;
	evtimer_add(&target->timer, &after);
}

/* Of those that share the check: the one that needs it first */
static uint64_t shortest_interval(const struct target *target)
{
	uint64_t now = schedule_clock(), shortest = UINT64_MAX, interval;

	for (; target; target = share_next(target)) {
		interval = verdict_interval(&target->verdict, &target->check, now);
		shortest = interval < shortest ? interval : shortest;
	}
	return shortest;
}

/* The begin of the last check, an interval and the jitter later; but not before now. */
static void plan(struct target *target)
{
	uint64_t interval = shortest_interval(target);
	uint64_t spread = interval * target->check.jitter / 100, passed;

	if (spread)
		interval += random_number() % (2 * spread + 1) - spread;
	passed = (check_clock() - target->began) / 1000;
	wait_until(target, interval > passed ? interval - passed : 0);
}

static bool is_command(const struct target *target)
{
	return target->check.protocol == HEALTH_EXEC;
}

static void count(struct target *target, int change)
{
	all.running += change;
	if (is_command(target))
		all.commands += change;
}

/* Report a certificate that expires soon, once. */
static void look_at_certificate(struct target *target)
{
	int32_t warn = target->check.expiry_warn_days;

	if (target->last.expires == INT32_MAX || !warn)
		return;
	if (target->last.expires < warn && !target->warned)
		event_certificate(target);
	target->warned = target->last.expires < warn;
}

/* Steps of 10 percent: each change costs the kernel a new table. 0 is none at all. */
static uint8_t round_weight(uint8_t weight)
{
	return weight && weight < 10 ? 10 : (weight + 5) / 10 * 10;
}

/* A held backend may be the only usable one now, or no longer. */
static void release_others(const struct target *target)
{
	struct target *other;

	for (other = target->service->targets; other; other = other->next) {
		if (other == target || other->composed == compose_health(other) ||
		    !other->damping.holds)
			continue;
		other->composed = compose_health(other);
		all.done(other, true);
	}
}

static void take(struct target *target, const struct result *result)
{
	enum nflb_health before = target->verdict.health;
	uint64_t now = schedule_clock(), since = target->verdict.since;
	uint8_t weight = target->last.weight;
	bool changed;

	changed = verdict_take(&target->verdict, &target->check, result, now);
	target->last = *result;
	target->checked = true;
	target->last.weight = result->kind == RESULT_SUCCESS ?
			      round_weight(result->weight) : weight;
	if (changed && target->verdict.health == NFLB_HEALTH_UNHEALTHY)
		damping_add(&target->damping, &target->check, now);
	damping_update(&target->damping, &target->check, now);
	if (changed)
		figures_change();
	if (changed)
		event_verdict(target, before, (now - since) / 1000);
	if (target->verdict.voids && target->verdict.voids % VERDICT_VOIDS == 0)
		event_void(target);
	look_at_certificate(target);
	changed |= compose_weight(target) || target->composed != compose_health(target);
	target->composed = compose_health(target);
	all.done(target, changed);
	if (changed && target->check.damping.half_life)
		release_others(target);
}

static void set_up(struct target *target);

/* All that share the check get its result; then the next check is planned. */
static void deliver(struct target *target, const struct result *result)
{
	struct share *share = share_hold(target);
	struct target *member = target, *next;
	uint64_t began = target->began;

	for (; member; member = next) {
		next = share_next(member);
		if (member != target)
			figures_shared();
		take(member, result);
	}
	target = share_release(share);
	if (!target)
		return;
	set_up(target);
	target->began = began;
	plan(target);
}

static void run_queue(void);

static void check_done(struct check *check, void *owner)
{
	struct target *target = owner;

	target->running = NULL;
	count(target, -1);
	all.ended++;
	figures_check(target->check.protocol, check->result.kind);
	deliver(target, &check->result);
	run_queue();
}

static void begin(struct target *target)
{
	struct check_place place = target_place(target);

	if (target->check.timeout > all.longest)
		all.longest = target->check.timeout;
	target->began = check_clock();
	figures_late(target->began > target->due ? target->began - target->due : 0);
	all.tokens -= 1;
	count(target, 1);
	target->running = check_start(all.base, &target->check, &place, check_done,
				      target);
	if (target->running)
		return;
	count(target, -1);
	deliver(target, &(struct result){ .kind = RESULT_VOID,
					  .reason = REASON_NO_MEMORY,
					  .expires = INT32_MAX });
}

static bool may_begin(const struct target *target)
{
	return all.running < all.limits.max_in_flight &&
	       (!is_command(target) || all.commands < all.limits.max_commands);
}

static struct target *unqueue(struct target *before, struct target *target)
{
	if (before)
		before->queue = target->queue;
	else
		all.first = target->queue;
	if (all.last == target)
		all.last = before;
	target->waits = false;
	all.waiting--;
	return target;
}

/* Begin as many checks as the limits allow. Waiting commands do not delay others. */
static void run_queue(void)
{
	struct target *target = all.first, *before = NULL, *next;
	struct timeval after = in_ms(REFILL);

	if (!target)
		return;
	fill();
	for (; target && all.tokens >= 1; target = next) {
		next = target->queue;
		if (may_begin(target))
			begin(unqueue(before, target));
		else if (is_command(target))
			before = target;
		else
			return;		/* the end of a check goes on with it */
	}
	if (all.first && all.tokens < 1)
		evtimer_add(&all.refill, &after);
}

static void refilled(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	run_queue();
}

static void enqueue(struct target *target)
{
	if (target->waits || target->running)
		return;
	target->waits = true;
	all.waiting++;
	target->queue = NULL;
	if (all.last)
		all.last->queue = target;
	else
		all.first = target;
	all.last = target;
	run_queue();
}

static void due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	enqueue(arg);
}

void schedule_init(struct event_base *base, const struct settings *settings,
		   void (*done)(struct target *target, bool changed))
{
	all.base = base;
	all.limits = *settings;
	all.done = done;
	all.filled = check_clock();
	if (getrandom(&all.seed, sizeof(all.seed), 0) != sizeof(all.seed) || !all.seed)
		all.seed = all.filled | 1;
	evtimer_assign(&all.refill, base, refilled, NULL);
}

void schedule_limit(const struct settings *settings)
{
	all.limits = *settings;
	run_queue();
}

/* FNV-1a of the names: the same after each start, and spread out */
static uint32_t phase(const struct target *target)
{
	char text[TARGET_TEXT_MAX];
	uint32_t hash = 2166136261u;
	const char *c;

	for (c = target_text(target, text); *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	return hash;
}

static void set_up(struct target *target)
{
	if (target->scheduled)
		return;
	evtimer_assign(&target->timer, all.base, due, target);
	target->scheduled = true;
}

/* One more shares the check, and wants a result soon. */
static void hasten(struct target *leader, uint64_t ms)
{
	if (!leader->running && !leader->waits && leader->due > check_clock() + ms * 1000)
		wait_until(leader, ms);
}

void schedule_start(struct target *target)
{
	uint32_t window = target->check.interval < FIRST_MAX ? target->check.interval :
							       FIRST_MAX;
	uint64_t first = phase(target) % window;

	if (!share_join(target)) {
		hasten(share_leader(target), first);
		return;
	}
	set_up(target);
	wait_until(target, first);
}

void schedule_now(struct target *target)
{
	share_join(target);
	target = share_leader(target);
	set_up(target);
	evtimer_del(&target->timer);
	target->due = check_clock();
	enqueue(target);
}

void schedule_hurry(struct target *target)
{
	uint64_t now = check_clock(), soon;

	target = share_leader(target);
	if (!target->scheduled || target->running || target->waits)
		return;
	soon = target->began + target->check.fast_interval * 1000ull;
	if (soon <= now)
		schedule_now(target);
	else if (soon < target->due)
		wait_until(target, (soon - now) / 1000);
}

/* Go on with the check of one that shared it. */
static void inherit(struct target *heir, uint64_t due, bool at_once)
{
	uint64_t now = check_clock();

	if (!heir)
		return;
	if (at_once)
		return schedule_now(heir);
	set_up(heir);
	wait_until(heir, due > now ? (due - now) / 1000 : 0);
}

static void stop_one(struct target *target)
{
	struct target *before = NULL, *at = all.first;

	if (target->scheduled)
		evtimer_del(&target->timer);
	target->scheduled = false;
	if (target->running) {
		check_cancel(target->running);
		target->running = NULL;
		count(target, -1);
	}
	if (!target->waits)
		return;
	for (; at != target; at = at->queue)
		before = at;
	unqueue(before, target);
}

void schedule_stop(struct target *target)
{
	bool busy = target->running || target->waits;

	stop_one(target);
	inherit(share_leave(target), target->due, busy);
}

void schedule_load(uint32_t *running, uint32_t *waiting)
{
	*running = all.running;
	*waiting = all.waiting;
}

bool schedule_is_alive(void)
{
	static uint64_t since;
	bool alive = all.ended != all.fed || (!all.running && !all.first);
	uint64_t now = schedule_clock();

	all.fed = all.ended;
	if (alive)
		since = now;
	return alive || now - since < all.longest + OVERDUE;
}

void schedule_exit(void)
{
	evtimer_del(&all.refill);
}
