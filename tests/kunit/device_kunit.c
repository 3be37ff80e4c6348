// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that a namespace waits for.
 */
#include <linux/nflb.h>
#include <linux/rtnetlink.h>

#include "control/device_wait.h"
#include "util.h"

static void device_wait_by_name(struct kunit *test)
{
	struct nflb_net *nn = ku_nn();

	rtnl_lock();
	KUNIT_EXPECT_NULL(test, nflb_awaited_find(nn, "ku0"));
	KUNIT_EXPECT_FALSE(test, IS_ERR(nflb_awaited_add(nn, "ku0", NULL)));
	KUNIT_EXPECT_FALSE(test, IS_ERR(nflb_awaited_add(nn, "ku1", NULL)));
	KUNIT_ASSERT_NOT_NULL(test, nflb_awaited_find(nn, "ku0"));
	KUNIT_EXPECT_STREQ(test, nflb_awaited_find(nn, "ku1")->name, "ku1");
	nflb_awaited_del(nn, nflb_awaited_find(nn, "ku0"));
	KUNIT_EXPECT_NULL(test, nflb_awaited_find(nn, "ku0"));
	KUNIT_EXPECT_EQ(test, nn->awaited_count, 1U);
	nflb_awaited_flush(nn);
	KUNIT_EXPECT_EQ(test, nn->awaited_count, 0U);
	rtnl_unlock();
}

static void device_wait_for_a_name(struct kunit *test)
{
	static const char * const names[] = {
		"", ".", "..", "a/b", "a b", "a:b", "sixteen-letters-",
	};
	struct netlink_ext_ack extack = { };
	struct nflb_net *nn = ku_nn();
	int i;

	rtnl_lock();
	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(nflb_awaited_add(nn, names[i],
								   &extack)),
				    -EINVAL, "\"%s\"", names[i]);
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	KUNIT_EXPECT_EQ(test, nn->awaited_count, 0U);
	rtnl_unlock();
}

static void device_wait_is_bounded(struct kunit *test)
{
	struct netlink_ext_ack extack = { };
	struct nflb_net *nn = ku_nn();
	char name[IFNAMSIZ];
	int i;

	rtnl_lock();
	for (i = 0; i < NFLB_DEVICES_ABSENT_MAX; i++) {
		snprintf(name, sizeof(name), "ku%d", i);
		KUNIT_EXPECT_FALSE(test, IS_ERR(nflb_awaited_add(nn, name, NULL)));
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR(nflb_awaited_add(nn, "more", &extack)),
			-ENOSPC);
	KUNIT_EXPECT_NOT_NULL(test, extack._msg);
	/* One that is there keeps its place for the time when it goes. */
	nflb_awaited_find(nn, "ku0")->dev = nn->net->loopback_dev;
	KUNIT_EXPECT_NULL(test, nflb_awaited_find(nn, "ku0"));
	KUNIT_EXPECT_NOT_NULL(test, nflb_awaited_of(nn, nn->net->loopback_dev));
	KUNIT_EXPECT_EQ(test, PTR_ERR(nflb_awaited_add(nn, "more", NULL)),
			-ENOSPC);
	nflb_awaited_flush(nn);
	KUNIT_EXPECT_TRUE(test, list_empty(&nn->awaited));
	KUNIT_EXPECT_FALSE(test, IS_ERR(nflb_awaited_add(nn, "more", NULL)));
	nflb_awaited_flush(nn);
	rtnl_unlock();
}

static struct kunit_case device_cases[] = {
	KUNIT_CASE(device_wait_by_name),
	KUNIT_CASE(device_wait_for_a_name),
	KUNIT_CASE(device_wait_is_bounded),
	{}
};

static struct kunit_suite device_suite = {
	.name = "nflb_device",
	.test_cases = device_cases,
};

kunit_test_suite(device_suite);
