// SPDX-License-Identifier: GPL-2.0
/*
 * Registry of schedulers.
 */
#include <linux/string.h>

#include "sched/sched.h"

static const struct nflb_sched_ops * const schedulers[] = {
	&nflb_sched_rr,
	&nflb_sched_wrr,
	&nflb_sched_random,
	&nflb_sched_lc,
	&nflb_sched_wlc,
	&nflb_sched_sed,
	&nflb_sched_nq,
	&nflb_sched_p2c,
	&nflb_sched_fo,
	&nflb_sched_ovf,
	&nflb_sched_hash,
	&nflb_sched_source,
	&nflb_sched_maglev,
	&nflb_sched_maglev_source,
};

/**
 * nflb_sched_find() - a scheduler by name
 * @name: its name, exactly
 *
 * Return: the scheduler, or NULL when there is none of that name.
 */
const struct nflb_sched_ops *nflb_sched_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(schedulers); i++)
		if (!strcmp(schedulers[i]->name, name))
			return schedulers[i];
	return NULL;
}
NFLB_EXPORT_KUNIT(nflb_sched_find);
