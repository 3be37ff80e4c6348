/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Probes: connections of a checker, pinned to a backend.
 */
#ifndef NFLB_CONN_PROBE_H
#define NFLB_CONN_PROBE_H

#include "conn/conn.h"
#include "netns.h"

/*
 * nflb_conn.timeout of a probe. Whatever packets do, nflb_conn_expired() is true: so
 * the fast path and all that is made for other connections take none.
 */
#define NFLB_PROBE_TIMEOUT	((u32)-(4 * (s32)NFLB_CONN_TICK))

/* How long the tuple of a removed probe gets no connection: jiffies */
#define NFLB_PROBE_GRACE	(2 * HZ)
/*
 * The same of one that nobody removed. A socket that nobody closed repeats its SYN for
 * 127 seconds (net.ipv4.tcp_syn_retries 6).
 */
#define NFLB_PROBE_LINGER	(130 * HZ)

/* Jiffies that a probe has left, not less than 0 */
static inline u32 nflb_probe_left(const struct nflb_conn *conn, u32 now)
{
	return max_t(s32, READ_ONCE(conn->until) - now, 0);
}

/* Connections in the table, without probes */
static inline u32 nflb_conn_counted(const struct nflb_net *nn)
{
	return max(atomic_read(&nn->conn_count) -
		   atomic_read(&nn->probe_count), 0);
}

void nflb_probe_net_init(struct nflb_net *nn);
int nflb_probe_add(struct nflb_net *nn, struct nflb_backend *backend,
		   const struct nflb_tuple *in, u32 life,
		   enum nflb_reason *reason);
bool nflb_probe_remove(struct nflb_net *nn, struct nflb_conn *conn);
bool nflb_probe_alive(const struct nflb_conn *conn, u32 now);
bool nflb_probe_closes(const struct nflb_conn *conn, u32 now);
bool nflb_probe_holds(const struct nflb_conn *conn, u32 now);
void nflb_probe_uncount(struct nflb_conn *conn);
void nflb_probe_swept(struct nflb_net *nn, struct nflb_conn *conn);

#endif /* NFLB_CONN_PROBE_H */
