/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Talking to the module: one generic netlink socket.
 */
#ifndef LBADM_SOCK_H
#define LBADM_SOCK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

/* Called for each message of an answer; returns MNL_CB_OK or MNL_CB_ERROR. */
typedef int (*sock_cb)(const struct nlmsghdr *nlh, void *data);

/**
 * sock_open() - connect to the module, once
 *
 * Returns enum lbadm_exit, with a message on errors: no module, no permission.
 */
int sock_open(void);

/* Did sock_open() fail because the module is not loaded? */
bool sock_no_module(void);

/* The errno of the last error that sock_talk() or sock_try() met; 0 if it had none. */
int sock_error(void);

/**
 * sock_close() - close the socket of sock_open(), if there is one
 */
void sock_close(void);

/**
 * sock_request() - begin a request
 * @buf: the caller's, MNL_SOCKET_BUFFER_SIZE bytes at least
 * @cmd: enum nflb_cmd
 * @flags: besides NLM_F_REQUEST
 *
 * sock_open() was called. Returns the message, within @buf.
 */
struct nlmsghdr *sock_request(void *buf, uint8_t cmd, uint16_t flags);

/**
 * sock_talk() - send a request, and wait until the kernel has answered it
 * @nlh: from sock_request()
 * @cb: called for the answer; NULL when none but success is expected
 * @data: for @cb
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int sock_talk(struct nlmsghdr *nlh, sock_cb cb, void *data);

/**
 * sock_try() - the same, with an error that the caller deals with
 * @nlh: from sock_request()
 * @cb: called for the answer; or NULL
 * @data: for @cb
 * @error: the errno of the refusal that is not said
 * @met: set to true if it was that
 *
 * Returns enum lbadm_exit.
 */
int sock_try(struct nlmsghdr *nlh, sock_cb cb, void *data, int error, bool *met);

/**
 * sock_subject() - name the object of the next request
 * @format: of the name, with which what the kernel says of the request begins
 *
 * sock_talk() and sock_dump() forget it when they are done.
 */
void sock_subject(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * sock_dump() - send a request that is answered by many messages
 * @nlh: from sock_request()
 * @cb: called for each
 * @reset: called before each try, because a dump that a change interrupted is
 *	begun anew; NULL when it does not matter that it is not consistent
 * @data: for @cb and @reset
 *
 * Returns enum lbadm_exit, with a message on errors; some messages may have
 * been handed to @cb then.
 */
int sock_dump(struct nlmsghdr *nlh, sock_cb cb, void (*reset)(void *data),
	      void *data);

/**
 * sock_join() - subscribe to the events of a multicast group
 * @group: its name
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int sock_join(const char *group);

/**
 * sock_follow() - ask for events that come to this socket alone
 * @cmd: the request; sock_listen() says so if it is refused
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int sock_follow(uint8_t cmd);

/**
 * sock_set_aside() - let events wait, and make requests over another socket
 *
 * Returns enum lbadm_exit, with a message on errors. sock_take_back() in any case.
 */
int sock_set_aside(void);

/**
 * sock_events_fd() - the descriptor of the events that were set aside
 */
int sock_events_fd(void);

/**
 * sock_events_read() - take the events that were set aside, without waiting
 * @cb: called for each
 * @lost: called when the kernel had to drop some
 * @data: for both
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int sock_events_read(sock_cb cb, void (*lost)(void *data), void *data);

/**
 * sock_take_back() - return to the socket of the events
 */
void sock_take_back(void);

/**
 * sock_listen() - wait for events
 * @cb: called for each
 * @lost: called when the kernel had to drop some
 * @data: for both
 * @stop: set by a signal handler to end it
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int sock_listen(sock_cb cb, void (*lost)(void *data), void *data,
		const volatile bool *stop);

#endif /* LBADM_SOCK_H */
