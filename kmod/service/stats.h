/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of backends: per CPU, written on the packet path, summed by the control
 * side.
 */
#ifndef NFLB_STATS_H
#define NFLB_STATS_H

#include <linux/u64_stats_sync.h>
#include <linux/percpu.h>
#include "count.h"

/**
 * struct nflb_stats - one CPU's counters of a backend
 * @connections: made
 * @packets: by direction
 * @bytes: by direction, network-layer bytes as they arrived
 * @sync: for 32-bit readers
 * @ident: IPv4's identification for the next outer header without DF
 * @ident_left: how many from there on are this CPU's
 */
struct nflb_stats {
	u64_stats_t		connections;
	u64_stats_t		packets[NFLB_DIR_COUNT];
	u64_stats_t		bytes[NFLB_DIR_COUNT];
	struct u64_stats_sync	sync;
	u16			ident;
	u16			ident_left;
};

/* Context: softirq or BH disabled. */
static inline void nflb_stats_packet(struct nflb_stats __percpu *stats,
				     enum nflb_dir dir, unsigned int len)
{
	struct nflb_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->sync);
	u64_stats_inc(&s->packets[dir]);
	u64_stats_add(&s->bytes[dir], len);
	u64_stats_update_end(&s->sync);
}

static inline void nflb_stats_connection(struct nflb_stats __percpu *stats)
{
	struct nflb_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->sync);
	u64_stats_inc(&s->connections);
	u64_stats_update_end(&s->sync);
}

struct nflb_stats __percpu *nflb_stats_alloc(void);
void nflb_stats_read(const struct nflb_stats __percpu *stats,
		     struct nflb_stats_sum *sum);
void nflb_stats_add(struct nflb_stats_sum *sum,
		    const struct nflb_stats_sum *more);
void nflb_stats_sub(struct nflb_stats_sum *sum,
		    const struct nflb_stats_sum *base);

#endif /* NFLB_STATS_H */
