// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's BPF, to be preloaded into lbadm: devices with and without XDP, a BPF
 * file system that is the directory NFLB_FAKE_BPFFS, and one thing that goes wrong,
 * which NFLB_FAKE_BPF names. Without the directory no device has a program.
 *
 * A link is a file that says "ID IFINDEX PROGRAM"; so is its pin. What a device has is
 * the number in the file dev-IFINDEX. Devices: eth0 to eth9, and one for each refusal.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BPFFS "/proc/1/root/sys/fs/bpf"

static const struct {
	const char *name;
	const char *text;	/* the driver's refusal */
	int error;
} devices[] = {
	{ "dummy0", "underlying driver does not support XDP in native mode",
	  EOPNOTSUPP },
	{ "big0", "MTU too large to enable XDP", EINVAL },
	{ "lro0", "Can't set XDP while host is implementing LRO", EOPNOTSUPP },
	{ "vlan0", NULL, 0 },
	{ "eth0", NULL, 0 }, { "eth1", NULL, 0 },
	{ "vif0", NULL, 0 },
};

#define DEVICES ((int)(sizeof(devices) / sizeof(devices[0])))
#define FIRST 10

static libbpf_print_fn_t print;

static bool wrong(const char *what)
{
	const char *name = getenv("NFLB_FAKE_BPF");

	return name && !strcmp(name, what);
}

static int failed(int error)
{
	errno = error;
	return -error;
}

static const char *real_path(char *buf, const char *path)
{
	const char *dir = getenv("NFLB_FAKE_BPFFS");

	if (strncmp(path, BPFFS, strlen(BPFFS)))
		return path;
	snprintf(buf, 512, "%s%s", dir ? dir : "/nowhere", path + strlen(BPFFS));
	return buf;
}

static const char *device_path(char *buf, int ifindex)
{
	char path[64];

	snprintf(path, sizeof(path), BPFFS "/dev-%d", ifindex);
	return real_path(buf, path);
}

static bool read_numbers(int fd, unsigned int n[3])
{
	char text[64] = "";

	return pread(fd, text, sizeof(text) - 1, 0) > 0 &&
	       sscanf(text, "%u %u %u", &n[0], &n[1], &n[2]) >= 1;
}

/* --- devices */

unsigned int if_nametoindex(const char *name)
{
	int i;

	for (i = 0; i < DEVICES; i++)
		if (!strcmp(devices[i].name, name))
			return FIRST + i;
	return 0;
}

char *if_indextoname(unsigned int ifindex, char name[IF_NAMESIZE])
{
	if (ifindex < FIRST || ifindex >= FIRST + DEVICES)
		return NULL;
	return strcpy(name, devices[ifindex - FIRST].name);
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int fd, unsigned long request, ...) = dlsym(RTLD_NEXT, "ioctl");
	struct ethtool_drvinfo *info;
	struct ethtool_value *flags;
	struct ifreq *ifr;
	va_list args;

	va_start(args, request);
	ifr = va_arg(args, struct ifreq *);
	va_end(args);
	if (request != SIOCETHTOOL)
		return next(fd, request, ifr);
	info = (void *)ifr->ifr_data;
	flags = (void *)ifr->ifr_data;
	if (info->cmd == ETHTOOL_GDRVINFO)
		strcpy(info->driver, strcmp(ifr->ifr_name, "vif0") ? "fake" : "vif");
	else
		flags->data = ETH_FLAG_RXVLAN;
	return 0;
}

FILE *fopen(const char *path, const char *mode)
{
	static char vlans[] = "VLAN Dev name    | VLAN ID\n"
		"Name-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\n"
		"vlan0.7        | 7  | vlan0\n";
	FILE *(*real)(const char *, const char *) = dlsym(RTLD_NEXT, "fopen");

	if (!strcmp(path, "/proc/self/net/vlan/config"))
		return fmemopen(vlans, strlen(vlans), "r");
	return real(path, mode);
}

/* --- the file system */

int statfs(const char *path, struct statfs *fs)
{
	(void)path;
	fs->f_type = wrong("no-bpffs") ? 0 : BPF_FS_MAGIC;
	return 0;
}

pid_t fork(void)
{
	return failed(EPERM);
}

DIR *opendir(const char *path)
{
	DIR *(*real)(const char *) = dlsym(RTLD_NEXT, "opendir");
	char buf[512];

	if (!wrong("no-permission"))
		return real(real_path(buf, path));
	errno = EACCES;
	return NULL;
}

int mkdir(const char *path, mode_t mode)
{
	int (*real)(const char *, mode_t) = dlsym(RTLD_NEXT, "mkdir");
	char buf[512];

	return real(real_path(buf, path), mode);
}

int unlink(const char *path)
{
	int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
	char buf[512];

	return real(real_path(buf, path));
}

int bpf_obj_get(const char *path)
{
	char buf[512];

	return open(real_path(buf, path), O_RDONLY);
}

int bpf_obj_pin(int fd, const char *path)
{
	unsigned int n[3];
	char buf[512];
	FILE *file;

	if (wrong("no-pin") || !read_numbers(fd, n))
		return failed(ENOSPC);
	file = fopen(real_path(buf, path), "wx");
	if (!file)
		return -errno;
	fprintf(file, "%u %u %u\n", n[0], n[1], n[2]);
	fclose(file);
	file = fopen(device_path(buf, n[1]), "w");
	fprintf(file, "%u\n", n[2]);
	return fclose(file);
}

/* --- links and programs */

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len)
{
	struct bpf_link_info *link = info;
	struct bpf_btf_info *btf = info;
	unsigned int n[3] = { 0 };

	if (*len == sizeof(*btf)) {
		btf->kernel_btf = 1;
		strcpy((char *)(uintptr_t)btf->name, "nflb");
		return 0;
	}
	if (!read_numbers(fd, n))
		return failed(EINVAL);
	link->type = BPF_LINK_TYPE_XDP;
	link->id = n[0];
	link->xdp.ifindex = n[1];
	link->prog_id = n[2];
	return 0;
}

int bpf_link_create(int prog, int ifindex, enum bpf_attach_type type,
		    const struct bpf_link_create_opts *opts)
{
	int fd, error = devices[ifindex - FIRST].error;

	(void)prog;
	/* Driver mode, and no other. */
	if (type != BPF_XDP || opts->flags != 1 << 2)
		abort();
	if (error)
		return failed(error);
	fd = memfd_create("link", 0);
	dprintf(fd, "%d %d %d\n", 100 + ifindex, ifindex, 1000 + ifindex);
	return fd;
}

int bpf_link_detach(int fd)
{
	unsigned int n[3];
	char buf[512];

	if (wrong("no-detach") || !read_numbers(fd, n))
		return failed(EBUSY);
	return unlink(device_path(buf, n[1]));
}

int bpf_xdp_query(int ifindex, int flags, struct bpf_xdp_query_opts *opts)
{
	unsigned int n[3] = { 0 };
	char buf[512];
	int fd = open(device_path(buf, ifindex), O_RDONLY);

	(void)flags;
	if (fd < 0)
		return 0;
	read_numbers(fd, n);
	close(fd);
	opts->drv_prog_id = n[0];
	return 0;
}

static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(LIBBPF_WARN, format, args);
	va_end(args);
}

libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t fn)
{
	print = fn;
	return NULL;
}

/* Only to be told why; it must never succeed where the link did. */
int bpf_xdp_attach(int ifindex, int prog, __u32 flags,
		   const struct bpf_xdp_attach_opts *opts)
{
	(void)prog;
	(void)flags;
	(void)opts;
	if (!devices[ifindex - FIRST].error)
		abort();
	say("Kernel error message: %s\n", devices[ifindex - FIRST].text);
	return failed(devices[ifindex - FIRST].error);
}

int bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
		  const struct bpf_insn *insns, size_t count,
		  const struct bpf_prog_load_opts *opts)
{
	(void)name;
	if (type != BPF_PROG_TYPE_XDP || strcmp(license, "GPL") || count != 2 ||
	    insns[0].imm != 77 || insns[0].off != 1 || opts->fd_array[1] < 0 ||
	    opts->prog_flags != BPF_F_XDP_HAS_FRAGS)
		abort();
	if (wrong("no-load"))
		return failed(EPERM);
	if (wrong("no-jit")) {
		strcpy(opts->log_buf, "JIT does not support calling kernel function\n"
		       "processed 0 insns (limit 1000000)\n");
		return failed(524);
	}
	if (wrong("not-listed")) {
		strcpy(opts->log_buf, "calling kernel function nflb_xdp is not allowed\n");
		return failed(EACCES);
	}
	if (wrong("no-memory"))
		return failed(ENOMEM);
	return open("/dev/null", O_RDONLY);
}

/* --- type information */

int bpf_btf_get_next_id(__u32 id, __u32 *next)
{
	if (wrong("no-bpf"))
		return failed(ENOSYS);
	if (id || wrong("no-btf"))
		return failed(ENOENT);
	*next = 1;
	return 0;
}

int bpf_btf_get_fd_by_id(__u32 id)
{
	(void)id;
	return wrong("no-btf-fd") ? failed(EPERM) : open("/dev/null", O_RDONLY);
}

struct btf *btf__load_vmlinux_btf(void)
{
	static int kernel;

	return wrong("no-kernel-btf") ? NULL : (struct btf *)&kernel;
}

struct btf *btf__load_module_btf(const char *name, struct btf *kernel)
{
	return strcmp(name, "nflb") ? NULL : kernel;
}

__s32 btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind)
{
	(void)btf;
	return kind == BTF_KIND_FUNC && !strcmp(name, "nflb_xdp") &&
	       !wrong("no-function") ? 77 : failed(ENOENT);
}

void btf__free(struct btf *btf)
{
	(void)btf;
}
