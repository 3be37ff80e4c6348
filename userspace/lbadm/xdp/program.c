// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the program. The kernel wants the function's number in the BTF (type
 * information) of the module, and a file descriptor of that BTF.
 */
#include "xdp/program.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lbadm.h"
#include "xdp/xdp.h"

#define MODULE "nflb"
#define FUNCTION "nflb_xdp"
#define LOG_SIZE (64 * 1024)

#define REBUILD "rebuild the module with libbpf-dev installed; see docs/xdp.md"

/* The module's BTF, as a file descriptor; or a negative errno. */
static int module_btf_fd(void)
{
	struct bpf_btf_info info;
	char name[64];
	__u32 id = 0, len;
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -errno;
		memset(&info, 0, sizeof(info));
		info.name = (uintptr_t)name;
		info.name_len = sizeof(name);
		len = sizeof(info);
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    info.kernel_btf && !strcmp(name, MODULE))
			return fd;
		close(fd);
	}
	return -errno;
}

/* The function's number there. */
static int find_function(__s32 *number)
{
	struct btf *kernel, *module;

	kernel = btf__load_vmlinux_btf();
	if (!kernel)
		return fail(LBADM_REFUSED,
			    "XDP needs a kernel with BTF (CONFIG_DEBUG_INFO_BTF); this one has none");
	module = btf__load_module_btf(MODULE, kernel);
	*number = module ? btf__find_by_name_kind(module, FUNCTION,
						  BTF_KIND_FUNC) : -errno;
	btf__free(module);
	btf__free(kernel);
	if (*number > 0)
		return LBADM_OK;
	return fail(LBADM_REFUSED,
		    "the BTF of the module nflb, without which XDP cannot call it, has no function " FUNCTION "(); " REBUILD);
}

/* The line of the verifier's log that says why: the last before its statistics. */
static const char *reason_of(char *log)
{
	const char *reason = NULL;
	char *line, *rest = log;

	while ((line = strsep(&rest, "\n")))
		if (*line && strncmp(line, "processed ", 10))
			reason = line;
	return reason;
}

static int refused(int error, char *log)
{
	/* Before reason_of() takes the log apart. */
	bool jit = strstr(log, "JIT");
	bool not_allowed = strstr(log, "is not allowed");
	const char *reason = reason_of(log);

	if (error == EPERM)
		return xdp_no_permission();
	if (!reason)
		reason = strerror(error);
	if (jit)
		return fail(LBADM_REFUSED,
			    "this kernel cannot call a module from XDP, which needs a BPF JIT that supports it, and net.core.bpf_jit_enable=1 (kernel: %s); use \"device add\" without xdp",
			    reason);
	if (not_allowed)
		return fail(LBADM_REFUSED,
			    "the module nflb has BTF, but without the list of functions for XDP (kernel: %s); " REBUILD,
			    reason);
	return fail(LBADM_REFUSED, "kernel: the XDP program is refused: %s",
		    reason);
}

/* Call the function with the context as it is, in register 1, and exit. */
static int load(int btf_fd, __s32 function, int *fd)
{
	const struct bpf_insn insns[] = {
		{
			.code = BPF_JMP | BPF_CALL,
			.src_reg = BPF_PSEUDO_KFUNC_CALL,
			.off = 1,	/* into fds; 0 would be the kernel */
			.imm = function,
		},
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fds[] = { -1, btf_fd }, status = LBADM_OK;
	char *log = calloc(1, LOG_SIZE);

	if (!log)
		return fail(LBADM_REFUSED, "out of memory");
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		.expected_attach_type = BPF_XDP,
		.prog_flags = BPF_F_XDP_HAS_FRAGS,
		.fd_array = fds,
		.log_buf = log,
		.log_size = LOG_SIZE,
	);
	*fd = bpf_prog_load(BPF_PROG_TYPE_XDP, FUNCTION, "GPL", insns,
			    sizeof(insns) / sizeof(insns[0]), &opts);
	if (*fd < 0)
		status = refused(errno, log);
	free(log);
	return status;
}

int program_load(int *fd)
{
	int status, btf_fd;
	__s32 function = 0;

	btf_fd = module_btf_fd();
	if (btf_fd == -EPERM || btf_fd == -EACCES)
		return xdp_no_permission();
	if (btf_fd == -ENOSYS)
		return fail(LBADM_REFUSED,
			    "this kernel is built without BPF, which XDP needs; use \"device add\" without xdp");
	if (btf_fd < 0)
		return fail(LBADM_REFUSED,
			    "the module nflb has no BTF, without which XDP cannot call it; " REBUILD);
	status = find_function(&function);
	if (!status)
		status = load(btf_fd, function, fd);
	close(btf_fd);
	return status;
}
