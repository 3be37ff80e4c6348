// SPDX-License-Identifier: GPL-2.0
/*
 * Flows between clients and backends past the services, in a table of fixed size that
 * replaces the oldest. beside.c uses it.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/siphash.h>

#include "packet/dry.h"
#include "packet/packet.h"
#include "service/direct.h"
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
 * CPUs write it without a lock: a race of two leaves a note that is wrong for one flow,
 * and is soon replaced.
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
/* How far a sequence number may be ahead of the noted one */
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
	/* Packets find the table by this pointer only. */
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
 * The higher, the longer it is kept: live TCP flows, then UDP flows, because those can be
 * forged.
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

/**
 * nflb_direct_note() - the client's part of a flow
 * @direct: the notes
 * @pkt: the client's packet
 * @answer: the tuple that answers to it have
 *
 * A client that acknowledges the backend's numbers has proven its address.
 */
void nflb_direct_note(struct nflb_direct *direct, const struct nflb_pkt *pkt,
		      const struct nflb_tuple *answer)
{
	u64 hash = hash_of(direct, answer);
	struct note *note = note_find(direct, hash);
	u32 how;

	/* A RST for an unknown flow starts none. */
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

/**
 * nflb_direct_answers() - does a packet answer a client's direct one?
 * @direct: the notes
 * @pkt: the backend's packet
 *
 * Return: whether it is.
 */
bool nflb_direct_answers(struct nflb_direct *direct, const struct nflb_pkt *pkt)
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
