// SPDX-License-Identifier: GPL-2.0
/*
 * ping: an ICMP echo, by a datagram socket, which needs no capability if
 * net.ipv4.ping_group_range allows it.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#include "check.h"

/* The kernel fills in the identifier, and gives the socket its answers alone. */
struct echo {
	uint8_t type, code;
	uint16_t checksum, id, sequence;
	uint64_t stamp;
};

static uint8_t reply_type(const struct check *check)
{
	return check->to.sa.sa_family == AF_INET6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;
}

static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	struct echo reply;
	ssize_t len;

	(void)what;
	check->waiting = false;
	len = recv(fd, &reply, sizeof(reply), 0);
	if (len < 0 && errno != EAGAIN)
		return check_end_errno(check, errno);
	if (len == sizeof(reply) && reply.type == reply_type(check) &&
	    reply.stamp == check->started)
		return check_succeed(check, NULL);
	check_wait(check, EV_READ, readable);
}

static void start(struct check *check)
{
	bool v6 = check->to.sa.sa_family == AF_INET6;
	struct echo echo = {
		.type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
		.sequence = htons(1),
		.stamp = check->started,
	};

	check->fd = check_socket(check, check->to.sa.sa_family, SOCK_DGRAM,
				 v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (check->fd < 0)
		return;
	/* The port means nothing here. */
	check->to.v4.sin_port = 0;
	if (connect(check->fd, &check->to.sa, check->to_len) ||
	    send(check->fd, &echo, sizeof(echo), 0) < 0)
		return check_end_errno(check, errno);
	check_wait(check, EV_READ, readable);
}

static void expire(struct check *check)
{
	check_end(check, RESULT_FAILURE, REASON_PING_SILENT, NULL);
}

const struct check_ops check_ping = { .start = start, .expire = expire };
