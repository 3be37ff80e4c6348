// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: Maglev hashing (maglev, maglev-source)
 *
 * A hash of addresses, ports and protocol picks a slot of a table; the table is
 * filled so that each backend has slots in proportion to its weight, and that
 * few slots change hands when a backend comes or goes (D. E. Eisenbud et al.,
 * "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016,
 * section 3.4). Each backend has an order of its own in which it wants slots,
 * and backends take turns at taking the next that is free. With weights, a
 * backend gathers its weight every round and takes a turn for each full
 * heaviest weight, as in Katran. Rounds in which nobody has a turn cost nothing:
 * a heap tells who is next, whatever the weights.
 *
 * Orders depend on a backend's address and port alone, turns go by these too,
 * and the keys are fixed: machines with the same configuration have the same
 * table, whatever the order in which backends were added, and with the same
 * net.nflb.hash_seed they send a flow to the same backend.
 *
 * maglev-source hashes the client's address alone, so that all flows of a client go
 * to one backend, and few clients move when a backend comes or goes.
 *
 * A pick costs one SipHash and one look into the table, whatever the number of
 * backends. The table has net.nflb.maglev_table_size slots of two bytes, 128 KiB
 * at the default of 65,537, for each service with this scheduler; a hundred
 * slots a backend keep shares within a percent. Filling it takes some
 * milliseconds, outside of the packet path. A backend without room is passed
 * over by hashing again.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "sched/draw.h"
#include "sched/flow.h"
#include "sched/heap.h"
#include "sched/maglev.h"

#define MAGLEV_TRIES	8
#define MAGLEV_FREE	U16_MAX

static_assert(NFLB_BACKENDS_MAX < MAGLEV_FREE);

/* Slots found taken, for each slot of a table; ln(size) are to be expected. */
#define MAGLEV_TAKEN_MAX 32

/* A table and its size. */
struct maglev_table {
	u32	size;
	u32	steps;		/* that filling it took */
	u16	slots[];
};

/* A backend while the table is filled. */
struct maglev_turn {
	u32	next;		/* slot that it wants next */
	u32	skip;
	u32	weight;
	u32	gathered;	/* of its weight, after its last turn */
	u64	round;		/* of its next turn */
	u16	candidate;
};

/* All of them, and how far the table is. */
struct maglev_build {
	struct maglev_table	*table;
	struct maglev_turn	*turns;
	u16			*heap;
	u32			heaviest;
	u32			free;	/* all slots below are taken */
	u32			steps_max;
};

/* By family, address and port: the same on every machine. */
static int by_identity(const void *a, const void *b, const void *priv)
{
	const struct nflb_snapshot *snapshot = priv;
	const struct nflb_backend *x, *y;
	int diff;

	x = snapshot->candidates[((const struct maglev_turn *)a)->candidate]
		.backend;
	y = snapshot->candidates[((const struct maglev_turn *)b)->candidate]
		.backend;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	diff = memcmp(&x->addr, &y->addr, sizeof(x->addr));
	return diff ?: (int)ntohs(x->port) - (int)ntohs(y->port);
}

static void turn_init(struct maglev_turn *turn, const struct nflb_backend *b,
		      u32 size)
{
	static const siphash_key_t offset_key = {
		.key = { 0x6e666c626d61676cULL, 0x65766f6666736574ULL },
	};
	static const siphash_key_t skip_key = {
		.key = { 0x6e666c626d61676cULL, 0x6576736b6970ULL },
	};
	struct {
		union nflb_addr	addr;
		__be32		port;
		u32		family;
	} identity = {
		.addr = b->addr,
		.port = htonl(ntohs(b->port)),
		.family = (__force u32)htonl(b->family == AF_INET ? 4 : 6),
	};
	u64 offset = siphash(&identity, sizeof(identity), &offset_key);
	u64 skip = siphash(&identity, sizeof(identity), &skip_key);

	div_u64_rem(offset, size, &turn->next);
	div_u64_rem(skip, size - 1, &turn->skip);
	turn->skip++;
}

/* Whose turn comes first: by round, then by identity. */
static bool turn_before(const void *ctx, u16 a, u16 b)
{
	const struct maglev_turn *turns = ctx;

	return turns[a].round != turns[b].round ?
	       turns[a].round < turns[b].round : a < b;
}

/* Gather weight for the next turn: some rounds, or one. */
static void turn_gather(struct maglev_turn *turn, u32 heaviest)
{
	u32 rounds = DIV_ROUND_UP(heaviest - turn->gathered, turn->weight);

	turn->round += rounds;
	turn->gathered = (u64)rounds * turn->weight + turn->gathered - heaviest;
}

/* The next free slot of the backend's order; or the first one. */
static u32 turn_slot(struct maglev_build *build, struct maglev_turn *turn)
{
	struct maglev_table *table = build->table;
	u32 slot = turn->next;

	/* The size is a prime, so the order visits every slot. */
	while (table->slots[slot] != MAGLEV_FREE) {
		if (table->steps >= build->steps_max)
			goto first;
		if (!(++table->steps & 0xffff))
			cond_resched();
		slot += turn->skip;
		if (slot >= table->size)
			slot -= table->size;
	}
	return slot;
first:
	while (table->slots[build->free] != MAGLEV_FREE)
		build->free++;
	return build->free;
}

static void maglev_fill(struct maglev_build *build, u32 count)
{
	struct maglev_table *table = build->table;
	u32 i;

	for (i = 0; i < count; i++)
		turn_gather(&build->turns[i], build->heaviest);
	nflb_heap_make(build->heap, count, turn_before, build->turns);
	for (i = 0; i < table->size; i++) {
		struct maglev_turn *turn = &build->turns[build->heap[0]];
		u32 slot = turn_slot(build, turn);

		table->slots[slot] = turn->candidate;
		turn->next = slot;
		turn_gather(turn, build->heaviest);
		nflb_heap_sink(build->heap, 0, count, turn_before,
			       build->turns);
		if (!(i & 0xff))
			cond_resched();
	}
	table->steps += table->size;
}

static void turns_init(struct maglev_build *build,
		       const struct nflb_snapshot *snapshot)
{
	u32 i;

	for (i = 0; i < snapshot->count; i++) {
		const struct nflb_candidate *c = &snapshot->candidates[i];
		struct maglev_turn *turn = &build->turns[i];

		turn->candidate = i;
		turn->weight = c->weight;
		turn_init(turn, c->backend, build->table->size);
		build->heaviest = max(build->heaviest, c->weight);
	}
	sort_r(build->turns, snapshot->count, sizeof(*build->turns),
	       by_identity, NULL, snapshot);
}

static int maglev_build(struct nflb_snapshot *snapshot,
			const struct nflb_snapshot *old)
{
	u32 size = snapshot->maglev_size, count = snapshot->count;
	struct maglev_build build = { .steps_max = size * MAGLEV_TAKEN_MAX };
	struct maglev_table *table;

	if (!count)
		return 0;
	table = kvmalloc(struct_size(table, slots, size), GFP_KERNEL_ACCOUNT);
	build.turns = kvcalloc(count, sizeof(*build.turns),
			       GFP_KERNEL_ACCOUNT);
	build.heap = kvmalloc_array(count, sizeof(*build.heap),
				    GFP_KERNEL_ACCOUNT);
	if (table && build.turns && build.heap) {
		table->size = size;
		table->steps = 0;
		memset(table->slots, 0xff, size * sizeof(table->slots[0]));
		build.table = table;
		turns_init(&build, snapshot);
		maglev_fill(&build, count);
		snapshot->sched_data = table;
		snapshot->slots = size;
		table = NULL;
	}
	kvfree(build.heap);
	kvfree(build.turns);
	kvfree(table);
	return snapshot->sched_data ? 0 : -ENOMEM;
}

static __always_inline int
pick_by(const struct nflb_snapshot *snapshot, const struct nflb_tuple *tuple,
	u64 (*hash)(const struct nflb_snapshot *snapshot,
		    const struct nflb_tuple *tuple, u32 try))
{
	const struct maglev_table *table = snapshot->sched_data;
	u16 i = 0;
	u32 try;

	for (try = 0; try < MAGLEV_TRIES; try++) {
		i = table->slots[reciprocal_scale(hash(snapshot, tuple, try),
						  table->size)];
		if (nflb_candidate_ok(&snapshot->candidates[i]))
			return i;
	}
	return nflb_draw_walk(snapshot, i);
}

static int maglev_pick(const struct nflb_snapshot *snapshot,
		       const struct nflb_tuple *tuple)
{
	return pick_by(snapshot, tuple, nflb_flow_tuple);
}

static int maglev_source_pick(const struct nflb_snapshot *snapshot,
			      const struct nflb_tuple *tuple)
{
	return pick_by(snapshot, tuple, nflb_flow_source);
}

/**
 * nflb_maglev_slot() - whom a slot of a service's table belongs to
 * @snapshot: of a service with this scheduler and backends
 * @slot: below nflb_snapshot.maglev_size
 *
 * Return: index of a candidate.
 */
u32 nflb_maglev_slot(const struct nflb_snapshot *snapshot, u32 slot)
{
	return ((const struct maglev_table *)snapshot->sched_data)->slots[slot];
}
NFLB_EXPORT_KUNIT(nflb_maglev_slot);

/**
 * nflb_maglev_steps() - the cost of filling a service's table
 * @snapshot: of a service with this scheduler and backends
 *
 * Return: turns, and slots that were found taken.
 */
u32 nflb_maglev_steps(const struct nflb_snapshot *snapshot)
{
	return ((const struct maglev_table *)snapshot->sched_data)->steps;
}
NFLB_EXPORT_KUNIT(nflb_maglev_steps);

/**
 * nflb_maglev_size_ok() - can a table have so many slots?
 * @size: how many
 *
 * Return: true for a prime from NFLB_MAGLEV_MIN to NFLB_MAGLEV_MAX.
 */
bool nflb_maglev_size_ok(u32 size)
{
	u32 i;

	if (size < NFLB_MAGLEV_MIN || size > NFLB_MAGLEV_MAX || size % 2 == 0)
		return false;
	for (i = 3; i * i <= size; i += 2)
		if (size % i == 0)
			return false;
	return true;
}
NFLB_EXPORT_KUNIT(nflb_maglev_size_ok);

const struct nflb_sched_ops nflb_sched_maglev = {
	.name = "maglev",
	.build = maglev_build,
	.pick = maglev_pick,
	.large = true,
};

const struct nflb_sched_ops nflb_sched_maglev_source = {
	.name = "maglev-source",
	.build = maglev_build,
	.pick = maglev_source_pick,
	.large = true,
};
