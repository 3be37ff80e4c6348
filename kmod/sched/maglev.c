// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: Maglev hashing (maglev)
 *
 * A hash of addresses, ports and protocol picks a slot of a table; the table is
 * filled so that each backend has slots in proportion to its weight, and that
 * few slots change hands when a backend comes or goes (D. E. Eisenbud et al.,
 * "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016,
 * section 3.4). Each backend has an order of its own in which it wants slots,
 * and backends take turns at taking the next that is free. With weights, a
 * backend gathers its weight every round and takes a turn for each full
 * heaviest weight, as in Katran.
 *
 * Orders depend on a backend's address and port alone, turns go by these too,
 * and the keys are fixed: machines with the same configuration have the same
 * table, whatever the order in which backends were added, and with the same
 * net.nflb.hash_seed they send a flow to the same backend.
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
#include "sched/maglev.h"

#define MAGLEV_TRIES	8
#define MAGLEV_FREE	U16_MAX

static_assert(NFLB_BACKENDS_MAX < MAGLEV_FREE);

/* A table and its size. */
struct maglev_table {
	u32	size;
	u16	slots[];
};

/* A backend while the table is filled. */
struct maglev_turn {
	u32	next;		/* slot that it wants next */
	u32	skip;
	u32	gathered;	/* of its weight */
	u16	candidate;
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

	turn->next = offset % size;
	turn->skip = skip % (size - 1) + 1;
}

/* One turn: take the next free slot of the backend's order. */
static void turn_take(struct maglev_table *table, struct maglev_turn *turn)
{
	u32 slot = turn->next;

	/* The size is a prime, so the order visits every slot. */
	while (table->slots[slot] != MAGLEV_FREE) {
		slot += turn->skip;
		if (slot >= table->size)
			slot -= table->size;
	}
	table->slots[slot] = turn->candidate;
	turn->next = slot;
}

static void maglev_fill(struct maglev_table *table, struct maglev_turn *turns,
			const struct nflb_snapshot *snapshot)
{
	u32 heaviest = 0, taken = 0, i;

	for (i = 0; i < snapshot->count; i++)
		heaviest = max(heaviest, snapshot->candidates[i].weight);
	for (;;) {
		for (i = 0; i < snapshot->count; i++) {
			struct maglev_turn *t = &turns[i];

			t->gathered += snapshot->candidates[t->candidate].weight;
			if (t->gathered < heaviest)
				continue;
			t->gathered -= heaviest;
			turn_take(table, t);
			if (++taken == table->size)
				return;
		}
		cond_resched();
	}
}

static int maglev_build(struct nflb_snapshot *snapshot,
			const struct nflb_snapshot *old)
{
	u32 size = snapshot->maglev_size, i;
	struct maglev_table *table;
	struct maglev_turn *turns;

	if (!snapshot->count)
		return 0;
	table = kvmalloc(struct_size(table, slots, size), GFP_KERNEL_ACCOUNT);
	turns = kvcalloc(snapshot->count, sizeof(*turns), GFP_KERNEL_ACCOUNT);
	if (table && turns) {
		table->size = size;
		memset(table->slots, 0xff, size * sizeof(table->slots[0]));
		for (i = 0; i < snapshot->count; i++) {
			turns[i].candidate = i;
			turn_init(&turns[i], snapshot->candidates[i].backend,
				  size);
		}
		sort_r(turns, snapshot->count, sizeof(*turns), by_identity,
		       NULL, snapshot);
		maglev_fill(table, turns, snapshot);
		snapshot->sched_data = table;
		table = NULL;
	}
	kvfree(turns);
	kvfree(table);
	return snapshot->sched_data ? 0 : -ENOMEM;
}

static int maglev_pick(const struct nflb_snapshot *snapshot,
		       const struct nflb_tuple *tuple)
{
	const struct maglev_table *table = snapshot->sched_data;
	u16 i = 0;
	u32 try;

	for (try = 0; try < MAGLEV_TRIES; try++) {
		u64 hash = nflb_flow_tuple(snapshot, tuple, try);

		i = table->slots[reciprocal_scale(hash, table->size)];
		if (nflb_candidate_ok(&snapshot->candidates[i]))
			return i;
	}
	return nflb_draw_walk(snapshot, i);
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
};
