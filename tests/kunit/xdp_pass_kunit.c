// SPDX-License-Identifier: GPL-2.0
/*
 * What XDP does not forward it leaves as it was: frames with anything about them that
 * is not plain, and all frames when the flow or the way out is not.
 */
#include <linux/etherdevice.h>

#include "xdp_util.h"

#define ANY	0

/**
 * struct odd - what is wrong with a packet
 * @what: in words
 * @family: of packets that it can be wrong with, or ANY
 * @proto: their protocol, or ANY
 * @make: makes it so
 * @arg: for it
 */
struct odd {
	const char	*what;
	u8		family;
	u8		proto;
	void		(*make)(struct kx *kx, struct ku_bytes *b,
				struct kx_shape *shape, int arg);
	int		arg;
};

/* Headers as they are now are right again, but for the oddity. */
static void fix(struct kx *kx, struct ku_bytes *b)
{
	ku_fix(b, kx->kind->family, kx->kind->proto, CHECKSUM_NONE);
}

static void add16(u8 *at, int more)
{
	put_unaligned_be16(get_unaligned_be16(at) + more, at);
}

/* More bytes between the network header and the transport header */
static void insert(struct kx *kx, struct ku_bytes *b, const u8 *bytes,
		   unsigned int len)
{
	memmove(b->data + b->l4 + len, b->data + b->l4, b->len - b->l4);
	memcpy(b->data + b->l4, bytes, len);
	b->len += len;
	add16(b->data + (kx->kind->family == AF_INET ? 2 : 4), len);
}

static void odd_ttl(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		    int arg)
{
	b->data[kx->kind->family == AF_INET ? 8 : 7] = arg;
	fix(kx, b);
}

static void odd_mac(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		    int arg)
{
	static const u8 macs[][ETH_ALEN] = {
		{ 2, 0, 0, 0, 0, 1 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 1, 0, 0x5e, 0, 0, 1 },
		{ 0x33, 0x33, 0, 0, 0, 1 },
	};

	shape->mac = macs[arg];
}

static void odd_type(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		     int arg)
{
	shape->type = arg;
}

static void odd_byte(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		     int arg)
{
	b->data[arg >> 8] = arg;
	if (kx->kind->family == AF_INET)
		kx_fix_v4(b, 20);
}

static void odd_sum(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		    int arg)
{
	b->data[10] ^= arg >> 8;
	b->data[11] ^= arg;
}

static void odd_options(struct kx *kx, struct ku_bytes *b,
			struct kx_shape *shape, int arg)
{
	static const u8 nops[40] = { [0 ... 39] = 1 };

	insert(kx, b, nops, arg);
	b->data[0] = 0x45 + arg / 4;
	kx_fix_v4(b, 20 + arg);
}

static void odd_extension(struct kx *kx, struct ku_bytes *b,
			  struct kx_shape *shape, int arg)
{
	u8 header[8] = { b->data[6], 0, 1, 4 };

	/* Of a fragment, it is offset and identification. */
	if (arg == IPPROTO_FRAGMENT)
		header[2] = 0;
	insert(kx, b, header, sizeof(header));
	b->data[6] = arg;
}

static void odd_fragment(struct kx *kx, struct ku_bytes *b,
			 struct kx_shape *shape, int arg)
{
	put_unaligned_be16(arg, b->data + 6);
	kx_fix_v4(b, 20);
}

/* The network header tells another length than the frame has. */
static void odd_length(struct kx *kx, struct ku_bytes *b,
		       struct kx_shape *shape, int arg)
{
	add16(b->data + (kx->kind->family == AF_INET ? 2 : 4), arg);
	fix(kx, b);
}

static void odd_no_length(struct kx *kx, struct ku_bytes *b,
			  struct kx_shape *shape, int arg)
{
	put_unaligned_be16(0, b->data + (kx->kind->family == AF_INET ? 2 : 4));
	if (kx->kind->family == AF_INET)
		kx_fix_v4(b, 20);
}

/* Both agree, and the transport header does not fit in. */
static void odd_cut(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		    int arg)
{
	b->len = b->l4 + arg;
	put_unaligned_be16(kx->kind->family == AF_INET ? b->len : arg,
			   b->data + (kx->kind->family == AF_INET ? 2 : 4));
	if (kx->kind->family == AF_INET)
		kx_fix_v4(b, 20);
}

/* The same in a frame that is filled up: its bytes are there. */
static void odd_cut_filled(struct kx *kx, struct ku_bytes *b,
			   struct kx_shape *shape, int arg)
{
	odd_cut(kx, b, shape, arg);
	shape->tail = 46 - b->len;
}

static void odd_tail(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		     int arg)
{
	shape->tail = arg;
}

static void odd_offset(struct kx *kx, struct ku_bytes *b,
		       struct kx_shape *shape, int arg)
{
	b->data[b->l4 + 12] = arg << 4;
	fix(kx, b);
}

static void odd_offset_long(struct kx *kx, struct ku_bytes *b,
			    struct kx_shape *shape, int arg)
{
	odd_cut(kx, b, shape, arg * 4 - 11);
	odd_offset(kx, b, shape, arg);
}

/* The header would end behind the packet, and within what fills the frame up. */
static void odd_offset_filled(struct kx *kx, struct ku_bytes *b,
			      struct kx_shape *shape, int arg)
{
	b->data[b->l4 + 12] = arg << 4;
	odd_cut_filled(kx, b, shape, 20);
}

static void odd_flags(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		      int arg)
{
	b->data[b->l4 + 13] = arg;
	fix(kx, b);
}

static void odd_udp(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		    int arg)
{
	put_unaligned_be16(arg < 100 ? arg : b->len - b->l4 + arg - 100,
			   b->data + b->l4 + 4);
	fix(kx, b);
}

static void odd_port(struct kx *kx, struct ku_bytes *b, struct kx_shape *shape,
		     int arg)
{
	b->data[b->l4 + arg] ^= 1;
	fix(kx, b);
}

static void odd_address(struct kx *kx, struct ku_bytes *b,
			struct kx_shape *shape, int arg)
{
	b->data[b->l4 - arg] ^= 1;
	fix(kx, b);
}

#define V4	AF_INET
#define V6	AF_INET6
#define TCP	IPPROTO_TCP
#define UDP	IPPROTO_UDP

static const struct odd oddities[] = {
	{ "no hop left", ANY, ANY, odd_ttl, 1 },
	{ "less than no hop left", ANY, ANY, odd_ttl, 0 },
	{ "to another MAC", ANY, ANY, odd_mac, 0 },
	{ "broadcast", ANY, ANY, odd_mac, 1 },
	{ "multicast of IPv4", ANY, ANY, odd_mac, 2 },
	{ "multicast of IPv6", ANY, ANY, odd_mac, 3 },
	{ "VLAN", ANY, ANY, odd_type, ETH_P_8021Q },
	{ "VLAN in a VLAN", ANY, ANY, odd_type, ETH_P_8021AD },
	{ "ARP", ANY, ANY, odd_type, ETH_P_ARP },
	{ "PPPoE", ANY, ANY, odd_type, ETH_P_PPP_SES },
	{ "a length of 802.3", ANY, ANY, odd_type, 100 },
	{ "IPv6 in name", V4, ANY, odd_type, ETH_P_IPV6 },
	{ "IPv4 in name", V6, ANY, odd_type, ETH_P_IP },
	{ "header checksum", V4, ANY, odd_sum, 1 },
	{ "header checksum, high byte", V4, ANY, odd_sum, 0x8000 },
	{ "header of 16 bytes", V4, ANY, odd_byte, 0x0044 },
	{ "header of 0 bytes", V4, ANY, odd_byte, 0x0040 },
	{ "header of 60 bytes", V4, ANY, odd_byte, 0x004f },
	{ "version 5", V4, ANY, odd_byte, 0x0055 },
	{ "version 6", V4, ANY, odd_byte, 0x0065 },
	{ "version 4", V6, ANY, odd_byte, 0x0040 },
	{ "version 7", V6, ANY, odd_byte, 0x0070 },
	{ "options", V4, ANY, odd_options, 4 },
	{ "40 bytes of options", V4, ANY, odd_options, 40 },
	{ "first fragment", V4, ANY, odd_fragment, 0x2000 },
	{ "fragment in the middle", V4, ANY, odd_fragment, 0x2001 },
	{ "last fragment", V4, ANY, odd_fragment, 0x1fff },
	{ "fragment with DF", V4, ANY, odd_fragment, 0x6000 },
	{ "hop-by-hop options", V6, ANY, odd_extension, IPPROTO_HOPOPTS },
	{ "routing header", V6, ANY, odd_extension, IPPROTO_ROUTING },
	{ "fragment header", V6, ANY, odd_extension, IPPROTO_FRAGMENT },
	{ "destination options", V6, ANY, odd_extension, IPPROTO_DSTOPTS },
	{ "ICMP", V4, ANY, odd_byte, 0x0900 | IPPROTO_ICMP },
	{ "SCTP", V4, ANY, odd_byte, 0x0900 | IPPROTO_SCTP },
	{ "UDP in name", V4, TCP, odd_byte, 0x0900 | IPPROTO_UDP },
	{ "TCP in name", V4, UDP, odd_byte, 0x0900 | IPPROTO_TCP },
	{ "ICMPv6", V6, ANY, odd_byte, 0x0600 | IPPROTO_ICMPV6 },
	{ "UDP-Lite", V6, ANY, odd_byte, 0x0600 | IPPROTO_UDPLITE },
	{ "longer than the frame", ANY, ANY, odd_length, 1 },
	{ "far longer than the frame", ANY, ANY, odd_length, 20000 },
	{ "shorter than the frame", ANY, ANY, odd_length, -1 },
	{ "a byte behind the packet", ANY, ANY, odd_tail, 1 },
	{ "many bytes behind the packet", ANY, ANY, odd_tail, 500 },
	{ "no length", V4, ANY, odd_no_length },
	{ "jumbogram", V6, ANY, odd_no_length },
	{ "no transport header", ANY, ANY, odd_cut, 0 },
	{ "only ports", ANY, ANY, odd_cut, 4 },
	{ "7 bytes of transport header", ANY, ANY, odd_cut, 7 },
	{ "8 bytes of TCP", ANY, TCP, odd_cut, 8 },
	{ "19 bytes of TCP", ANY, TCP, odd_cut, 19 },
	{ "no transport header, filled up", V4, ANY, odd_cut_filled, 0 },
	{ "7 bytes, filled up", V4, ANY, odd_cut_filled, 7 },
	{ "8 bytes of TCP, filled up", V4, TCP, odd_cut_filled, 8 },
	{ "19 bytes of TCP, filled up", V4, TCP, odd_cut_filled, 19 },
	{ "options behind the packet", V4, TCP, odd_offset_filled, 6 },
	{ "TCP header of 0 bytes", ANY, TCP, odd_offset, 0 },
	{ "TCP header of 16 bytes", ANY, TCP, odd_offset, 4 },
	{ "TCP header longer than the packet", ANY, TCP, odd_offset_long, 15 },
	{ "SYN", ANY, TCP, odd_flags, 0x02 },
	{ "SYN-ACK", ANY, TCP, odd_flags, 0x12 },
	{ "FIN-ACK", ANY, TCP, odd_flags, 0x11 },
	{ "RST", ANY, TCP, odd_flags, 0x04 },
	{ "RST-ACK", ANY, TCP, odd_flags, 0x14 },
	{ "no flags", ANY, TCP, odd_flags, 0 },
	{ "all flags", ANY, TCP, odd_flags, 0xff },
	{ "UDP length 0", ANY, UDP, odd_udp, 0 },
	{ "UDP length 7", ANY, UDP, odd_udp, 7 },
	{ "UDP longer than the packet", ANY, UDP, odd_udp, 101 },
	{ "UDP far longer than the packet", ANY, UDP, odd_udp, 5000 },
	{ "another source port", ANY, ANY, odd_port, 1 },
	{ "another destination port", ANY, ANY, odd_port, 3 },
	{ "another destination", ANY, ANY, odd_address, 1 },
	{ "another source", V4, ANY, odd_address, 5 },
	{ "another source", V6, ANY, odd_address, 17 },
};

static bool is_odd(const struct odd *odd, const struct kx *kx)
{
	return (!odd->family || odd->family == kx->kind->family) &&
	       (!odd->proto || odd->proto == kx->kind->proto);
}

/* Two directions, or of one-sided flows one */
static unsigned int directions(const struct kx *kx)
{
	return kx_dsr(kx) ? 1 : NFLB_DIR_COUNT;
}

static void try_odd(struct kunit *test, struct kx *kx, enum nflb_dir dir,
		    const struct odd *odd, unsigned int payload, bool tx)
{
	struct ku_bytes *b = kzalloc(sizeof(*b), GFP_KERNEL);
	struct kx_shape shape = KX_SHAPE;
	struct kx_frame f;

	KUNIT_ASSERT_NOT_NULL(test, b);
	shape.tx = tx;
	kx_packet(kx, dir, b, false, payload);
	odd->make(kx, b, &shape, odd->arg);
	kx_frame(test, kx, &f, dir, b, &shape);
	kx_run(&f);
	kx_expect_pass(test, kx, &f, odd->what);
	kx_frame_free(&f);
	kfree(b);
}

static void xdp_passes_odd_packets(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	enum nflb_dir dir;
	int i;

	for (dir = 0; dir < directions(kx); dir++) {
		for (i = 0; i < ARRAY_SIZE(oddities); i++) {
			if (!is_odd(&oddities[i], kx))
				continue;
			try_odd(test, kx, dir, &oddities[i], 30, false);
			try_odd(test, kx, dir, &oddities[i], 1000, true);
		}
		kx_expect_works(test, kx, dir, "after odd packets");
	}
}

/* A client may only send time stamps, as everybody does; a backend what it likes. */
static void xdp_passes_options(struct kunit *test)
{
	static const struct {
		const char	*what;
		u8		len;
		u8		bytes[20];
	} options[] = {
		{ "nothing", 4, { 1, 1, 1, 1 } },
		{ "end of options", 12, { 0, 1, 8, 10 } },
		{ "stamps first", 12, { 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1 } },
		{ "one NOP", 12, { 1, 8, 10 } },
		{ "stamps of a wrong length", 12, { 1, 1, 8, 9 } },
		{ "stamps and more", 16, { 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0,
					   1, 1, 1, 1 } },
		{ "SACK", 12, { 1, 1, 5, 10 } },
		{ "address", 8, { 254, 8 } },
		{ "address by its old name", 8, { 200, 8 } },
		{ "stamps and address", 20, { 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0,
					      0, 254, 8 } },
	};
	struct kx *kx = kx_open(test, test->param_value);
	struct ku_bytes *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	struct kx_shape shape = KX_SHAPE;
	struct kx_frame f;
	enum nflb_dir dir;
	int i;

	if (kx->kind->proto != IPPROTO_TCP)
		return;
	for (dir = 0; dir < directions(kx); dir++) {
		for (i = 0; i < ARRAY_SIZE(options); i++) {
			kx_packet(kx, dir, b, false, 100);
			b->data[b->l4 + 12] = (20 + options[i].len) << 2;
			memcpy(b->data + b->l4 + 20, options[i].bytes,
			       options[i].len);
			fix(kx, b);
			kx_frame(test, kx, &f, dir, b, &shape);
			kx_run(&f);
			if (dir == NFLB_DIR_IN)
				kx_expect_pass(test, kx, &f, options[i].what);
			else
				kx_expect_forwarded(test, kx, &f, dir, b,
						    options[i].what);
			kx_frame_free(&f);
		}
	}
}

/* Every length up to that of all headers, in memory that ends there */
static void xdp_passes_runts(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	struct ku_bytes *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	bool v4 = kx->kind->family == AF_INET;
	unsigned int len, headers, i;
	struct kx_frame f;
	enum nflb_dir dir;

	for (i = 0; i < 4; i++) {
		dir = kx_dsr(kx) ? NFLB_DIR_IN : i % 2;
		kx_packet(kx, dir, b, i < 2, 0);
		headers = b->len;
		for (len = 0; len < ETH_HLEN + headers; len++) {
			struct kx_shape shape = KX_SHAPE;

			shape.cut = len;
			shape.headroom += i % 2;
			shape.tx = len % 2;
			kx_packet(kx, dir, b, i < 2, 0);
			/* Of one half, the network header knows. */
			if (i < 2 && len >= ETH_HLEN) {
				put_unaligned_be16(len - ETH_HLEN -
						   (v4 ? 0 : 40),
						   b->data + (v4 ? 2 : 4));
				if (v4)
					kx_fix_v4(b, 20);
			}
			kx_frame(test, kx, &f, dir, b, &shape);
			kx_run(&f);
			kx_expect_pass(test, kx, &f, "runt");
			kx_frame_free(&f);
		}
	}
}

/* Over IPv6, what is in GUE has to have a checksum that covers all of it. */
static void xdp_passes_sums_for_gue(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	struct ku_bytes *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	bool passed = kx->kind->forward == NFLB_FORWARD_DSR + NFLB_ENCAP_GUE &&
		      kx->kind->to == AF_INET6;
	struct kx_shape shape = KX_SHAPE;
	struct kx_frame f;
	int i;

	if (kx->kind->proto != IPPROTO_UDP)
		return;
	for (i = 0; i < 2; i++) {
		kx_packet(kx, NFLB_DIR_IN, b, false, 100);
		if (i)
			add16(b->data + b->l4 + 4, -1);
		else
			put_unaligned_be16(0, b->data + b->l4 + 6);
		kx_frame(test, kx, &f, NFLB_DIR_IN, b, &shape);
		kx_run(&f);
		if (passed)
			kx_expect_pass(test, kx, &f, "no sum of it all");
		else
			kx_expect_forwarded(test, kx, &f, NFLB_DIR_IN, b,
					    "no sum of it all");
		kx_frame_free(&f);
	}
}

static void xdp_pass_exit(struct kunit *test)
{
	kx_close(test);
}

static struct kunit_case xdp_pass_cases[] = {
	KUNIT_CASE_PARAM(xdp_passes_odd_packets, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_passes_options, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_passes_runts, kx_gen_kinds),
	KUNIT_CASE_PARAM(xdp_passes_sums_for_gue, kx_gen_kinds),
	{ }
};

static struct kunit_suite xdp_pass_suite = {
	.name = "nflb_xdp_pass",
	.exit = xdp_pass_exit,
	.test_cases = xdp_pass_cases,
};

kunit_test_suite(xdp_pass_suite);
