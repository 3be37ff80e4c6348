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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "util/report.h"

/* Room for the kernel's largest dump message. */
#define RECV_SIZE 65536
/* Room for the largest request. */
#define REQUEST_SIZE (1 << 21)
/* Room in the kernel for events that were not read yet. */
#define EVENTS_SIZE (4 << 20)
/* How often a dump is begun anew before its last try is taken as an error. */
#define DUMP_TRIES 20
#define GROUPS_MAX 4
#define SUBJECT_SIZE 300

struct netlink {
	struct mnl_socket *nl;
	unsigned int seq;
	uint16_t family;
	struct {
		char name[GENL_NAMSIZ];
		uint32_t id;
	} groups[GROUPS_MAX];
	int group_count;
	uint32_t event_seq;	/* of the last event to this socket alone */
	bool overrun;		/* it was told that some were lost after that */
	int tolerated;		/* an errno that is not said, of sock_try() */
	bool tolerated_met;
	char subject[SUBJECT_SIZE];	/* of the next request: "NAME: ", or "" */
};

static struct netlink sock, aside;
static bool absent;	/* the module, when sock_open() failed */
static int last_error;	/* of sock_talk() */

static int unavailable(int error)
{
	last_error = error;
	absent = error == ENOENT;
	if (absent)
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

/* The text of an extended ack, whose attributes begin at @off; or NULL. */
static const char *extack_text(const struct nlmsghdr *nlh, size_t off)
{
	const struct nlattr *attr;

	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS &&
	    off <= mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_for_each(attr, nlh, off)
			if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
			    !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
				return mnl_attr_get_str(attr);
	return NULL;
}

/* The kernel's message for an error, or else the meaning of the number. */
static int refused(const struct nlmsghdr *nlh, size_t off, int error)
{
	const char *text;

	last_error = error;
	if (error == sock.tolerated) {
		sock.tolerated_met = true;
		return LBADM_REFUSED;
	}
	if (error == EPERM)
		return unavailable(EPERM);
	text = extack_text(nlh, off);
	return fail(LBADM_REFUSED, "%skernel: %s", sock.subject,
		    text ? text : strerror(error));
}

/* Its message with success: a warning. */
static int done(const struct nlmsghdr *nlh, size_t off)
{
	const char *text = extack_text(nlh, off);

	return text ? fail(LBADM_OK, "%swarning: %s", sock.subject, text) :
		      LBADM_OK;
}

static int unreadable(void)
{
	return fail(LBADM_REFUSED, "kernel: an answer that cannot be read");
}

/* The end of an answer to a request that was no dump, or could not begin. */
static int ended_by_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t off = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return unreadable();
	if (err->error && !(nlh->nlmsg_flags & NLM_F_CAPPED))
		off += err->msg.nlmsg_len - NLMSG_HDRLEN;
	if (!err->error)
		return done(nlh, off);
	return refused(nlh, off, -err->error);
}

/* The end of a dump. One that fails on its way says so here: a negative errno,
 * then the extended ack.
 */
static int ended_by_done(const struct nlmsghdr *nlh)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	return error < 0 ? refused(nlh, sizeof(error), -error) : LBADM_OK;
}

/* An answer that is being read. */
struct answer {
	sock_cb cb;
	void *data;
	bool interrupted;	/* a change came in between: not consistent */
	bool empty;		/* no message for @cb yet */
	int status;
};

/* One datagram's messages. Returns true when the answer is complete. */
static bool take(struct answer *a, const char *buf, ssize_t len)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	int left = len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != sock.seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			a->interrupted = true;
		if (nlh->nlmsg_type == NLMSG_DONE) {
			a->status = ended_by_done(nlh);
			return true;
		}
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			a->status = ended_by_error(nlh);
			return true;
		}
		a->empty = false;
		if (a->cb && a->cb(nlh, a->data) < MNL_CB_OK) {
			a->status = unreadable();
			return true;
		}
	}
	return false;
}

static int read_answer(struct answer *a)
{
	static char buf[RECV_SIZE];
	ssize_t len;

	a->interrupted = false;
	a->empty = true;
	a->status = LBADM_OK;
	do {
		len = mnl_socket_recvfrom(sock.nl, buf, sizeof(buf));
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return unavailable(errno);
	} while (len < 0 || !take(a, buf, len));
	return a->status;
}

void sock_subject(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sock.subject, SUBJECT_SIZE - 2, format, args);
	va_end(args);
	if (*sock.subject)
		strcat(sock.subject, ": ");
}

int sock_talk(struct nlmsghdr *nlh, sock_cb cb, void *data)
{
	struct answer a = { .cb = cb, .data = data };
	int status;

	last_error = 0;
	nlh->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(sock.nl, nlh, nlh->nlmsg_len) < 0)
		return unavailable(errno);
	status = read_answer(&a);
	*sock.subject = '\0';
	/* Who gives a callback wants something to be said. */
	return !status && cb && a.empty ? unreadable() : status;
}

int sock_try(struct nlmsghdr *nlh, sock_cb cb, void *data, int error, bool *met)
{
	int status;

	sock.tolerated = error;
	sock.tolerated_met = false;
	status = sock_talk(nlh, cb, data);
	*met = sock.tolerated_met;
	sock.tolerated = 0;
	return status;
}

static int dump(struct nlmsghdr *nlh, sock_cb cb, void (*reset)(void *data),
		void *data)
{
	struct answer a = { .cb = cb, .data = data };
	int tries, status;

	nlh->nlmsg_flags |= NLM_F_DUMP;
	for (tries = 0; tries < DUMP_TRIES; tries++) {
		if (reset)
			reset(data);
		nlh->nlmsg_seq = ++sock.seq;
		if (mnl_socket_sendto(sock.nl, nlh, nlh->nlmsg_len) < 0)
			return unavailable(errno);
		status = read_answer(&a);
		if (status || !a.interrupted || !reset)
			return status;
	}
	return fail(LBADM_REFUSED,
		    "the configuration changes faster than it can be read; try again");
}

int sock_dump(struct nlmsghdr *nlh, sock_cb cb, void (*reset)(void *data),
	      void *data)
{
	int status = dump(nlh, cb, reset, data);

	*sock.subject = '\0';
	return status;
}

struct nlmsghdr *sock_request(void *buf, uint8_t cmd, uint16_t flags)
{
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;

	/* libmnl does not clear the padding of attributes. */
	memset(buf, 0, MNL_SOCKET_BUFFER_SIZE);
	nlh = mnl_nlmsg_put_header(buf);
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
	int on = 1, room = REQUEST_SIZE, status;

	if (sock.nl)
		return LBADM_OK;
	sock.nl = mnl_socket_open(NETLINK_GENERIC);
	if (!sock.nl)
		return unavailable(errno);
	/* A list of 4,096 backends is one message. */
	if (setsockopt(mnl_socket_get_fd(sock.nl), SOL_SOCKET, SO_SNDBUFFORCE,
		       &room, sizeof(room)))
		setsockopt(mnl_socket_get_fd(sock.nl), SOL_SOCKET, SO_SNDBUF,
			   &room, sizeof(room));
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

bool sock_no_module(void)
{
	return absent;
}

int sock_error(void)
{
	return last_error;
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

int sock_follow(uint8_t cmd)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = sock_request(buf, cmd, NLM_F_ACK);

	if (mnl_socket_sendto(sock.nl, nlh, nlh->nlmsg_len) < 0)
		return unavailable(errno);
	return LBADM_OK;
}

/* Events to this socket alone are numbered, those of a group are not. */
static bool missed(struct netlink *from, const struct nlmsghdr *nlh)
{
	bool gap;

	if (!nlh->nlmsg_seq)
		return false;
	gap = nlh->nlmsg_seq != from->event_seq + 1 && !from->overrun;
	from->event_seq = nlh->nlmsg_seq;
	from->overrun = false;
	return gap;
}

static int events(struct netlink *from, const char *buf, ssize_t len, sock_cb cb,
		  void (*lost)(void *data), void *data)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	int left = len, status;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			/* The answer to sock_follow() arrives here. */
			status = ended_by_error(nlh);
			if (status)
				return status;
		} else if (nlh->nlmsg_type == from->family) {
			if (missed(from, nlh))
				lost(data);
			cb(nlh, data);
		}
	}
	return LBADM_OK;
}

/* Connections begin and end in bursts. Without CAP_NET_ADMIN the limit of the
 * machine stays, and lost events are reported.
 */
static void make_room(void)
{
	int fd = mnl_socket_get_fd(sock.nl), room = EVENTS_SIZE;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

int sock_set_aside(void)
{
	make_room();
	aside = sock;
	memset(&sock, 0, sizeof(sock));
	return sock_open();
}

void sock_take_back(void)
{
	sock_close();
	sock = aside;
	memset(&aside, 0, sizeof(aside));
}

int sock_events_fd(void)
{
	return mnl_socket_get_fd(aside.nl);
}

int sock_events_read(sock_cb cb, void (*lost)(void *data), void *data)
{
	static char buf[RECV_SIZE];
	int status = LBADM_OK;
	ssize_t len;

	while (!status) {
		len = recv(sock_events_fd(), buf, sizeof(buf), MSG_DONTWAIT);
		if (len >= 0) {
			status = events(&aside, buf, len, cb, lost, data);
		} else if (errno == ENOBUFS) {
			aside.overrun = true;
			lost(data);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			status = unavailable(errno);
		}
	}
	return status;
}

int sock_listen(sock_cb cb, void (*lost)(void *data), void *data,
		const volatile bool *stop)
{
	static char buf[RECV_SIZE];
	struct pollfd pfd = { .fd = mnl_socket_get_fd(sock.nl),
			      .events = POLLIN };
	ssize_t len;
	int status;

	make_room();
	while (!*stop) {
		/* A signal between the test and poll() waits a second at most. */
		if (poll(&pfd, 1, 1000) <= 0)
			continue;
		len = mnl_socket_recvfrom(sock.nl, buf, sizeof(buf));
		if (len >= 0) {
			status = events(&sock, buf, len, cb, lost, data);
			if (status)
				return status;
		} else if (errno == ENOBUFS) {
			sock.overrun = true;
			lost(data);
		} else if (errno != EINTR) {
			return unavailable(errno);
		}
	}
	return LBADM_OK;
}
