/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who makes room when something that is bounded is full.
 */
#ifndef NFLB_CONN_EVICT_H
#define NFLB_CONN_EVICT_H

#include "userns.h"
#include "service/laddr.h"
#include "service/service.h"
#include "conn/conn.h"
#include "netns.h"

/*
 * In this order they make room. The last never do.
 */
enum nflb_rank {
	NFLB_RANK_DEAD,		/* closed, in TIME_WAIT, or its backend is gone */
	NFLB_RANK_EXPIRED,	/* idle for too long, the sweep is to come */
	NFLB_RANK_DOUBTFUL,	/* not assured */
	NFLB_RANK_UNPROVEN,	/* assured by packets that anybody can forge, and silent */
	NFLB_RANK_ASSURED,
};

/*
 * Jiffies without a packet after which a connection that is assured, but not
 * proven (nflb_conn_proven()), is NFLB_RANK_UNPROVEN
 */
#define NFLB_UNPROVEN_SILENCE	(10 * HZ)

enum nflb_rank nflb_conn_rank(const struct nflb_conn *conn, u32 now);
bool nflb_evict_admit(struct nflb_net *nn, int count);
bool nflb_evict_from_table(struct nflb_net *nn, bool draft);

/* May there be one connection more? @count: in the table, with the new one */
static inline bool nflb_evict_room(struct nflb_net *nn, int count)
{
	int max = READ_ONCE(nn->max_connections);

	/* From seven eighths on there is something to be done. */
	return likely(count + atomic_read(&nn->conn_waiting) <=
		      max - (max >> 3) &&
		      !nflb_user_full(nn, NFLB_USER_CONNECTIONS)) ||
	       nflb_evict_admit(nn, count);
}

bool nflb_evict_admit_persist(struct nflb_net *nn);
bool nflb_evict_from_backend(struct nflb_net *nn, struct nflb_backend *backend,
			     bool draft);
int nflb_evict_candidate(struct nflb_net *nn,
			 const struct nflb_snapshot *snapshot);
bool nflb_evict_yields(const struct nflb_conn *holder,
		       enum nflb_shortage shortage);
void nflb_evict_holder(struct nflb_net *nn, struct nflb_conn *holder);
void nflb_evict_swept(struct nflb_net *nn, struct nflb_conn *conn);

#endif /* NFLB_CONN_EVICT_H */
