// SPDX-License-Identifier: GPL-2.0
/*
 * What clients' connections show of their backend: segments, and what they are counted
 * as.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>

#include "conn/conn_passive.h"
#include "conn/conn_state.h"
#include "service/service.h"
#include "service/stats.h"
#include "util.h"

#define F NFLB_TCP_FIN
#define S NFLB_TCP_SYN
#define R NFLB_TCP_RST
#define A NFLB_TCP_ACK

#define IN NFLB_DIR_IN
#define OUT NFLB_DIR_OUT

#define ISN_C 0xfffffff0
#define ISN_B 0x7ffffff0
#define FAR 0x40000000

/* A segment, relative to the initial sequence numbers; and time that passes before it. */
struct step {
	u8	dir;
	u8	flags;
	u32	seq;
	u32	ack;
	u32	after;
};

/* By enum nflb_passive */
#define NOTHING		{ 0, 0, 0, 0, 0, 0 }
#define ESTABLISHED	{ 1, 0, 0, 0, 0, 0 }
#define REPEATED	{ 0, 1, 0, 0, 0, 0 }
#define REFUSED		{ 0, 0, 1, 0, 0, 0 }

static const struct story {
	const char	*name;
	bool		one_sided;
	u32		flags;
	u64		counted[NFLB_PASSIVE_COUNT];
	struct step	steps[8];
} stories[] = {
	{ "a handshake, and data", false, 0, ESTABLISHED, {
		{ IN, S, 0, 0, 0 }, { OUT, S | A, 0, 1, 0 }, { IN, A, 1, 1, 0 },
		{ IN, A, 1, 1, 0 }, { OUT, A, 1, 1, 0 },
	} },
	{ "a handshake that nobody ends", false, 0, NOTHING, {
		{ IN, S, 0, 0, 0 }, { OUT, S | A, 0, 1, 0 },
		{ IN, A, 1, FAR, 0 },
	} },
	{ "one-sided: a handshake", true, 0, ESTABLISHED, {
		{ IN, S, 0, 0, 0 }, { IN, A, 1, 1, 0 }, { IN, A, 1, 1, 0 },
	} },
	{ "one-sided: from the middle", true, 0, NOTHING, {
		{ IN, A, 1, 1, 0 }, { IN, A, 1, 1, 0 },
	} },
	{ "a SYN again, unanswered", false, 0, REPEATED, {
		{ IN, S, 0, 0, 0 }, { IN, S, 0, 0, HZ }, { IN, S, 0, 0, 2 * HZ },
	} },
	{ "a SYN again at once", false, 0, NOTHING, {
		{ IN, S, 0, 0, 0 }, { IN, S, 0, 0, 0 }, { IN, S, 0, 0, 1 },
	} },
	{ "a SYN again, answered", false, 0, NOTHING, {
		{ IN, S, 0, 0, 0 }, { OUT, S | A, 0, 1, 0 },
		{ IN, S, 0, 0, HZ }, { IN, S, 0, 0, 2 * HZ },
	} },
	{ "a SYN again, and then it works", false, 0, { 1, 1, 0, 0, 0, 0 }, {
		{ IN, S, 0, 0, 0 }, { IN, S, 0, 0, HZ },
		{ OUT, S | A, 0, 1, 0 }, { IN, A, 1, 1, 0 },
	} },
	{ "one-sided: a SYN again", true, 0, NOTHING, {
		{ IN, S, 0, 0, 0 }, { IN, S, 0, 0, HZ }, { IN, S, 0, 0, HZ },
	} },
	{ "refused", false, 0, REFUSED, {
		{ IN, S, 0, 0, 0 }, { OUT, R | A, -ISN_B, 1, 0 },
	} },
	{ "refused, as somebody forges it", false, 0, NOTHING, {
		{ IN, S, 0, 0, 0 }, { OUT, R | A, -ISN_B, FAR, 0 },
		{ OUT, R, 0, 0, 0 },
	} },
	{ "withdrawn by the client", false, 0, NOTHING, {
		{ IN, S, 0, 0, 0 }, { IN, R, 1, 0, 0 },
	} },
	{ "a failure counts once", false, 0, REPEATED, {
		{ IN, S, 0, 0, 0 }, { IN, S, 0, 0, HZ },
		{ OUT, R | A, -ISN_B, 1, 0 },
	} },
	{ "reset by the backend", false, 0, { 1, 0, 0, 1, 0, 0 }, {
		{ IN, S, 0, 0, 0 }, { OUT, S | A, 0, 1, 0 }, { IN, A, 1, 1, 0 },
		{ OUT, R, FAR, 0, 0 }, { OUT, R, 1, 0, 0 }, { OUT, R, 1, 0, 0 },
	} },
	{ "reset by the client", false, 0, ESTABLISHED, {
		{ IN, S, 0, 0, 0 }, { OUT, S | A, 0, 1, 0 }, { IN, A, 1, 1, 0 },
		{ IN, R, 1, 0, 0 },
	} },
	{ "a probe's", false, NFLB_CONN_PROBE, NOTHING, {
		{ IN, S, 0, 0, 0 }, { OUT, S | A, 0, 1, 0 }, { IN, A, 1, 1, 0 },
		{ OUT, R, 1, 0, 0 },
	} },
	{ "a probe's, refused", false, NFLB_CONN_PROBE, NOTHING, {
		{ IN, S, 0, 0, 0 }, { OUT, R | A, -ISN_B, 1, 0 },
	} },
	/* As for explain */
	{ "a copy's", false, NFLB_CONN_DYING | NFLB_CONN_DRAFT, NOTHING, {
		{ IN, S, 0, 0, 0 }, { OUT, S | A, 0, 1, 0 }, { IN, A, 1, 1, 0 },
		{ OUT, R, 1, 0, 0 },
	} },
};

static struct nflb_conn *conn_new(struct kunit *test,
				  struct nflb_backend *backend, bool one_sided,
				  u32 flags)
{
	struct nflb_conn *conn = kunit_kzalloc(test, sizeof(*conn), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, conn);
	conn->backend = backend;
	conn->how = one_sided ? NFLB_HOW_ONE_SIDED : 0;
	conn->in.tuple.proto = IPPROTO_TCP;
	conn->in.tuple.family = AF_INET;
	atomic_set(&conn->flags, flags);
	if (!one_sided)
		conn->out.tuple.aux = NFLB_AUX_DIR;
	return conn;
}

static void segment(struct nflb_conn *conn, const struct step *s)
{
	struct nflb_pkt pkt = {
		.tuple.proto = IPPROTO_TCP,
		.tcp_flags = s->flags,
		.tcp_seq = s->seq + (s->dir == IN ? ISN_C : ISN_B),
		.tcp_ack = s->ack + (s->dir == IN ? ISN_B : ISN_C),
	};

	conn->expires -= s->after;
	rcu_read_lock();
	local_bh_disable();
	nflb_conn_state_packet(conn, &pkt, s->dir);
	nflb_conn_touch(conn, nflb_now());
	local_bh_enable();
	rcu_read_unlock();
}

static struct nflb_stats_sum counted(const struct nflb_backend *b)
{
	struct nflb_stats_sum sum = { 0 };

	nflb_stats_read(b->stats, &sum);
	return sum;
}

static void expect(struct kunit *test, const struct nflb_backend *b,
		   const struct nflb_stats_sum *before, const u64 *more,
		   const char *name)
{
	struct nflb_stats_sum now = counted(b);
	int i;

	for (i = 0; i < NFLB_PASSIVE_COUNT; i++)
		KUNIT_EXPECT_EQ_MSG(test, now.passive[i] - before->passive[i],
				    more[i], "%s, counter %d", name, i);
}

static void passive_stories(struct kunit *test)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	const struct story *story;
	struct nflb_stats_sum before;
	struct nflb_conn *conn;
	int i;

	for (story = stories; story < stories + ARRAY_SIZE(stories); story++) {
		before = counted(b);
		conn = conn_new(test, b, story->one_sided, story->flags);
		for (i = 0; i < ARRAY_SIZE(story->steps) && story->steps[i].flags; i++)
			segment(conn, &story->steps[i]);
		expect(test, b, &before, story->counted, story->name);
	}
	ku_service_del(svc);
	nflb_config_drain();
}

static const struct {
	const char	*name;
	u8		family;
	u8		dir;
	u8		type;
	u8		code;
	u8		len;
	bool		counts;
} errors[] = {
	{ "host", AF_INET, OUT, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 8, true },
	{ "port", AF_INET, OUT, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 8, true },
	{ "too big", AF_INET, OUT, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 8, false },
	{ "expired", AF_INET, OUT, ICMP_TIME_EXCEEDED, 0, 8, false },
	{ "of the client's side", AF_INET, IN, ICMP_DEST_UNREACH,
	  ICMP_HOST_UNREACH, 8, false },
	{ "cut off", AF_INET, OUT, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 1, false },
	{ "IPv6, address", AF_INET6, OUT, ICMPV6_DEST_UNREACH,
	  ICMPV6_ADDR_UNREACH, 8, true },
	{ "IPv6, too big", AF_INET6, OUT, ICMPV6_PKT_TOOBIG, 0, 8, false },
	{ "IPv6, of the client's side", AF_INET6, IN, ICMPV6_DEST_UNREACH,
	  ICMPV6_ADDR_UNREACH, 8, false },
};

static void passive_icmp(struct kunit *test)
{
	static const u64 nothing[NFLB_PASSIVE_COUNT];
	static const u64 unreachable[NFLB_PASSIVE_COUNT] = {
		[NFLB_PASSIVE_UNREACHABLE] = 1,
	};
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	struct nflb_stats_sum before;
	struct nflb_pkt pkt = { 0 };
	struct nflb_conn *conn;
	struct sk_buff *skb;
	int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		skb = alloc_skb(64, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, skb);
		memset(skb_put(skb, 20), 0, 20);
		memset(skb_put(skb, errors[i].len), 0, errors[i].len);
		skb->data[20] = errors[i].type;
		if (errors[i].len > 1)
			skb->data[21] = errors[i].code;
		pkt.skb = skb;
		pkt.l4 = 20;
		pkt.tuple.family = errors[i].family;
		conn = conn_new(test, b, false, 0);
		before = counted(b);
		rcu_read_lock();
		local_bh_disable();
		nflb_passive_icmp(&pkt, conn, errors[i].dir);
		nflb_passive_icmp(&pkt, conn, errors[i].dir);
		local_bh_enable();
		rcu_read_unlock();
		expect(test, b, &before, errors[i].counts ? unreachable : nothing,
		       errors[i].name);
		kfree_skb(skb);
	}
	ku_service_del(svc);
	nflb_config_drain();
}

static void fail_one(struct kunit *test, struct nflb_backend *b)
{
	struct nflb_conn *conn = conn_new(test, b, false, 0);

	rcu_read_lock();
	local_bh_disable();
	nflb_passive_failed(conn, NFLB_PASSIVE_NO_NEIGHBOUR);
	local_bh_enable();
	rcu_read_unlock();
}

/* One event a second of a backend, whatever the number of failures */
static void passive_events(struct kunit *test)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	struct nflb_backend *other = ku_backend_add(test, svc, 10, 1);
	struct nflb_net *nn = svc->nn;
	int i, begun;

	nn->troubled = nflb_now();
	begun = atomic_read(&nn->troubles);
	for (i = 0; i < 3; i++)
		fail_one(test, b);
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->troubles), begun + 1);
	fail_one(test, other);
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->troubles), begun + 2);
	b->troubled -= HZ;
	for (i = 0; i < 3; i++)
		fail_one(test, b);
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->troubles), begun + 3);
	nn->troubled -= HZ;
	b->troubled -= HZ;
	fail_one(test, b);
	KUNIT_EXPECT_EQ(test, atomic_read(&nn->troubles), 1);
	ku_service_del(svc);
	nflb_config_drain();
}

static struct kunit_case passive_cases[] = {
	KUNIT_CASE(passive_stories),
	KUNIT_CASE(passive_icmp),
	KUNIT_CASE(passive_events),
	{ }
};

static struct kunit_suite passive_suite = {
	.name = "nflb_passive",
	.test_cases = passive_cases,
};

kunit_test_suite(passive_suite);
