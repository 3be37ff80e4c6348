/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: nflb:conn_new, nflb:conn_end, nflb:drop.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nflb

#if !defined(NFLB_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NFLB_TRACE_H

#include <linux/tracepoint.h>
#include <net/net_namespace.h>

#include "packet/packet.h"
#include "packet/sockaddr.h"
#include "service/service.h"
#include "conn/conn.h"

DECLARE_EVENT_CLASS(nflb_conn,
	TP_PROTO(const struct net *net, const struct nflb_conn *conn),
	TP_ARGS(net, conn),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(u8, proto)
		__field(u8, state)
		__array(u8, client, sizeof(struct sockaddr_in6))
		__array(u8, vip, sizeof(struct sockaddr_in6))
		__array(u8, backend, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		const struct nflb_tuple *in = &conn->in.tuple;
		const struct nflb_backend *backend = conn->backend;

		__entry->netns = net->ns.inum;
		__entry->proto = in->proto;
		__entry->state = conn->state;
		nflb_sockaddr((struct sockaddr_in6 *)__entry->client,
				&in->src, in->sport, in->family);
		nflb_sockaddr((struct sockaddr_in6 *)__entry->vip,
				&in->dst, in->dport, in->family);
		nflb_sockaddr((struct sockaddr_in6 *)__entry->backend,
				&backend->addr, nflb_conn_backend_port(conn),
				backend->family);
	),
	TP_printk("netns=%u proto=%u client=%pISpc vip=%pISpc backend=%pISpc state=%u",
		  __entry->netns, __entry->proto, __entry->client,
		  __entry->vip, __entry->backend, __entry->state)
);

DEFINE_EVENT(nflb_conn, conn_new,
	TP_PROTO(const struct net *net, const struct nflb_conn *conn),
	TP_ARGS(net, conn)
);

DEFINE_EVENT(nflb_conn, conn_end,
	TP_PROTO(const struct net *net, const struct nflb_conn *conn),
	TP_ARGS(net, conn)
);

#define NFLB_REASON_EXPORT(id, name) TRACE_DEFINE_ENUM(NFLB_REASON_##id);
NFLB_REASONS(NFLB_REASON_EXPORT)

#define NFLB_REASON_SYMBOL(id, name) { NFLB_REASON_##id, name },

TRACE_EVENT(drop,
	TP_PROTO(const struct net *net, const struct nflb_pkt *pkt),
	TP_ARGS(net, pkt),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(const void *, skbaddr)
		__field(u8, reason)
		__field(u8, proto)
		__array(u8, src, sizeof(struct sockaddr_in6))
		__array(u8, dst, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		const struct nflb_tuple *t = &pkt->tuple;

		__entry->netns = net->ns.inum;
		__entry->skbaddr = pkt->skb;
		__entry->reason = pkt->reason;
		__entry->proto = t->proto;
		nflb_sockaddr((struct sockaddr_in6 *)__entry->src,
				&t->src, t->sport, t->family);
		nflb_sockaddr((struct sockaddr_in6 *)__entry->dst,
				&t->dst, t->dport, t->family);
	),
	TP_printk("netns=%u skbaddr=%p proto=%u src=%pISpc dst=%pISpc reason=%s",
		  __entry->netns, __entry->skbaddr, __entry->proto,
		  __entry->src, __entry->dst,
		  __print_symbolic(__entry->reason,
				   NFLB_REASONS(NFLB_REASON_SYMBOL)
				   { NFLB_REASON_COUNT, "?" }))
);

#endif /* NFLB_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH conn
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
