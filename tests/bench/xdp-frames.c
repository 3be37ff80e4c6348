// SPDX-License-Identifier: GPL-2.0
/*
 * xdp-frames attach DEVICE PIN drop|pass|back|nflb
 * xdp-frames attach DEVICE PIN redirect TO: a program of XDP for a device, in driver
 * mode, kept by a link that is pinned. Where the pin is there already, another program
 * takes the place of the one before, and no frame is lost meanwhile.
 *
 * xdp-frames udp|tcp|stamps|reply VIA MAC FROM TO FIRST-PORT FLOWS CLIENTS COUNT: make
 * frames of these flows by turns, and send them out of VIA as XDP does: no skb is made.
 * Prints the nanoseconds for one of COUNT, and how many there were with those before.
 *
 * "tcp" is segments of connections that are in use, "stamps" with time stamps, "reply"
 * the datagrams of a backend, FROM it TO the client. Flows have ports that follow each
 * other, as many times as there are clients, whose addresses follow each other.
 *
 * A program makes the frames (BPF_F_TEST_XDP_LIVE_FRAMES). It takes the time itself,
 * since the system call also waits for other things (RCU).
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame.h"

/* How many frames the kernel makes in one go; then they are received. */
#define BATCH		64

/* Frames before those that count: whatever is done only once is done then. */
#define WARM		(32 * BATCH)

#define LOG_SIZE	65536

/* What the program remembers. */
struct state {
	__u64 sent;
	__u64 next;
	__u64 times[2];
};

struct code {
	struct bpf_insn insns[128];
	int len;
};

static char verifier_log[LOG_SIZE];

static void die(const char *what)
{
	fprintf(stderr, "xdp-frames: %s: %s\n%s", what, strerror(errno),
		verifier_log);
	exit(1);
}

/* --- programs */

static int emit(struct code *code, int op, int dst, int src, int off, int imm)
{
	code->insns[code->len] = (struct bpf_insn) {
		.code = op, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm,
	};
	return code->len++;
}

static void move(struct code *code, int dst, int imm)
{
	emit(code, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static void copy(struct code *code, int dst, int src)
{
	emit(code, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void add(struct code *code, int dst, int imm)
{
	emit(code, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm);
}

static void read_from(struct code *code, int size, int dst, int src, int off)
{
	emit(code, BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static void write_to(struct code *code, int size, int dst, int off, int src)
{
	emit(code, BPF_STX | BPF_MEM | size, dst, src, off, 0);
}

static void call(struct code *code, int helper)
{
	emit(code, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static void map_address(struct code *code, int dst, int kind, int fd)
{
	emit(code, BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, fd);
	emit(code, 0, 0, 0, 0, 0);
}

/* The jump at @from goes to what comes next. */
static void here(struct code *code, int from)
{
	code->insns[from].off = code->len - from - 1;
}

static void leave(struct code *code)
{
	emit(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void leave_with(struct code *code, int verdict)
{
	move(code, BPF_REG_0, verdict);
	leave(code);
}

static void redirect_to(struct code *code, int ifindex)
{
	move(code, BPF_REG_1, ifindex);
	move(code, BPF_REG_2, 0);
	call(code, BPF_FUNC_redirect);
	leave(code);
}

static int load(const struct code *code, int *fds)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.fd_array = fds, .log_buf = verifier_log, .log_size = LOG_SIZE);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "xdp_frames", "GPL", code->insns,
			       code->len, &opts);

	if (fd < 0)
		die("load");
	verifier_log[0] = '\0';
	return fd;
}

/* --- attach */

static int module_btf(const char *name)
{
	struct bpf_btf_info info;
	char found[64];
	__u32 id = 0, len;
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0)
			continue;
		info = (struct bpf_btf_info) {
			.name = (uintptr_t)found, .name_len = sizeof(found),
		};
		len = sizeof(info);
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf &&
		    !strcmp(found, name))
			return fd;
		close(fd);
	}
	die("the module has no BTF");
	return -1;
}

/* As lbadm has it: call the module and leave. */
static int load_nflb(void)
{
	struct btf *kernel = btf__load_vmlinux_btf(), *module;
	int fds[] = { -1, module_btf("nflb") }, function, fd;
	struct code code = { 0 };

	module = kernel ? btf__load_module_btf("nflb", kernel) : NULL;
	function = module ? btf__find_by_name_kind(module, "nflb_xdp",
						   BTF_KIND_FUNC) : -1;
	if (function < 0)
		die("no nflb_xdp() in the module's BTF");
	emit(&code, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 1, function);
	leave(&code);
	fd = load(&code, fds);
	btf__free(module);
	btf__free(kernel);
	return fd;
}

static int index_of(const char *device)
{
	int index = if_nametoindex(device);

	if (!index)
		die(device);
	return index;
}

static int load_named(const char *name, const char *to)
{
	struct code code = { 0 };

	if (!strcmp(name, "nflb"))
		return load_nflb();
	if (to)
		redirect_to(&code, index_of(to));
	else
		leave_with(&code, !strcmp(name, "drop") ? XDP_DROP :
				  !strcmp(name, "back") ? XDP_TX : XDP_PASS);
	return load(&code, NULL);
}

static void attach(const char *device, const char *pin, int program)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int link = bpf_obj_get(pin);

	if (link >= 0) {
		if (bpf_link_update(link, program, NULL))
			die(pin);
		return;
	}
	link = bpf_link_create(program, index_of(device), BPF_XDP, &opts);
	if (link < 0)
		die(device);
	if (bpf_obj_pin(link, pin))
		die(pin);
}

/* --- send */

static int make_map(const char *name, int size, int entries, void **at)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), size,
				entries, &opts);

	if (fd < 0)
		die(name);
	*at = mmap(NULL, (size_t)size * entries, PROT_READ | PROT_WRITE, MAP_SHARED,
		   fd, 0);
	if (*at == MAP_FAILED)
		die(name);
	return fd;
}

/* An array's entries are aligned. */
#define SLOT	((FRAME_MAX + 7) / 8 * 8)

static struct frame frame_of(const char *kind, const struct flow *f)
{
	if (!strcmp(kind, "udp") || !strcmp(kind, "reply"))
		return datagram(f);
	/* The client has acknowledged some data. */
	return segment(f, TH_ACK, CLIENT_ISN + 1, BACKEND_ISN + 500, DATA,
		       !strcmp(kind, "stamps"));
}

/* All frames; their length */
static int fill(unsigned char *at, const char *kind, struct flow *f, int first,
		int flows, int clients)
{
	bool reply = !strcmp(kind, "reply");
	struct end *client = reply ? &f->to : &f->from;
	struct frame frame = { 0 };
	int i, j;

	if (reply)
		f->from.port = DPORT;
	for (j = 0; j < clients; j++) {
		for (i = 0; i < flows; i++) {
			client->port = first + i;
			frame = frame_of(kind, f);
			memcpy(at, frame.bytes, frame.len);
			at += SLOT;
		}
		client->addr[f->v4 ? 3 : 15]++;
	}
	return frame.len;
}

/* Writes a whole frame, since the one that was there before was rewritten. */
static void copy_frame(struct code *code, int dst, int src, int len)
{
	int off;

	for (off = 0; off + 8 <= len; off += 8) {
		read_from(code, BPF_DW, BPF_REG_1, src, off);
		write_to(code, BPF_DW, dst, off, BPF_REG_1);
	}
	for (; off < len; off += 4) {
		read_from(code, BPF_W, BPF_REG_1, src, off);
		write_to(code, BPF_W, dst, off, BPF_REG_1);
	}
}

/* The time of the first frame that counts, and of the first behind the last */
static void take_times(struct code *code, int count)
{
	int first, other;

	read_from(code, BPF_DW, BPF_REG_6, BPF_REG_8, offsetof(struct state, sent));
	copy(code, BPF_REG_1, BPF_REG_6);
	add(code, BPF_REG_1, 1);
	write_to(code, BPF_DW, BPF_REG_8, offsetof(struct state, sent), BPF_REG_1);
	first = emit(code, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_6, 0, 0, WARM);
	other = emit(code, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_6, 0, 0, WARM + count);
	here(code, first);
	call(code, BPF_FUNC_ktime_get_ns);
	read_from(code, BPF_DW, BPF_REG_1, BPF_REG_8, offsetof(struct state, times[1]));
	write_to(code, BPF_DW, BPF_REG_8, offsetof(struct state, times[0]), BPF_REG_1);
	write_to(code, BPF_DW, BPF_REG_8, offsetof(struct state, times[1]), BPF_REG_0);
	here(code, other);
}

/* Leaves the number of the flow whose turn it is on the stack. */
static void take_turn(struct code *code, int flows)
{
	int more;

	read_from(code, BPF_DW, BPF_REG_1, BPF_REG_8, offsetof(struct state, next));
	write_to(code, BPF_W, BPF_REG_10, -4, BPF_REG_1);
	add(code, BPF_REG_1, 1);
	more = emit(code, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, 0, flows);
	move(code, BPF_REG_1, 0);
	here(code, more);
	write_to(code, BPF_DW, BPF_REG_8, offsetof(struct state, next), BPF_REG_1);
}

static int load_generator(int frames, int state, int len, int flows, int count,
			  int ifindex)
{
	struct code code = { 0 };
	int small, none;

	read_from(&code, BPF_W, BPF_REG_7, BPF_REG_1, offsetof(struct xdp_md, data));
	read_from(&code, BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct xdp_md, data_end));
	copy(&code, BPF_REG_3, BPF_REG_7);
	add(&code, BPF_REG_3, len);
	small = emit(&code, BPF_JMP | BPF_JGT | BPF_X, BPF_REG_3, BPF_REG_2, 0, 0);
	map_address(&code, BPF_REG_8, BPF_PSEUDO_MAP_VALUE, state);
	take_times(&code, count);
	take_turn(&code, flows);
	copy(&code, BPF_REG_2, BPF_REG_10);
	add(&code, BPF_REG_2, -4);
	map_address(&code, BPF_REG_1, BPF_PSEUDO_MAP_FD, frames);
	call(&code, BPF_FUNC_map_lookup_elem);
	none = emit(&code, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
	copy_frame(&code, BPF_REG_7, BPF_REG_0, len);
	redirect_to(&code, ifindex);
	here(&code, small);
	here(&code, none);
	leave_with(&code, XDP_ABORTED);
	return load(&code, NULL);
}

static void send_frames(int program, const void *frame, int len, int count)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = frame, .data_size_in = len,
		.repeat = count, .batch_size = BATCH,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (bpf_prog_test_run_opts(program, &opts))
		die("send");
}

/* "KIND VIA MAC FROM TO FIRST-PORT FLOWS CLIENTS COUNT" */
static void send_kind(char **words)
{
	int first = atoi(words[5]), flows = atoi(words[6]), clients = atoi(words[7]);
	int count = atoi(words[8]) / BATCH * BATCH, len, frames_fd, state_fd, program;
	struct flow f = { 0 };
	struct state *state;
	void *frames;

	parse_flow(&f, words + 2);
	frames_fd = make_map("frames", SLOT, flows * clients, &frames);
	state_fd = make_map("state", sizeof(*state), 1, (void **)&state);
	len = fill(frames, words[0], &f, first, flows, clients);
	program = load_generator(frames_fd, state_fd, len, flows * clients, count,
				 index_of(words[1]));
	send_frames(program, frames, len, WARM + count + 1);
	if (state->sent != (__u64)WARM + count + 1) {
		fprintf(stderr, "xdp-frames: only %llu of %d frames were sent\n",
			state->sent, WARM + count + 1);
		exit(1);
	}
	printf("%llu %llu\n", (state->times[1] - state->times[0]) / count, state->sent);
}

int main(int argc, char **argv)
{
	if (argc >= 5 && argc <= 6 && !strcmp(argv[1], "attach")) {
		attach(argv[2], argv[3], load_named(argv[4], argv[5]));
		return 0;
	}
	if (argc == 10) {
		send_kind(argv + 1);
		return 0;
	}
	fprintf(stderr, "usage: xdp-frames attach DEVICE PIN drop|pass|back|nflb\n"
			"       xdp-frames attach DEVICE PIN redirect TO\n"
			"       xdp-frames udp|tcp|stamps|reply VIA MAC FROM TO FIRST-PORT FLOWS CLIENTS COUNT\n");
	return 1;
}
