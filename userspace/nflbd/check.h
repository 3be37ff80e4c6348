/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One check of one backend, from start to result. check.c has the parts that all kinds
 * share: the socket, the timeout, the end; check_*.c has one kind each.
 */
#ifndef NFLBD_CHECK_H
#define NFLBD_CHECK_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/health.h"
#include "model/request.h"
#include "result.h"
#include "util/addr.h"

struct check;

/**
 * struct check_ops - a kind of check
 * @start: begin; check_end() may be called from here already
 * @expire: the time is up; sets the result. NULL: timeout or connect-timeout
 * @stop: free what @start made; called once, whatever happened
 */
struct check_ops {
	void (*start)(struct check *check);
	void (*expire)(struct check *check);
	void (*stop)(struct check *check);
};

extern const struct check_ops check_tcp, check_http, check_tls, check_dns, check_udp,
	check_ping, check_grpc, check_exec;

union check_sockaddr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/**
 * struct check_pin - the backend of a check through the module
 * @service: its service; NULL: the check goes to the backend directly
 * @backend: the backend
 * @id: the kernel's number of it
 * @client: own address of the connection
 * @client_port: and its port
 * @added: the kernel has the connection
 *
 * @service and @backend outlive the check.
 */
struct check_pin {
	const struct service_id *service;
	const struct backend_request *backend;
	uint32_t id;
	struct addr client;
	uint16_t client_port;
	bool added;
};

/**
 * struct check - a check that runs
 * @base: the loop
 * @keys: how to check; outlives the check
 * @ops: its kind
 * @to: the address and port
 * @to_len: of @to
 * @stream: of a service of TCP
 * @pin: of a check through the module
 * @done: called once, from the loop, with the result; the check is freed afterwards
 * @owner: for @done
 * @result: so far
 * @ended: it is final
 * @connected: the backend has answered
 * @last_look: the time was up one turn of the loop ago
 * @started: microseconds
 * @deadline: the same
 * @timer: of the deadline, and of the end
 * @fd: the socket of a kind that has one, or -1
 * @io: waits for @fd
 * @waiting: @io is in use
 * @next: the step after the connection
 * @step: gets the steps of a check that somebody watches, or NULL
 * @state: of the kind
 */
struct check {
	struct event_base *base;
	const struct health_check *keys;
	const struct check_ops *ops;
	union check_sockaddr to;
	socklen_t to_len;
	bool stream;
	struct check_pin pin;
	void (*done)(struct check *check, void *owner);
	void *owner;
	struct result result;
	bool ended, connected, last_look, waiting;
	uint64_t started, deadline;
	struct event timer;
	int fd;
	struct event io;
	void (*next)(struct check *check);
	void (*step)(struct check *check, uint64_t us, const char *text);
	void *state;
};

/* Where a check goes to: with a pin, to the VIP */
struct check_place {
	struct addr address;
	uint16_t port;
	bool stream;
	struct check_pin pin;
};

/* Microseconds of a clock that never jumps */
uint64_t check_clock(void);

/* The address and the port of a place. Returns the length of @to. */
socklen_t check_sockaddr(union check_sockaddr *to, const struct check_place *place);

/* The addresses and the port of a check as text, "[2001:db8::1]:80". Returns @buf. */
const char *check_address(const struct check *check, char buf[ADDR_TEXT_MAX]);

/**
 * check_start() - begin a check
 * @base: the loop
 * @keys: how; outlives the check
 * @place: where
 * @done: called from the loop with the result
 * @owner: for @done
 *
 * Returns NULL if there is no memory.
 */
struct check *check_start(struct event_base *base, const struct health_check *keys,
			  const struct check_place *place,
			  void (*done)(struct check *check, void *owner), void *owner);

/* The same, of a kind of its own */
struct check *check_start_as(const struct check_ops *ops, struct event_base *base,
			     const struct health_check *keys,
			     const struct check_place *place,
			     void (*done)(struct check *check, void *owner), void *owner);

/* End it without a result; @done is not called. */
void check_cancel(struct check *check);

/* --- for the kinds */

/* A socket with a device and a mark, bound to @source unless that is empty. Returns -1
 * with errno on errors.
 */
int check_open(const struct health_check *keys, const struct addr *source, int family,
	       int type, int protocol);

/* The same, of a check, and pinned if the check goes through the module; not connected.
 * Returns -1, and has ended the check, on errors.
 */
int check_socket(struct check *check, int family, int type, int protocol);

/* Open check->fd and connect it; then wait for @connected. The check may have ended. */
void check_connect(struct check *check, int type, void (*connected)(struct check *check));

/* Call @ready once @what (EV_READ, EV_WRITE) is possible. Only one waits at a time. */
void check_wait(struct check *check, short what, event_callback_fn ready);

/**
 * check_step() - report a step to somebody who watches the check
 * @check: the check
 * @us: microseconds after its begin; 0 is now
 * @format: what happened
 */
void check_step(struct check *check, uint64_t us, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The final result. The first call counts. */
void check_end(struct check *check, enum result_kind kind, enum reason reason,
	       const char *detail);
void check_end_errno(struct check *check, int error);
void check_succeed(struct check *check, const char *detail);

/* Keep a check that has ended for up to so many milliseconds, or until check_finish(). */
void check_linger(struct check *check, unsigned int ms);
void check_finish(struct check *check);

#endif /* NFLBD_CHECK_H */
