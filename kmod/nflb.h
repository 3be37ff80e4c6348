/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words that every part of the module shares: verdicts and reasons.
 */
#ifndef NFLB_H
#define NFLB_H

#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/types.h>

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

struct nflb_net;
struct nflb_conn;
struct nflb_service;
struct nflb_backend;
struct nflb_pkt;

/**
 * enum nflb_verdict - the decision of a stage of the packet path
 * @NFLB_CONTINUE: the next stage goes on; the skb is still the path's
 * @NFLB_ACCEPT: the host's stack goes on with the skb, changed or not
 * @NFLB_STOLEN: the skb is sent, queued or freed; nobody may touch it
 * @NFLB_DROP: the skb is still there and the hook frees it; nflb_pkt.reason
 *	says why
 */
enum nflb_verdict {
	NFLB_CONTINUE,
	NFLB_ACCEPT,
	NFLB_STOLEN,
	NFLB_DROP,
};

/*
 * Why a packet was not forwarded. The names are what `lbadm stats show`,
 * /proc/net/nflb/stats and the tracepoint nflb:drop show: stable.
 */
#define NFLB_REASONS(X)						\
	X(MALFORMED,		"malformed")			\
	X(BAD_CHECKSUM,		"bad-checksum")			\
	X(BAD_SOURCE,		"bad-source")			\
	X(SOURCE_ROUTE,		"source-route")			\
	X(FRAGMENT,		"fragment")			\
	X(LRO,			"lro")				\
	X(NO_SERVICE,		"no-service")			\
	X(NO_BACKEND,		"no-backend")			\
	X(NO_CONNECTION,	"no-connection")		\
	X(TABLE_FULL,		"table-full")			\
	X(TUPLE_CLASH,		"tuple-clash")			\
	X(PORTS_EXHAUSTED,	"ports-exhausted")		\
	X(NO_LOCAL_ADDRESS,	"no-local-address")		\
	X(HAIRPIN,		"hairpin")			\
	X(NO_MEMORY,		"no-memory")			\
	X(NO_ROUTE,		"no-route")			\
	X(NO_NEIGHBOUR,		"no-neighbour")			\
	X(TTL_EXCEEDED,		"ttl-exceeded")			\
	X(MTU_EXCEEDED,		"mtu-exceeded")			\
	X(UNTRANSLATABLE,	"untranslatable")		\
	X(NOT_ON_LINK,		"not-on-link")			\
	X(FORGED_ERROR,		"forged-error")			\
	X(NO_CLIENT_ADDRESS,	"no-client-address")		\
	X(LATE_REPLY,		"late-reply")			\
	X(DIRECT_CLASH,		"direct-clash")			\
	X(LINK_LOCAL,		"link-local")			\
	X(NO_ROUTE_VRF,		"no-route-vrf")			\
	X(PROBE_OVER,		"probe-over")

#define NFLB_REASON_ENUM(id, name) NFLB_REASON_##id,

/* Why a packet was not forwarded; see NFLB_REASONS. */
enum nflb_reason {
	NFLB_REASONS(NFLB_REASON_ENUM)
	NFLB_REASON_COUNT
};

/*
 * What else is counted. The names are what `lbadm stats show` and
 * /proc/net/nflb/stats show: stable.
 */
#define NFLB_COUNTERS(X)					\
	X(TOA_INSERTED,		"toa-inserted")			\
	X(TOA_NO_ROOM,		"toa-no-room")			\
	X(TOA_OVER_MTU,		"toa-over-mtu")			\
	X(TOA_REMOVED,		"toa-removed")			\
	X(PORT_REUSED,		"port-reused")			\
	X(PROXY_HEADER,		"proxy-header")			\
	X(ENCAP_FRAGMENTED,	"encap-fragmented")		\
	X(ENCAP_PMTU,		"encap-pmtu")			\
	X(NEIGHBOUR_PENDING,	"neighbour-pending")		\
	X(HALF_OPEN_EVICTED,	"half-open-evicted")		\
	X(FAST_PATH,		"fast-path")			\
	X(OVER_EVICTED,		"over-evicted")			\
	X(PERSIST_EVICTED,	"persist-evicted")		\
	X(ANSWER_LIMITED,	"answer-limited")		\
	X(TOA_PRUNED,		"toa-pruned")			\
	X(FAST_OPEN_REMOVED,	"fast-open-removed")		\
	X(IDLE_EVICTED,		"idle-evicted")			\
	X(XDP,			"xdp")				\
	X(DSR_REPLY_HERE,	"dsr-reply-here")

#define NFLB_COUNTER_ENUM(id, name) NFLB_COUNTER_##id,

/* Other counters; see NFLB_COUNTERS. */
enum nflb_counter {
	NFLB_COUNTERS(NFLB_COUNTER_ENUM)
	NFLB_COUNTER_COUNT
};

/* Direction of a packet within its connection. */
enum nflb_dir {
	NFLB_DIR_IN,		/* client to backend */
	NFLB_DIR_OUT,		/* backend to client */
	NFLB_DIR_COUNT
};

/* Symbols that only the KUnit module needs. */
#ifdef NFLB_KUNIT
#define NFLB_EXPORT_KUNIT(sym) EXPORT_SYMBOL_GPL(sym)
#else
#define NFLB_EXPORT_KUNIT(sym)
#endif

/* The clock of connections and of their parts: jiffies, 32 bits of them. */
static inline u32 nflb_now(void)
{
	return (u32)jiffies;
}

#endif /* NFLB_H */
