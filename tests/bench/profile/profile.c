// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU plugin that counts executed instructions by address, between two
 * marks that the guest makes: the instruction MARK turns counting on and off.
 * Writes "ADDRESS INSTRUCTIONS LENGTH" lines when the machine stops, one for
 * each run of LENGTH instructions without a jump in it.
 *
 * What is declared here is QEMU's plugin interface, version 1; Debian ships no
 * header for it.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
	void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op,
					      void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
	void (*cb)(unsigned int vcpu, void *data), int flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
	void (*cb)(qemu_plugin_id_t id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

/* nopl 0x6c626e(%rax) */
static const uint8_t mark_insn[] = { 0x0f, 0x1f, 0x80, 0x6e, 0x62, 0x6c, 0x00 };

struct block {
	struct block *next;
	uint64_t addr;
	uint64_t count, base, sum, len;
};

#define BUCKETS 65536
static struct block *blocks[BUCKETS];
static bool on;
static const char *path;

static struct block *block_of(uint64_t addr)
{
	struct block **b = &blocks[(addr >> 1 ^ addr >> 17) % BUCKETS];

	for (; *b; b = &(*b)->next)
		if ((*b)->addr == addr)
			return *b;
	*b = calloc(1, sizeof(**b));
	if (!*b)
		abort();
	(*b)->addr = addr;
	return *b;
}

static void mark(unsigned int vcpu, void *data)
{
	on = !on;
	for (int i = 0; i < BUCKETS; i++)
		for (struct block *b = blocks[i]; b; b = b->next) {
			if (on)
				b->base = b->count;
			else
				b->sum += b->count - b->base;
		}
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *b = block_of(qemu_plugin_tb_vaddr(tb));

	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (qemu_plugin_insn_size(insn) == sizeof(mark_insn) &&
		    !memcmp(qemu_plugin_insn_data(insn), mark_insn,
			    sizeof(mark_insn)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, mark, 0,
							       NULL);
	}
	b->len = n;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &b->count, n);
}

static void stopped(qemu_plugin_id_t id, void *data)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		return;
	}
	for (int i = 0; i < BUCKETS; i++)
		for (struct block *b = blocks[i]; b; b = b->next)
			if (b->sum)
				fprintf(f, "%016" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
					b->addr, b->sum, b->len);
	fclose(f);
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			path = strdup(argv[i] + 4);
	if (!path)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, stopped, NULL);
	return 0;
}
