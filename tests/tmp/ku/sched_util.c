// SPDX-License-Identifier: GPL-2.0
/*
 * Services of many backends, picks, and how they are spread.
 */
#include <linux/jhash.h>
#include <linux/math64.h>
#include <linux/slab.h>

#include "sched_util.h"

static void set_backends(struct kunit *test, struct nflb_service *svc,
			 struct nflb_service_request *req, const u32 *weights,
			 u32 count, const u16 *order)
{
	struct netlink_ext_ack extack = { };
	u32 i;
	int err;

	req->set |= NFLB_SET_BACKENDS;
	req->backend_count = count;
	req->backends = kunit_kcalloc(test, max(count, 1U),
				      sizeof(*req->backends), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, req->backends);
	for (i = 0; i < count; i++) {
		u16 number = order ? order[i] : i;

		ku_backend_request(&req->backends[i], svc->key.family, number,
				   weights ? weights[number] : 1);
	}
	mutex_lock(&svc->nn->mutex);
	err = nflb_service_set(svc->nn, svc, req, &extack);
	mutex_unlock(&svc->nn->mutex);
	KUNIT_ASSERT_EQ(test, err, 0);
	kunit_kfree(test, req->backends);
}

struct nflb_service *ks_service(struct kunit *test, u8 family,
				const char *scheduler, const u32 *weights,
				u32 count, const u16 *order)
{
	struct nflb_service *svc = ku_service_add(test, family, 5, scheduler);
	struct nflb_service_request req = { };

	set_backends(test, svc, &req, weights, count, order);
	return svc;
}

void ks_reweigh(struct kunit *test, struct nflb_service *svc,
		const u32 *weights, u32 count)
{
	struct nflb_service_request req = { };

	set_backends(test, svc, &req, weights, count, NULL);
}

void ks_done(struct nflb_service *svc)
{
	ku_service_del(svc);
	nflb_config_drain();
}

void ks_flow(struct nflb_tuple *tuple, const struct nflb_service *svc, u32 i)
{
	memset(tuple, 0, sizeof(*tuple));
	tuple->dst = svc->key.addr;
	tuple->dport = svc->key.port;
	tuple->proto = svc->key.proto;
	tuple->family = svc->key.family;
	/* As clients are: 250 of a network, ports counted up. */
	if (tuple->family == AF_INET) {
		tuple->src.ip = htonl(0x0a000000 + i / 16);
	} else {
		tuple->src.in6.s6_addr32[0] = htonl(0x20010db8);
		tuple->src.in6.s6_addr32[3] = htonl(i / 16);
	}
	tuple->sport = htons(1024 + i % 16 + (i >> 12) % 60000);
}

struct nflb_backend *ks_backend(struct nflb_service *svc, u32 number)
{
	struct nflb_backend_request req;
	struct nflb_backend *b;

	ku_backend_request(&req, svc->key.family, number, 1);
	mutex_lock(&svc->nn->mutex);
	b = nflb_backend_find(svc, &req);
	mutex_unlock(&svc->nn->mutex);
	return b;
}

static u32 number_of(const struct nflb_backend *b)
{
	return ntohl(b->addr.all[b->family == AF_INET ? 0 : 3]) & 0xffff;
}

int ks_pick(struct nflb_service *svc, const struct nflb_tuple *tuple)
{
	const struct nflb_snapshot *s;
	int i = -1;

	local_bh_disable();
	rcu_read_lock();
	s = rcu_dereference(svc->snapshot);
	if (s->count)
		i = s->sched->pick(s, tuple);
	if (i >= 0)
		i = number_of(s->candidates[i].backend);
	rcu_read_unlock();
	local_bh_enable();
	return i;
}

u32 *ks_count(struct kunit *test, struct nflb_service *svc, u32 count,
	      u32 first, u32 picks)
{
	u32 *seen = kunit_kcalloc(test, count, sizeof(*seen), GFP_KERNEL);
	struct nflb_tuple tuple;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (i = 0; i < picks; i++) {
		int b;

		ks_flow(&tuple, svc, first + i);
		b = ks_pick(svc, &tuple);
		if (b < 0 || b >= count) {
			KUNIT_FAIL(test, "picked %d", b);
			break;
		}
		seen[b]++;
		if (i % 4096 == 0)
			cond_resched();
	}
	return seen;
}

void ks_expect_chance(struct kunit *test, const char *what, const u32 *seen,
		      const u32 *weights, u32 count, u32 picks)
{
	u64 total = 0, chi2 = 0, bound;
	u32 i, free = 0;

	for (i = 0; i < count; i++)
		total += weights ? weights[i] : 1;
	for (i = 0; i < count; i++) {
		u64 want = div64_u64((u64)picks * 1000 *
				     (weights ? weights[i] : 1), total);
		s64 off = (s64)seen[i] * 1000 - (s64)want;

		if (!want) {
			KUNIT_EXPECT_EQ(test, seen[i], 0U);
			continue;
		}
		free++;
		chi2 += div64_u64((u64)(off * off), want);
	}
	/* Sums of squares in thousandths; Laurent and Massart, 2000, lemma 1:
	 * above k + 2 sqrt(k x) + 2 x with a probability of exp(-x), x = 20.
	 */
	bound = free + 2 * int_sqrt(free * 20) + 40;
	KUNIT_EXPECT_LE_MSG(test, div64_u64(chi2, 1000), bound,
			    "%s: shares are not those of the weights", what);
	kunit_info(test, "%s: chi-squared %llu over %u backends (bound %llu)\n",
		   what, div64_u64(chi2, 1000), free, bound);
}
