/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of backends and services: per CPU, written on the packet path, summed by the control
 * side.
 */
#ifndef NFLB_STATS_H
#define NFLB_STATS_H

#include <linux/u64_stats_sync.h>
#include <linux/percpu.h>
#include "count.h"
#include "packet/wire.h"

/**
 * struct nflb_stats - one CPU's counters of a backend
 * @connections: made
 * @packets: by direction
 * @bytes: by direction, network-layer bytes as they arrived
 * @drops: packets that were dropped
 * @sync: for 32-bit readers
 * @ident: IPv4's identification for the next outer header without DF
 * @ident_left: how many from there on are this CPU's
 * @passive: by enum nflb_passive; last, since packets of an established flow do not
 *	touch them
 */
struct nflb_stats {
	u64_stats_t		connections;
	u64_stats_t		packets[NFLB_DIR_COUNT];
	u64_stats_t		bytes[NFLB_DIR_COUNT];
	struct u64_stats_sync	sync;
	u16			ident;
	u16			ident_left;
	u64_stats_t		drops;
	u64_stats_t		passive[NFLB_PASSIVE_COUNT];
};

/* Context: softirq or BH disabled. */
static inline void nflb_stats_packet(struct nflb_stats __percpu *stats,
				     enum nflb_dir dir, struct nflb_wire wire)
{
	struct nflb_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->sync);
	u64_stats_add(&s->packets[dir], wire.packets);
	u64_stats_add(&s->bytes[dir], wire.bytes);
	u64_stats_update_end(&s->sync);
}

static inline void nflb_stats_connection(struct nflb_stats __percpu *stats)
{
	struct nflb_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->sync);
	u64_stats_inc(&s->connections);
	u64_stats_update_end(&s->sync);
}

/* Context: softirq or BH disabled. */
static inline void nflb_stats_drop(struct nflb_stats __percpu *stats,
				   u32 packets)
{
	struct nflb_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->sync);
	u64_stats_add(&s->drops, packets);
	u64_stats_update_end(&s->sync);
}

/* Context: softirq or BH disabled. */
static inline void nflb_stats_passive(struct nflb_stats __percpu *stats,
				      enum nflb_passive what)
{
	struct nflb_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->sync);
	u64_stats_inc(&s->passive[what]);
	u64_stats_update_end(&s->sync);
}

u64 nflb_service_drops(const struct nflb_service *svc);
struct nflb_stats __percpu *nflb_stats_alloc(void);
void nflb_stats_read(const struct nflb_stats __percpu *stats,
		     struct nflb_stats_sum *sum);
void nflb_stats_add(struct nflb_stats_sum *sum,
		    const struct nflb_stats_sum *more);
void nflb_stats_sub(struct nflb_stats_sum *sum,
		    const struct nflb_stats_sum *base);

#endif /* NFLB_STATS_H */
