// SPDX-License-Identifier: GPL-2.0
/*
 * libmnl's socket, to be preloaded into lbadm: what would go to the kernel goes
 * to a test instead, which plays the module. NFLB_FAKE_FD is that test's end of
 * a socket that keeps messages apart (SOCK_SEQPACKET).
 *
 * Files of /proc/sys/net/nflb are those of the directory NFLB_FAKE_SYSCTL.
 *
 * With NFLB_FAKE_CLOCK set, the monotonic clock advances in nanosleep() alone, which
 * returns at once: rates do not depend on how busy the machine is.
 *
 * Besides netlink messages, 4 bytes pass: to the test, the number of a group
 * that is joined; from the test, an errno for lbadm's next receive.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct mnl_socket {
	int fd;
};

struct mnl_socket *mnl_socket_open(int bus)
{
	const char *fd = getenv("NFLB_FAKE_FD");
	struct mnl_socket *fake;

	if (bus != NETLINK_GENERIC || !fd) {
		errno = EPROTONOSUPPORT;
		return NULL;
	}
	/* All are one to the test. */
	fake = malloc(sizeof(*fake));
	fake->fd = dup(atoi(fd));
	return fake;
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	(void)nl;
	(void)groups;
	(void)pid;
	return 0;
}

int mnl_socket_close(struct mnl_socket *nl)
{
	int ret = close(nl->fd);

	free(nl);
	return ret;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	return nl->fd;
}

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf,
			  socklen_t len)
{
	if (type != NETLINK_ADD_MEMBERSHIP)
		return 0;
	return send(nl->fd, buf, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *buf,
			  size_t len)
{
	return send(nl->fd, buf, len, MSG_NOSIGNAL);
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	ssize_t len = recv(nl->fd, buf, size, 0);

	if (len == sizeof(int)) {
		memcpy(&errno, buf, sizeof(int));
		return -1;
	}
	if (len == 0) {
		errno = ECONNRESET;
		return -1;
	}
	return len;
}

static struct timespec slept;

int nanosleep(const struct timespec *time, struct timespec *rest)
{
	int (*next)(const struct timespec *time, struct timespec *rest) =
		dlsym(RTLD_NEXT, "nanosleep");

	if (!getenv("NFLB_FAKE_CLOCK"))
		return next(time, rest);
	slept.tv_sec += time->tv_sec;
	slept.tv_nsec += time->tv_nsec;
	return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*next)(clockid_t clock, struct timespec *now);

	/* A program that is measured asks often. */
	if (!next)
		next = dlsym(RTLD_NEXT, "clock_gettime");
	if (clock != CLOCK_MONOTONIC || !getenv("NFLB_FAKE_CLOCK"))
		return next(clock, now);
	*now = slept;
	return 0;
}

/* A value that is shorter than what was there before replaces it, as in /proc. */
int open(const char *path, int flags, ...)
{
	static const char sysctls[] = "/proc/sys/net/nflb/";
	int (*next)(const char *path, int flags, ...) = dlsym(RTLD_NEXT, "open");
	const char *where = getenv("NFLB_FAKE_SYSCTL");
	char file[512];
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (strncmp(path, sysctls, strlen(sysctls)))
		return next(path, flags, mode);
	snprintf(file, sizeof(file), "%s/%s", where ? where : "/nowhere",
		 path + strlen(sysctls));
	return next(file, flags & O_WRONLY ? flags | O_TRUNC : flags, mode);
}
