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

/* Connect, once. Returns enum lbadm_exit, having said what is wrong. */
int sock_open(void);
void sock_close(void);

/* Begin a request in @buf (MNL_SOCKET_BUFFER_SIZE at least). sock_open() was
 * called.
 */
struct nlmsghdr *sock_request(void *buf, uint8_t cmd, uint16_t flags);

/* Send a request and hand its answer to @cb, which may be NULL. Returns enum
 * lbadm_exit, having said what is wrong.
 */
int sock_talk(struct nlmsghdr *nlh, sock_cb cb, void *data);

/* The same for a dump; @reset is called before each try, since a dump that was
 * interrupted by a change begins anew.
 */
int sock_dump(struct nlmsghdr *nlh, sock_cb cb, void (*reset)(void *data),
	      void *data);

/* Join a multicast group by name. Returns enum lbadm_exit. */
int sock_join(const char *group);

/* Wait for events and hand them to @cb until *@stop. @lost is called when the
 * kernel had to drop some. Returns enum lbadm_exit.
 */
int sock_listen(sock_cb cb, void (*lost)(void *data), void *data,
		const volatile bool *stop);

#endif /* LBADM_SOCK_H */
