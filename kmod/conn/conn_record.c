// SPDX-License-Identifier: GPL-2.0
/*
 * Records: a whole connection in a struct that leaves the module and enters another one.
 *
 * A record contains everything that packets taught the connection: its tuples, its state,
 * by how much sequence numbers are moved, how far each side was seen to be. What the
 * configuration says is looked up again: service, backend, timeouts. So the record of a
 * backend that is gone, or whose mode is another one now, is refused.
 *
 * Who sends records may be root of a user namespace only, and may send anything. Each
 * field is checked: a connection can be in no state that packets could not bring it to.
 * It takes nobody's tuple, and counts as any other for the table, the user, the backend
 * and the local ports. Statistics do not count it as a new one.
 *
 * Times are relative: a connection has the rest of its time before it again. Probes and
 * the short memory of one-packet services have no records.
 */
#include <linux/inetdevice.h>
#include <linux/math64.h>
#include <net/ipv6.h>

#include "service/laddr.h"
#include "service/service.h"
#include "service/source.h"
#include "conn/conn_count.h"
#include "conn/conn_evict.h"
#include "conn/conn_proof.h"
#include "conn/conn_record.h"
#include "conn/conn_state.h"
#include "conn/persist.h"
#include "netns.h"

static_assert(sizeof(struct nflb_conn_record) == NFLB_CONN_RECORD_SIZE_MIN);

/* The low flags are nflb_conn.now. */
#define RECORD_NOW	GENMASK(7, 0)

#define SAME_FLAG(name) static_assert((NFLB_RECORD_##name) == (NFLB_NOW_##name))
SAME_FLAG(SEQ);
SAME_FLAG(TOA);
SAME_FLAG(SYN_AGAIN);
SAME_FLAG(ASSURED);
SAME_FLAG(ASKED);
SAME_FLAG(PROXY_ACKED);
SAME_FLAG(HEARD_IN);
SAME_FLAG(HEARD_OUT);

/* Flags by what a connection has to be */
#define FLAGS_TCP	(NFLB_RECORD_SEQ | NFLB_RECORD_SYN_AGAIN | \
			 NFLB_RECORD_ASKED | NFLB_RECORD_PROXY_ACKED | \
			 NFLB_RECORD_HEARD_IN | NFLB_RECORD_REUSED | \
			 NFLB_RECORD_ACCEPTED)
#define FLAGS_FULLNAT	(NFLB_RECORD_SEQ | NFLB_RECORD_TOA | \
			 NFLB_RECORD_PROXY_ACKED | NFLB_RECORD_PROXY | \
			 NFLB_RECORD_REUSED | NFLB_RECORD_ACCEPTED)

/* At most seven weeks, which is more than any timeout */
static u32 to_ms(u32 jiffies_)
{
	return min_t(u64, div_u64((u64)jiffies_ * MSEC_PER_SEC, HZ), U32_MAX);
}

static u32 from_ms(u32 ms)
{
	return min_t(u64, div_u64((u64)ms * HZ, MSEC_PER_SEC), U32_MAX);
}

static u32 flags_of(const struct nflb_conn *conn)
{
	u32 flags = READ_ONCE(conn->now);

	if (conn->how & NFLB_HOW_PROXY)
		flags |= NFLB_RECORD_PROXY;
	if (conn->how & NFLB_HOW_REUSED && conn->in.tuple.proto == IPPROTO_TCP)
		flags |= NFLB_RECORD_REUSED;
	if (nflb_conn_is(conn, NFLB_CONN_ACCEPTED))
		flags |= NFLB_RECORD_ACCEPTED;
	return flags;
}

static u32 at_of(const struct nflb_conn *conn, enum nflb_dir dir)
{
	u16 aux;

	if (!(conn->how & NFLB_HOW_ONE_SIDED))
		return READ_ONCE(conn->at[dir]);
	aux = dir == NFLB_DIR_IN ? READ_ONCE(conn->in.tuple.aux) :
				   READ_ONCE(conn->outer.aux);
	return (u32)aux << NFLB_AUX_SEQ_SHIFT;
}

static void fill_two_sided(const struct nflb_conn *conn,
			   struct nflb_conn_record *r)
{
	if (nflb_addr_is_link_local(&conn->in.tuple.src))
		r->device = READ_ONCE(conn->dst_cookie[NFLB_DIR_OUT]) &
			    ~NFLB_COOKIE_DEV;
	r->end = READ_ONCE(conn->seq.end);
	if (!(conn->how & NFLB_HOW_LADDR))
		return;
	memcpy(r->local, &conn->out.tuple.dst, sizeof(r->local));
	r->local_port = conn->out.tuple.dport;
	r->delta = READ_ONCE(conn->seq.delta);
	r->isn = READ_ONCE(conn->seq.isn);
	r->first_ack = READ_ONCE(conn->seq.first_ack);
}

/**
 * nflb_record_fill() - the record of a connection
 * @conn: the connection, alive
 * @r: where to
 *
 * Context: rcu_read_lock() held. Return: false when it has none.
 */
bool nflb_record_fill(const struct nflb_conn *conn, struct nflb_conn_record *r)
{
	const struct nflb_tuple *in = &conn->in.tuple;
	const struct nflb_backend *backend = conn->backend;
	u32 now = nflb_now();

	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
	r->protocol = in->proto;
	r->state = READ_ONCE(conn->state);
	r->left = to_ms(nflb_conn_left(conn, now));
	if (r->state == NFLB_CONN_NONE || r->state == NFLB_CONN_ENDED ||
	    !r->left || nflb_conn_one_packet(conn) ||
	    nflb_conn_is(conn, NFLB_CONN_PROBE))
		return false;
	r->family = in->family;
	r->backend_family = backend->family;
	r->mode = nflb_conn_ops(conn)->mode;
	r->encap = nflb_conn_ops(conn)->encap;
	r->client_port = in->sport;
	r->port = in->dport;
	r->backend_port = backend->port;
	memcpy(r->client, &in->src, sizeof(r->client));
	memcpy(r->address, &in->dst, sizeof(r->address));
	memcpy(r->backend, &backend->addr, sizeof(r->backend));
	r->flags = flags_of(conn);
	r->age = to_ms(nflb_conn_age(conn, now));
	if (!(conn->how & NFLB_HOW_ONE_SIDED))
		fill_two_sided(conn, r);
	if (in->proto == IPPROTO_TCP) {
		r->at_in = at_of(conn, NFLB_DIR_IN);
		r->at_out = at_of(conn, NFLB_DIR_OUT);
	}
	return true;
}
NFLB_EXPORT_KUNIT(nflb_record_fill);

static void addr_of(union nflb_addr *addr, const u8 *bytes)
{
	memcpy(addr, bytes, sizeof(*addr));
}

/* Is it of one host, and nothing beside it? */
static bool addr_ok(const u8 *bytes, u8 family)
{
	union nflb_addr addr;

	addr_of(&addr, bytes);
	if (family == AF_INET)
		return !memchr_inv(bytes + 4, 0, 12) &&
		       !ipv4_is_multicast(addr.ip) &&
		       !ipv4_is_zeronet(addr.ip) && !ipv4_is_lbcast(addr.ip);
	return family == AF_INET6 && !ipv6_addr_any(&addr.in6) &&
	       !ipv6_addr_is_multicast(&addr.in6);
}

static bool state_ok(const struct nflb_conn_record *r)
{
	if (r->protocol == IPPROTO_UDP)
		return r->state == NFLB_CONN_UDP;
	if (r->protocol != IPPROTO_TCP)
		return false;
	switch (r->state) {
	case NFLB_CONN_SYN_SENT:
	case NFLB_CONN_ESTABLISHED:
	case NFLB_CONN_FIN_WAIT:
	case NFLB_CONN_CLOSE:
		return true;
	case NFLB_CONN_SYN_RECV:
	case NFLB_CONN_CLOSE_WAIT:
	case NFLB_CONN_LAST_ACK:
	case NFLB_CONN_TIME_WAIT:
		return r->mode != NFLB_MODE_DSR;
	default:
		return false;
	}
}

static bool flags_ok(const struct nflb_conn_record *r)
{
	u32 flags = r->flags;

	if (flags & ~NFLB_RECORD_FLAGS ||
	    (r->protocol == IPPROTO_UDP && flags & FLAGS_TCP) ||
	    (r->mode != NFLB_MODE_FULLNAT && flags & FLAGS_FULLNAT))
		return false;
	if (flags & NFLB_RECORD_PROXY ? flags & NFLB_RECORD_TOA :
					flags & NFLB_RECORD_PROXY_ACKED)
		return false;
	/* Only a whole handshake makes it so. */
	return !(flags & NFLB_RECORD_ASSURED) ||
	       r->protocol == IPPROTO_UDP || r->state >= NFLB_CONN_ESTABLISHED;
}

/* Is there nothing that a connection of its kind does not have? */
static bool numbers_ok(const struct nflb_conn_record *r)
{
	bool fullnat = r->mode == NFLB_MODE_FULLNAT;
	bool tcp = r->protocol == IPPROTO_TCP;

	if (!(fullnat && tcp) && (r->delta || r->isn || r->first_ack))
		return false;
	if (r->end && (!tcp || r->mode == NFLB_MODE_DSR))
		return false;
	if (!tcp && (r->at_in || r->at_out))
		return false;
	if (fullnat)
		return r->local_port && addr_ok(r->local, r->backend_family);
	return !r->local_port && !memchr_inv(r->local, 0, sizeof(r->local));
}

/* A link-local client is somewhere behind one device. */
static bool device_ok(const struct nflb_conn_record *r)
{
	union nflb_addr client;

	addr_of(&client, r->client);
	if (r->family == AF_INET6 && r->mode != NFLB_MODE_DSR &&
	    nflb_addr_is_link_local(&client))
		return r->device && !(r->device & NFLB_COOKIE_DEV);
	return !r->device;
}

/**
 * nflb_record_check() - can any connection be like this?
 * @r: a record of who knows whom
 *
 * Return: NFLB_RECORD_RESTORED if it can; else why not.
 */
enum nflb_record_result nflb_record_check(const struct nflb_conn_record *r)
{
	if (r->mode > NFLB_MODE_MAX || r->encap > NFLB_ENCAP_MAX ||
	    (r->encap && r->mode != NFLB_MODE_DSR) ||
	    !state_ok(r) || !flags_ok(r) ||
	    !addr_ok(r->client, r->family) ||
	    !addr_ok(r->address, r->family) ||
	    !addr_ok(r->backend, r->backend_family) ||
	    !r->port || (!r->client_port && r->protocol != IPPROTO_UDP) ||
	    !numbers_ok(r) || !device_ok(r))
		return NFLB_RECORD_INVALID;
	return r->left ? NFLB_RECORD_RESTORED : NFLB_RECORD_EXPIRED;
}
NFLB_EXPORT_KUNIT(nflb_record_check);

/**
 * nflb_record_tuple() - the tuple of its client's packets
 * @r: the record, checked
 * @in: where to
 */
void nflb_record_tuple(const struct nflb_conn_record *r, struct nflb_tuple *in)
{
	memset(in, 0, sizeof(*in));
	addr_of(&in->src, r->client);
	addr_of(&in->dst, r->address);
	in->sport = r->client_port;
	in->dport = r->port;
	in->proto = r->protocol;
	in->family = r->family;
}
NFLB_EXPORT_KUNIT(nflb_record_tuple);

/* As schedule.c has it: would a packet of its client go to this backend? */
static bool reachable(struct nflb_net *nn, const struct nflb_backend *backend,
		      const struct nflb_forward_ops *ops,
		      const struct nflb_tuple *in)
{
	bool local = nflb_addr_is_local(nn->net, &in->src, in->family);

	if (ops->mode == NFLB_MODE_DSR && nflb_addr_equal(&in->src, &in->dst))
		return false;
	if (!ops->hairpin && !local && backend->family == in->family &&
	    nflb_addr_equal(&backend->addr, &in->src))
		return false;
	if (in->family == AF_INET6 && nflb_addr_is_link_local(&in->src) &&
	    ops->mode != NFLB_MODE_FULLNAT && !local &&
	    (ops->mode != NFLB_MODE_DSR || ops->encap))
		return false;
	if (ops->one_sided && local)
		WRITE_ONCE(nn->host_one_sided, true);
	return true;
}

/* Its other end: as its mode makes it; of fullnat, as it was. */
static enum nflb_record_result restore_out(struct nflb_net *nn,
					   struct nflb_conn *conn,
					   const struct nflb_conn_record *r)
{
	enum nflb_reason reason = NFLB_REASON_NO_ROUTE;
	struct nflb_tuple *out = &conn->out.tuple;
	union nflb_addr local;

	if (r->mode != NFLB_MODE_FULLNAT) {
		if (nflb_conn_ops(conn)->out_tuple(nn, conn, 0, &reason))
			return NFLB_RECORD_RESTORED;
		return reason == NFLB_REASON_DIRECT_CLASH ?
		       NFLB_RECORD_EXISTS : NFLB_RECORD_NO_ROUTE;
	}
	addr_of(&local, r->local);
	if (!nflb_laddr_has(nn, &local, r->local_port, r->backend_family))
		return NFLB_RECORD_NO_LOCAL_ADDRESS;
	out->src = conn->backend->addr;
	out->sport = conn->backend->port ?: r->port;
	out->dst = local;
	out->dport = r->local_port;
	out->proto = r->protocol;
	out->family = r->backend_family;
	conn->how |= NFLB_HOW_LADDR;
	if (r->family != r->backend_family)
		conn->how |= NFLB_HOW_FAMILY;
	if (r->flags & NFLB_RECORD_PROXY)
		conn->how |= NFLB_HOW_PROXY;
	if (r->flags & NFLB_RECORD_REUSED)
		conn->how |= NFLB_HOW_REUSED;
	return NFLB_RECORD_RESTORED;
}

static void restore_numbers(struct nflb_conn *conn,
			    const struct nflb_conn_record *r)
{
	if (!(conn->how & NFLB_HOW_ONE_SIDED)) {
		conn->out.tuple.aux = NFLB_AUX_DIR;
		conn->seq.delta = r->delta;
		conn->seq.isn = r->isn;
		conn->seq.first_ack = r->first_ack;
		conn->seq.end = r->end;
		if (r->device)
			conn->dst_cookie[NFLB_DIR_OUT] =
				r->device | NFLB_COOKIE_DEV;
	}
	if (r->protocol == IPPROTO_TCP) {
		nflb_proof_begin(conn, NFLB_DIR_IN, r->at_in);
		nflb_proof_begin(conn, NFLB_DIR_OUT, r->at_out);
	}
}

/* Nobody else has it yet. */
static void restore_state(struct nflb_conn *conn,
			  const struct nflb_conn_record *r)
{
	u32 now = nflb_now();
	u32 flags = ((now - from_ms(r->age)) & NFLB_CONN_CREATED) |
		    NFLB_CONN_DYING;

	if (r->flags & NFLB_RECORD_ACCEPTED)
		flags |= NFLB_CONN_ACCEPTED;
	if (!nflb_conn_state_active(r->state)) {
		flags |= NFLB_CONN_INACTIVE;
		atomic_dec(&conn->backend->active);
	}
	if (nflb_conn_state_is_over(r->state)) {
		flags |= NFLB_CONN_OVER;
		atomic_inc(&conn->backend->over);
	}
	atomic_set(&conn->flags, flags);
	conn->now = r->flags & RECORD_NOW;
	nflb_conn_state_enter(conn, r->state, now);
	/* The next packet renews it, within the same second, too. */
	conn->tick = 0;
	conn->expires = now + min(from_ms(r->left), conn->timeout);
	restore_numbers(conn, r);
}

/* Its client goes on to be remembered, unless it is already. */
static void restore_persist(struct nflb_net *nn, struct nflb_conn *conn)
{
	struct nflb_service *svc = conn->backend->service;
	const struct nflb_snapshot *snapshot;
	struct nflb_persist *entry;

	snapshot = rcu_dereference(svc->snapshot);
	if (likely(!snapshot->persist))
		return;
	entry = nflb_persist_claim(nn, svc, snapshot, &conn->in.tuple.src,
				   conn->backend);
	if (entry && nflb_persist_backend(entry) == conn->backend)
		nflb_conn_remember(conn, entry);
}

/* It has its place in the table and at its backend. */
static enum nflb_record_result restore_conn(struct nflb_net *nn,
					    struct nflb_backend *backend,
					    const struct nflb_forward_ops *ops,
					    const struct nflb_tuple *in,
					    const struct nflb_conn_record *r)
{
	enum nflb_record_result result = NFLB_RECORD_NO_MEMORY;
	struct nflb_conn *conn;
	int err;

	conn = nflb_conn_alloc(backend, ops, in, 0);
	if (!conn)
		goto err_count;
	result = restore_out(nn, conn, r);
	if (result != NFLB_RECORD_RESTORED) {
		nflb_conn_free(conn);
		goto err_count;
	}
	restore_state(conn, r);
	if (unlikely(READ_ONCE(backend->max_connections)))
		nflb_conn_limit(conn);
	err = nflb_conn_insert_as_is(nn, conn);
	if (err)
		return err == -EEXIST ? NFLB_RECORD_EXISTS :
					NFLB_RECORD_NO_MEMORY;
	restore_persist(nn, conn);
	return NFLB_RECORD_RESTORED;

err_count:
	atomic_dec(&backend->active);
	atomic_dec(&backend->conns);
	nflb_backend_put(backend);
	return result;
}

/* Does the backend take packets of connections that it has? */
static bool takes(const struct nflb_backend *backend, u8 proto)
{
	u8 gone = READ_ONCE(backend->gone);

	return !READ_ONCE(backend->deleted) &&
	       !(gone && (gone == NFLB_GONE_ALL || proto == IPPROTO_UDP));
}

/**
 * nflb_record_restore() - put a connection into the table
 * @nn: the namespace
 * @backend: of the record, and configured
 * @r: the record, checked
 *
 * Context: BH disabled, rcu_read_lock() held. Return: NFLB_RECORD_RESTORED, or why not.
 */
enum nflb_record_result nflb_record_restore(struct nflb_net *nn,
					    struct nflb_backend *backend,
					    const struct nflb_conn_record *r)
{
	const struct nflb_forward_ops *ops = READ_ONCE(backend->forward);
	enum nflb_record_result result;
	struct nflb_tuple in;

	nflb_record_tuple(r, &in);
	if (!ops || !takes(backend, r->protocol))
		return NFLB_RECORD_NO_BACKEND;
	if (ops->mode != r->mode || ops->encap != r->encap)
		return NFLB_RECORD_OTHER_MODE;
	if (!reachable(nn, backend, ops, &in))
		return NFLB_RECORD_INVALID;
	if (r->device && !dev_get_by_index_rcu(nn->net, r->device))
		return NFLB_RECORD_NO_ROUTE;
	if (!nflb_evict_room(nn, atomic_inc_return(&nn->conn_count))) {
		result = NFLB_RECORD_TABLE_FULL;
		goto err_room;
	}
	result = NFLB_RECORD_NO_BACKEND;
	if (!refcount_inc_not_zero(&backend->ref))
		goto err_room;
	if (!nflb_conn_count(nn, backend)) {
		nflb_backend_put(backend);
		result = NFLB_RECORD_BACKEND_FULL;
		goto err_room;
	}
	result = restore_conn(nn, backend, ops, &in, r);
	if (result == NFLB_RECORD_RESTORED)
		return result;

err_room:
	atomic_dec(&nn->conn_count);
	return result;
}
NFLB_EXPORT_KUNIT(nflb_record_restore);
