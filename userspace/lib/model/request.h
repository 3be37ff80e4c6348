/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The request of a command: plain structures, and the grammar that makes them
 * from words. The same grammar serves the command line and batches.
 */
#ifndef LBADM_REQUEST_H
#define LBADM_REQUEST_H

#include <linux/nflb.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/report.h"
#include "util/addr.h"

/* A number that may be absent. */
struct opt {
	bool set;
	uint32_t value;
};

/* Which service; port 0 is every port, port_last 0 is a single one. */
struct service_id {
	uint8_t protocol;
	struct addr address;
	uint16_t port;
	uint16_t port_last;
};

/* A name or a comment that may be absent; "" is none. */
struct label {
	bool set;
	char text[NFLB_COMMENT_SIZE];
};

/* An address and how much of it counts; address.len 0 is not named. */
struct prefix {
	struct addr address;
	struct opt length;
};

/* A service: identity, and the settings to change. */
struct service_request {
	struct service_id id;
	struct opt mode, encap, encap_port, toa, toa_kind6, proxy;
	struct opt one_packet;
	struct prefix encap_source4, encap_source6;
	struct opt persist, persist_prefix4, persist_prefix6, slow_start;
	struct opt timeout_syn, timeout_established, timeout_fin, timeout_udp;
	char scheduler[NFLB_SCHEDULER_NAMSIZ];	/* "" is not named */
	char *health_check;	/* JSON; NULL is not named */
	struct opt health_initial, on_unhealthy, when_none, panic;	/* of it */
	struct label name, comment;
};

/* A backend: identity, and the settings to change. */
struct backend_request {
	struct addr address;
	uint16_t port;		/* 0: the service's own */
	struct opt weight, state, mode, encap, encap_port, max_connections;
	struct opt deadline;
	struct opt by_hand;	/* state, as the kernel has it; in no request */
	struct opt hand_deadline;	/* of @by_hand, seconds */
	struct opt forced;	/* verdict on it by hand; in no request */
	struct label name, comment;
};

/* A verdict on a backend. */
struct health_request {
	struct backend_request backend;
	uint32_t id;
	uint8_t health;
	struct opt weight;	/* percent */
	const char *reason;
};

/* A connection from this host to a backend, for a health check. */
struct probe_request {
	const struct service_id *service;
	const struct backend_request *backend;
	uint32_t id;
	struct addr client;
	uint16_t client_port;
	uint16_t port;		/* of the VIP */
	uint32_t seconds;	/* until it is over */
};

/* Ports, first and last included. */
struct port_range {
	uint16_t first;
	uint16_t last;
};

/* Local addresses, from first to last. */
struct laddr_request {
	struct addr first, last;
	struct port_range ports;	/* 0: not named */
	struct port_range excluded[NFLB_LADDR_EXCLUDED_MAX];
	unsigned int excluded_count;
};

/* A network device. */
struct device_request {
	const char *name;
	bool xdp;		/* XDP is meant, too */
	bool wait;		/* for the device, if it is missing */
	bool absent;		/* it is missing; in no request */
	bool late;		/* XDP is wanted, but not attached; in no request */
};

/* A packet, and the device that it comes from; NULL is not named. */
struct packet_request {
	uint8_t protocol;
	struct addr source, destination;
	uint16_t source_port, destination_port;
	const char *device;
};

/* Which connections. */
struct conn_filter {
	bool has_service, has_backend;
	struct service_id service;
	struct backend_request backend;
	struct addr client;		/* len 0: any */
	struct opt client_prefix, state;
};

/* The next word without taking it, or NULL. */
const char *words_peek(const struct words *words);
/* Take the next word, or NULL. */
const char *words_next(struct words *words);
/* Take the next word if it is this one. */
bool words_accept(struct words *words, const char *word);
/* Keys that a command has had so far. */
#define WORDS_SEEN_MAX 32
struct words_seen {
	const char *keys[WORDS_SEEN_MAX];
	unsigned int count;
};

/* Note a key. Complains about one that is there twice. */
int words_once(struct words_seen *seen, const char *key);
/* Complain about words that are left. Returns LBADM_OK when there are none. */
int words_end(const struct words *words);

/* Each takes its words; returns LBADM_USAGE with a message on errors. */
int parse_protocol(struct words *words, uint8_t *protocol);
int parse_service_id(struct words *words, struct service_id *id);
int parse_service_settings(struct words *words, struct service_request *req);
int parse_backend_id(struct words *words, struct backend_request *req);
int parse_backend_settings(struct words *words, struct backend_request *req);
int parse_number(struct words *words, const char *key, uint32_t max,
		 struct opt *opt);
/* One of @names; @key is said in messages. */
struct names;
int parse_name(struct words *words, const char *key, const struct names *names,
	       uint32_t *number);
int parse_laddr(struct words *words, struct laddr_request *req);
/* Words that can follow the address */
int parse_laddr_settings(struct words *words, struct laddr_request *req);
/* The name of a network device, and nothing after it. */
int parse_device(struct words *words, const char **name);
/* The same, and whether "xdp" comes after it. */
int parse_device_request(struct words *words, struct device_request *req);
int parse_conn_filter(struct words *words, struct conn_filter *filter);

#endif /* LBADM_REQUEST_H */
