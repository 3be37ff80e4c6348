// SPDX-License-Identifier: GPL-2.0
/*
 * Where the links are kept: PINS/xdp-ID, in the BPF file system that process 1 sees
 * at /sys/fs/bpf. `ip netns exec` and many services have a mount namespace, and often
 * a /sys, of their own; a pin made there would end with them, and nobody else would
 * find it. Process 1 has one place for all.
 *
 * ID is the kernel's number of the link. It has no namesake while the link lives, and
 * says whether a pin matches its name. Index and namespace of a device would
 * not do: devices move, and both numbers come again.
 */
#define _GNU_SOURCE
#include "xdp/pin.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lbadm.h"

#define BPFFS "/sys/fs/bpf"
#define ROOT "/proc/1/root"
#define PINS ROOT BPFFS "/nflb"

static int link_info(int fd, struct bpf_link_info *info)
{
	__u32 len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &len);
}

static bool is_mounted(void)
{
	struct statfs fs;

	return !statfs(ROOT BPFFS, &fs) && fs.f_type == BPF_FS_MAGIC;
}

/* In the mount namespace and root directory of process 1, for a child process. */
static int mount_there(void)
{
	int ns = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	int root = open(ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (ns < 0 || root < 0 || setns(ns, CLONE_NEWNS) || fchdir(root) ||
	    chroot(".") || mount("bpf", BPFFS, "bpf", 0, "mode=0700"))
		return errno;
	return 0;
}

/* Systemd mounts it; elsewhere nobody may have. Returns an errno. */
static int mount_bpffs(void)
{
	int status;
	pid_t pid;

	if (is_mounted())
		return 0;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return errno;
	if (!pid)
		_exit(mount_there());
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	/* Another lbadm may have been faster. */
	if (is_mounted())
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) :
	       EIO;
}

int pin_make(int fd)
{
	struct bpf_link_info info;
	char path[64];
	int err;

	err = mount_bpffs();
	if (err)
		return fail(err == EPERM || err == EACCES ? LBADM_UNAVAILABLE :
			    LBADM_REFUSED,
			    "XDP needs a BPF file system at " BPFFS ", and it cannot be mounted: %s; try: mount -t bpf bpf " BPFFS,
			    strerror(err));
	if (mkdir(PINS, 0700) && errno != EEXIST)
		return fail(LBADM_REFUSED, "cannot make the directory " BPFFS "/nflb: %s",
			    strerror(errno));
	if (link_info(fd, &info))
		return fail(LBADM_REFUSED, "kernel: cannot look at the new link: %s",
			    strerror(errno));
	snprintf(path, sizeof(path), PINS "/xdp-%u", info.id);
	if (bpf_obj_pin(fd, path))
		return fail(LBADM_REFUSED, "cannot pin the link as " BPFFS "/nflb/xdp-%u: %s",
			    info.id, strerror(errno));
	return LBADM_OK;
}

/* A link of XDP whose number is that of its name? */
static bool is_ours(const char *name, const struct bpf_link_info *info)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "xdp-%u", info->id);
	return info->type == BPF_LINK_TYPE_XDP && !strcmp(name, expected);
}

/* Returns 0, 1 to stop, or a negative errno. */
static int look_at(const char *name, bool (*cb)(const struct pin *, void *),
		   void *data)
{
	struct bpf_link_info info;
	char path[sizeof(PINS) + 256];
	struct pin pin = { .path = path };
	int ret = 0;

	snprintf(path, sizeof(path), PINS "/%.255s", name);
	pin.fd = bpf_obj_get(path);
	/* Another lbadm may just have removed it. */
	if (pin.fd < 0)
		return errno == EPERM || errno == EACCES ? -errno : 0;
	if (!link_info(pin.fd, &info) && is_ours(name, &info)) {
		pin.ifindex = info.xdp.ifindex;
		pin.program = info.prog_id;
		if (!pin.ifindex)
			unlink(path);
		else
			ret = cb(&pin, data);
	}
	close(pin.fd);
	return ret;
}

int pin_walk(bool (*cb)(const struct pin *pin, void *data), void *data)
{
	DIR *dir = opendir(PINS);
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	while (ret == 0 && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "xdp-", 4))
			ret = look_at(entry->d_name, cb, data);
	closedir(dir);
	return ret < 0 ? ret : 0;
}
