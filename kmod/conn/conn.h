/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The connection and its table.
 */
#ifndef NFLB_CONN_H
#define NFLB_CONN_H

#include <linux/log2.h>
#include <linux/rhashtable.h>
#include <linux/nflb.h>
#include <net/dst.h>

#include "nflb.h"
#include "packet/tuple.h"
#include "service/forward_ops.h"

struct nflb_persist;

/* nflb_conn.flags */
#define NFLB_CONN_DYING		BIT(0)	/* being made, or unlinked by who set it */
#define NFLB_CONN_INACTIVE	BIT(1)	/* ending: not in nflb_backend.active */
#define NFLB_CONN_DRAFT		BIT(2)	/* of nflb_conn_draft(), in no table */
#define NFLB_CONN_GONE		BIT(3)	/* unlinked, or is being so */
#define NFLB_CONN_OVER		BIT(4)	/* counted in nflb_backend.over */
#define NFLB_CONN_LIMITED	BIT(5)	/* was in nflb_backend.limited */
#define NFLB_CONN_ACCEPTED	BIT(6)	/* the backend has made it, see tcp_seq.c */
#define NFLB_CONN_PROBE		BIT(7)	/* a checker's, see conn_probe.c */
/* Of a probe, which is not counted: its checker removed it. */
#define NFLB_CONN_REMOVED	NFLB_CONN_OVER
/* Of a connection in the table: counted as a failure, see conn_passive.c */
#define NFLB_CONN_FAILED	NFLB_CONN_DRAFT
/* The rest of it is nflb_now() when it was made, rounded. */
#define NFLB_CONN_CREATED	GENMASK(31, 8)

/*
 * nflb_conn.how: how packets are forwarded. Set before the connection is in the
 * table, and never changed after.
 */
#define NFLB_HOW_FORWARD	GENMASK(2, 0)	/* enum nflb_forward_id */
#define NFLB_HOW_LADDR		BIT(3)	/* the client's end becomes a local one */
#define NFLB_HOW_FAMILY		BIT(4)	/* backend and VIP differ in family */
#define NFLB_HOW_PROXY		BIT(5)	/* a PROXY header tells the client */
#define NFLB_HOW_REUSED		BIT(6)	/* TCP: the backend may be in TIME_WAIT */
#define NFLB_HOW_ONE_PACKET	BIT(6)	/* UDP: nflb_conn_one_packet() */
#define NFLB_HOW_ONE_SIDED	BIT(7)	/* the backend's packets do not come here */

/*
 * nflb_conn.now: properties that change. Only nflb_conn_now_set() and
 * nflb_conn_now_clear() write it, because packets of both directions do.
 */
#define NFLB_NOW_SEQ		BIT(0)	/* sequence numbers are moved */
#define NFLB_NOW_TOA		BIT(1)	/* a TCP option tells the client */
#define NFLB_NOW_SYN_AGAIN	BIT(2)	/* the client may have begun anew */
#define NFLB_NOW_ASSURED	BIT(3)	/* nflb_conn_assured() */
#define NFLB_NOW_ASKED		BIT(4)	/* a SYN made us ask the client */
#define NFLB_NOW_PROXY_ACKED	BIT(5)	/* the backend has the PROXY header */
#define NFLB_NOW_HEARD_IN	BIT(6)	/* the client went on, see conn_proof.c */
#define NFLB_NOW_HEARD_OUT	BIT(7)	/* the backend did, or it answered */
/* One-sided: its numbers are those of a SYN that came while it was alive */
#define NFLB_NOW_ADOPTED	NFLB_NOW_HEARD_OUT

/*
 * nflb_tuple.aux of a connection's nodes: the top bit is the direction, the
 * rest the sequence number seen last, in steps of 128 KiB (conn_proof.c).
 */
#define NFLB_AUX_DIR		BIT(15)
#define NFLB_AUX_SEQ_MASK	(NFLB_AUX_DIR - 1)
#define NFLB_AUX_SEQ_SHIFT	17

/**
 * struct nflb_conn_node - one direction of a connection in the table
 * @head: link in the table
 * @tuple: packets of this direction as they arrive
 */
struct nflb_conn_node {
	struct rhash_head	head;
	struct nflb_tuple	tuple;
};

/**
 * struct nflb_conn_seq - additional state of a connection with a local address
 * @delta: is added to the client's sequence numbers towards the backend
 * @isn: the client's initial sequence number
 * @first_ack: acknowledges the backend's SYN and nothing more; 0 until that was
 *	seen
 * @end: of a new connection with NFLB_HOW_REUSED, where the one before ended, as
 *	the backend sees it; of any other, with NFLB_NOW_SYN_AGAIN, the number of
 *	the SYN that was passed on last
 */
struct nflb_conn_seq {
	u32			delta;
	u32			isn;
	u32			first_ack;
	u32			end;
};

/**
 * struct nflb_conn_outer - additional state of a connection whose backend answers past
 *	the balancer
 * @dst: cached route to the backend, holds a reference
 * @source: source address of outer headers, if there are any
 * @dst_cookie: for dst_check() of @dst
 * @port: source port of outer headers: the flow's share of their entropy
 * @aux: the backend's progress, from the client's acknowledgments; as in
 *	nflb_tuple.aux
 */
struct nflb_conn_outer {
	struct dst_entry __rcu	*dst;
	union nflb_addr		source;
	u32			dst_cookie;
	__be16			port;
	u16			aux;
};

/**
 * struct nflb_conn - one tracked flow
 * @in: client to VIP
 * @backend: where it goes; holds a reference
 * @expires: jiffies (32 bits) when it is over, if no packet comes; exact to a
 *	second
 * @state: enum nflb_conn_state
 * @how: NFLB_HOW_*, how packets are forwarded; never changes
 * @now: NFLB_NOW_*, properties that change
 * @word: @state, @how, @now and @tick, to change @now from both directions
 * @tick: nflb_conn_tick() of the last packet, or 0
 * @limited: in nflb_backend.limited, with NFLB_CONN_LIMITED; of a probe, in
 *	nflb_net.probes, with NFLB_CONN_REMOVED
 * @rcu: to free it
 * @persist: remembers the client; holds a reference, may be NULL
 * @until: jiffies (32 bits) when a probe is over, or with NFLB_CONN_REMOVED when its
 *	tuple is free again; never 0
 * @timeout: jiffies without packets after which the connection is over
 * @flags: NFLB_CONN_*
 * @outer: with NFLB_HOW_ONE_SIDED
 * @seq: of mode fullnat
 * @at: the sequence number that each side was seen to have reached
 * @dst_cookie: for dst_check() of @dst
 * @out: backend to client
 * @dst: cached route of either direction, holds a reference
 *
 * A packet of an established flow reads and writes two cache lines only: the
 * first and the third, and of IPv6 @dst_cookie besides; or, if it is one-sided,
 * the first and the second, for such a connection has no more than these.
 *
 * Readers hold rcu_read_lock(); there is no reference count: who unlinks a
 * connection (nflb_conn_unlink()) also frees it, after a grace period.
 */
struct nflb_conn {
	/* first line */
	struct nflb_conn_node	in;
	struct nflb_backend	*backend;
	u32			expires;
	union {
		struct {
			u8	state;
			u8	how;
			u8	now;
			u8	tick;
		};
		atomic_t	word;
	};

	/* second line */
	union {
		struct list_head	limited;
		struct rcu_head		rcu;
	};
	union {
		struct nflb_persist	*persist;
		u32		until;
	};
	u32			timeout;
	atomic_t		flags;
	union {
		struct nflb_conn_outer	outer;
		struct {
			struct nflb_conn_seq	seq;
			u32		at[NFLB_DIR_COUNT];
			u32		dst_cookie[NFLB_DIR_COUNT];
		};
	};

	/* third line, not there with NFLB_HOW_ONE_SIDED */
	struct nflb_conn_node	out ____cacheline_aligned;
	struct dst_entry __rcu	*dst[NFLB_DIR_COUNT];
};

/*
 * With it, nflb_conn.dst_cookie of packets to a client is the index of the device
 * that its packets come by: it is link-local. dst_check() knows no such cookie, so
 * that the route is looked up for each packet.
 */
#define NFLB_COOKIE_DEV		BIT(31)

#define NFLB_CONN_ONE_SIDED_SIZE offsetof(struct nflb_conn, out)

/* The port that the backend has the connection on. */
static inline __be16 nflb_conn_backend_port(const struct nflb_conn *conn)
{
	return conn->how & NFLB_HOW_ONE_SIDED ? conn->in.tuple.dport :
						conn->out.tuple.sport;
}

static inline bool nflb_conn_is(const struct nflb_conn *conn, u32 flag)
{
	return atomic_read(&conn->flags) & flag;
}

/* Returns whether it was set before. */
static inline bool nflb_conn_set(struct nflb_conn *conn, u32 flag)
{
	return atomic_fetch_or(flag, &conn->flags) & flag;
}

static inline void nflb_conn_unset(struct nflb_conn *conn, u32 flag)
{
	atomic_andnot(flag, &conn->flags);
}

/* nflb_conn.now within nflb_conn.word */
#ifdef __LITTLE_ENDIAN
#define NFLB_CONN_NOW_SHIFT	16
#else
#define NFLB_CONN_NOW_SHIFT	8
#endif

/*
 * The neighbours of nflb_conn.now in its word are written as bytes at the same
 * time: an atomic operation on the word loses none of these.
 */
static inline void nflb_conn_now_set(struct nflb_conn *conn, u8 bits)
{
	atomic_or((u32)bits << NFLB_CONN_NOW_SHIFT, &conn->word);
}

static inline void nflb_conn_now_clear(struct nflb_conn *conn, u8 bits)
{
	atomic_andnot((u32)bits << NFLB_CONN_NOW_SHIFT, &conn->word);
}

static inline bool nflb_conn_now(const struct nflb_conn *conn, u8 bits)
{
	return READ_ONCE(conn->now) & bits;
}

/* These values of @state, @how and @now as they stand in nflb_conn.word */
static __always_inline u32 nflb_conn_word_of(u8 state, u8 how, u8 now)
{
	const union {
		u8	bytes[4];
		u32	word;
	} of = { .bytes = { state, how, now } };

	return of.word;
}

/* nflb_conn.how in a copy of nflb_conn.word */
static __always_inline u8 nflb_conn_word_how(u32 word)
{
#ifdef __LITTLE_ENDIAN
	return word >> 8;
#else
	return word >> 16;
#endif
}

/**
 * nflb_conn_adopted() - are its numbers the word of one who need not know any?
 * @conn: the connection
 *
 * See conn_proof.c.
 *
 * Return: whether they are.
 */
static inline bool nflb_conn_adopted(const struct nflb_conn *conn)
{
	return conn->how & NFLB_HOW_ONE_SIDED &&
	       nflb_conn_now(conn, NFLB_NOW_ADOPTED);
}

/**
 * nflb_conn_assured() - did both sides show that they mean it?
 * @conn: the connection
 *
 * TCP: the client acknowledged the backend's SYN-ACK. UDP: the backend answered,
 * and a further datagram of the client came. Where the backend's packets do not
 * come here, the client alone has to show it, see conn_proof.c.
 *
 * Other connections time out soon and are evicted first.
 *
 * Return: true from then on, whatever becomes of the connection.
 */
static inline bool nflb_conn_assured(const struct nflb_conn *conn)
{
	return nflb_conn_now(conn, NFLB_NOW_ASSURED);
}

/**
 * nflb_conn_proven() - is the client where its packets say that it is?
 * @conn: the connection
 *
 * A sender with a forged address cannot complete a TCP handshake that both sides
 * take part in here. UDP and one-sided connections only cost such a sender one or
 * two more packets to be assured.
 *
 * Return: whether that is known.
 */
static inline bool nflb_conn_proven(const struct nflb_conn *conn)
{
	return nflb_conn_assured(conn) && conn->in.tuple.proto == IPPROTO_TCP &&
	       !(conn->how & NFLB_HOW_ONE_SIDED);
}

static inline u8 nflb_conn_forward_id(const struct nflb_conn *conn)
{
	return conn->how & NFLB_HOW_FORWARD;
}

/**
 * nflb_conn_one_packet() - is each datagram of its client scheduled by itself?
 * @conn: the connection
 *
 * Return: true if it can be found under the backend's tuple at most, see one_packet.c.
 */
static inline bool nflb_conn_one_packet(const struct nflb_conn *conn)
{
	return conn->how & NFLB_HOW_ONE_PACKET &&
	       conn->in.tuple.proto == IPPROTO_UDP;
}

/**
 * nflb_conn_loose() - does it belong to one packet alone?
 * @conn: the connection
 *
 * Return: true if it is in no table, and who forwards the packet frees it.
 */
static inline bool nflb_conn_loose(const struct nflb_conn *conn)
{
	return conn->how & NFLB_HOW_ONE_SIDED && nflb_conn_one_packet(conn);
}

/*
 * A connection has one or two nodes in the table. A walk that visits connections, not
 * nodes, uses the first one.
 */
static inline bool nflb_conn_is_first(const struct nflb_conn *conn,
				      enum nflb_dir dir)
{
	/* The protocol is beside the node: that of TCP reads no other line. */
	return dir == NFLB_DIR_IN ||
	       (conn->out.tuple.proto == IPPROTO_UDP &&
		nflb_conn_one_packet(conn));
}

/* How packets of a connection are forwarded. */
static inline const struct nflb_forward_ops *
nflb_conn_ops(const struct nflb_conn *conn)
{
	return nflb_forward[nflb_conn_forward_id(conn)];
}

static_assert(offsetof(struct nflb_conn, rcu) == 64 || L1_CACHE_BYTES != 64);
static_assert(offsetof(struct nflb_conn, now) -
	      offsetof(struct nflb_conn, word) == 2);
static_assert(NFLB_CONN_ONE_SIDED_SIZE == 128 || L1_CACHE_BYTES != 64);
static_assert(sizeof(struct nflb_conn) <= 192 || L1_CACHE_BYTES != 64);

/* The connection that @node belongs to, and the direction of its packets. */
static inline struct nflb_conn *nflb_conn_of(struct nflb_conn_node *node,
					     enum nflb_dir *dir)
{
	if (READ_ONCE(node->tuple.aux) & NFLB_AUX_DIR) {
		*dir = NFLB_DIR_OUT;
		return container_of(node, struct nflb_conn, out);
	}
	*dir = NFLB_DIR_IN;
	return container_of(node, struct nflb_conn, in);
}

/* The cached route of packets of @dir */
static __always_inline struct dst_entry __rcu **
nflb_conn_dst(struct nflb_conn *conn, enum nflb_dir dir)
{
	return conn->how & NFLB_HOW_ONE_SIDED ? &conn->outer.dst :
						&conn->dst[dir];
}

/* For dst_check() of it */
static __always_inline u32 *nflb_conn_dst_cookie(struct nflb_conn *conn,
						 enum nflb_dir dir)
{
	return conn->how & NFLB_HOW_ONE_SIDED ? &conn->outer.dst_cookie :
						&conn->dst_cookie[dir];
}

/* nflb_tuple.aux of packets of @dir */
static inline u16 *nflb_conn_aux(struct nflb_conn *conn, enum nflb_dir dir)
{
	if (dir == NFLB_DIR_IN)
		return &conn->in.tuple.aux;
	return conn->how & NFLB_HOW_ONE_SIDED ? &conn->outer.aux :
						&conn->out.tuple.aux;
}

/*
 * The tuple that answers to packets of @dir have: they leave with its inverse.
 * Not with NFLB_HOW_ONE_SIDED.
 */
static inline const struct nflb_tuple *
nflb_conn_answer(const struct nflb_conn *conn, enum nflb_dir dir)
{
	return dir == NFLB_DIR_IN ? &conn->out.tuple : &conn->in.tuple;
}

/* nflb_conn.tick counts in steps of this many jiffies, a second at most. */
#define NFLB_CONN_TICK		BIT(ilog2(HZ))

/* Never 0; so one step in 256 is twice as long. */
static inline u8 nflb_conn_tick(u32 now)
{
	return (u8)(now / NFLB_CONN_TICK) ?: 1;
}

/*
 * nflb_conn.expires lags by two ticks at most (nflb_conn_touch()), so that much
 * is allowed on top: never early.
 */
static inline bool nflb_conn_expired(const struct nflb_conn *conn, u32 now)
{
	return (s32)(now - READ_ONCE(conn->expires)) >
	       (s32)(2 * NFLB_CONN_TICK);
}

/* It has its whole timeout before it from @now on. */
static inline void nflb_conn_renew(struct nflb_conn *conn, u32 now)
{
	WRITE_ONCE(conn->tick, nflb_conn_tick(now));
	WRITE_ONCE(conn->expires, now + READ_ONCE(conn->timeout));
}

/*
 * Record the time of a packet. Writes at most once a tick, to keep the line clean. Before
 * ticks wrap, the sweep resets idle connections (nflb_conn_idle()): it visits each at
 * least once in about NFLB_CONN_IDLE_TICKS.
 */
static inline void nflb_conn_touch(struct nflb_conn *conn, u32 now)
{
	if (READ_ONCE(conn->tick) != nflb_conn_tick(now))
		nflb_conn_renew(conn, now);
}

#define NFLB_CONN_IDLE_TICKS	64

static inline void nflb_conn_idle(struct nflb_conn *conn, u32 now)
{
	u8 tick = READ_ONCE(conn->tick);

	if (tick && (u8)(nflb_conn_tick(now) - tick) >= NFLB_CONN_IDLE_TICKS)
		WRITE_ONCE(conn->tick, 0);
}

/* Jiffies since it was made */
static inline u32 nflb_conn_age(const struct nflb_conn *conn, u32 now)
{
	return now - (atomic_read(&conn->flags) & NFLB_CONN_CREATED);
}

/*
 * Jiffies since its last packet; exact to a second. The ticks tell it while they
 * do, for they are written at once.
 */
static inline u32 nflb_conn_silence(const struct nflb_conn *conn, u32 now)
{
	u8 tick = READ_ONCE(conn->tick);
	u32 last;

	if (tick)
		return (u8)(nflb_conn_tick(now) - tick) * NFLB_CONN_TICK;
	last = READ_ONCE(conn->expires) - READ_ONCE(conn->timeout);
	return max_t(s32, now - last, 0);
}

/* Jiffies that it has left without a packet, not less than 0. */
static inline u32 nflb_conn_left(const struct nflb_conn *conn, u32 now)
{
	return max_t(s32, READ_ONCE(conn->expires) - now, 0);
}

bool nflb_conn_ending(const struct nflb_net *nn, const struct nflb_conn *conn,
		      u32 now);
void nflb_conn_end(struct nflb_net *nn, struct nflb_conn *conn);
bool nflb_conn_silent(const struct nflb_conn *conn);
bool nflb_conn_dismiss(struct nflb_net *nn, struct nflb_conn *conn);

int nflb_conn_cache_init(void);
void nflb_conn_cache_exit(void);

int nflb_conn_table_init(struct nflb_net *nn);
void nflb_conn_table_flush(struct nflb_net *nn);
void nflb_conn_table_destroy(struct nflb_net *nn);

struct nflb_conn *nflb_conn_lookup(struct nflb_net *nn,
				   const struct nflb_tuple *tuple,
				   enum nflb_dir *dir);
struct nflb_conn *nflb_conn_create(struct nflb_net *nn,
				   struct nflb_backend *backend,
				   const struct nflb_forward_ops *ops,
				   const struct nflb_tuple *in,
				   enum nflb_reason *reason);
struct nflb_conn *nflb_conn_create_one_packet(struct nflb_net *nn,
					      struct nflb_backend *backend,
					      const struct nflb_forward_ops *ops,
					      const struct nflb_tuple *in,
					      enum nflb_reason *reason);
struct nflb_conn *nflb_conn_alloc(struct nflb_backend *backend,
				  const struct nflb_forward_ops *ops,
				  const struct nflb_tuple *in, u8 how);
struct nflb_conn *nflb_conn_insert(struct nflb_net *nn, struct nflb_conn *conn,
				   enum nflb_reason *reason);
int nflb_conn_insert_as_is(struct nflb_net *nn, struct nflb_conn *conn);
void nflb_conn_free(struct nflb_conn *conn);
bool nflb_conn_unlink(struct nflb_net *nn, struct nflb_conn *conn);
void nflb_conn_remember(struct nflb_conn *conn, struct nflb_persist *entry);
void nflb_conn_recount(struct nflb_conn *conn, u8 state);

/* conn_draft.c */
struct nflb_conn *nflb_conn_draft(struct nflb_net *nn,
				  struct nflb_backend *backend,
				  const struct nflb_forward_ops *ops,
				  const struct nflb_tuple *in,
				  enum nflb_reason *reason);
struct nflb_conn *nflb_conn_draft_of(const struct nflb_conn *conn);
void nflb_conn_draft_free(struct nflb_conn *conn);

/**
 * struct nflb_conn_walk - a walk through the table; all 0 is at its begin
 * @table: bucket_table.hash_rnd of the table that it is in
 * @bucket: the bucket in that table
 * @skip: entries of that bucket that were seen
 */
struct nflb_conn_walk {
	u32		table;
	unsigned int	bucket;
	unsigned int	skip;
};

struct nflb_conn *nflb_conn_walk_next(struct nflb_net *nn,
				      struct nflb_conn_walk *walk);

void nflb_conn_gc_init(struct nflb_net *nn);
void nflb_conn_gc_kick(struct nflb_net *nn);
void nflb_conn_gc_press(struct nflb_net *nn);
void nflb_conn_gc_stop(struct nflb_net *nn);

#endif /* NFLB_CONN_H */
