// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of known flows are forwarded by XDP: all bytes of the frame, pointers,
 * verdict and device are what a router would make of it that sums everything up anew.
 */
#include <linux/etherdevice.h>

#include "conn/conn_proof.h"
#include "conn/conn_state.h"
#include "xdp_util.h"

#define ROUNDS	60

static bool one_direction(const struct kx *kx, enum nflb_dir dir)
{
	return dir == NFLB_DIR_OUT && kx_dsr(kx);
}

/* Does GUE have to compute a checksum from the one of the packet? */
static bool needs_inner_sum(const struct kx *kx)
{
	return kx->kind->forward == NFLB_FORWARD_DSR + NFLB_ENCAP_GUE &&
	       kx->kind->to == AF_INET6;
}

static void no_checksum(struct ku_bytes *b)
{
	memset(b->data + b->l4 + 6, 0, 2);
}

static void stats(struct kx *kx, struct nflb_stats_sum *sum)
{
	down_read(&ku_nn()->view);
	nflb_service_stats(kx->svc, sum);
	up_read(&ku_nn()->view);
}

static void forward_one(struct kunit *test, struct kx *kx, enum nflb_dir dir,
			struct ku_bytes *b, bool tx)
{
	struct kx_shape shape = KX_SHAPE;
	struct nflb_stats_sum before, after;
	struct kx_frame f;

	kx_packet(kx, dir, b, kx_below(kx, 2),
		  kx_below(kx, 3) ? kx_below(kx, 1300) : kx_below(kx, 20));
	if (kx->kind->proto == IPPROTO_UDP && !needs_inner_sum(kx) &&
	    !kx_below(kx, 4))
		no_checksum(b);
	shape.tx = tx;
	shape.no_meta = !kx_below(kx, 3);
	shape.meta = kx_below(kx, 3) * 4;
	/* Up to the least of Ethernet, less by some devices that took tags off */
	if (b->len < 46)
		shape.tail = kx_below(kx, 46 - b->len + 1);
	kx_frame(test, kx, &f, dir, b, &shape);
	stats(kx, &before);
	kx_run(&f);
	stats(kx, &after);
	kx_expect_forwarded(test, kx, &f, dir, b, tx ? "back" : "on");
	KUNIT_EXPECT_EQ(test, after.packets[dir] - before.packets[dir], 1);
	KUNIT_EXPECT_EQ(test, after.bytes[dir] - before.bytes[dir], b->len);
	KUNIT_EXPECT_EQ(test, after.packets[!dir], before.packets[!dir]);
	kx_frame_free(&f);
}

static void xdp_forwards(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	struct ku_bytes *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	enum nflb_dir dir;
	int i;

	for (dir = 0; dir < NFLB_DIR_COUNT && !one_direction(kx, dir); dir++)
		for (i = 0; i < ROUNDS; i++)
			forward_one(test, kx, dir, b, i % 2);
}

/* Headers in the first piece, at least those that are read */
static void xdp_forwards_pieces(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	struct ku_bytes *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	bool tcp = kx->kind->proto == IPPROTO_TCP;
	struct kx_frame f;
	enum nflb_dir dir;
	int i;

	for (i = 0; i < 2 * ROUNDS; i++) {
		struct kx_shape shape = KX_SHAPE;
		bool stamps = i % 4 < 2;

		dir = kx_dsr(kx) ? NFLB_DIR_IN : i % 2;
		kx_packet(kx, dir, b, stamps, 200 + kx_below(kx, 1000));
		shape.tx = true;
		shape.linear = ETH_HLEN + b->l4 +
			       (!tcp ? 8 : stamps ? 32 : 20);
		kx_frame(test, kx, &f, dir, b, &shape);
		kx_run(&f);
		kx_expect_forwarded(test, kx, &f, dir, b, "in pieces");
		kx_frame_free(&f);
		/* One byte less */
		shape.linear--;
		kx_frame(test, kx, &f, dir, b, &shape);
		kx_run(&f);
		kx_expect_pass(test, kx, &f, "header in pieces");
		kx_frame_free(&f);
		/* Who takes pieces cannot be known before 6.3, and must say so since. */
		shape.linear = ETH_HLEN + 100;
		shape.tx = false;
		kx_frame(test, kx, &f, dir, b, &shape);
		kx_run(&f);
		kx_expect_pass(test, kx, &f, "in pieces to another device");
		kx_frame_free(&f);
	}
}

/* Does a packet of a length get out, in a frame of this shape? */
static void expect_length(struct kunit *test, struct kx *kx, enum nflb_dir dir,
			  unsigned int len, const struct kx_shape *shape,
			  bool forwarded, const char *what)
{
	struct ku_bytes *b = kzalloc(sizeof(*b), GFP_KERNEL);
	unsigned int headers = (kx->kind->family == AF_INET ? 20 : 40) +
			       (kx->kind->proto == IPPROTO_TCP ? 20 : 8);
	struct kx_frame f;

	KUNIT_ASSERT_NOT_NULL(test, b);
	kx_packet(kx, dir, b, false, len - headers);
	kx_frame(test, kx, &f, dir, b, shape);
	kx_run(&f);
	if (forwarded)
		kx_expect_forwarded(test, kx, &f, dir, b, what);
	else
		kx_expect_pass(test, kx, &f, what);
	kx_frame_free(&f);
	kfree(b);
}

static void xdp_knows_the_mtu(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	struct kx_shape shape = KX_SHAPE;
	unsigned int grows = kx_overhead(kx);
	enum nflb_dir dir;
	int i;

	for (dir = 0; dir < NFLB_DIR_COUNT && !one_direction(kx, dir); dir++) {
		for (i = 0; i < 2; i++) {
			shape.tx = i;
			kx_mtu(kx, dir, 1400 + grows);
			expect_length(test, kx, dir, 1400, &shape, true,
				      "as long as can be");
			expect_length(test, kx, dir, 1401, &shape, false,
				      "too long");
			kx_mtu(kx, dir, 1399 + grows);
			expect_length(test, kx, dir, 1400, &shape, false,
				      "too long for less");
		}
		kx_mtu(kx, dir, 1500);
	}
}

static void xdp_knows_the_headroom(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	unsigned int grows = kx_overhead(kx);
	struct kx_shape shape = KX_SHAPE;
	int i;

	for (i = 0; i < 2; i++) {
		shape.tx = i;
		shape.headroom = sizeof(struct xdp_frame) + grows;
		expect_length(test, kx, NFLB_DIR_IN, 200, &shape, true,
			      "just room");
		shape.headroom--;
		/* What does not grow needs none. */
		expect_length(test, kx, NFLB_DIR_IN, 200, &shape, !grows,
			      "no room");
		shape.headroom = 0;
		expect_length(test, kx, NFLB_DIR_IN, 200, &shape, !grows,
			      "no headroom");
	}
}

/* The next step of sequence numbers is noted, as on the other ways. */
static void xdp_follows_numbers(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	struct ku_bytes *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	struct kx_shape shape = KX_SHAPE;
	struct kx_frame f;
	u16 *aux = nflb_conn_aux(kx->conn, NFLB_DIR_IN);
	u32 step;
	int i;

	if (kx->kind->proto != IPPROTO_TCP)
		return;
	nflb_proof_begin(kx->conn, NFLB_DIR_IN, 0);
	nflb_proof_begin(kx->conn, NFLB_DIR_OUT, 0);
	for (i = 0; i < ROUNDS; i++) {
		step = *aux & NFLB_AUX_SEQ_MASK;
		kx_packet(kx, NFLB_DIR_IN, b, i % 2, 100);
		put_unaligned_be32((step + i % 2) << NFLB_AUX_SEQ_SHIFT,
				   b->data + b->l4 + 4);
		put_unaligned_be32(0, b->data + b->l4 + 8);
		ku_fix(b, kx->kind->family, IPPROTO_TCP, CHECKSUM_NONE);
		kx_frame(test, kx, &f, NFLB_DIR_IN, b, &shape);
		kx_run(&f);
		kx_expect_forwarded(test, kx, &f, NFLB_DIR_IN, b, "goes on");
		KUNIT_EXPECT_EQ(test, *aux & NFLB_AUX_SEQ_MASK, step + i % 2);
		kx_frame_free(&f);
	}
}

/* A datagram keeps its flow alive; a flow is assured by both sides. */
static void xdp_follows_flows(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	struct nflb_conn *conn = kx->conn;
	u32 left;

	conn->tick = 0;
	conn->expires = nflb_now() + 10 * HZ;
	kx_expect_works(test, kx, NFLB_DIR_IN, "touch");
	left = nflb_conn_left(conn, nflb_now());
	KUNIT_EXPECT_GT(test, left, 800 * HZ);
	if (kx->kind->proto != IPPROTO_UDP || kx_dsr(kx))
		return;
	WRITE_ONCE(conn->now, 0);
	kx_expect_works(test, kx, NFLB_DIR_IN, "first");
	KUNIT_EXPECT_FALSE(test, nflb_conn_assured(conn));
	kx_expect_works(test, kx, NFLB_DIR_OUT, "answer");
	KUNIT_EXPECT_FALSE(test, nflb_conn_assured(conn));
	kx_expect_works(test, kx, NFLB_DIR_IN, "second");
	KUNIT_EXPECT_TRUE(test, nflb_conn_assured(conn));
}

static void xdp_exit(struct kunit *test)
{
	kx_close(test);
}

static struct kunit_case xdp_cases[] = {
	KUNIT_CASE_PARAM(xdp_forwards, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_forwards_pieces, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_knows_the_mtu, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_knows_the_headroom, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_follows_numbers, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_follows_flows, kx_gen_kinds),
	{ }
};

static struct kunit_suite xdp_suite = {
	.name = "nflb_xdp",
	.exit = xdp_exit,
	.test_cases = xdp_cases,
};

kunit_test_suite(xdp_suite);
