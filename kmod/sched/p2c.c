// SPDX-License-Identifier: GPL-2.0
/**
 * DOC: power of two choices (p2c)
 *
 * Two backends are drawn in proportion to their weights, and the one with fewer
 * active connections for its weight is taken. The longest of n queues is then
 * exponentially shorter than by one draw (Azar, Broder, Karlin, Upfal 1999;
 * Mitzenmacher 2001), and unlike least connections it does not send all of a
 * burst to one backend that just came. A pick costs two random numbers and two
 * looks at counters, whatever the number of backends.
 */
#include "sched/draw.h"
#include "sched/least.h"

#define P2C_TRIES 4

static int p2c_pick(const struct nflb_snapshot *snapshot,
		    const struct nflb_tuple *tuple)
{
	const struct nflb_candidate *c = snapshot->candidates;
	u32 a = 0, b, tries;

	for (tries = 0; tries < P2C_TRIES; tries++) {
		bool a_ok, b_ok;

		a = nflb_draw(snapshot, nflb_draw_lot());
		b = nflb_draw(snapshot, nflb_draw_lot());
		a_ok = nflb_candidate_ok(&c[a]);
		b_ok = nflb_candidate_ok(&c[b]);
		if (a_ok && b_ok)
			return nflb_load_less(nflb_load_conns(&c[b]),
					      c[b].weight,
					      nflb_load_conns(&c[a]),
					      c[a].weight) ? b : a;
		if (a_ok || b_ok)
			return a_ok ? a : b;
	}
	return nflb_draw_walk(snapshot, a);
}

const struct nflb_sched_ops nflb_sched_p2c = {
	.name = "p2c",
	.build = nflb_draw_build,
	.pick = p2c_pick,
	.by_lot = true,
};
