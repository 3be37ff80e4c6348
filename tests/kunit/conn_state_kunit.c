// SPDX-License-Identifier: GPL-2.0
/*
 * The TCP state machine, transition by transition.
 */
#include "conn/conn_state.h"
#include "util.h"

#define F NFLB_TCP_FIN
#define S NFLB_TCP_SYN
#define R NFLB_TCP_RST
#define A NFLB_TCP_ACK

#define NO NFLB_CONN_NONE
#define SS NFLB_CONN_SYN_SENT
#define SR NFLB_CONN_SYN_RECV
#define EE NFLB_CONN_ESTABLISHED
#define FW NFLB_CONN_FIN_WAIT
#define CW NFLB_CONN_CLOSE_WAIT
#define LA NFLB_CONN_LAST_ACK
#define TW NFLB_CONN_TIME_WAIT
#define CL NFLB_CONN_CLOSE

/* By flags and direction: the state after each of these states. */
static const struct {
	u8 flags;
	u8 dir;
	u8 after[9];	/* NO SS SR EE FW CW LA TW CL */
} transitions[] = {
	{ S,	 NFLB_DIR_IN,  { SS, SS, SR, EE, FW, CW, LA, TW, CL } },
	{ S | A, NFLB_DIR_IN,  { SS, SS, SR, EE, FW, CW, LA, TW, CL } },
	{ S | A, NFLB_DIR_OUT, { NO, SR, SR, EE, FW, CW, LA, TW, CL } },
	{ S,	 NFLB_DIR_OUT, { NO, SR, SR, EE, FW, CW, LA, TW, CL } },
	{ A,	 NFLB_DIR_IN,  { NO, SS, EE, EE, FW, CW, TW, TW, CL } },
	{ A,	 NFLB_DIR_OUT, { NO, SS, SR, EE, FW, CW, TW, TW, CL } },
	{ F | A, NFLB_DIR_IN,  { NO, SS, FW, FW, FW, LA, LA, TW, CL } },
	{ F | A, NFLB_DIR_OUT, { NO, SS, CW, CW, LA, CW, LA, TW, CL } },
	{ R,	 NFLB_DIR_IN,  { CL, CL, CL, CL, CL, CL, CL, CL, CL } },
	{ R | A, NFLB_DIR_OUT, { CL, CL, CL, CL, CL, CL, CL, CL, CL } },
	{ S | R, NFLB_DIR_IN,  { CL, CL, CL, CL, CL, CL, CL, CL, CL } },
	{ 0,	 NFLB_DIR_IN,  { NO, SS, SR, EE, FW, CW, LA, TW, CL } },
};

/* The same, where only the client's segments are seen. */
static const struct {
	u8 flags;
	u8 after[9];
} one_sided[] = {
	{ S,	 { SS, SS, SR, EE, FW, CW, LA, TW, CL } },
	{ A,	 { NO, EE, SR, EE, FW, CW, LA, TW, EE } },
	{ F | A, { FW, FW, FW, FW, FW, FW, FW, FW, FW } },
	{ R,	 { CL, CL, CL, CL, CL, CL, CL, CL, CL } },
	{ S | R, { CL, CL, CL, CL, CL, CL, CL, CL, CL } },
	{ 0,	 { NO, SS, SR, EE, FW, CW, LA, TW, CL } },
};

static void conn_state_one_sided(struct kunit *test)
{
	int i, state;

	for (i = 0; i < ARRAY_SIZE(one_sided); i++)
		for (state = NO; state <= CL; state++)
			KUNIT_EXPECT_EQ_MSG(test,
					    (int)nflb_conn_state_one_sided(
						state, one_sided[i].flags),
					    (int)one_sided[i].after[state],
					    "row %d, state %d", i, state);
}

static void conn_state_transitions(struct kunit *test)
{
	int i, state;

	for (i = 0; i < ARRAY_SIZE(transitions); i++)
		for (state = NO; state <= CL; state++)
			KUNIT_EXPECT_EQ_MSG(test, (int)nflb_conn_state_next(
						state, transitions[i].flags,
						transitions[i].dir),
					    (int)transitions[i].after[state],
					    "row %d, state %d", i, state);
}

/* A segment of a connection that is not in any table. */
static void segment_ack(struct nflb_conn *conn, u8 flags, u32 seq, u32 ack,
			enum nflb_dir dir)
{
	struct nflb_pkt pkt = {
		.tuple.proto = IPPROTO_TCP, .tcp_flags = flags, .tcp_seq = seq,
		.tcp_ack = ack,
	};

	rcu_read_lock();
	nflb_conn_state_packet(conn, &pkt, dir);
	rcu_read_unlock();
}

static void segment(struct nflb_conn *conn, u8 flags, u32 seq,
		    enum nflb_dir dir)
{
	segment_ack(conn, flags, seq, 0, dir);
}

static void established(struct kunit *test, struct nflb_conn *conn,
			struct nflb_backend *backend, u32 seq)
{
	memset(conn, 0, sizeof(*conn));
	conn->backend = backend;
	conn->in.tuple.proto = IPPROTO_TCP;
	conn->out.tuple.proto = IPPROTO_TCP;
	conn->out.tuple.aux = NFLB_AUX_DIR;
	segment(conn, S, seq, NFLB_DIR_IN);
	segment(conn, S | A, seq + 7, NFLB_DIR_OUT);
	segment_ack(conn, A, seq + 1, seq + 8, NFLB_DIR_IN);
	segment(conn, A, seq + 8, NFLB_DIR_OUT);
	KUNIT_EXPECT_EQ(test, (int)conn->state, EE);
}

/* Near the last sequence number, wherever that is, or not. */
static void conn_state_resets(struct kunit *test)
{
	static const u32 at[] = { 0, 1000, 0x7fffffff, 0x80000000, 0xfffffff0 };
	static const struct {
		s64 off;
		bool believed;
	} resets[] = {
		{ 0, true }, { 1, true }, { 100000, true }, { -100000, true },
		{ -(1 << 19), true }, { 2 << 20, false }, { -(4 << 20), false },
		{ 1 << 30, false }, { -(1LL << 30), false },
		{ 1LL << 31, false },
	};
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	struct nflb_conn *conn;
	int i, j, dir;

	conn = kunit_kzalloc(test, sizeof(*conn), GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		for (j = 0; j < ARRAY_SIZE(resets); j++) {
			for (dir = 0; dir < NFLB_DIR_COUNT; dir++) {
				established(test, conn, b, at[i]);
				segment(conn, R, at[i] + resets[j].off, dir);
				KUNIT_EXPECT_EQ_MSG(test,
					conn->state == NFLB_CONN_CLOSE,
					resets[j].believed,
					"at %u, off %lld, dir %d", at[i],
					resets[j].off, dir);
			}
		}
	}
	/* Data moves what is near: a window at most, */
	established(test, conn, b, 0);
	segment(conn, A, 30 << 20, NFLB_DIR_IN);
	segment(conn, R, 1, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)conn->state, EE);
	/* not by more, nor back; */
	segment(conn, A, 90 << 20, NFLB_DIR_IN);
	segment(conn, R, 90 << 20, NFLB_DIR_IN);
	segment(conn, A, 1, NFLB_DIR_IN);
	segment(conn, R, 1, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)conn->state, EE);
	segment(conn, R, 30 << 20, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)conn->state, CL);
	/* and by a window only with an acknowledgment that fits. */
	established(test, conn, b, 200 << 20);
	segment(conn, A, 230 << 20, NFLB_DIR_IN);
	segment(conn, R, 230 << 20, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)conn->state, EE);
	segment(conn, A, (200 << 20) + (128 << 10), NFLB_DIR_IN);
	segment(conn, R, (201 << 20) + (200 << 10), NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)conn->state, EE);
	segment(conn, R, (200 << 20) + (300 << 10), NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)conn->state, CL);
	KUNIT_EXPECT_TRUE(test, conn->out.tuple.aux & NFLB_AUX_DIR);
	KUNIT_EXPECT_FALSE(test, conn->in.tuple.aux & NFLB_AUX_DIR);
	ku_service_del(svc);
	nflb_config_drain();
}

/* A forged SYN must not move what is near, nor change the state. */
static void conn_state_forged_syn(struct kunit *test)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	struct nflb_conn *conn;

	conn = kunit_kzalloc(test, sizeof(*conn), GFP_KERNEL);
	established(test, conn, b, 1000);
	segment(conn, S, 0x40000000, NFLB_DIR_IN);
	segment(conn, R, 0x40000001, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)conn->state, EE);
	ku_service_del(svc);
	nflb_config_drain();
}

#define MIB(n) ((u32)(n) << 20)

/* With one side alone: what moves, what is believed, and who starts again. */
static void conn_state_one_sided_follows(struct kunit *test)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	struct nflb_conn *c;

	c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	c->backend = b;
	c->how = NFLB_HOW_ONE_SIDED;
	c->in.tuple.proto = IPPROTO_TCP;
	segment_ack(c, S, 1000, 0, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)c->state, SS);
	segment_ack(c, A, 1001, MIB(500), NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)c->state, EE);
	/* A forged RST; then one that is near; and the client goes on */
	segment_ack(c, R, MIB(1000), 0, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)c->state, EE);
	segment_ack(c, R, 2000, 0, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)c->state, CL);
	segment_ack(c, A, 1001, MIB(500), NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)c->state, EE);
	/* A leap needs an acknowledgment that fits */
	segment_ack(c, A, MIB(20), MIB(1500), NFLB_DIR_IN);
	segment_ack(c, R, MIB(20), 0, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)c->state, EE);
	segment_ack(c, A, MIB(20), MIB(510), NFLB_DIR_IN);
	segment_ack(c, R, MIB(20), 0, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)c->state, CL);
	segment_ack(c, A, MIB(20), MIB(510), NFLB_DIR_IN);
	/* The server forgot it, and the client begins anew */
	segment_ack(c, S, MIB(2000), 0, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)c->state, EE);
	segment_ack(c, A, MIB(2000) + 1, MIB(3000), NFLB_DIR_IN);
	segment_ack(c, A, MIB(2020), MIB(3010), NFLB_DIR_IN);
	/* Or somebody made that up: no end is believed any more */
	segment_ack(c, F | A, MIB(2020), MIB(3010), NFLB_DIR_IN);
	segment_ack(c, R, MIB(2020), 0, NFLB_DIR_IN);
	KUNIT_EXPECT_EQ(test, (int)c->state, EE);
	ku_service_del(svc);
	nflb_config_drain();
}

static void conn_state_timeouts(struct kunit *test)
{
	static const u32 seconds[NFLB_TIMEOUT_COUNT] = { 1, 2, 3, 4 };
	u32 timeouts[NFLB_CONN_STATE_MAX + 1];

	nflb_conn_state_timeouts(timeouts, seconds);
	KUNIT_EXPECT_EQ(test, timeouts[SS], (u32)HZ);
	KUNIT_EXPECT_EQ(test, timeouts[SR], (u32)HZ);
	KUNIT_EXPECT_EQ(test, timeouts[EE], (u32)(2 * HZ));
	KUNIT_EXPECT_EQ(test, timeouts[FW], (u32)(3 * HZ));
	KUNIT_EXPECT_EQ(test, timeouts[CW], (u32)(3 * HZ));
	KUNIT_EXPECT_EQ(test, timeouts[LA], (u32)(3 * HZ));
	KUNIT_EXPECT_EQ(test, timeouts[NFLB_CONN_UDP], (u32)(4 * HZ));
	KUNIT_EXPECT_EQ(test, timeouts[TW], (u32)(60 * HZ));
	KUNIT_EXPECT_EQ(test, timeouts[CL], (u32)(10 * HZ));
}

static struct kunit_case conn_state_cases[] = {
	KUNIT_CASE(conn_state_transitions),
	KUNIT_CASE(conn_state_resets),
	KUNIT_CASE(conn_state_one_sided),
	KUNIT_CASE(conn_state_one_sided_follows),
	KUNIT_CASE(conn_state_forged_syn),
	KUNIT_CASE(conn_state_timeouts),
	{ }
};

static struct kunit_suite conn_state_suite = {
	.name = "nflb_conn_state",
	.test_cases = conn_state_cases,
};

kunit_test_suite(conn_state_suite);
