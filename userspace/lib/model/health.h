/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The "health-check" object of a service, and the one of a backend that overrides it
 * key by key.
 */
#ifndef LBADM_HEALTH_H
#define LBADM_HEALTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/names.h"
#include "util/addr.h"

enum health_protocol {
	HEALTH_TCP,
	HEALTH_HTTP,
	HEALTH_HTTPS,
	HEALTH_TLS,
	HEALTH_DNS,
	HEALTH_UDP,
	HEALTH_PING,
	HEALTH_GRPC,
	HEALTH_GRPCS,
	HEALTH_EXEC,
	HEALTH_NONE,		/* passive and agent only */
};

enum health_via {
	HEALTH_AUTO,		/* HEALTH_PATH for mode dsr without a port */
	HEALTH_DIRECT,		/* to the backend's address */
	HEALTH_PATH,		/* to the VIP, by the module */
};

enum health_close {
	HEALTH_CLOSE_RESET,
	HEALTH_CLOSE_FIN,
};

/* Most bytes of "send" and "expect" */
#define HEALTH_BYTES_MAX 512
/* Most ranges of a list of HTTP status codes */
#define HEALTH_RANGES_MAX 16
/* Most words of "command", most headers */
#define HEALTH_COMMAND_MAX 32
#define HEALTH_HEADERS_MAX 32

/* HTTP status codes, first and last included */
struct health_ranges {
	uint16_t first[HEALTH_RANGES_MAX], last[HEALTH_RANGES_MAX];
	unsigned int count;
};

/* Bytes to send or to expect */
struct health_bytes {
	uint8_t bytes[HEALTH_BYTES_MAX];
	size_t len;
};

/**
 * struct health_check - how to check a backend; defaults are filled in
 *
 * Durations are in milliseconds, and those of @passive and @damping in seconds. Strings
 * and JSON point into @json; those without a default are NULL.
 */
struct health_check {
	uint32_t protocol;	/* enum health_protocol */
	uint32_t via;		/* enum health_via */
	uint32_t port;		/* 0: the backend's */
	const char *source, *device;
	uint32_t mark;
	uint32_t interval, timeout, fast_interval, down_interval;
	uint32_t health_threshold, unhealth_threshold;
	uint32_t jitter;	/* percent */
	uint32_t initial, on_unhealthy, when_none, panic;
	const char *request_path, *method, *host;
	const json_t *headers;
	const json_t *expect_status, *drain_status;
	const char *expect_body, *expect_body_regex;
	uint32_t body_limit;
	const char *sni, *alpn, *client_cert, *client_key;
	const json_t *verify;
	uint32_t expiry_warn_days, expiry_fail_days;
	const char *query_name, *expect_answer;
	uint32_t query_type;	/* of dns_type_names */
	uint32_t expect_rcode;
	const char *send, *expect;
	uint32_t close;		/* enum health_close */
	const char *grpc_service;
	const json_t *command;
	const char *weight_header;
	bool dry_run;
	struct {
		uint32_t port, interval;
		const char *send;
	} agent;		/* port 0: there is none */
	struct {
		bool trigger, eject;
		uint32_t window, min_connections, ratio, relative, failures;
		uint32_t base_time, max_time, max_percent;
	} passive;
	struct {
		uint32_t half_life, suppress, max;
	} damping;
	struct {
		uint32_t table, min_usable, hold_down, grace, metric;
		uint32_t require, on_stop;
	} announce;
	bool has_announce, has_passive;
	/* Derived from the keys above */
	struct addr source_addr;
	struct health_ranges status, drain;
	struct health_bytes send_bytes, expect_bytes;
	bool via_auto;		/* @via was chosen by the rules */
	const char *verify_file;	/* NULL: the system's certificates */
	bool verify_on;
	json_t *json;		/* an array of the objects it was read from */
};

/**
 * struct health_place - the service and the backend that a check belongs to
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @port: of the service; 0 is every port
 * @port_last: of a range, else 0
 * @mode: of the backend, enum nflb_mode
 */
struct health_place {
	uint8_t protocol;
	uint16_t port, port_last;
	uint32_t mode;
};

extern const struct names health_protocol_names, health_via_names,
	health_close_names,
	dns_type_names, dns_rcode_names;

/**
 * health_read() - read the object of a service, and that of a backend over it
 * @service: the service's "health-check", or NULL
 * @backend: the backend's, or NULL
 * @place: where they are
 * @check: set on success; for health_free()
 *
 * Errors have the place in the file if the reader of the file is at @backend's object,
 * or at @service's if that is NULL.
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int health_read(const json_t *service, const json_t *backend,
		const struct health_place *place, struct health_check *check);

/* The same, of the texts that the kernel has; NULL or "" is none. */
int health_read_text(const char *service, const char *backend,
		     const struct health_place *place, struct health_check *check);

/* Text that is the same for checks whose results are. To be freed; NULL without memory. */
char *health_key(const struct health_check *check);

void health_free(struct health_check *check);

/* Warn of a check that proves little. NULL, or a sentence without a full stop. */
const char *health_warning(const struct health_check *check,
			   const struct health_place *place);

/* Is it a check by HTTP; by TLS? */
bool health_is_http(const struct health_check *check);
bool health_is_tls(const struct health_check *check);

/* Is @code one of @ranges? */
bool health_in_ranges(const struct health_ranges *ranges, unsigned int code);

#endif /* LBADM_HEALTH_H */
