// SPDX-License-Identifier: GPL-2.0
/*
 * Network namespaces, by the names that ip-netns(8) gives them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

int enter_netns(const char *name)
{
	char path[512];
	int fd, status = LBADM_OK;

	if (!*name || strchr(name, '/'))
		return usage_error("\"%s\": not a name of a network namespace",
				   name);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return usage_error("there is no network namespace \"%s\"",
				   name);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		status = fail(LBADM_UNAVAILABLE,
			      "cannot enter network namespace \"%s\": %s",
			      name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return status;
}
