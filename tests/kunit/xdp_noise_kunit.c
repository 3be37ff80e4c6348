// SPDX-License-Identifier: GPL-2.0
/*
 * Frames with random faults: XDP forwards those that are plain packets of the flow,
 * written down here once more, and leaves the others as they were.
 */
#include <linux/etherdevice.h>

#include "xdp_util.h"

#define FRAMES		600
/* A frame with at most these bytes behind its header may be filled up. */
#define LEAST		46

/* All bytes of a frame as it was */
static unsigned int gather(const struct kx_frame *f, u8 *to)
{
	unsigned int len = f->was.data_end - f->was.data;

	memcpy(to, f->copy + f->shape.headroom, len);
	if (f->page)
		memcpy(to + len, f->page_copy, f->page_len);
	return len + f->page_len;
}

static bool plain_tcp(const u8 *th, enum nflb_dir dir, unsigned int room,
		      unsigned int linear)
{
	unsigned int len = th[12] >> 4 << 2;

	if (len < 20 || len > room || len > linear || (th[13] & 0x17) != 0x10)
		return false;
	return dir == NFLB_DIR_OUT || len == 20 ||
	       (len == 32 && get_unaligned_be32(th + 20) == 0x0101080a);
}

static bool plain_udp(const struct kx *kx, const u8 *uh, unsigned int room)
{
	unsigned int len = get_unaligned_be16(uh + 4);

	if (kx->kind->forward == NFLB_FORWARD_DSR + NFLB_ENCAP_GUE &&
	    kx->kind->to == AF_INET6)
		return len == room && (uh[6] || uh[7]);
	return len >= 8 && len <= room;
}

static bool plain_v4(const u8 *iph)
{
	return iph[0] == 0x45 && ku_sum(iph, 20, 0) == 0xffff &&
	       !(get_unaligned_be16(iph + 6) & 0x3fff) && iph[8] > 1;
}

static bool plain_v6(const u8 *ip6h)
{
	return ip6h[0] >> 4 == 6 && (ip6h[4] || ip6h[5]) && ip6h[7] > 1;
}

/*
 * Is it a frame that has to be forwarded?
 *
 * @raw: the frame
 * @bytes: its length
 * @linear: of the first piece
 * @b: is set to the packet in it
 */
static bool plain(struct kx *kx, const struct kx_frame *f, enum nflb_dir dir,
		  const u8 *raw, unsigned int bytes, unsigned int linear,
		  struct ku_bytes *b)
{
	const struct nflb_tuple *t = dir == NFLB_DIR_IN ?
				     &kx->conn->in.tuple : &kx->conn->out.tuple;
	bool v4 = kx->kind->family == AF_INET;
	unsigned int l4 = v4 ? 20 : 40, size = v4 ? 4 : 16;
	const u8 *l3 = raw + ETH_HLEN, *th = l3 + l4;

	if (linear < ETH_HLEN + l4 + 8)
		return false;
	bytes -= ETH_HLEN;
	linear -= ETH_HLEN;
	if (memcmp(raw, f->rxq.dev->dev_addr, ETH_ALEN) ||
	    get_unaligned_be16(raw + 12) != (v4 ? ETH_P_IP : ETH_P_IPV6) ||
	    !(v4 ? plain_v4(l3) : plain_v6(l3)))
		return false;
	b->l4 = l4;
	b->len = get_unaligned_be16(l3 + (v4 ? 2 : 4)) + (v4 ? 0 : 40);
	if (b->len < l4 + 8 || b->len > bytes ||
	    (b->len < bytes && bytes > LEAST))
		return false;
	memcpy(b->data, l3, b->len);
	if (l3[v4 ? 9 : 6] != t->proto || memcmp(th, &t->sport, 4) ||
	    memcmp(l3 + (v4 ? 12 : 8), &t->src, size) ||
	    memcmp(l3 + (v4 ? 16 : 24), &t->dst, size))
		return false;
	if (f->page && !f->shape.tx)
		return false;
	if (t->proto == IPPROTO_UDP)
		return plain_udp(kx, th, b->len - l4);
	return linear >= l4 + 20 &&
	       plain_tcp(th, dir, b->len - l4, linear - l4);
}

static void fault(struct kx *kx, u8 *bytes, unsigned int len)
{
	unsigned int at = kx_below(kx, min(len, 90U));

	switch (kx_below(kx, 4)) {
	case 0:
		bytes[at] ^= 1 << kx_below(kx, 8);
		return;
	case 1:
		bytes[at] = kx_below(kx, 256);
		return;
	case 2:
		bytes[at] += kx_below(kx, 2) ? 1 : -1;
		return;
	default:
		/* Fields are there. */
		at = ETH_HLEN + (kx->kind->family == AF_INET ? 0 : 4) +
		     kx_below(kx, 10);
		if (at < len)
			bytes[at] = kx_below(kx, 3) ? kx_below(kx, 80) : 0;
	}
}

/* A header checksum that is right again lets faults get further. */
static void fix_v4(u8 *bytes, unsigned int len)
{
	u8 *iph = bytes + ETH_HLEN;

	if (len < ETH_HLEN + 20)
		return;
	put_unaligned_be16(0, iph + 10);
	put_unaligned_be16(~ku_sum(iph, 20, 0), iph + 10);
}

static void make_shape(struct kx *kx, struct kx_shape *shape)
{
	shape->tx = kx_below(kx, 2);
	shape->no_meta = !kx_below(kx, 4);
	shape->headroom -= kx_below(kx, 16);
	if (!kx_below(kx, 3))
		shape->tail = kx_below(kx, 30);
	if (!kx_below(kx, 4))
		shape->cut = kx_below(kx, 150);
	if (!kx_below(kx, 4))
		shape->linear = 1 + kx_below(kx, 120);
}

static bool noise_one(struct kunit *test, struct kx *kx, struct ku_bytes *b,
		      u8 *raw, unsigned int *forwarded)
{
	enum nflb_dir dir = kx_dsr(kx) ? NFLB_DIR_IN : kx_below(kx, 2);
	struct kx_shape shape = KX_SHAPE;
	unsigned int linear, bytes, i;
	struct kx_frame f;
	bool ok;

	make_shape(kx, &shape);
	kx_packet(kx, dir, b, kx_below(kx, 2),
		  kx_below(kx, 2) ? kx_below(kx, 20) : kx_below(kx, 400));
	kx_frame(test, kx, &f, dir, b, &shape);
	linear = f.xdp.data_end - f.xdp.data;
	for (i = kx_below(kx, 4); i && linear; i--)
		fault(kx, f.xdp.data, linear);
	if (kx->kind->family == AF_INET && kx_below(kx, 4))
		fix_v4(f.xdp.data, linear);
	memcpy(f.copy, f.buf, f.size);
	bytes = gather(&f, raw);
	kx_run(&f);
	if (plain(kx, &f, dir, raw, bytes, linear, b)) {
		(*forwarded)++;
		ok = kx_expect_forwarded(test, kx, &f, dir, b, "noise");
	} else {
		ok = kx_expect_pass(test, kx, &f, "noise");
	}
	kx_frame_free(&f);
	return ok;
}

static void xdp_noise(struct kunit *test)
{
	struct kx *kx = kx_open(test, test->param_value);
	struct ku_bytes *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	u8 *raw = kunit_kzalloc(test, sizeof(b->data) + PAGE_SIZE, GFP_KERNEL);
	unsigned int forwarded = 0;
	int i;

	for (i = 0; i < FRAMES; i++) {
		kx_conn_renew(kx);
		if (!noise_one(test, kx, b, raw, &forwarded))
			break;
	}
	/* Both happen, or little was tried. */
	KUNIT_EXPECT_GT(test, forwarded, FRAMES / 20);
	KUNIT_EXPECT_LT(test, forwarded, FRAMES * 19 / 20);
}

static void xdp_noise_exit(struct kunit *test)
{
	kx_close(test);
}

static struct kunit_case xdp_noise_cases[] = {
	KUNIT_CASE_PARAM(xdp_noise, kx_gen_kinds),
	{ }
};

static struct kunit_suite xdp_noise_suite = {
	.name = "nflb_xdp_noise",
	.exit = xdp_noise_exit,
	.test_cases = xdp_noise_cases,
};

kunit_test_suite(xdp_noise_suite);
