// SPDX-License-Identifier: GPL-2.0
/*
 * What a pick of each scheduler costs, among 3, 100 and 1,000 backends, and what
 * it takes to publish a change of all of them. Loading it prints a line each; on
 * a machine whose clock counts instructions (tests/vm/vm --icount) a nanosecond
 * is one. It stays loaded for nothing, so loading it fails with EAGAIN.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "control/config.h"
#include "netns.h"
#include "sched/sched.h"

#define PICKS 20000

static const char * const schedulers[] = {
	"rr", "wrr", "random", "lc", "wlc", "sed", "nq", "p2c", "fo", "ovf",
	"hash", "source", "maglev", "maglev-source",
};

static const u32 counts[] = { 3, 100, 1000 };

static void address(union nflb_addr *addr, u32 ip)
{
	memset(addr, 0, sizeof(*addr));
	addr->ip = htonl(ip);
}

static struct nflb_service *make(struct nflb_net *nn, const char *scheduler,
				 u32 count)
{
	struct nflb_service_request req = {
		.id.key.proto = IPPROTO_UDP,
		.id.key.family = AF_INET,
		.id.key.port = htons(80),
		.id.port_last = htons(80),
		.set = NFLB_SET_SCHEDULER | NFLB_SET_BACKENDS,
		.backend_count = count,
	};
	struct netlink_ext_ack extack = { };
	struct nflb_service *svc = NULL;
	u32 i;

	address(&req.id.key.addr, 0xc000020a);
	strscpy(req.settings.scheduler, scheduler,
		sizeof(req.settings.scheduler));
	req.backends = kvcalloc(count, sizeof(*req.backends), GFP_KERNEL);
	if (!req.backends)
		return NULL;
	for (i = 0; i < count; i++) {
		address(&req.backends[i].addr, 0x0a020000 + i);
		req.backends[i].family = AF_INET;
		/* More than ovf's picks can fill. */
		req.backends[i].weight = 1000 + i % 4;
		req.backends[i].set = NFLB_SET_WEIGHT;
	}
	mutex_lock(&nn->mutex);
	if (!nflb_service_add(nn, &req, &extack))
		svc = nflb_service_find(nn, &req.id);
	mutex_unlock(&nn->mutex);
	kvfree(req.backends);
	return svc;
}

static u64 time_picks(const struct nflb_snapshot *s, bool pick)
{
	struct nflb_tuple tuple = {
		.proto = IPPROTO_UDP, .family = AF_INET,
	};
	u64 begin = ktime_get_ns();
	u32 i;

	for (i = 0; i < PICKS; i++) {
		int got = i % s->count;

		tuple.src.ip = htonl(0x0a000000 + i);
		tuple.sport = htons(i);
		if (pick)
			got = s->sched->pick(s, &tuple);
		/* As a connection that stays. */
		if (got >= 0) {
			atomic_inc(&s->candidates[got].backend->active);
			atomic_inc(&s->candidates[got].backend->conns);
		}
	}
	return ktime_get_ns() - begin;
}

static void forget(const struct nflb_snapshot *s)
{
	u32 i;

	for (i = 0; i < s->count; i++) {
		atomic_set(&s->candidates[i].backend->active, 0);
		atomic_set(&s->candidates[i].backend->conns, 0);
	}
}

static int measure(struct nflb_net *nn, const char *scheduler, u32 count)
{
	const struct nflb_snapshot *s;
	struct nflb_service *svc;
	u64 with, without, begin, publish;

	svc = make(nn, scheduler, count);
	if (!svc)
		return -ENOMEM;
	local_bh_disable();
	rcu_read_lock();
	s = rcu_dereference(svc->snapshot);
	time_picks(s, true);
	forget(s);
	with = time_picks(s, true);
	forget(s);
	without = time_picks(s, false);
	forget(s);
	rcu_read_unlock();
	local_bh_enable();

	mutex_lock(&nn->mutex);
	begin = ktime_get_ns();
	if (nflb_service_publish(svc, &svc->settings, NULL))
		pr_err("pick: cannot publish\n");
	publish = ktime_get_ns() - begin;
	nflb_service_del(nn, svc);
	mutex_unlock(&nn->mutex);
	pr_info("pick: %s %u %llu %llu\n", scheduler, count,
		div64_u64(with - min(with, without), PICKS), publish);
	return 0;
}

static int __init pick_init(void)
{
	struct nflb_net *nn = nflb_net(&init_net);
	u32 i, j;
	int err;

	for (i = 0; i < ARRAY_SIZE(schedulers); i++) {
		for (j = 0; j < ARRAY_SIZE(counts); j++) {
			err = measure(nn, schedulers[i], counts[j]);
			if (err)
				return err;
		}
	}
	nflb_config_drain();
	return -EAGAIN;
}
module_init(pick_init);

MODULE_DESCRIPTION("Cost of nflb's schedulers");
MODULE_LICENSE("GPL");
