// SPDX-License-Identifier: GPL-2.0
/*
 * Which service takes a packet.
 */
#include "util.h"

static struct nflb_service *add(struct kunit *test, u8 family, u8 proto,
				u16 low, u16 high)
{
	struct netlink_ext_ack extack = { };
	struct nflb_service_request req;
	struct nflb_net *nn = ku_nn();
	struct nflb_service *svc;
	int err;

	ku_service_request(&req, family, 7, low);
	req.id.key.proto = proto;
	req.id.port_last = htons(high);
	mutex_lock(&nn->mutex);
	err = nflb_service_add(nn, &req, &extack);
	svc = nflb_service_find(nn, &req.id);
	mutex_unlock(&nn->mutex);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_ASSERT_NOT_NULL(test, svc);
	return svc;
}

static struct nflb_service *lookup(u8 family, u8 proto, u8 last, u16 port,
				   bool *vip)
{
	struct nflb_service_request req;
	struct nflb_tuple t = { };
	struct nflb_service *svc;
	struct nflb_host *host;

	ku_service_request(&req, family, last, port);
	t.dst = req.id.key.addr;
	t.dport = htons(port);
	t.proto = proto;
	t.family = family;
	rcu_read_lock();
	svc = nflb_service_lookup(ku_nn(), &t, &host);
	*vip = svc || (host && host->vips);
	rcu_read_unlock();
	return svc;
}

static void service_most_specific_first(struct kunit *test)
{
	const struct ku_param *p = test->param_value;
	struct nflb_service *all, *wide, *narrow, *one, *other;
	u8 f = p->family, proto = p->proto;
	bool vip;

	wide = add(test, f, proto, 1000, 9000);
	all = add(test, f, proto, 0, 65535);
	narrow = add(test, f, proto, 2000, 2010);
	one = add(test, f, proto, 2005, 2005);
	other = add(test, f, proto == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP,
		    53, 53);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 2005, &vip), one);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 2000, &vip), narrow);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 2010, &vip), narrow);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 2011, &vip), wide);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 1000, &vip), wide);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 9001, &vip), all);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 0, &vip), all);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 65535, &vip), all);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 53, &vip), all);
	KUNIT_EXPECT_NULL(test, lookup(f, proto, 8, 2005, &vip));
	KUNIT_EXPECT_FALSE(test, vip);
	ku_service_del(all);
	KUNIT_EXPECT_NULL(test, lookup(f, proto, 7, 53, &vip));
	KUNIT_EXPECT_TRUE(test, vip);
	ku_service_del(wide);
	ku_service_del(one);
	KUNIT_EXPECT_PTR_EQ(test, lookup(f, proto, 7, 2005, &vip), narrow);
	ku_service_del(narrow);
	ku_service_del(other);
	KUNIT_EXPECT_NULL(test, lookup(f, proto, 7, 2005, &vip));
	KUNIT_EXPECT_FALSE(test, vip);
	nflb_config_drain();
}

static struct kunit_case service_cases[] = {
	KUNIT_CASE_PARAM(service_most_specific_first, ku_gen_flows),
	{ }
};

static struct kunit_suite service_suite = {
	.name = "nflb_service",
	.test_cases = service_cases,
};

kunit_test_suite(service_suite);
