// SPDX-License-Identifier: GPL-2.0
/*
 * Packets beside the services: they go between a client and a backend, on the
 * backend's port of a service, and have no connection.
 *
 * Such a packet of a backend is either late - its connection timed out, was
 * flushed, or was another balancer's -, or answers a client that asked the
 * backend directly, which a balancer that is also a router sees. The first must
 * not reach the client: it would come from an address that the client does not
 * know. The second must. So what clients send to a backend directly is noted, in
 * a table of fixed size that forgets what is old.
 *
 * A client that asks a backend directly and by a VIP from the same port has two
 * flows that are one for the backend. The one that comes second is refused, or
 * goes to another backend.
 */
#include <linux/mm.h>
#include <linux/netfilter.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <net/dst_metadata.h>
#include <net/netfilter/nf_conntrack_tuple.h>

#include "datapath/beside.h"
#include "datapath/conn.h"
#include "datapath/conn_state.h"
#include "datapath/dry.h"
#include "datapath/endpoint.h"
#include "datapath/host_socket.h"
#include "datapath/icmp_reply.h"
#include "datapath/source.h"
#include "netns.h"

/* note.how */
#define NOTE_ANSWERED	BIT(0)	/* the backend answered */
#define NOTE_PROVED	BIT(1)	/* the client has a number of that answer */
#define NOTE_OVER	BIT(2)	/* the client closed it */
#define NOTE_WENT_ON	BIT(3)	/* UDP: the client sent more after the answer */

/**
 * struct note - a flow between a client and a backend
 * @mark: of its hash, never 0
 * @when: second of its last packet
 * @seq: the backend's sequence number
 * @how: NOTE_*
 *
 * CPUs write it without a lock: what two of them make of it is a note that is
 * wrong for one flow, and is forgotten.
 */
struct note {
	u32 mark;
	u32 when;
	u32 seq;
	u32 how;
};

#define BUCKET_NOTES	4
#define NOTES_MIN	4096
#define NOTES_MAX	65536
/* Notes a connection that the table may have: one for so many */
#define NOTES_SHARE	64

/* How long an idle flow keeps its port from being used through a VIP: seconds */
#define HOLDS_TCP	300
#define HOLDS_UDP	30
/* The same of one that may be made up */
#define HOLDS_UNPROVED	5
/* How far a sequence number may be ahead of what was noted */
#define SEQ_NEAR	BIT(20)

struct bucket {
	struct note notes[BUCKET_NOTES];
} __aligned(64);

/**
 * struct nflb_direct - flows between clients and backends past the services
 * @key: nobody can choose a bucket
 * @mask: number of buckets, less one
 * @buckets: of notes
 */
struct nflb_direct {
	siphash_key_t	key;
	u32		mask;
	struct bucket	buckets[];
};

/**
 * nflb_direct_alloc() - prepare to note flows past the services
 * @nn: the namespace; nn->mutex is held
 *
 * Context: process. Return: 0 or -ENOMEM.
 */
int nflb_direct_alloc(struct nflb_net *nn)
{
	struct nflb_direct *direct;
	u32 count;

	lockdep_assert_held(&nn->mutex);
	if (nn->direct)
		return 0;
	count = clamp_t(u32, READ_ONCE(nn->max_connections) / NOTES_SHARE,
			NOTES_MIN, NOTES_MAX);
	count = rounddown_pow_of_two(count) / BUCKET_NOTES;
	direct = kvzalloc(struct_size(direct, buckets, count),
			  GFP_KERNEL_ACCOUNT);
	if (!direct)
		return -ENOMEM;
	get_random_bytes(&direct->key, sizeof(direct->key));
	direct->mask = count - 1;
	/* Packets reach what is in it by this address only. */
	smp_store_release(&nn->direct, direct);
	return 0;
}

/**
 * nflb_direct_free() - forget them
 * @nn: the namespace; no packet comes any more
 */
void nflb_direct_free(struct nflb_net *nn)
{
	kvfree(nn->direct);
	nn->direct = NULL;
}

static u32 second(void)
{
	return (u32)jiffies / HZ;
}

static u64 hash_of(const struct nflb_direct *direct,
		   const struct nflb_tuple *answer)
{
	return siphash(answer, NFLB_TUPLE_KEY_LEN, &direct->key);
}

static u32 mark_of(u64 hash)
{
	return (u32)(hash >> 32) ?: 1;
}

/* The note of the flow that has such answers, or NULL. */
static struct note *note_find(struct nflb_direct *direct, u64 hash)
{
	struct bucket *bucket = &direct->buckets[(u32)hash & direct->mask];
	int i;

	for (i = 0; i < BUCKET_NOTES; i++)
		if (READ_ONCE(bucket->notes[i].mark) == mark_of(hash))
			return &bucket->notes[i];
	return NULL;
}

/*
 * What is forgotten last: flows of TCP that are alive, then of UDP, for these may be
 * made up.
 */
static unsigned int worth(const struct note *note, u32 now)
{
	u32 how = READ_ONCE(note->how), idle = now - READ_ONCE(note->when);

	if (!READ_ONCE(note->mark))
		return 0;
	if (how & NOTE_OVER)
		return 1;
	if (how & NOTE_PROVED && idle < HOLDS_TCP)
		return 4;
	return how & NOTE_WENT_ON && idle < HOLDS_UDP ? 3 : 2;
}

/* Is @a to be forgotten before @b? */
static bool worth_less(const struct note *a, const struct note *b, u32 now)
{
	unsigned int a_worth = worth(a, now), b_worth = worth(b, now);

	if (a_worth != b_worth)
		return a_worth < b_worth;
	return now - READ_ONCE(a->when) > now - READ_ONCE(b->when);
}

static struct note *note_make(struct nflb_direct *direct, u64 hash)
{
	struct bucket *bucket = &direct->buckets[(u32)hash & direct->mask];
	struct note *note = bucket->notes;
	int i;

	for (i = 1; i < BUCKET_NOTES; i++)
		if (worth_less(&bucket->notes[i], note, second()))
			note = &bucket->notes[i];
	WRITE_ONCE(note->how, 0);
	WRITE_ONCE(note->seq, 0);
	WRITE_ONCE(note->when, second());
	WRITE_ONCE(note->mark, mark_of(hash));
	return note;
}

static void note_set(struct note *note, u32 how)
{
	if (READ_ONCE(note->how) != how)
		WRITE_ONCE(note->how, how);
	if (READ_ONCE(note->when) != second())
		WRITE_ONCE(note->when, second());
}

static bool is_tcp(const struct nflb_pkt *pkt)
{
	return pkt->tuple.proto == IPPROTO_TCP;
}

/* A SYN without ACK: whoever sends it begins a connection. */
static bool begins(const struct nflb_pkt *pkt)
{
	return (pkt->tcp_flags & (NFLB_TCP_SYN | NFLB_TCP_ACK)) == NFLB_TCP_SYN;
}

/*
 * The client's part of a flow. That it knows what the backend said proves that
 * its address is not made up.
 */
static void note_request(struct nflb_direct *direct, const struct nflb_pkt *pkt,
			 const struct nflb_tuple *answer)
{
	u64 hash = hash_of(direct, answer);
	struct note *note = note_find(direct, hash);
	u32 how;

	/* One that ends what is not known is no flow. */
	if (!note && pkt->tcp_flags & NFLB_TCP_RST)
		return;
	if (!note)
		note = note_make(direct, hash);
	if (!READ_ONCE(pkt->nn->direct_used))
		WRITE_ONCE(pkt->nn->direct_used, true);
	how = READ_ONCE(note->how);
	if (begins(pkt) && how & NOTE_OVER)
		how = 0;
	if (pkt->tcp_flags & (NFLB_TCP_RST | NFLB_TCP_FIN))
		how |= NOTE_OVER;
	else if (how & NOTE_ANSWERED && !is_tcp(pkt))
		how |= NOTE_WENT_ON;
	else if (how & NOTE_ANSWERED && pkt->tcp_flags & NFLB_TCP_ACK &&
		 pkt->tcp_ack - READ_ONCE(note->seq) < SEQ_NEAR)
		how |= NOTE_PROVED;
	note_set(note, how);
}

/* Is a backend's packet the answer to what a client sent to it directly? */
static bool answers_direct(struct nflb_direct *direct,
			   const struct nflb_pkt *pkt)
{
	struct note *note = note_find(direct, hash_of(direct, &pkt->tuple));

	if (!note)
		return false;
	if (pkt->kind == NFLB_KIND_FLOW && nflb_pkt_leaves_traces(pkt)) {
		WRITE_ONCE(note->seq, pkt->tcp_seq);
		note_set(note, READ_ONCE(note->how) | NOTE_ANSWERED);
	}
	return true;
}

/**
 * nflb_direct_holds() - would a connection's answers be those of another flow?
 * @nn: the namespace
 * @answer: tuple of the connection's answers
 * @draft: only find out
 *
 * A flow that is closed or idle gives way; soon, when its client did not prove
 * that it is there.
 *
 * Context: rcu_read_lock() held. Return: true when a client has a flow with the
 * backend from the same port, directly.
 */
bool nflb_direct_holds(struct nflb_net *nn, const struct nflb_tuple *answer,
		       bool draft)
{
	struct nflb_direct *direct = READ_ONCE(nn->direct);
	struct note *note;
	u32 how, holds;

	note = note_find(direct, hash_of(direct, answer));
	if (likely(!note))
		return false;
	how = READ_ONCE(note->how);
	if (!(how & (NOTE_PROVED | NOTE_WENT_ON)))
		holds = HOLDS_UNPROVED;
	else
		holds = answer->proto == IPPROTO_TCP ? HOLDS_TCP : HOLDS_UDP;
	if (!(how & NOTE_OVER) && second() - READ_ONCE(note->when) < holds)
		return true;
	if (!draft)
		WRITE_ONCE(note->mark, 0);
	return false;
}

/*
 * Is it none that a client just sent? The balancer's own have no socket: resets,
 * and what nflb_conn_tell() sends. A packet from the host to itself comes back by
 * the loopback device with its route, perhaps rewritten for a backend on the host;
 * so does one that was translated to the other family (forward_nat.c). Both were
 * looked at before, and have the ports of their own connection.
 */
static bool is_known(const struct nflb_pkt *pkt)
{
	return nflb_pkt_is_local_out(pkt) ? !pkt->skb->sk :
					    skb_valid_dst(pkt->skb);
}

/* From a client to a backend, directly. */
static enum nflb_verdict request(struct nflb_direct *direct,
				 struct nflb_pkt *pkt)
{
	struct nflb_tuple answer;
	struct nflb_conn *conn;
	enum nflb_dir dir;

	if (is_known(pkt))
		return NFLB_ACCEPT;
	nflb_tuple_invert(&answer, &pkt->tuple);
	conn = nflb_conn_lookup(pkt->nn, &answer, &dir);
	if (conn && dir == NFLB_DIR_OUT) {
		if (nflb_conn_alive(conn, nflb_now()) &&
		    !nflb_conn_state_over(conn))
			return nflb_refuse(pkt, NFLB_REASON_DIRECT_CLASH);
		if (nflb_pkt_leaves_traces(pkt))
			nflb_conn_unlink(pkt->nn, conn);
	}
	if (nflb_pkt_leaves_traces(pkt))
		note_request(direct, pkt, &answer);
	return NFLB_ACCEPT;
}

/*
 * Does conntrack know the flow? Then it is none of the balancer's, which are not
 * tracked: a rule of NAT leads to the same port. It can tell of IPv4 only.
 */
static bool tracked(const struct nflb_pkt *pkt)
{
	struct nf_conntrack_tuple tuple;

	return pkt->tuple.family == AF_INET &&
	       nf_ct_get_tuple_skb(&tuple, pkt->skb);
}

/* Is it for a socket of the host, which asked the backend itself? */
static bool host_waits(const struct nflb_pkt *pkt)
{
	if (is_tcp(pkt))
		return nflb_host_socket_has(pkt);
	return nflb_addr_is_local(pkt->nn->net, &pkt->tuple.dst,
				  pkt->tuple.family);
}

/* From where a backend answers, and no answer of a connection: is it late? */
static bool late(struct nflb_direct *direct, const struct nflb_pkt *pkt)
{
	return !answers_direct(direct, pkt) && !host_waits(pkt) &&
	       !tracked(pkt);
}

static bool from_backend(const struct nflb_pkt *pkt)
{
	const struct nflb_tuple *t = &pkt->tuple;

	/* What a socket of the host sends has the host's address at worst. */
	return !nflb_pkt_is_local_out(pkt) &&
	       READ_ONCE(pkt->nn->refuse_late) &&
	       nflb_endpoint_answers(pkt->nn, &t->src, t->sport, t->proto,
				     t->family);
}

/**
 * nflb_beside() - a packet that no service is for
 * @pkt: a packet of NFLB_KIND_FLOW, without a connection
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_CONTINUE
 * when it is neither from nor for a backend's port of a service; NFLB_ACCEPT;
 * or NFLB_DROP.
 */
enum nflb_verdict nflb_beside(struct nflb_pkt *pkt)
{
	struct nflb_direct *direct = READ_ONCE(pkt->nn->direct);
	const struct nflb_tuple *t = &pkt->tuple;

	if (!direct)
		return NFLB_CONTINUE;
	if (nflb_endpoint_answers(pkt->nn, &t->dst, t->dport, t->proto,
				  t->family))
		return request(direct, pkt);
	if (begins(pkt) || !from_backend(pkt))
		return NFLB_CONTINUE;
	return late(direct, pkt) ? nflb_refuse(pkt, NFLB_REASON_LATE_REPLY) :
				   NFLB_ACCEPT;
}

/**
 * nflb_beside_icmp() - an ICMP error about a packet that has no connection
 * @pkt: the error
 *
 * A backend's about what a client sent through a VIP tells the client of the
 * backend's address, and nothing that it could make sense of.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: NFLB_ACCEPT, or
 * NFLB_DROP.
 */
enum nflb_verdict nflb_beside_icmp(struct nflb_pkt *pkt)
{
	struct nflb_direct *direct = READ_ONCE(pkt->nn->direct);

	if (!direct || !from_backend(pkt) || answers_direct(direct, pkt) ||
	    nflb_addr_is_local(pkt->nn->net, &pkt->tuple.dst,
			       pkt->tuple.family))
		return NFLB_ACCEPT;
	return nflb_drop(pkt, NFLB_REASON_LATE_REPLY);
}
