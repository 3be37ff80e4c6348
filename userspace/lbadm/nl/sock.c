// SPDX-License-Identifier: GPL-2.0
/*
 * Talking to the module: one generic netlink socket.
 */
#include "nl/sock.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nflb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lbadm.h"

/* Room for the kernel's largest dump message. */
#define RECV_SIZE 65536
/* How often a dump is begun anew before its last try is taken as an error. */
#define DUMP_TRIES 20
#define GROUPS_MAX 4

static struct {
	struct mnl_socket *nl;
	unsigned int seq;
	uint16_t family;
	struct {
		char name[GENL_NAMSIZ];
		uint32_t id;
	} groups[GROUPS_MAX];
	int group_count;
} sock;

static int unavailable(int error)
{
	if (error == ENOENT)
		return fail(LBADM_UNAVAILABLE,
			    "the module nflb is not loaded; load it with: modprobe nflb");
	if (error == EPERM || error == EACCES)
		return fail(LBADM_UNAVAILABLE,
			    "permission denied: this needs CAP_NET_ADMIN, for example as root or with sudo");
	return fail(LBADM_UNAVAILABLE, "cannot talk to the kernel: %s",
		    strerror(error));
}

static void group_note(const struct nlattr *nest)
{
	const struct nlattr *attr;
	const char *name = NULL;
	uint32_t id = 0;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
			name = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
			id = mnl_attr_get_u32(attr);
	}
	if (!name || sock.group_count == GROUPS_MAX)
		return;
	strncpy(sock.groups[sock.group_count].name, name, GENL_NAMSIZ - 1);
	sock.groups[sock.group_count++].id = id;
}

static int family_cb(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr, *group;

	(void)data;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			sock.family = mnl_attr_get_u16(attr);
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS)
			mnl_attr_for_each_nested(group, attr)
				group_note(group);
	}
	return MNL_CB_OK;
}

/* What an error message says: the extended ack, or the number's meaning. */
static int refused(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	size_t off = sizeof(*err);

	if (err->error == -EPERM)
		return unavailable(EPERM);
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		off += err->msg.nlmsg_len - NLMSG_HDRLEN;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS &&
	    off <= mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_for_each(attr, nlh, off)
			if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
			    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
				return fail(LBADM_REFUSED, "kernel: %s",
					    mnl_attr_get_str(attr));
	return fail(LBADM_REFUSED, "kernel: %s", strerror(-err->error));
}

/* Results of reading one answer; besides enum lbadm_exit. */
#define ANSWER_INTERRUPTED (-1)

/* One datagram's messages. Returns true when the answer is complete. */
static bool take(const char *buf, ssize_t len, sock_cb cb, void *data,
		 bool *interrupted, int *status)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	int left = len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		const struct nlmsgerr *err;

		if (nlh->nlmsg_seq != sock.seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return true;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			err = mnl_nlmsg_get_payload(nlh);
			*status = err->error ? refused(nlh) : LBADM_OK;
			return true;
		}
		if (cb && cb(nlh, data) < MNL_CB_OK) {
			*status = fail(LBADM_REFUSED,
				       "kernel: an answer that cannot be read");
			return true;
		}
	}
	return false;
}

static int answer(sock_cb cb, void *data)
{
	static char buf[RECV_SIZE];
	bool interrupted = false;
	int status = LBADM_OK;
	ssize_t len;

	do {
		len = mnl_socket_recvfrom(sock.nl, buf, sizeof(buf));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return unavailable(errno);
	} while (len < 0 || !take(buf, len, cb, data, &interrupted, &status));
	return status == LBADM_OK && interrupted ? ANSWER_INTERRUPTED : status;
}

int sock_talk(struct nlmsghdr *nlh, sock_cb cb, void *data)
{
	nlh->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(sock.nl, nlh, nlh->nlmsg_len) < 0)
		return unavailable(errno);
	return answer(cb, data);
}

int sock_dump(struct nlmsghdr *nlh, sock_cb cb, void (*reset)(void *data),
	      void *data)
{
	int tries, status;

	nlh->nlmsg_flags |= NLM_F_DUMP;
	for (tries = 0; tries < DUMP_TRIES; tries++) {
		reset(data);
		nlh->nlmsg_seq = ++sock.seq;
		if (mnl_socket_sendto(sock.nl, nlh, nlh->nlmsg_len) < 0)
			return unavailable(errno);
		status = answer(cb, data);
		if (status != ANSWER_INTERRUPTED)
			return status;
	}
	return fail(LBADM_REFUSED,
		    "the configuration changes faster than it can be read; try again");
}

struct nlmsghdr *sock_request(void *buf, uint8_t cmd, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = sock.family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++sock.seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = NFLB_GENL_VERSION;
	return nlh;
}

/* The controller's answer about an unknown family is not ours to print. */
static int resolve(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	ssize_t len;
	int ret;

	sock.family = GENL_ID_CTRL;
	nlh = sock_request(buf, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, NFLB_GENL_NAME);
	if (mnl_socket_sendto(sock.nl, nlh, nlh->nlmsg_len) < 0)
		return unavailable(errno);
	do {
		len = mnl_socket_recvfrom(sock.nl, buf, sizeof(buf));
		if (len < 0)
			return unavailable(errno);
		ret = mnl_cb_run(buf, len, sock.seq, 0, family_cb, NULL);
	} while (ret > 0);
	return ret < 0 ? unavailable(errno) : LBADM_OK;
}

int sock_open(void)
{
	int on = 1, status;

	if (sock.nl)
		return LBADM_OK;
	sock.nl = mnl_socket_open(NETLINK_GENERIC);
	if (!sock.nl)
		return unavailable(errno);
	mnl_socket_setsockopt(sock.nl, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(sock.nl, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(sock.nl, NETLINK_GET_STRICT_CHK, &on,
			      sizeof(on));
	if (mnl_socket_bind(sock.nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		status = unavailable(errno);
	} else {
		sock.seq = time(NULL);
		status = resolve();
	}
	if (status)
		sock_close();
	return status;
}

void sock_close(void)
{
	if (sock.nl)
		mnl_socket_close(sock.nl);
	memset(&sock, 0, sizeof(sock));
}

int sock_join(const char *group)
{
	int i;

	for (i = 0; i < sock.group_count; i++) {
		if (strcmp(sock.groups[i].name, group))
			continue;
		if (mnl_socket_setsockopt(sock.nl, NETLINK_ADD_MEMBERSHIP,
					  &sock.groups[i].id,
					  sizeof(sock.groups[i].id)) < 0)
			return unavailable(errno);
		return LBADM_OK;
	}
	return fail(LBADM_UNAVAILABLE,
		    "the module has no events of the kind \"%s\"", group);
}

static void events(const char *buf, ssize_t len, sock_cb cb, void *data)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	int left = len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_type == sock.family)
			cb(nlh, data);
}

int sock_listen(sock_cb cb, void (*lost)(void *data), void *data,
		const volatile bool *stop)
{
	static char buf[RECV_SIZE];
	struct pollfd pfd = { .fd = mnl_socket_get_fd(sock.nl),
			      .events = POLLIN };
	ssize_t len;

	while (!*stop) {
		/* A signal between the test and poll() waits a second at most. */
		if (poll(&pfd, 1, 1000) <= 0)
			continue;
		len = mnl_socket_recvfrom(sock.nl, buf, sizeof(buf));
		if (len >= 0)
			events(buf, len, cb, data);
		else if (errno == ENOBUFS)
			lost(data);
		else if (errno != EINTR)
			return unavailable(errno);
	}
	return LBADM_OK;
}
