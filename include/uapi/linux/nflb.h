/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * nflb: generic netlink protocol between the kernel module and user space.
 *
 * The protocol is described in docs/netlink/specs/nflb.yaml; the test
 * tests/user/test_uapi_spec.py holds that file and this one against each other.
 *
 * Addresses are binary attributes of 4 (IPv4) or 16 (IPv6) bytes, the length
 * tells the family. Ports are in network byte order. Times are in seconds
 * unless the name says otherwise.
 */
#ifndef _UAPI_LINUX_NFLB_H
#define _UAPI_LINUX_NFLB_H

#include <linux/types.h>

#define NFLB_GENL_NAME			"nflb"
#define NFLB_GENL_VERSION		1

/* Multicast group: changes of the configuration */
#define NFLB_MCGRP_CONFIG		"config"

/* Longest description of a health check, terminating NUL included */
#define NFLB_HEALTH_CHECK_SIZE		4096

/* Longest reason of a verdict, terminating NUL included */
#define NFLB_HEALTH_REASON_SIZE		64

/* Longest name and comment of a service or a backend, terminating NUL included */
#define NFLB_NAME_SIZE			64
#define NFLB_COMMENT_SIZE		256

/* Longest scheduler name, terminating NUL included */
#define NFLB_SCHEDULER_NAMSIZ		16

/* Largest weight of a backend */
#define NFLB_WEIGHT_MAX			65535

/* Scheduler of a service that names none */
#define NFLB_SCHEDULER_DEFAULT		"wrr"

/* Timeouts of a service that names none, in seconds */
#define NFLB_TIMEOUT_SYN_DEFAULT	60
#define NFLB_TIMEOUT_ESTABLISHED_DEFAULT	900
#define NFLB_TIMEOUT_FIN_DEFAULT	120
#define NFLB_TIMEOUT_UDP_DEFAULT	300

/* Largest timeout of a service, in seconds (one week) */
#define NFLB_TIMEOUT_MAX		604800

/* Largest number of backends in one service */
#define NFLB_BACKENDS_MAX		4096

/* Addresses in one range of local addresses; ranges of ports left out of it */
#define NFLB_LADDR_RANGE_MAX		4096
#define NFLB_LADDR_EXCLUDED_MAX		8

/* Ranges of local addresses in a namespace, of either family */
#define NFLB_LADDRS_MAX			256

/* Devices that a namespace waits for whenever they are missing, at most */
#define NFLB_DEVICES_ABSENT_MAX		256

/* First and last local port, where none are named */
#define NFLB_LADDR_PORT_FIRST		1024
#define NFLB_LADDR_PORT_LAST		65535

/*
 * NFLB_A_CONN_FLAGS: a probe. It goes from an address of this host to a chosen backend,
 * whatever the backend's state, weight or health is, and is counted nowhere. When it is
 * over, packets of its tuple are dropped for some time.
 */
#define NFLB_CONN_FLAG_PROBE		1

/* Probes in a namespace, and for how many seconds one may be there */
#define NFLB_PROBES_MAX			32768
#define NFLB_PROBE_EXPIRES_DEFAULT	60
#define NFLB_PROBE_EXPIRES_MAX		7200

/* UDP port of gue where none is named */
#define NFLB_GUE_PORT			6080

/*
 * Commands. A request that changes something may have NFLB_A_EXPECT_GENERATION. If
 * that is not the generation of the configuration, it is refused with ESTALE; else
 * it is answered with the NFLB_A_GENERATION that holds then. HEALTH_SET, CONN_FLUSH
 * and STATS_ZERO leave the generation as it is; CONN_ADD and CONN_DEL refuse one, for
 * they depend on the backend's id. Requests that change something or
 * show connections need CAP_NET_ADMIN in the user namespace that owns the network
 * namespace. *_ADD, *_SET, *_DEL are also the types of the events on the "config"
 * group, which carry the answer of *_GET. CONN_NEW and CONN_END are events to sockets
 * that sent CONN_LISTEN, until they are closed; nlmsg_seq counts those of a socket,
 * those included that were lost.
 */
enum nflb_cmd {
	NFLB_CMD_UNSPEC,
	NFLB_CMD_SERVICE_GET,		/* do: one service; dump: all */
	NFLB_CMD_SERVICE_ADD,		/* refused with EEXIST when there */
	NFLB_CMD_SERVICE_SET,		/* changes only named settings */
	NFLB_CMD_SERVICE_REPLACE,	/* add or set; with BACKENDS: the whole list */
	NFLB_CMD_SERVICE_DEL,		/* ends its connections */
	NFLB_CMD_BACKEND_GET,		/* dump: of one service, or of all */
	NFLB_CMD_BACKEND_ADD,
	NFLB_CMD_BACKEND_SET,
	NFLB_CMD_BACKEND_DEL,		/* with NFLB_A_NOW: ends its connections */
	NFLB_CMD_CONN_GET,		/* dump, optionally filtered */
	NFLB_CMD_CONN_COUNT,		/* do: answers NFLB_A_COUNT */
	NFLB_CMD_CONN_FLUSH,		/* do: answers NFLB_A_COUNT */
	NFLB_CMD_CONN_NEW,		/* event */
	NFLB_CMD_CONN_END,		/* event */
	NFLB_CMD_STATS_GET,		/* do: totals and drops by reason */
	NFLB_CMD_STATS_ZERO,
	NFLB_CMD_BACKEND_DRAINED,	/* event: nothing is left of one that drains */
	NFLB_CMD_LADDR_GET,		/* dump */
	NFLB_CMD_LADDR_ADD,
	NFLB_CMD_LADDR_DEL,
	NFLB_CMD_DEVICE_GET,		/* dump */
	NFLB_CMD_DEVICE_ADD,
	NFLB_CMD_DEVICE_DEL,
	NFLB_CMD_EXPLAIN,		/* do: the fate of a packet */
	NFLB_CMD_CONN_LISTEN,		/* do: hear of connections from now on */
	NFLB_CMD_CONFIG_GET,		/* do: generation, and defaults of the namespace */
	NFLB_CMD_HEALTH_SET,		/* do: verdicts on backends; event, of one */
	NFLB_CMD_CONN_ADD,		/* do: a probe; EEXIST when the tuple is taken */
	NFLB_CMD_CONN_DEL,		/* do: of a probe; answers what it was */
	NFLB_CMD_BACKEND_TROUBLE,	/* event: clients' connections to it fail */
	NFLB_CMD_CONN_RECORDS,		/* dump: whole connections; do: put them back */

	__NFLB_CMD_MAX,
	NFLB_CMD_MAX = __NFLB_CMD_MAX - 1
};

/* How packets reach a backend */
enum nflb_mode {
	NFLB_MODE_DNAT,
	NFLB_MODE_FULLNAT,
	NFLB_MODE_DSR,

	__NFLB_MODE_MAX,
	NFLB_MODE_MAX = __NFLB_MODE_MAX - 1
};

/* How a packet of mode dsr travels */
enum nflb_encap {
	NFLB_ENCAP_NONE,
	NFLB_ENCAP_IPIP,
	NFLB_ENCAP_GRE,
	NFLB_ENCAP_GUE,

	__NFLB_ENCAP_MAX,
	NFLB_ENCAP_MAX = __NFLB_ENCAP_MAX - 1
};

/*
 * The administrator's intent for a backend. BACKEND_ADD and BACKEND_SET set the
 * state by hand, and UP takes that back. A list of backends (SERVICE_REPLACE) sets
 * the configured state and leaves what was set by hand, except with NFLB_A_FORCE.
 * The stricter one of the two holds.
 */
enum nflb_backend_state {
	NFLB_BACKEND_UP,
	NFLB_BACKEND_DRAIN,		/* keeps its connections, gets no new ones */
	NFLB_BACKEND_DOWN,		/* its connections are ended */

	__NFLB_BACKEND_STATE_MAX,
	NFLB_BACKEND_STATE_MAX = __NFLB_BACKEND_STATE_MAX - 1
};

/* The verdict of a health checker on a backend; beside its state and weight */
enum nflb_health {
	NFLB_HEALTH_UNKNOWN,		/* nobody checks: gets connections */
	NFLB_HEALTH_CHECKING,		/* no result yet: gets none */
	NFLB_HEALTH_HEALTHY,
	NFLB_HEALTH_UNHEALTHY,		/* gets none */
	NFLB_HEALTH_EJECTED,		/* gets none, for some time */

	__NFLB_HEALTH_MAX,
	NFLB_HEALTH_MAX = __NFLB_HEALTH_MAX - 1
};

/* The verdict on a new backend */
enum nflb_health_initial {
	NFLB_HEALTH_INITIAL_UP,		/* NFLB_HEALTH_UNKNOWN */
	NFLB_HEALTH_INITIAL_DOWN,	/* NFLB_HEALTH_CHECKING */

	__NFLB_HEALTH_INITIAL_MAX,
	NFLB_HEALTH_INITIAL_MAX = __NFLB_HEALTH_INITIAL_MAX - 1
};

/* The TCP connections of a backend that is unhealthy or ejected */
enum nflb_on_unhealthy {
	NFLB_ON_UNHEALTHY_KEEP,		/* run on; UDP flows move */
	NFLB_ON_UNHEALTHY_RESET,	/* are ended */

	__NFLB_ON_UNHEALTHY_MAX,
	NFLB_ON_UNHEALTHY_MAX = __NFLB_ON_UNHEALTHY_MAX - 1
};

/* New connections while every backend is unhealthy or ejected */
enum nflb_when_none {
	NFLB_WHEN_NONE_ALL,		/* as if all were healthy */
	NFLB_WHEN_NONE_REFUSE,

	__NFLB_WHEN_NONE_MAX,
	NFLB_WHEN_NONE_MAX = __NFLB_WHEN_NONE_MAX - 1
};

/* State of a connection, as seen from both directions */
enum nflb_conn_state {
	NFLB_CONN_NONE,
	NFLB_CONN_SYN_SENT,		/* client's SYN seen */
	NFLB_CONN_SYN_RECV,		/* backend's SYN-ACK seen */
	NFLB_CONN_ESTABLISHED,
	NFLB_CONN_FIN_WAIT,		/* client's FIN seen */
	NFLB_CONN_CLOSE_WAIT,		/* backend's FIN seen */
	NFLB_CONN_LAST_ACK,		/* both FINs seen */
	NFLB_CONN_TIME_WAIT,		/* both FINs seen, then an ACK */
	NFLB_CONN_CLOSE,		/* RST seen */
	NFLB_CONN_UDP,
	NFLB_CONN_ENDED,		/* its backend went away; in events only */

	__NFLB_CONN_STATE_MAX,
	NFLB_CONN_STATE_MAX = __NFLB_CONN_STATE_MAX - 1
};

/* Attributes of a message */
enum nflb_attr {
	NFLB_A_UNSPEC,
	NFLB_A_SERVICE,			/* nest: enum nflb_service_attr */
	NFLB_A_BACKEND,			/* nest: enum nflb_backend_attr */
	NFLB_A_CONN,			/* nest: enum nflb_conn_attr */
	NFLB_A_FILTER,			/* nest: enum nflb_filter_attr */
	NFLB_A_STATS,			/* nest: enum nflb_stats_attr: totals */
	NFLB_A_DROPS,			/* nest of NFLB_A_DROP */
	NFLB_A_DROP,			/* nest: enum nflb_drop_attr */
	NFLB_A_COUNT,			/* u64 */
	NFLB_A_CONNECTIONS,		/* u32: entries in the connection table */
	NFLB_A_MAX_CONNECTIONS,		/* u32: ceiling of the connection table */
	NFLB_A_NOW,			/* flag: end connections at once */
	NFLB_A_PAD,
	NFLB_A_LADDR,			/* nest: enum nflb_laddr_attr */
	NFLB_A_COUNTERS,		/* nest of NFLB_A_COUNTER */
	NFLB_A_COUNTER,			/* nest: enum nflb_counter_attr */
	NFLB_A_DEVICE,			/* string: name of a network device */
	NFLB_A_BACKENDS,		/* nest of NFLB_A_BACKEND: continues a list; repeatable */
	NFLB_A_EXACT,			/* flag: settings not named get defaults */
	NFLB_A_EXPLAIN,			/* nest: enum nflb_explain_attr */
	NFLB_A_DEVICE_ABSENT,		/* flag: wait for the device; in answers: it is missing */
	NFLB_A_GENERATION,		/* u64: counts changes of the configuration */
	NFLB_A_EXPECT_GENERATION,	/* u64: in requests, refused with ESTALE if it is another */
	NFLB_A_BOOT,			/* u32: random, of this load of the module and namespace */
	NFLB_A_MAX_CONNECTIONS_DEFAULT,	/* u32: of CONFIG_GET */
	NFLB_A_FORCE,			/* flag: with EXACT, takes back states set by hand */
	NFLB_A_MODULE_VERSION,		/* string: of CONFIG_GET */
	NFLB_A_UAPI_VERSION,		/* u32: NFLB_UAPI_VERSION of the module; of CONFIG_GET */
	NFLB_A_DEVICE_XDP,		/* u8: XDP is wanted on an awaited device, 0 no, 1 yes */
	NFLB_A_RECORDS,			/* binary: struct nflb_conn_record, one after the other */
	NFLB_A_RECORD_RESULTS,		/* binary: u8 enum nflb_record_result, one a record */

	__NFLB_A_MAX,
	NFLB_A_MAX = __NFLB_A_MAX - 1
};

/*
 * A service. PROTOCOL, ADDRESS, PORT and PORT_LAST are its identity. PORT 0
 * (with no PORT_LAST) is every port. The most specific service takes a
 * packet: a single port before a range before every port.
 */
enum nflb_service_attr {
	NFLB_A_SERVICE_UNSPEC,
	NFLB_A_SERVICE_PROTOCOL,	/* u8: IPPROTO_TCP, IPPROTO_UDP */
	NFLB_A_SERVICE_ADDRESS,		/* binary, 4 or 16 */
	NFLB_A_SERVICE_PORT,		/* be16 */
	NFLB_A_SERVICE_PORT_LAST,	/* be16: end of a range, PORT included */
	NFLB_A_SERVICE_MODE,		/* u8: enum nflb_mode */
	NFLB_A_SERVICE_ENCAP,		/* u8: enum nflb_encap */
	NFLB_A_SERVICE_ENCAP_PORT,	/* be16: UDP port of gue */
	NFLB_A_SERVICE_SCHEDULER,	/* string */
	NFLB_A_SERVICE_PERSIST,		/* u32: seconds, 0 is off */
	NFLB_A_SERVICE_PERSIST_PREFIX4,	/* u8: length of the client's prefix */
	NFLB_A_SERVICE_PERSIST_PREFIX6,	/* u8 */
	NFLB_A_SERVICE_TOA,		/* u8: 0 off, 1 on */
	NFLB_A_SERVICE_TIMEOUT_SYN,	/* u32: seconds; 0 in a request is the default */
	NFLB_A_SERVICE_TIMEOUT_ESTABLISHED,	/* u32 */
	NFLB_A_SERVICE_TIMEOUT_FIN,	/* u32 */
	NFLB_A_SERVICE_TIMEOUT_UDP,	/* u32 */
	NFLB_A_SERVICE_BACKENDS,	/* nest of NFLB_A_BACKEND; in requests only */
	NFLB_A_SERVICE_BACKEND_COUNT,	/* u32; in answers only */
	NFLB_A_SERVICE_STATS,		/* nest: enum nflb_stats_attr; in answers only */
	NFLB_A_SERVICE_SLOW_START,	/* u32: seconds, 0 is off */
	NFLB_A_SERVICE_PERSIST_COUNT,	/* u32: clients remembered; in answers only */
	NFLB_A_SERVICE_TOA_KIND6,	/* u8: TCP option kind for IPv6 clients, 253 or 254 */
	NFLB_A_SERVICE_PROXY,		/* u8: PROXY protocol v2, 0 off, 1 on */
	NFLB_A_SERVICE_ENCAP_SOURCE4,	/* binary: of outer headers; 0.0.0.0 for the route's */
	NFLB_A_SERVICE_ENCAP_SOURCE4_PREFIX,	/* u8: its length; flows differ in the rest */
	NFLB_A_SERVICE_ENCAP_SOURCE6,	/* binary */
	NFLB_A_SERVICE_ENCAP_SOURCE6_PREFIX,	/* u8 */
	NFLB_A_SERVICE_HEALTH_CHECK,	/* string: kept for who checks backends, "" is none */
	NFLB_A_SERVICE_HEALTH_INITIAL,	/* u8: enum nflb_health_initial */
	NFLB_A_SERVICE_HEALTH_ON_UNHEALTHY,	/* u8: enum nflb_on_unhealthy */
	NFLB_A_SERVICE_HEALTH_WHEN_NONE,	/* u8: enum nflb_when_none */
	NFLB_A_SERVICE_HEALTH_PANIC,	/* u8: percent; with fewer healthy, ignore health */
	NFLB_A_SERVICE_ONE_PACKET,	/* u8: each datagram is scheduled by itself, 0 off, 1 on */
	NFLB_A_SERVICE_NAME,		/* string: UTF-8 without control characters, "" is none */
	NFLB_A_SERVICE_COMMENT,		/* string: the same */

	__NFLB_A_SERVICE_MAX,
	NFLB_A_SERVICE_MAX = __NFLB_A_SERVICE_MAX - 1
};

/*
 * A backend. ADDRESS and PORT are its identity. Without PORT (or with 0) a
 * connection keeps the port that its client asked for.
 */
enum nflb_backend_attr {
	NFLB_A_BACKEND_UNSPEC,
	NFLB_A_BACKEND_ADDRESS,		/* binary, 4 or 16 */
	NFLB_A_BACKEND_PORT,		/* be16 */
	NFLB_A_BACKEND_WEIGHT,		/* u32: 0 to NFLB_WEIGHT_MAX */
	NFLB_A_BACKEND_STATE,		/* u8: enum nflb_backend_state; effective in answers */
	NFLB_A_BACKEND_MODE,		/* u8: enum nflb_mode; the service's when absent */
	NFLB_A_BACKEND_ENCAP,		/* u8: enum nflb_encap */
	NFLB_A_BACKEND_ENCAP_PORT,	/* be16 */
	NFLB_A_BACKEND_MAX_CONNECTIONS,	/* u32: 0 is no limit */
	NFLB_A_BACKEND_STATS,		/* nest: enum nflb_stats_attr; in answers only */
	NFLB_A_BACKEND_DEADLINE,	/* u32: seconds that are left to drain */
	NFLB_A_BACKEND_CONDITION,	/* string: is it picked, or why not; in answers only */
	NFLB_A_BACKEND_BY_HAND,		/* u8: state set by hand; in answers only */
	NFLB_A_BACKEND_CONFIGURED,	/* u8: state of the list, with BY_HAND; in answers only */
	NFLB_A_BACKEND_ID,		/* u32: of this backend and no later one; see HEALTH_SET */
	NFLB_A_BACKEND_HEALTH,		/* u8: enum nflb_health */
	NFLB_A_BACKEND_HEALTH_WEIGHT,	/* u8: percent of WEIGHT, 100 when absent */
	NFLB_A_BACKEND_HEALTH_REASON,	/* string: printable ASCII */
	NFLB_A_BACKEND_HEALTH_AGE,	/* u32: seconds since HEALTH changed; in answers only */
	NFLB_A_BACKEND_NAME,		/* string: UTF-8 without control characters, "" is none */
	NFLB_A_BACKEND_COMMENT,		/* string: the same */
	NFLB_A_BACKEND_LOCAL_PORTS,	/* u32: local ports of its connections; in answers only */
	NFLB_A_BACKEND_TROUBLE,		/* string: a counter; BACKEND_TROUBLE only */

	__NFLB_A_BACKEND_MAX,
	NFLB_A_BACKEND_MAX = __NFLB_A_BACKEND_MAX - 1
};

/* Counters. "in" is from clients to backends, "out" from backends to clients */
enum nflb_stats_attr {
	NFLB_A_STATS_UNSPEC,
	NFLB_A_STATS_CONNECTIONS,	/* u64: ever made */
	NFLB_A_STATS_ACTIVE,		/* u32: in the table now, and not ending */
	NFLB_A_STATS_PACKETS_IN,	/* u64: a merged one counts as its segments */
	NFLB_A_STATS_PACKETS_OUT,	/* u64 */
	NFLB_A_STATS_BYTES_IN,		/* u64: network-layer bytes of these, headers included */
	NFLB_A_STATS_BYTES_OUT,		/* u64 */
	NFLB_A_STATS_PAD,
	NFLB_A_STATS_INACTIVE,		/* u32: in the table now, and ending */
	NFLB_A_STATS_DROPS,		/* u64: packets; of a service or backend only */
	NFLB_A_STATS_ESTABLISHED,	/* u64: the backend took them; these six likewise */
	NFLB_A_STATS_SYN_REPEATED,	/* u64: the backend left a SYN unanswered; not in dsr */
	NFLB_A_STATS_REFUSED,		/* u64: the backend reset what it was to take */
	NFLB_A_STATS_RESET,		/* u64: the backend reset what it had taken */
	NFLB_A_STATS_UNREACHABLE,	/* u64: an ICMP error said so of the backend */
	NFLB_A_STATS_NO_NEIGHBOUR,	/* u64: the next hop does not answer */

	__NFLB_A_STATS_MAX,
	NFLB_A_STATS_MAX = __NFLB_A_STATS_MAX - 1
};

/*
 * A connection. A request to add or delete one has CLIENT_ADDRESS, CLIENT_PORT, and
 * PORT if the service has several; and FLAGS and EXPIRES to add it.
 */
enum nflb_conn_attr {
	NFLB_A_CONN_UNSPEC,
	NFLB_A_CONN_PROTOCOL,		/* u8 */
	NFLB_A_CONN_CLIENT_ADDRESS,	/* binary */
	NFLB_A_CONN_CLIENT_PORT,	/* be16 */
	NFLB_A_CONN_ADDRESS,		/* binary: the VIP */
	NFLB_A_CONN_PORT,		/* be16 */
	NFLB_A_CONN_BACKEND_ADDRESS,	/* binary */
	NFLB_A_CONN_BACKEND_PORT,	/* be16 */
	NFLB_A_CONN_MODE,		/* u8: enum nflb_mode */
	NFLB_A_CONN_STATE,		/* u8: enum nflb_conn_state */
	NFLB_A_CONN_EXPIRES,		/* u32: seconds from now */
	NFLB_A_CONN_AGE,		/* u32: seconds since it was made */
	NFLB_A_CONN_LOCAL_ADDRESS,	/* binary: source towards the backend, of fullnat */
	NFLB_A_CONN_LOCAL_PORT,		/* be16 */
	NFLB_A_CONN_ENCAP,		/* u8: enum nflb_encap */
	NFLB_A_CONN_FLAGS,		/* u32: NFLB_CONN_FLAG_*; absent for none */

	__NFLB_A_CONN_MAX,
	NFLB_A_CONN_MAX = __NFLB_A_CONN_MAX - 1
};

/* Which connections are meant; NFLB_A_SERVICE and NFLB_A_BACKEND narrow too */
enum nflb_filter_attr {
	NFLB_A_FILTER_UNSPEC,
	NFLB_A_FILTER_CLIENT_ADDRESS,	/* binary */
	NFLB_A_FILTER_CLIENT_PREFIX,	/* u8: length; the whole address when absent */
	NFLB_A_FILTER_STATE,		/* u8: enum nflb_conn_state */
	NFLB_A_FILTER_FLAGS,		/* u32: NFLB_CONN_FLAG_*; absent: no probes */

	__NFLB_A_FILTER_MAX,
	NFLB_A_FILTER_MAX = __NFLB_A_FILTER_MAX - 1
};

/* One reason why packets were not forwarded */
enum nflb_drop_attr {
	NFLB_A_DROP_UNSPEC,
	NFLB_A_DROP_REASON,		/* string */
	NFLB_A_DROP_PACKETS,		/* u64 */
	NFLB_A_DROP_PAD,

	__NFLB_A_DROP_MAX,
	NFLB_A_DROP_MAX = __NFLB_A_DROP_MAX - 1
};

/* Other counters */
enum nflb_counter_attr {
	NFLB_A_COUNTER_UNSPEC,
	NFLB_A_COUNTER_NAME,		/* string */
	NFLB_A_COUNTER_VALUE,		/* u64 */
	NFLB_A_COUNTER_PAD,

	__NFLB_A_COUNTER_MAX,
	NFLB_A_COUNTER_MAX = __NFLB_A_COUNTER_MAX - 1
};

/* The fate of a packet */
enum nflb_explain_verdict {
	NFLB_EXPLAIN_PASS,		/* not balanced: the host has it */
	NFLB_EXPLAIN_FORWARD,		/* sent to another host */
	NFLB_EXPLAIN_LOCAL,		/* rewritten, for a socket of this host */
	NFLB_EXPLAIN_DROP,

	__NFLB_EXPLAIN_VERDICT_MAX,
	NFLB_EXPLAIN_VERDICT_MAX = __NFLB_EXPLAIN_VERDICT_MAX - 1
};

/*
 * A packet, and its fate. A request has ARRIVES and, in
 * NFLB_A_DEVICE of the message, perhaps where from. In the answer, NFLB_A_DEVICE
 * is where from, NFLB_A_SERVICE the service, NFLB_A_CONN the connection that the
 * packet belongs to.
 */
enum nflb_explain_attr {
	NFLB_A_EXPLAIN_UNSPEC,
	NFLB_A_EXPLAIN_ARRIVES,		/* nest: enum nflb_packet_attr */
	NFLB_A_EXPLAIN_LEAVES,		/* nest: enum nflb_packet_attr; of the outer packet */
	NFLB_A_EXPLAIN_VERDICT,		/* u8: enum nflb_explain_verdict */
	NFLB_A_EXPLAIN_REASON,		/* string: why it would be dropped */
	NFLB_A_EXPLAIN_TOLD,		/* flag: its sender would be told */
	NFLB_A_EXPLAIN_REPLY,		/* flag: it goes from a backend to a client */
	NFLB_A_EXPLAIN_LOCAL_OUT,	/* flag: it comes from a socket of this host */
	NFLB_A_EXPLAIN_BY_LOT,		/* flag: the scheduler draws lots */
	NFLB_A_EXPLAIN_PICK,		/* nest: enum nflb_pick_attr; a backend that was tried */
	NFLB_A_EXPLAIN_MODE,		/* u8: enum nflb_mode */
	NFLB_A_EXPLAIN_ENCAP,		/* u8: enum nflb_encap */
	NFLB_A_EXPLAIN_TOA,		/* flag: a TCP option tells the client */
	NFLB_A_EXPLAIN_PROXY,		/* flag: a PROXY header tells the client */
	NFLB_A_EXPLAIN_DEVICE,		/* string: where it leaves */
	NFLB_A_EXPLAIN_NEXT_HOP,	/* binary: address of the neighbour */
	NFLB_A_EXPLAIN_BY_INGRESS,	/* flag: the device's ingress hook takes it */
	NFLB_A_EXPLAIN_BY_XDP,		/* flag: nflb_xdp() takes it, if it is called */
	NFLB_A_EXPLAIN_DSR_REPLY_HERE,	/* flag: of a backend of mode dsr, by the wrong route */

	__NFLB_A_EXPLAIN_MAX,
	NFLB_A_EXPLAIN_MAX = __NFLB_A_EXPLAIN_MAX - 1
};

/* Addresses and ports of a packet */
enum nflb_packet_attr {
	NFLB_A_PACKET_UNSPEC,
	NFLB_A_PACKET_PROTOCOL,		/* u8: of IP; in requests IPPROTO_TCP, IPPROTO_UDP */
	NFLB_A_PACKET_SOURCE,		/* binary, 4 or 16 */
	NFLB_A_PACKET_SOURCE_PORT,	/* be16 */
	NFLB_A_PACKET_DESTINATION,	/* binary, 4 or 16 */
	NFLB_A_PACKET_DESTINATION_PORT,	/* be16 */

	__NFLB_A_PACKET_MAX,
	NFLB_A_PACKET_MAX = __NFLB_A_PACKET_MAX - 1
};

/* A backend that was tried for a packet, in order */
enum nflb_pick_attr {
	NFLB_A_PICK_UNSPEC,
	NFLB_A_PICK_ADDRESS,		/* binary, 4 or 16 */
	NFLB_A_PICK_PORT,		/* be16 */
	NFLB_A_PICK_REMEMBERED,		/* flag: the client went there before */
	NFLB_A_PICK_REASON,		/* string: why it cannot have it; absent if it can */

	__NFLB_A_PICK_MAX,
	NFLB_A_PICK_MAX = __NFLB_A_PICK_MAX - 1
};

/*
 * Local addresses: one, or a range of successive ones. The addresses and the
 * first and last port are the identity; no port belongs to two.
 */
enum nflb_laddr_attr {
	NFLB_A_LADDR_UNSPEC,
	NFLB_A_LADDR_ADDRESS,		/* binary: the first */
	NFLB_A_LADDR_ADDRESS_LAST,	/* binary: the last, ADDRESS when absent */
	NFLB_A_LADDR_PORT,		/* be16: first port */
	NFLB_A_LADDR_PORT_LAST,		/* be16: last port */
	NFLB_A_LADDR_EXCLUDED,		/* binary: pairs of be16, ports left out */
	NFLB_A_LADDR_PORT_COUNT,	/* u32: of each address; in answers only */
	NFLB_A_LADDR_FOREIGN,		/* u32: not the host's; in answers only */

	__NFLB_A_LADDR_MAX,
	NFLB_A_LADDR_MAX = __NFLB_A_LADDR_MAX - 1
};

/* nflb_conn_record.flags */
#define NFLB_RECORD_SEQ			1	/* delta counts */
#define NFLB_RECORD_TOA			2	/* a TCP option still tells the client */
#define NFLB_RECORD_SYN_AGAIN		4	/* end is that of a late SYN */
#define NFLB_RECORD_ASSURED		8
#define NFLB_RECORD_ASKED		16	/* a late SYN made us ask the client */
#define NFLB_RECORD_PROXY_ACKED		32	/* the backend has the PROXY header */
#define NFLB_RECORD_HEARD_IN		64	/* the client went on */
#define NFLB_RECORD_HEARD_OUT		128	/* the backend did; dsr: numbers of a late SYN */
#define NFLB_RECORD_PROXY		256	/* a PROXY header tells the client */
#define NFLB_RECORD_REUSED		512	/* TCP: end is that of the connection before */
#define NFLB_RECORD_ACCEPTED		1024	/* the backend has the connection */
#define NFLB_RECORD_FLAGS		2047	/* all of these */

/*
 * A whole connection, to leave one module and enter another. Native byte order, except
 * for addresses and ports. It grows at its end only, and size tells how far. A module
 * takes shorter ones, and longer ones whose tail is 0. What a connection does not have
 * is 0: the local end and the sequence numbers are those of mode fullnat. Bytes of an
 * address beyond its family's length are 0.
 */
struct nflb_conn_record {
	__u16	size;
	__u8	protocol;
	__u8	state;			/* enum nflb_conn_state */
	__u8	family;			/* AF_INET, AF_INET6; of client and VIP */
	__u8	backend_family;		/* and of the local address */
	__u8	mode;			/* enum nflb_mode */
	__u8	encap;			/* enum nflb_encap */
	__be16	client_port;
	__be16	port;
	__be16	backend_port;		/* as configured; 0: the client's choice */
	__be16	local_port;
	__u8	client[16];
	__u8	address[16];
	__u8	backend[16];
	__u8	local[16];
	__u32	flags;			/* NFLB_RECORD_* */
	__u32	device;			/* index of a link-local client's, else 0 */
	__u32	left;			/* milliseconds until it expires */
	__u32	age;			/* milliseconds since it began */
	__u32	delta;			/* added to the client's sequence numbers */
	__u32	isn;			/* the client's first sequence number */
	__u32	first_ack;		/* acknowledges the backend's SYN */
	__u32	end;
	__u32	at_in;			/* the sequence number the client has reached */
	__u32	at_out;			/* the same of the backend */
};

/* Its first size; and how many one request can have at most */
#define NFLB_CONN_RECORD_SIZE_MIN	120
#define NFLB_CONN_RECORDS_MAX		500

/* The fate of a record that is put back */
enum nflb_record_result {
	NFLB_RECORD_RESTORED,
	NFLB_RECORD_INVALID,		/* no connection can be like that */
	NFLB_RECORD_TOO_NEW,		/* its tail tells what this module does not know */
	NFLB_RECORD_EXPIRED,
	NFLB_RECORD_EXISTS,		/* a connection has one of its tuples */
	NFLB_RECORD_NO_SERVICE,
	NFLB_RECORD_NO_BACKEND,		/* or it takes no packets */
	NFLB_RECORD_OTHER_MODE,		/* its backend's mode is another now; or one-packet */
	NFLB_RECORD_NO_LOCAL_ADDRESS,	/* its local address or port is none now */
	NFLB_RECORD_TABLE_FULL,
	NFLB_RECORD_BACKEND_FULL,	/* max-connections */
	NFLB_RECORD_NO_ROUTE,
	NFLB_RECORD_NO_MEMORY,

	__NFLB_RECORD_RESULT_MAX,
	NFLB_RECORD_RESULT_MAX = __NFLB_RECORD_RESULT_MAX - 1
};

/*
 * How far this protocol has grown. Enums only grow, at their ends, so the one that
 * has more has the greater sum, and two that are equal know the same.
 */
#define NFLB_UAPI_VERSION (NFLB_CMD_MAX + NFLB_MODE_MAX + NFLB_ENCAP_MAX + \
			   NFLB_BACKEND_STATE_MAX + NFLB_HEALTH_MAX + \
			   NFLB_HEALTH_INITIAL_MAX + NFLB_ON_UNHEALTHY_MAX + \
			   NFLB_WHEN_NONE_MAX + NFLB_CONN_STATE_MAX + \
			   NFLB_A_MAX + NFLB_A_SERVICE_MAX + \
			   NFLB_A_BACKEND_MAX + NFLB_A_STATS_MAX + \
			   NFLB_A_CONN_MAX + NFLB_A_FILTER_MAX + \
			   NFLB_A_DROP_MAX + NFLB_A_COUNTER_MAX + \
			   NFLB_EXPLAIN_VERDICT_MAX + NFLB_A_EXPLAIN_MAX + \
			   NFLB_A_PACKET_MAX + NFLB_A_PICK_MAX + \
			   NFLB_A_LADDR_MAX + NFLB_RECORD_RESULT_MAX)

#endif /* _UAPI_LINUX_NFLB_H */
