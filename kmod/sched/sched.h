/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between services and schedulers. One algorithm a file.
 */
#ifndef NFLB_SCHED_H
#define NFLB_SCHED_H

#include "nflb.h"
#include "service/service.h"

/**
 * struct nflb_sched_ops - a rule that picks a backend for a new connection
 * @name: as in `scheduler NAME`
 * @build: prepare @snapshot->sched_data from the candidates of a new snapshot.
 *	Process context, may sleep and allocate. @old is the snapshot that is
 *	replaced when it had the same scheduler, else NULL: state such as a
 *	position may be carried over. Return 0 or a negative errno. May be NULL.
 *	Only who wants to change the configuration waits for it; what takes more than
 *	a millisecond lets others run. A large table is told of in
 *	@snapshot->slots, and by @large.
 * @destroy: free @sched_data. Process context, after a grace period. May be
 *	NULL when @sched_data is freed by kvfree() alone.
 * @pick: choose a candidate for a connection from @tuple. Softirq, RCU held;
 *	must not lock or allocate. @snapshot->count is not 0. The candidate must
 *	pass nflb_candidate_ok(). Return its index, or -1 when none can.
 * @peek: what @pick would choose after so many more picks, without a trace. NULL
 *	when @pick leaves none.
 * @by_lot: @pick draws lots, so that nobody can predict the next pick.
 * @large: where there are candidates, @build makes a table of
 *	@snapshot->maglev_size slots
 */
struct nflb_sched_ops {
	const char	*name;
	int		(*build)(struct nflb_snapshot *snapshot,
				 const struct nflb_snapshot *old);
	void		(*destroy)(struct nflb_snapshot *snapshot);
	int		(*pick)(const struct nflb_snapshot *snapshot,
				const struct nflb_tuple *tuple);
	int		(*peek)(const struct nflb_snapshot *snapshot,
				const struct nflb_tuple *tuple, u32 after);
	bool		by_lot;
	bool		large;
};

/* Has the backend room? State and weight were seen to by the snapshot. */
static inline bool nflb_candidate_ok(const struct nflb_candidate *c)
{
	return !nflb_backend_full(c->backend);
}

const struct nflb_sched_ops *nflb_sched_find(const char *name);

extern const struct nflb_sched_ops nflb_sched_rr;
extern const struct nflb_sched_ops nflb_sched_wrr;
extern const struct nflb_sched_ops nflb_sched_random;
extern const struct nflb_sched_ops nflb_sched_lc;
extern const struct nflb_sched_ops nflb_sched_wlc;
extern const struct nflb_sched_ops nflb_sched_sed;
extern const struct nflb_sched_ops nflb_sched_nq;
extern const struct nflb_sched_ops nflb_sched_p2c;
extern const struct nflb_sched_ops nflb_sched_fo;
extern const struct nflb_sched_ops nflb_sched_ovf;
extern const struct nflb_sched_ops nflb_sched_hash;
extern const struct nflb_sched_ops nflb_sched_source;
extern const struct nflb_sched_ops nflb_sched_maglev;
extern const struct nflb_sched_ops nflb_sched_maglev_source;

#endif /* NFLB_SCHED_H */
