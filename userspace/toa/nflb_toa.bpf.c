// SPDX-License-Identifier: GPL-2.0
/*
 * The receiver of TCP Option Address without a kernel module: when a connection
 * is accepted, the option of the segment that made it is kept with the socket;
 * getpeername() and accept() are told the client from there.
 *
 * The same options are understood as by nflb_toa.ko (kmod/toa/option.c): kind
 * 254 of length 8, kinds 254 and 253 of length 20. By the same rules, those of
 * docs/toa-receivers.md, none is believed that leaves a doubt.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "nflb_toa.h"

#define AF_INET		2
#define AF_INET6	10
#define TCP_HEADER	20
#define TCP_FLAGS	13
#define TCP_SYN		0x02
#define OPTIONS_MAX	40

#define OPT_EOL		0
#define OPT_NOP		1
#define OPT_MD5		19
#define OPT_AO		29
#define OPT_TOA6	253
#define OPT_TOA		254

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct toa_client);
} clients SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOA_ALLOW_MAX);
	__type(key, struct toa_allow4);
	__type(value, __u8);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} allow4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TOA_ALLOW_MAX);
	__type(key, struct toa_allow6);
	__type(value, __u8);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} allow6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TOA_COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} counters SEC(".maps");

/*
 * The segment at hand: its options, with room to look behind their end; where an
 * address option is; how many options are of its kinds; is there a signature.
 * The result is kept here and not in variables, whose every value the
 * verifier would follow through the rest of the options: it gives up then.
 */
struct scratch {
	__u8		opts[96];
	volatile __u8	found;
	volatile __u8	alike;
	volatile __u8	is_signed;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static void count(__u32 which)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &which);

	if (value)
		++*value;
}

/* IPv4, also where an IPv6 socket speaks it */
static bool is_mapped(const __u32 *ip6)
{
	return !ip6[0] && !ip6[1] && ip6[2] == bpf_htonl(0xffff);
}

static bool allowed(struct bpf_sock_ops *ops)
{
	struct toa_allow4 key4 = { .bits = 32 };
	struct toa_allow6 key6 = { .bits = 128 };

	if (ops->family == AF_INET6) {
		key6.addr[0] = ops->remote_ip6[0];
		key6.addr[1] = ops->remote_ip6[1];
		key6.addr[2] = ops->remote_ip6[2];
		key6.addr[3] = ops->remote_ip6[3];
		if (!is_mapped(key6.addr))
			return bpf_map_lookup_elem(&allow6, &key6);
		key4.addr = key6.addr[3];
	} else {
		key4.addr = ops->remote_ip4;
	}
	return bpf_map_lookup_elem(&allow4, &key4);
}

static bool usable(const struct toa_client *c)
{
	__u32 first = bpf_ntohl(c->addr[0]);

	if (!c->port)
		return false;
	if (c->v6)
		return (c->addr[0] | c->addr[1] | c->addr[2] | c->addr[3]) &&
		       first >> 24 != 0xff;
	return first >> 24 && first >> 28 != 0xe && first != 0xffffffff;
}

/* For the verifier: an offset that stays within the scratch buffer. */
#define bounded(offset) asm volatile("%0 &= 63" : "+r"(offset))

/* Returns how many bytes of options were copied to @opts. */
static __u32 copy_options(struct bpf_sock_ops *ops, __u8 *opts)
{
	__u8 *data = ops->skb_data, *end = ops->skb_data_end;
	__u32 len, i;

	/* A SYN makes a connection with Fast Open: none is looked at. */
	if (data + TCP_HEADER > end || data[TCP_FLAGS] & TCP_SYN)
		return 0;
	len = (data[12] >> 4) * 4 - TCP_HEADER;
	for (i = 0; i < OPTIONS_MAX; i++) {
		if (i >= len || data + TCP_HEADER + i + 1 > end)
			break;
		opts[i] = data[TCP_HEADER + i];
	}
	return i;
}

enum found { NONE, FOUND, BROKEN, AMBIGUOUS };

static enum found read_option(const __u8 *opt, struct toa_client *client)
{
	client->v6 = opt[1] == 20;
	__builtin_memcpy(&client->port, opt + 2, 2);
	if (client->v6)
		__builtin_memcpy(client->addr, opt + 4, 16);
	else
		__builtin_memcpy(client->addr, opt + 4, 4);
	return usable(client) ? FOUND : BROKEN;
}

/* Where no option was found */
#define NOWHERE		OPTIONS_MAX

/* Notes an option; returns its length, or 0 when that cannot be right. */
static __u32 look_at(struct scratch *s, __u32 at, __u32 len)
{
	__u8 kind = s->opts[at], size;

	if (at + 1 >= len)
		return 0;
	size = s->opts[at + 1];
	if (size < 2 || at + size > len)
		return 0;
	if (kind == OPT_TOA || kind == OPT_TOA6)
		s->alike++;
	if (kind == OPT_MD5 || kind == OPT_AO)
		s->is_signed = 1;
	if ((kind == OPT_TOA && (size == 8 || size == 20)) ||
	    (kind == OPT_TOA6 && size == 20))
		s->found = at;
	return size;
}

static enum found parse(struct bpf_sock_ops *ops, struct toa_client *client)
{
	__u32 zero = 0, len, i, at = 0;
	struct scratch *s;

	s = bpf_map_lookup_elem(&scratch, &zero);
	if (!s)
		return NONE;
	len = copy_options(ops, s->opts);
	s->found = NOWHERE;
	s->alike = 0;
	s->is_signed = 0;
	for (i = 0; i < OPTIONS_MAX && at < len; i++) {
		__u32 size = 1;

		bounded(at);
		if (s->opts[at] == OPT_EOL)
			break;
		if (s->opts[at] != OPT_NOP)
			size = look_at(s, at, len);
		if (!size)
			return BROKEN;
		at += size;
	}
	at = s->found;
	if (at == NOWHERE)
		return NONE;
	if (s->alike > 1 || s->is_signed)
		return AMBIGUOUS;
	bounded(at);
	return read_option(s->opts + at, client);
}

SEC("sockops")
int toa_sockops(struct bpf_sock_ops *ops)
{
	struct toa_client client = {}, *kept;
	struct bpf_sock *sk;

	if (ops->op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return 1;
	switch (parse(ops, &client)) {
	case NONE:
		return 1;
	case BROKEN:
		count(TOA_MALFORMED);
		return 1;
	case AMBIGUOUS:
		count(TOA_AMBIGUOUS);
		return 1;
	case FOUND:
		break;
	}
	if (!allowed(ops)) {
		count(TOA_REFUSED_SOURCE);
		return 1;
	}
	sk = ops->sk;
	if (!sk)
		return 1;
	kept = bpf_sk_storage_get(&clients, sk, &client,
				  BPF_SK_STORAGE_GET_F_CREATE);
	if (kept)
		count(TOA_BELIEVED);
	return 1;
}

SEC("cgroup/getpeername4")
int toa_getpeername4(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct toa_client *client;

	if (!sk)
		return 1;
	client = bpf_sk_storage_get(&clients, sk, 0, 0);
	if (!client)
		return 1;
	if (client->v6) {
		count(TOA_OTHER_FAMILY);
		return 1;
	}
	ctx->user_ip4 = client->addr[0];
	ctx->user_port = client->port;
	count(TOA_DELIVERED);
	return 1;
}

SEC("cgroup/getpeername6")
int toa_getpeername6(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct toa_client *client;

	if (!sk)
		return 1;
	client = bpf_sk_storage_get(&clients, sk, 0, 0);
	if (!client)
		return 1;
	ctx->user_ip6[0] = client->v6 ? client->addr[0] : 0;
	ctx->user_ip6[1] = client->v6 ? client->addr[1] : 0;
	ctx->user_ip6[2] = client->v6 ? client->addr[2] : bpf_htonl(0xffff);
	ctx->user_ip6[3] = client->v6 ? client->addr[3] : client->addr[0];
	ctx->user_port = client->port;
	count(TOA_DELIVERED);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
