// SPDX-License-Identifier: GPL-2.0
/*
 * What segments do to connections, told as stories: a list of segments, and
 * after each of them the state, and whether the connection is assured.
 */
#include "conn/conn_proof.h"
#include "conn/conn_state.h"
#include "util.h"

#define F NFLB_TCP_FIN
#define S NFLB_TCP_SYN
#define R NFLB_TCP_RST
#define A NFLB_TCP_ACK

#define IN NFLB_DIR_IN
#define OUT NFLB_DIR_OUT

#define NO NFLB_CONN_NONE
#define SS NFLB_CONN_SYN_SENT
#define SR NFLB_CONN_SYN_RECV
#define EE NFLB_CONN_ESTABLISHED
#define FW NFLB_CONN_FIN_WAIT
#define CW NFLB_CONN_CLOSE_WAIT
#define LA NFLB_CONN_LAST_ACK
#define TW NFLB_CONN_TIME_WAIT
#define CL NFLB_CONN_CLOSE

/* Initial sequence numbers of the stories; relative to them they are told. */
#define ISN_C 0xfffffff0
#define ISN_B 0x7ffffff0
#define FAR 0x40000000

struct step {
	u8	dir;
	u8	flags;
	u32	seq;	/* since the sender's initial number */
	u32	ack;	/* since the other's */
	u32	data;
	u8	state;
	bool	assured;
};

struct story {
	const char	*name;
	bool		one_sided;
	bool		open;		/* after open[one_sided] */
	struct step	steps[16];	/* to the first in state NONE */
};

static const struct step open[][3] = {
	{
		{ IN, S, 0, 0, 0, SS, false },
		{ OUT, S | A, 0, 1, 0, SR, false },
		{ IN, A, 1, 1, 0, EE, true },
	}, {
		{ IN, S, 0, 0, 0, SS, false },
		{ IN, A, 1, 1, 0, EE, false },
		{ IN, A, 1, 1, 100, EE, true },
	},
};

static const struct story stories[] = {
	{ "handshake needs the SYN-ACK's number", false, false, {
		{ IN, S, 0, 0, 0, SS, false },
		{ IN, A, 1, 1, 0, SS, false },
		{ OUT, S | A, 0, 1, 0, SR, false },
		{ IN, A, 1, FAR, 0, SR, false },
		{ IN, A, 1, 2, 0, SR, false },
		{ IN, F | A, 1, FAR, 0, SR, false },
		{ OUT, R, FAR, 0, 0, SR, false },
		{ IN, A, 1, 1, 10, EE, true },
	} },
	{ "SYN cookies: the first of two answers", false, false, {
		{ IN, S, 0, 0, 0, SS, false },
		{ OUT, S | A, 0, 1, 0, SR, false },
		{ OUT, S | A, FAR, 1, 0, SR, false },
		{ IN, A, 1, 1, 0, SR, false },
		{ OUT, A, 1, 1, 0, SR, false },
		{ IN, A, 1, 1, 10, EE, true },
	} },
	{ "a forged SYN does not spoil a handshake", false, false, {
		{ IN, S, 0, 0, 0, SS, false },
		{ OUT, S | A, 0, 1, 0, SR, false },
		{ IN, S, FAR, 0, 0, SR, false },
		{ IN, A, 1, 1, 0, EE, true },
		{ IN, F | A, 1, 1, 0, FW, true },
	} },
	{ "refused", false, false, {
		{ IN, S, 0, 0, 0, SS, false },
		{ OUT, R | A, FAR, FAR, 0, SS, false },
		{ OUT, R, 0, 0, 0, SS, false },
		{ OUT, R | A, -ISN_B, 1, 0, CL, false },
	} },
	{ "forged RST and FIN, both ways", false, true, {
		{ IN, R, FAR, 0, 0, EE, true },
		{ OUT, R, FAR, 0, 0, EE, true },
		{ IN, F | A, FAR, 1, 0, EE, true },
		{ OUT, F | A, FAR, 1, 0, EE, true },
		{ OUT, R | A, -ISN_B, FAR + 1, 0, EE, true },
		{ IN, F | A, 101, 1, 0, FW, true },
		{ OUT, F | A, 1, 102, 0, LA, true },
		{ IN, A, FAR, 2, 0, LA, true },
		{ IN, A, 102, FAR, 0, LA, true },
		{ IN, A, 102, 2, 0, TW, true },
	} },
	{ "SYN, then ACK, then RST or FIN", false, true, {
		{ IN, S, FAR, 0, 0, EE, true },
		{ IN, A, FAR + 1, 1, 0, EE, true },
		{ IN, R, FAR + 1, 0, 0, EE, true },
		{ IN, F | A, FAR + 1, 1, 0, EE, true },
		{ OUT, S | A, FAR, 1, 0, EE, true },
		{ IN, R, 1, 0, 0, CL, true },
	} },
	{ "a reset that was none", false, true, {
		{ IN, R, 2, 0, 0, CL, true },
		{ IN, A, FAR, 1, 0, CL, true },
		{ OUT, A, FAR, 1, 0, CL, true },
		{ IN, A, 1, 1, 10, CL, true },
		{ IN, A, 11, 1, 10, CL, true },
		{ OUT, A, 1, 21, 10, EE, true },
		{ OUT, R, 11, 0, 0, CL, true },
		{ OUT, A, 11, 1, 0, CL, true },
	} },
	{ "a FIN that was none", false, true, {
		{ IN, F | A, 1, 1, 0, FW, true },
		{ IN, A, 1, 1, 1, FW, true },
		{ IN, A, 2, 1, 10, EE, true },
		{ OUT, F | A, 1, 12, 0, CW, true },
		{ IN, F | A, 12, 1, 0, LA, true },
		{ OUT, A, 2, 13, 10, FW, true },
	} },
	{ "half closed is half open", false, true, {
		{ IN, F | A, 1, 1, 0, FW, true },
		{ OUT, A, 1, 2, 1000, FW, true },
		{ IN, A, 2, 1001, 0, FW, true },
		{ IN, F | A, 1, 1001, 0, FW, true },
	} },
	{ "the backend lost it and accepts a SYN", false, true, {
		{ IN, S, FAR, 0, 0, EE, true },
		{ OUT, S | A, FAR, 1, 0, EE, true },
		{ OUT, S | A, FAR, FAR + 1, 0, SR, false },
		{ IN, A, 1, 1, 0, SR, false },
		{ IN, A, FAR + 1, FAR + 1, 0, EE, true },
		{ IN, R, 1, 0, 0, EE, true },
		{ IN, R, FAR + 1, 0, 0, CL, true },
	} },
	{ "the backend lost it and refuses a SYN", false, true, {
		{ IN, S, FAR, 0, 0, EE, true },
		{ OUT, R | A, -ISN_B, FAR + 1, 0, CL, true },
	} },
	{ "the client lost it: its reset of what the backend answers", false, true, {
		{ IN, S, FAR, 0, 0, EE, true },
		{ OUT, A, 1, 1, 0, EE, true },
		{ IN, R, 1, 0, 0, CL, true },
	} },
	{ "one-sided: a third segment", true, false, {
		{ IN, S, 0, 0, 0, SS, false },
		{ IN, A, FAR, 1, 0, SS, false },
		{ IN, A, 1, 1, 0, EE, false },
		{ IN, A, FAR, 1, 0, EE, false },
		{ IN, A, 1, FAR, 0, EE, false },
		{ IN, A, 1, 1, 0, EE, true },
	} },
	{ "one-sided: forged RST and FIN", true, true, {
		{ IN, R, FAR, 0, 0, EE, true },
		{ IN, F | A, FAR, 1, 0, EE, true },
		{ IN, F | A, FAR, FAR, 0, EE, true },
		{ IN, S, FAR, 0, 0, EE, true },
		{ IN, R, FAR, 0, 0, EE, true },
		{ IN, F | A, FAR + 1, 1, 0, EE, true },
		{ IN, A, 101, 1, 0, EE, true },
		{ IN, A, FAR + 1, 1, 0, EE, true },
		{ IN, R, FAR + 1, 0, 0, EE, true },
		{ IN, F | A, 101, 1, 0, FW, true },
		{ IN, A, 102, 1, 10, EE, true },
	} },
	{ "one-sided: begun anew past us", true, true, {
		{ IN, S, FAR, 0, 0, EE, true },
		{ IN, A, FAR + 1, FAR, 0, EE, true },
		{ IN, R, FAR + 1, 0, 0, EE, true },
		{ IN, F | A, FAR + 1, FAR, 0, EE, true },
		{ IN, A, 101, 1, 0, EE, true },
	} },
	{ "one-sided: closed, and begun anew past us", true, true, {
		{ IN, F | A, 101, 1, 0, FW, true },
		{ IN, S, FAR, 0, 0, FW, true },
		{ IN, A, FAR + 1, FAR, 0, FW, true },
		{ IN, A, FAR + 1, FAR, 10, EE, true },
		{ IN, F | A, FAR + 11, FAR, 0, EE, true },
	} },
};

static struct nflb_conn *conn_new(struct kunit *test,
				  struct nflb_backend *backend, bool one_sided)
{
	struct nflb_conn *conn = kunit_kzalloc(test, sizeof(*conn), GFP_KERNEL);

	conn->backend = backend;
	conn->how = one_sided ? NFLB_HOW_ONE_SIDED : 0;
	conn->in.tuple.proto = IPPROTO_TCP;
	conn->in.tuple.family = AF_INET;
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
		.len = s->data,
	};

	rcu_read_lock();
	nflb_conn_state_packet(conn, &pkt, s->dir);
	rcu_read_unlock();
}

static void conn_proof_stories(struct kunit *test)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	const struct story *story;
	const struct step *s;
	struct nflb_conn *conn;
	int i;

	for (story = stories; story < stories + ARRAY_SIZE(stories); story++) {
		conn = conn_new(test, b, story->one_sided);
		for (i = 0; story->open && i < ARRAY_SIZE(open[0]); i++)
			segment(conn, &open[story->one_sided][i]);
		for (i = 0; story->steps[i].state != NO; i++) {
			s = &story->steps[i];
			segment(conn, s);
			KUNIT_EXPECT_EQ_MSG(test, (int)conn->state,
					    (int)s->state, "%s, step %d",
					    story->name, i);
			KUNIT_EXPECT_EQ_MSG(test, nflb_conn_assured(conn),
					    s->assured, "%s, step %d",
					    story->name, i);
		}
		if (!story->one_sided) {
			KUNIT_EXPECT_TRUE(test,
					  conn->out.tuple.aux & NFLB_AUX_DIR);
			KUNIT_EXPECT_FALSE(test,
					   conn->in.tuple.aux & NFLB_AUX_DIR);
		}
	}
	ku_service_del(svc);
	nflb_config_drain();
}

/* Every forged number, tried in steps, in each state that lives long. */
static void conn_proof_sweep(struct kunit *test)
{
	static const u8 flags[] = { A, R, R | A, F | A, F, S, S | A, S | R };
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	struct step forged = { };
	struct nflb_conn *conn;
	int sides, f, i;
	u32 timeout;

	for (sides = 1; sides <= 2; sides++) {
		conn = conn_new(test, b, sides == 1);
		for (i = 0; i < ARRAY_SIZE(open[0]); i++)
			segment(conn, &open[sides == 1][i]);
		timeout = conn->timeout;
		for (f = 0; f < ARRAY_SIZE(flags) * sides; f++) {
			forged.flags = flags[f / sides];
			forged.dir = f % sides ? OUT : IN;
			/* 16 MiB from what is believed, in both directions */
			for (i = 1; i < 255; i++) {
				forged.seq = i << 24;
				forged.ack = (forged.seq ^ FAR) + 0x800000;
				segment(conn, &forged);
			}
			KUNIT_EXPECT_EQ_MSG(test, (int)conn->state, EE,
					    "sides %d, flags %x", sides,
					    forged.flags);
			KUNIT_EXPECT_EQ(test, conn->timeout, timeout);
		}
		/* And the right one is still told from them. */
		segment(conn, &(struct step){ IN, A, 200, 1, 10 });
		segment(conn, &(struct step){ IN, F | A, 210, 1, 0 });
		KUNIT_EXPECT_EQ_MSG(test, (int)conn->state, FW, "sides %d",
				    sides);
	}
	ku_service_del(svc);
	nflb_config_drain();
}

/* SYNs on a connection in each state: which begin anew, and when. */
static void conn_proof_anew(struct kunit *test)
{
	static const struct {
		u8	state;
		bool	one_sided;
		bool	leaves;
		u32	seq;
		bool	quiet;
		bool	anew;
	} rows[] = {
		{ SS, false, false, 0, false, false },
		{ SS, false, true, 0, false, true },
		{ SR, false, true, 0, true, false },
		{ EE, false, false, 1000, true, false },
		{ EE, false, true, 1000, true, false },
		{ FW, false, false, 1000, true, false },
		{ CW, false, false, 1000, true, false },
		{ LA, false, false, 1000, true, false },
		{ TW, false, false, 1000, false, true },
		{ TW, false, false, -1000, false, false },
		{ TW, false, false, 0, false, false },
		{ CL, false, false, -1000, false, true },
		{ EE, true, false, FAR, true, false },
		{ EE, true, true, FAR, true, false },
		{ EE, true, true, -FAR, true, false },
		{ FW, true, false, FAR, false, false },
		{ FW, true, true, FAR, false, false },
		{ FW, true, false, FAR, true, true },
		{ FW, true, false, -FAR, true, false },
		{ CL, true, false, -FAR, false, true },
	};
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	u32 now = 1000 * NFLB_CONN_TICK;
	struct nflb_pkt pkt = { .tcp_flags = S };
	struct nflb_conn *conn;
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		conn = conn_new(test, b, rows[i].one_sided);
		nflb_proof_begin(conn, IN, ISN_C);
		conn->state = rows[i].state;
		nflb_conn_renew(conn, now);
		b->state = rows[i].leaves ? NFLB_BACKEND_DRAIN :
					    NFLB_BACKEND_UP;
		pkt.tcp_seq = ISN_C + rows[i].seq;
		KUNIT_EXPECT_EQ_MSG(test,
				    nflb_proof_anew(conn, &pkt, rows[i].quiet ?
						    now + 2 * NFLB_CONN_TICK :
						    now),
				    rows[i].anew, "row %d", i);
	}
	/* Two who each have numbers, and one of them made them up */
	conn->state = FW;
	nflb_conn_now_set(conn, NFLB_NOW_ADOPTED);
	pkt.tcp_seq = ISN_C + FAR;
	KUNIT_EXPECT_FALSE(test,
			   nflb_proof_anew(conn, &pkt,
					   now + 2 * NFLB_CONN_TICK));
	b->state = NFLB_BACKEND_UP;

	/* Nobody answers for it: asked once, given up later. */
	conn = conn_new(test, b, false);
	conn->state = EE;
	nflb_conn_renew(conn, now);
	KUNIT_EXPECT_FALSE(test, nflb_proof_syn(conn, &pkt, now));
	now += 2 * NFLB_CONN_TICK;
	KUNIT_EXPECT_FALSE(test, nflb_proof_anew(conn, &pkt, now));
	KUNIT_EXPECT_TRUE(test, nflb_proof_syn(conn, &pkt, now));
	KUNIT_EXPECT_FALSE(test, nflb_proof_syn(conn, &pkt, now));
	now += NFLB_CONN_TICK;
	KUNIT_EXPECT_FALSE(test, nflb_proof_anew(conn, &pkt, now));
	now += NFLB_CONN_TICK;
	KUNIT_EXPECT_TRUE(test, nflb_proof_anew(conn, &pkt, now));
	/* A backend that answers ends that. */
	segment(conn, &(struct step){ OUT, A, -ISN_B, 0, 0 });
	KUNIT_EXPECT_FALSE(test, nflb_proof_anew(conn, &pkt, now));
	KUNIT_EXPECT_FALSE(test, nflb_conn_now(conn, NFLB_NOW_SYN_AGAIN |
						     NFLB_NOW_ASKED));
	ku_service_del(svc);
	nflb_config_drain();
}

/* Datagrams: assured by an answer and what follows it, or by coming again. */
static void conn_proof_datagrams(struct kunit *test)
{
	struct nflb_service *svc = ku_service_add(test, AF_INET, 9, "rr");
	struct nflb_backend *b = ku_backend_add(test, svc, 9, 1);
	struct nflb_pkt pkt = { .tuple.proto = IPPROTO_UDP };
	struct nflb_conn *conn;

	rcu_read_lock();
	conn = conn_new(test, b, false);
	conn->in.tuple.proto = IPPROTO_UDP;
	nflb_conn_state_init(conn, nflb_now());
	KUNIT_EXPECT_EQ(test, conn->timeout, (u32)(30 * HZ));
	nflb_conn_state_packet(conn, &pkt, IN);
	nflb_conn_state_packet(conn, &pkt, IN);
	KUNIT_EXPECT_FALSE(test, nflb_conn_assured(conn));
	nflb_conn_state_packet(conn, &pkt, OUT);
	nflb_conn_state_packet(conn, &pkt, OUT);
	KUNIT_EXPECT_FALSE(test, nflb_conn_assured(conn));
	KUNIT_EXPECT_EQ(test, conn->timeout, (u32)(30 * HZ));
	nflb_conn_state_packet(conn, &pkt, IN);
	KUNIT_EXPECT_TRUE(test, nflb_conn_assured(conn));
	KUNIT_EXPECT_EQ(test, conn->timeout, (u32)(300 * HZ));

	conn = conn_new(test, b, true);
	conn->in.tuple.proto = IPPROTO_UDP;
	nflb_conn_state_init(conn, nflb_now());
	conn->tick = nflb_conn_tick(nflb_now() - 3 * NFLB_CONN_TICK);
	nflb_conn_state_packet(conn, &pkt, IN);
	KUNIT_EXPECT_TRUE(test, nflb_conn_assured(conn));
	rcu_read_unlock();
	ku_service_del(svc);
	nflb_config_drain();
}

static struct kunit_case conn_proof_cases[] = {
	KUNIT_CASE(conn_proof_stories),
	KUNIT_CASE(conn_proof_sweep),
	KUNIT_CASE(conn_proof_anew),
	KUNIT_CASE(conn_proof_datagrams),
	{ }
};

static struct kunit_suite conn_proof_suite = {
	.name = "nflb_conn_proof",
	.test_cases = conn_proof_cases,
};

kunit_test_suite(conn_proof_suite);
