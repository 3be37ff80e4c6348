// SPDX-License-Identifier: GPL-2.0
/*
 * mkbtf MODULE BASE: describe a module's functions for BPF programs (kfuncs) in BTF,
 * where the kernel's own build does not.
 *
 * BASE is the kernel's BTF, raw or in an ELF file. It must be that of the very kernel:
 * BTF of a module refers to it by number. With "-" the BTF gets a base of its own
 * (.BTF.base) instead, which the kernel matches by name when it loads the module. That
 * needs Linux 6.11.
 *
 * mkbtf takes each function that the module marks by BTF_ID_FLAGS(func, NAME) for
 * int NAME(struct xdp_md *). It writes MODULE.btf, with "-" also MODULE.btf_base, for
 * objcopy to add, and the numbers of the functions to the module's section .BTF_ids,
 * as resolve_btfids does.
 *
 * mkbtf --check MODULE [BASE]: does the module's BTF describe all these functions, and
 * are their numbers right? A module with .BTF.base needs no BASE.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define FUNCS_MAX	8
#define SETS_MAX	4
#define MARK		"__BTF_ID__"
#define FUNC_MARK	MARK "func__"
#define SET_MARK	MARK "set8__"

/* A function, and where in the file its number is */
struct func {
	char	name[128];
	off_t	at;
};

/* A set of functions, and where in the file their count is */
struct set {
	uint32_t	count;
	off_t		at;
};

struct module {
	const char	*path;
	int		fd;
	Elf		*elf;
	struct func	funcs[FUNCS_MAX];
	struct set	sets[SETS_MAX];
	int		func_count;
	int		set_count;
};

static _Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...)
{
	va_list args;

	fputs("mkbtf: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* Reading the module */

static Elf_Scn *section(const struct module *mod, const char *name, GElf_Shdr *header)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(mod->elf, &names))
		die("%s: no section names", mod->path);
	while ((scn = elf_nextscn(mod->elf, scn))) {
		if (!gelf_getshdr(scn, header))
			die("%s: %s", mod->path, elf_errmsg(-1));
		if (!strcmp(elf_strptr(mod->elf, names, header->sh_name) ?: "", name))
			return scn;
	}
	return NULL;
}

/* The mark is FUNC_MARK, the name, "__", and digits that make it unique. */
static void set_name(struct func *func, const char *mark)
{
	const char *name = mark + strlen(FUNC_MARK), *end = NULL, *p;

	for (p = name; (p = strstr(p, "__")); p++)
		end = p;
	if (!end || end - name >= (int)sizeof(func->name))
		die("%s does not mark a function", mark);
	memcpy(func->name, name, end - name);
}

static void add_mark(struct module *mod, const char *mark, const GElf_Sym *sym, off_t at)
{
	if (!strncmp(mark, FUNC_MARK, strlen(FUNC_MARK))) {
		if (mod->func_count == FUNCS_MAX)
			die("%s: more than %d functions", mod->path, FUNCS_MAX);
		mod->funcs[mod->func_count].at = at;
		set_name(&mod->funcs[mod->func_count++], mark);
	} else if (!strncmp(mark, SET_MARK, strlen(SET_MARK))) {
		if (mod->set_count == SETS_MAX)
			die("%s: more than %d sets", mod->path, SETS_MAX);
		/* The symbol covers the header (8 bytes), then 8 bytes a function. */
		mod->sets[mod->set_count].count = sym->st_size / 8 - 1;
		mod->sets[mod->set_count++].at = at;
	} else if (!strncmp(mark, MARK, strlen(MARK))) {
		die("%s: cannot number %s", mod->path, mark);
	}
}

static int by_place(const void *a, const void *b)
{
	const struct func *one = a, *other = b;

	return (one->at > other->at) - (one->at < other->at);
}

static void find_marks(struct module *mod)
{
	GElf_Shdr ids, symtab;
	Elf_Scn *ids_scn = section(mod, ".BTF_ids", &ids);
	Elf_Scn *scn = section(mod, ".symtab", &symtab);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
	GElf_Sym sym;
	size_t i;

	if (!data)
		die("%s: no symbols", mod->path);
	for (i = 0; ids_scn && i < symtab.sh_size / symtab.sh_entsize; i++)
		if (gelf_getsym(data, i, &sym) && sym.st_shndx == elf_ndxscn(ids_scn))
			add_mark(mod, elf_strptr(mod->elf, symtab.sh_link, sym.st_name) ?: "",
				 &sym, ids.sh_offset + sym.st_value);
	if (!mod->func_count)
		die("%s marks no functions for BPF programs", mod->path);
	/* Numbered in this order: the kernel searches a set by bisection. */
	qsort(mod->funcs, mod->func_count, sizeof(mod->funcs[0]), by_place);
}

static void open_module(struct module *mod, const char *path, int mode)
{
	mod->path = path;
	mod->fd = open(path, mode);
	if (mod->fd < 0)
		die("%s: %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	mod->elf = elf_begin(mod->fd, ELF_C_READ, NULL);
	if (!mod->elf || elf_kind(mod->elf) != ELF_K_ELF)
		die("%s is not a module", path);
	find_marks(mod);
}

/* Describing its functions */

static struct btf *read_base(const char *path)
{
	struct btf *base = btf__parse(path, NULL);

	if (!base)
		die("%s: no BTF in it", path);
	return base;
}

/* A base of nothing but the types that the functions need */
static struct btf *make_base(void)
{
	struct btf *base = btf__new_empty();

	if (!base || btf__add_int(base, "int", 4, BTF_INT_SIGNED) < 0 ||
	    btf__add_fwd(base, "xdp_md", BTF_FWD_STRUCT) < 0)
		die("cannot make a base");
	return base;
}

static int type_of(const struct btf *base, const char *name, int kind)
{
	int id = btf__find_by_name_kind(base, name, kind);

	if (id < 0)
		die("the base has no type %s", name);
	return id;
}

/* int NAME(struct xdp_md *ctx) for each; ids become their numbers. @kind: of xdp_md. */
static struct btf *describe(struct btf *base, int kind, const struct module *mod, int *ids)
{
	struct btf *btf = btf__new_empty_split(base);
	int type, ctx, proto, i;

	if (!btf)
		die("cannot make BTF");
	type = type_of(base, "int", BTF_KIND_INT);
	ctx = btf__add_ptr(btf, type_of(base, "xdp_md", kind));
	proto = btf__add_func_proto(btf, type);
	if (ctx < 0 || proto < 0 || btf__add_func_param(btf, "ctx", ctx))
		die("cannot describe a function");
	for (i = 0; i < mod->func_count; i++) {
		ids[i] = btf__add_func(btf, mod->funcs[i].name, BTF_FUNC_STATIC, proto);
		if (ids[i] < 0)
			die("cannot describe %s", mod->funcs[i].name);
	}
	return btf;
}

static void save(const struct btf *btf, const char *module, const char *suffix)
{
	char path[4096];
	const void *data;
	uint32_t size;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s%s", module, suffix) >= (int)sizeof(path))
		die("%s: the path is too long", module);
	data = btf__raw_data(btf, &size);
	f = fopen(path, "w");
	if (!data || !f || fwrite(data, size, 1, f) != 1 || fclose(f))
		die("%s: %s", path, strerror(errno));
}

static void put(const struct module *mod, off_t at, uint32_t number)
{
	if (pwrite(mod->fd, &number, sizeof(number), at) != sizeof(number))
		die("%s: %s", mod->path, strerror(errno));
}

static void make(const char *path, const char *base_path)
{
	bool own = !strcmp(base_path, "-");
	struct module mod = { 0 };
	struct btf *base, *btf;
	int ids[FUNCS_MAX], i;

	open_module(&mod, path, O_RDWR);
	base = own ? make_base() : read_base(base_path);
	btf = describe(base, own ? BTF_KIND_FWD : BTF_KIND_STRUCT, &mod, ids);
	save(btf, path, ".btf");
	if (own)
		save(base, path, ".btf_base");
	for (i = 0; i < mod.func_count; i++)
		put(&mod, mod.funcs[i].at, ids[i]);
	for (i = 0; i < mod.set_count; i++)
		put(&mod, mod.sets[i].at, mod.sets[i].count);
}

/* Checking */

static uint32_t get(const struct module *mod, off_t at)
{
	uint32_t number;

	if (pread(mod->fd, &number, sizeof(number), at) != sizeof(number))
		die("%s: cannot read the numbers of its functions", mod->path);
	return number;
}

/*
 * The BTF in a section, upon @base; NULL if there is no such section. By way of a file,
 * because libbpf.so 1.1 declares btf__new_split() but does not export it.
 */
static struct btf *section_btf(const struct module *mod, const char *name, struct btf *base)
{
	char path[32];
	GElf_Shdr header;
	Elf_Scn *scn = section(mod, name, &header);
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;
	struct btf *btf;
	FILE *f;

	if (!data)
		return NULL;
	f = tmpfile();
	if (!f || fwrite(data->d_buf, data->d_size, 1, f) != 1 || fflush(f))
		die("cannot write a temporary file: %s", strerror(errno));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(f));
	btf = btf__parse_raw_split(path, base);
	if (!btf)
		die("%s: %s is not valid upon this base", mod->path, name);
	fclose(f);
	return btf;
}

static bool is_named(const struct btf *btf, const struct btf_type *type, const char *name)
{
	return type && !strcmp(btf__name_by_offset(btf, type->name_off) ?: "", name);
}

/* Is type number @id of @btf a function int NAME(struct xdp_md *)? */
static bool is_func(const struct btf *btf, uint32_t id, const char *name)
{
	const struct btf_type *func = btf__type_by_id(btf, id), *proto, *ctx;

	if (!is_named(btf, func, name) || !btf_is_func(func))
		return false;
	proto = btf__type_by_id(btf, func->type);
	if (!proto || !btf_is_func_proto(proto) || btf_vlen(proto) != 1 ||
	    !is_named(btf, btf__type_by_id(btf, proto->type), "int"))
		return false;
	ctx = btf__type_by_id(btf, btf_params(proto)->type);
	return ctx && btf_is_ptr(ctx) && is_named(btf, btf__type_by_id(btf, ctx->type), "xdp_md");
}

static void check(const char *path, const char *base_path)
{
	struct module mod = { 0 };
	struct btf *base, *btf;
	uint32_t id, last = 0;
	int i;

	open_module(&mod, path, O_RDONLY);
	base = section_btf(&mod, ".BTF.base", NULL);
	if (!base && base_path)
		base = read_base(base_path);
	if (!base)
		die("%s has no .BTF.base: name a base", path);
	btf = section_btf(&mod, ".BTF", base);
	if (!btf)
		die("%s has no BTF", path);
	for (i = 0; i < mod.func_count; i++, last = id) {
		id = get(&mod, mod.funcs[i].at);
		if (!is_func(btf, id, mod.funcs[i].name))
			die("%s: number %u is not %s in its BTF", path, id, mod.funcs[i].name);
		if (id <= last)
			die("%s: the numbers of its functions do not ascend", path);
	}
	for (i = 0; i < mod.set_count; i++)
		if (get(&mod, mod.sets[i].at) != mod.sets[i].count)
			die("%s: the count of a set of functions is wrong", path);
}

int main(int argc, char **argv)
{
	/* What is wrong, mkbtf says in a line of its own. */
	libbpf_set_print(NULL);
	if ((argc == 3 || argc == 4) && !strcmp(argv[1], "--check"))
		check(argv[2], argc == 4 ? argv[3] : NULL);
	else if (argc == 3)
		make(argv[1], argv[2]);
	else
		die("usage: mkbtf MODULE BASE|- or mkbtf --check MODULE [BASE]");
	return 0;
}
