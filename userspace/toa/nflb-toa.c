// SPDX-License-Identifier: GPL-2.0
/*
 * nflb-toa: attach, detach and look at the BPF receiver of client addresses.
 * Programs stay attached by their pins below /sys/fs/bpf when the command ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "nflb_toa.h"
#include "nflb_toa.skel.h"

#ifndef NFLB_VERSION
#define NFLB_VERSION "unknown"
#endif

#define BPFFS		"/sys/fs/bpf"
#define PINS		BPFFS "/nflb_toa"
#define CGROUP		"/sys/fs/cgroup"
#define BPF_FS_TYPE	0xcafe4a11
#define CGROUP2_TYPE	0x63677270

enum status { DONE, USAGE, REFUSED, UNAVAILABLE };

static const char *const counter_names[TOA_COUNTER_COUNT] = {
	[TOA_BELIEVED] = "believed",
	[TOA_REFUSED_SOURCE] = "refused-source",
	[TOA_MALFORMED] = "malformed",
	[TOA_DELIVERED] = "delivered",
	[TOA_OTHER_FAMILY] = "other-family",
	[TOA_AMBIGUOUS] = "ambiguous",
};

static bool json;

static int fail(enum status status, const char *format, ...)
{
	va_list args;

	fputs("nflb-toa: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

/* For a failed system call */
static int refused(const char *what)
{
	if (errno == EPERM || errno == EACCES)
		return fail(UNAVAILABLE, "%s: permission denied; be root (CAP_BPF, CAP_NET_ADMIN)",
			    what);
	return fail(REFUSED, "%s: %s", what, strerror(errno));
}

/* --- who is believed */

/* An address and how many of its bits count; IPv4 in the first four bytes. */
struct prefix {
	uint8_t bytes[16];
	uint8_t len;		/* 4 or 16 */
	uint32_t bits;
};

struct prefix_list {
	struct prefix items[TOA_ALLOW_MAX];
	size_t count;
};

static void mask(struct prefix *p)
{
	size_t i;

	for (i = 0; i < p->len; i++) {
		int left = (int)p->bits - (int)i * 8;

		if (left <= 0)
			p->bytes[i] = 0;
		else if (left < 8)
			p->bytes[i] &= 0xff << (8 - left);
	}
}

static bool parse_prefix(const char *word, struct prefix *p)
{
	char buf[64], *slash, *end;
	unsigned long bits;

	memset(p, 0, sizeof(*p));
	if (strlen(word) >= sizeof(buf))
		return false;
	strcpy(buf, word);
	slash = strchr(buf, '/');
	if (slash)
		*slash++ = '\0';
	if (inet_pton(AF_INET, buf, p->bytes) == 1)
		p->len = 4;
	else if (inet_pton(AF_INET6, buf, p->bytes) == 1)
		p->len = 16;
	else
		return false;
	p->bits = p->len * 8;
	if (slash) {
		if (*slash < '0' || *slash > '9')
			return false;
		bits = strtoul(slash, &end, 10);
		if (*end || bits > p->bits)
			return false;
		p->bits = bits;
	}
	mask(p);
	return true;
}

static int parse_list(char *text, struct prefix_list *list)
{
	char *word;

	while ((word = strsep(&text, ", "))) {
		if (!*word)
			continue;
		if (list->count == TOA_ALLOW_MAX)
			return fail(USAGE, "more than %d addresses",
				    TOA_ALLOW_MAX);
		if (!parse_prefix(word, &list->items[list->count++]))
			return fail(USAGE, "\"%s\": ADDRESS or ADDRESS/LENGTH is expected",
				    word);
	}
	return DONE;
}

/* Where it is pinned; until the next call. */
static const char *pin_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), PINS "/%s", name);
	return path;
}

static int pinned(const char *name)
{
	return bpf_obj_get(pin_of(name));
}

static int trie_of(const struct prefix *p)
{
	return pinned(p->len == 4 ? "allow4" : "allow6");
}

static void key_of(const struct prefix *p, struct toa_allow6 *key)
{
	memset(key, 0, sizeof(*key));
	key->bits = p->bits;
	memcpy(key->addr, p->bytes, p->len);
}

static int allow_change(const struct prefix *p, bool add)
{
	struct toa_allow6 key;
	uint8_t value = 1;
	int fd = trie_of(p), err;

	if (fd < 0)
		return fail(UNAVAILABLE, "not attached");
	key_of(p, &key);
	err = add ? bpf_map_update_elem(fd, &key, &value, BPF_ANY) :
		    bpf_map_delete_elem(fd, &key);
	close(fd);
	if (!err)
		return DONE;
	if (!add && errno == ENOENT)
		return fail(REFUSED, "that is not on the list");
	return refused("allow");
}

static void read_trie(uint8_t len, struct prefix_list *list)
{
	struct prefix p = { .len = len };
	struct toa_allow6 key, *from = NULL;
	int fd = trie_of(&p);

	while (fd >= 0 && list->count < TOA_ALLOW_MAX &&
	       !bpf_map_get_next_key(fd, from, &key)) {
		p.bits = key.bits;
		memcpy(p.bytes, key.addr, len);
		list->items[list->count++] = p;
		from = &key;
	}
	if (fd >= 0)
		close(fd);
}

static void read_list(struct prefix_list *list)
{
	list->count = 0;
	read_trie(4, list);
	read_trie(16, list);
}

static bool listed(const struct prefix_list *list, const struct prefix *p)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (!memcmp(&list->items[i], p, sizeof(*p)))
			return true;
	return false;
}

/* Entries that stay on the list are believed all the time. */
static int allow_replace(const struct prefix_list *wanted)
{
	static struct prefix_list now;
	int status = DONE;
	size_t i;

	read_list(&now);
	for (i = 0; i < wanted->count && !status; i++)
		status = allow_change(&wanted->items[i], true);
	for (i = 0; i < now.count && !status; i++)
		if (!listed(wanted, &now.items[i]))
			status = allow_change(&now.items[i], false);
	return status;
}

/* --- attach, detach */

/* The programs as they are linked in; nothing is in the kernel yet. Maps get pins. */
static struct nflb_toa_bpf *open_programs(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = PINS);
	struct nflb_toa_bpf *skel = nflb_toa_bpf__open_opts(&opts);

	if (!skel)
		refused("open");
	return skel;
}

static int unpin(const char *name)
{
	const char *path = pin_of(name);
	int fd = bpf_obj_get(path);

	/* A link goes at once: without its pin it would go some time later. */
	if (fd >= 0) {
		bpf_link_detach(fd);
		close(fd);
	}
	if (unlink(path) && errno != ENOENT)
		return refused(path);
	return DONE;
}

static int detach(const struct nflb_toa_bpf *skel)
{
	struct bpf_program *program;
	struct bpf_map *map;
	int status = DONE;

	bpf_object__for_each_program(program, skel->obj)
		if (!status)
			status = unpin(bpf_program__name(program));
	bpf_object__for_each_map(map, skel->obj)
		if (!status)
			status = unpin(bpf_map__name(map));
	if (!status && rmdir(PINS) && errno != ENOENT)
		status = refused(PINS);
	return status;
}

/* All of it: an attach or a detach may have been interrupted. */
static bool is_attached(const struct nflb_toa_bpf *skel)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, skel->obj)
		if (access(pin_of(bpf_program__name(program)), F_OK))
			return false;
	return true;
}

static bool fs_is(const char *path, unsigned long type)
{
	struct statfs fs;

	return !statfs(path, &fs) && (unsigned long)fs.f_type == type;
}

static int prepare(const char *cgroup)
{
	if (!fs_is(cgroup, CGROUP2_TYPE))
		return fail(UNAVAILABLE, "%s is not a cgroup v2 directory; mount it, or use --cgroup",
			    cgroup);
	if (!fs_is(BPFFS, BPF_FS_TYPE) &&
	    mount("bpf", BPFFS, "bpf", 0, "mode=0700"))
		return refused("mount " BPFFS);
	if (mkdir(PINS, 0700))
		return refused(PINS);
	return DONE;
}

static int attach_programs(const struct nflb_toa_bpf *skel, int cgroup)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, skel->obj) {
		const char *name = bpf_program__name(program);
		struct bpf_link *link = bpf_program__attach_cgroup(program, cgroup);
		int err;

		if (!link)
			return refused(name);
		err = bpf_link__pin(link, pin_of(name));
		bpf_link__destroy(link);
		if (err) {
			errno = -err;
			return refused(pin_of(name));
		}
	}
	return DONE;
}

/* The list is filled before the programs see a packet. */
static int load_and_attach(struct nflb_toa_bpf *skel, int cgroup, const struct prefix_list *list)
{
	int status = nflb_toa_bpf__load(skel);

	if (status) {
		errno = -status;
		return refused("load (this kernel may lack CONFIG_CGROUP_BPF or CONFIG_DEBUG_INFO_BTF)");
	}
	status = allow_replace(list);
	return status ? status : attach_programs(skel, cgroup);
}

static int attach(struct nflb_toa_bpf *skel, const char *path, const struct prefix_list *list)
{
	int cgroup, status;

	if (is_attached(skel))
		return allow_replace(list);
	/* Remains of an interrupted attach */
	status = detach(skel);
	if (!status)
		status = prepare(path);
	if (status)
		return status;
	cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	status = cgroup < 0 ? refused(path) : load_and_attach(skel, cgroup, list);
	if (cgroup >= 0)
		close(cgroup);
	if (status)
		detach(skel);
	return status;
}

/* --- commands */

static int cmd_attach(int argc, char **argv)
{
	static struct prefix_list list;
	struct nflb_toa_bpf *skel;
	const char *cgroup = CGROUP;
	bool allow = false;
	int i, status;

	for (i = 0; i < argc; i += 2) {
		if (i + 1 == argc)
			return fail(USAGE, "%s: a value is missing", argv[i]);
		if (!strcmp(argv[i], "--cgroup")) {
			cgroup = argv[i + 1];
		} else if (!strcmp(argv[i], "--allow")) {
			allow = true;
			status = parse_list(argv[i + 1], &list);
			if (status)
				return status;
		} else {
			return fail(USAGE, "\"%s\": --cgroup or --allow is expected",
				    argv[i]);
		}
	}
	if (!allow)
		return fail(USAGE, "--allow is missing: the balancers' local addresses");
	skel = open_programs();
	if (!skel)
		return REFUSED;
	status = attach(skel, cgroup, &list);
	nflb_toa_bpf__destroy(skel);
	return status;
}

static int cmd_detach(int argc, char **argv)
{
	struct nflb_toa_bpf *skel;
	int status;

	if (argc)
		return fail(USAGE, "unexpected word \"%s\"", argv[0]);
	skel = open_programs();
	if (!skel)
		return REFUSED;
	status = detach(skel);
	nflb_toa_bpf__destroy(skel);
	return status;
}

static int allow_show(void)
{
	static struct prefix_list list;
	json_t *array = json_array();
	char text[INET6_ADDRSTRLEN];
	size_t i;

	if (access(PINS, F_OK))
		return fail(UNAVAILABLE, "not attached");
	read_list(&list);
	for (i = 0; i < list.count; i++) {
		const struct prefix *p = &list.items[i];

		inet_ntop(p->len == 4 ? AF_INET : AF_INET6, p->bytes, text,
			  sizeof(text));
		if (json)
			json_array_append_new(array, json_sprintf(
				"%s/%u", text, p->bits));
		else
			printf("%s/%u\n", text, p->bits);
	}
	if (json) {
		json_dumpf(array, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(array);
	return DONE;
}

static int cmd_allow(int argc, char **argv)
{
	struct prefix p;

	if (!argc || (argc == 1 && !strcmp(argv[0], "show")))
		return allow_show();
	if (argc != 2 || (strcmp(argv[0], "add") && strcmp(argv[0], "del")))
		return fail(USAGE, "allow: add ADDRESS[/LENGTH], del ADDRESS[/LENGTH] or show is expected");
	if (!parse_prefix(argv[1], &p))
		return fail(USAGE, "\"%s\": ADDRESS or ADDRESS/LENGTH is expected",
			    argv[1]);
	return allow_change(&p, !strcmp(argv[0], "add"));
}

static int cmd_stats(int argc, char **argv)
{
	int cpus = libbpf_num_possible_cpus(), fd = pinned("counters"), cpu;
	json_t *object = json_object();
	uint64_t *values, sum;
	uint32_t i;

	if (argc)
		return fail(USAGE, "unexpected word \"%s\"", argv[0]);
	if (fd < 0)
		return fail(UNAVAILABLE, "not attached");
	values = calloc(cpus > 0 ? cpus : 1, sizeof(*values));
	for (i = 0; i < TOA_COUNTER_COUNT; i++) {
		if (!values || bpf_map_lookup_elem(fd, &i, values))
			return refused("counters");
		for (sum = 0, cpu = 0; cpu < cpus; cpu++)
			sum += values[cpu];
		if (json)
			json_object_set_new(object, counter_names[i],
					    json_integer(sum));
		else
			printf("%-16s %" PRIu64 "\n", counter_names[i], sum);
	}
	if (json) {
		json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
		putchar('\n');
	}
	json_decref(object);
	free(values);
	close(fd);
	return DONE;
}

static int help(void)
{
	puts("usage: nflb-toa [-j] COMMAND\n"
	     "    nflb-toa attach [--cgroup PATH] --allow ADDRESS[/LENGTH][,...]\n"
	     "    nflb-toa detach\n"
	     "    nflb-toa allow add|del ADDRESS[/LENGTH]\n"
	     "    nflb-toa allow show\n"
	     "    nflb-toa stats\n"
	     "\n"
	     "Servers in the cgroup (default: all) see the client's address from the TCP\n"
	     "option that a balancer on the list inserts.\n"
	     "\n"
	     "options: -j (JSON), -V (version), -h");
	return DONE;
}

static int run(int argc, char **argv)
{
	if (!argc)
		return fail(USAGE, "a command is expected: attach, detach, allow or stats");
	if (!strcmp(argv[0], "attach"))
		return cmd_attach(argc - 1, argv + 1);
	if (!strcmp(argv[0], "detach"))
		return cmd_detach(argc - 1, argv + 1);
	if (!strcmp(argv[0], "allow"))
		return cmd_allow(argc - 1, argv + 1);
	if (!strcmp(argv[0], "stats"))
		return cmd_stats(argc - 1, argv + 1);
	if (!strcmp(argv[0], "help"))
		return help();
	return fail(USAGE, "unknown command \"%s\"; there are: attach, detach, allow, stats",
		    argv[0]);
}

static int quiet(enum libbpf_print_level level, const char *format,
		 va_list args)
{
	return level == LIBBPF_WARN && getenv("NFLB_TOA_DEBUG") ?
	       vfprintf(stderr, format, args) : 0;
}

int main(int argc, char **argv)
{
	int c, status;

	libbpf_set_print(quiet);
	while ((c = getopt(argc, argv, "+jhV")) != -1) {
		switch (c) {
		case 'j': json = true; break;
		case 'h': return help();
		case 'V': puts("nflb-toa " NFLB_VERSION); return DONE;
		default: return USAGE;
		}
	}
	status = run(argc - optind, argv + optind);
	if (fflush(stdout) && !status)
		status = fail(USAGE, "cannot write: %s", strerror(errno));
	return status;
}
