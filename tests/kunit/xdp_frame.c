// SPDX-License-Identifier: GPL-2.0
/*
 * Frames for XDP, and what has to become of them, computed from their bytes alone.
 */
#include <linux/etherdevice.h>

#include "xdp_util.h"

#define STAMPS_LEN	12

static void put16(u8 *at, u16 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static u8 *check_at(struct ku_bytes *b, u8 proto)
{
	return b->data + b->l4 + (proto == IPPROTO_TCP ? 16 : 6);
}

/* The sum of all that a transport checksum covers, itself too: 0xffff is right. */
static u16 covered(const struct ku_bytes *b, u8 family, u8 proto)
{
	return ku_sum(b->data + b->l4, b->len - b->l4,
		      ku_pseudo(b, family, proto)) ?: 0xffff;
}

void kx_fix_v4(struct ku_bytes *b, unsigned int hlen)
{
	put16(b->data + 10, 0);
	put16(b->data + 10, ~ku_sum(b->data, hlen, 0));
}

/* Half of them have numbers that the connection has seen the like of. */
static void put_numbers(struct kx *kx, enum nflb_dir dir, u8 *th)
{
	const struct nflb_conn *conn = kx->conn;
	u32 aux = *nflb_conn_aux(kx->conn, dir) & NFLB_AUX_SEQ_MASK;

	put_unaligned_be32(aux << NFLB_AUX_SEQ_SHIFT | kx_below(kx, 1 << 17),
			   th + 4);
	if (conn->how & NFLB_HOW_ONE_SIDED)
		put_unaligned_be32(conn->outer.aux << NFLB_AUX_SEQ_SHIFT |
				   kx_below(kx, 1 << 17), th + 8);
}

void kx_packet(struct kx *kx, enum nflb_dir dir, struct ku_bytes *b,
	       bool stamps, unsigned int payload)
{
	const struct nflb_tuple *t = dir == NFLB_DIR_IN ?
				     &kx->conn->in.tuple : &kx->conn->out.tuple;
	const struct ku_param p = {
		"", t->family, t->proto, KU_LINEAR, CHECKSUM_NONE,
	};
	bool tcp = t->proto == IPPROTO_TCP;
	u8 options[STAMPS_LEN] = { 1, 1, 8, 10 };
	unsigned int len = tcp && stamps ? STAMPS_LEN : 0, l4, behind;

	prandom_bytes_state(&kx->rnd, options + 4, 8);
	ku_make(b, &p, options, len, payload);
	l4 = b->l4;
	if (t->family == AF_INET) {
		prandom_bytes_state(&kx->rnd, b->data + 1, 1);
		prandom_bytes_state(&kx->rnd, b->data + 4, 2);
		b->data[6] = kx_below(kx, 2) ? 0x40 : 0;
		b->data[8] = 2 + kx_below(kx, 254);
		memcpy(b->data + 12, &t->src, 4);
		memcpy(b->data + 16, &t->dst, 4);
	} else {
		prandom_bytes_state(&kx->rnd, b->data + 1, 3);
		b->data[0] = 0x60 | kx_below(kx, 16);
		b->data[7] = 2 + kx_below(kx, 254);
		memcpy(b->data + 8, &t->src, 16);
		memcpy(b->data + 24, &t->dst, 16);
	}
	memcpy(b->data + l4, &t->sport, 2);
	memcpy(b->data + l4 + 2, &t->dport, 2);
	behind = l4 + (tcp ? 20 + len : 8);
	prandom_bytes_state(&kx->rnd, b->data + behind, payload);
	if (tcp) {
		prandom_bytes_state(&kx->rnd, b->data + l4 + 4, 8);
		prandom_bytes_state(&kx->rnd, b->data + l4 + 14, 6);
		if (kx_below(kx, 2))
			put_numbers(kx, dir, b->data + l4);
	}
	ku_fix(b, t->family, t->proto, CHECKSUM_NONE);
}

static unsigned int compose(struct kx *kx, u8 *to, const struct ku_bytes *b,
			    const struct kx_shape *shape,
			    const struct net_device *dev)
{
	u8 family = b->l4 == 20 ? AF_INET : AF_INET6;
	unsigned int len = ETH_HLEN + b->len + shape->tail;

	memcpy(to, shape->mac ?: dev->dev_addr, ETH_ALEN);
	eth_random_addr(to + ETH_ALEN);
	put16(to + 12, shape->type ?: family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	memcpy(to + ETH_HLEN, b->data, b->len);
	prandom_bytes_state(&kx->rnd, to + ETH_HLEN + b->len, shape->tail);
	return min(len, shape->cut);
}

/* The second piece of a frame: what is behind @linear bytes */
static void add_piece(struct kunit *test, struct kx_frame *f, const u8 *bytes,
		      unsigned int len)
{
	struct skb_shared_info *sinfo;

	f->page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->page);
	f->page_len = len;
	memcpy(page_address(f->page), bytes, len);
	f->page_copy = kmemdup(bytes, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->page_copy);
	sinfo = xdp_get_shared_info_from_buff(&f->xdp);
	memset(sinfo, 0, sizeof(*sinfo));
	sinfo->nr_frags = 1;
	sinfo->xdp_frags_size = len;
	__skb_frag_set_page(&sinfo->frags[0], f->page);
	skb_frag_off_set(&sinfo->frags[0], 0);
	skb_frag_size_set(&sinfo->frags[0], len);
	xdp_buff_set_frags_flag(&f->xdp);
}

/**
 * kx_frame() - make a frame
 * @test: the case
 * @kx: of this flow
 * @f: to fill in
 * @dir: its direction
 * @b: the packet in it
 * @shape: all else
 *
 * A frame of one piece ends where its memory ends, so that KASAN sees who reads on.
 */
void kx_frame(struct kunit *test, struct kx *kx, struct kx_frame *f,
	      enum nflb_dir dir, const struct ku_bytes *b,
	      const struct kx_shape *shape)
{
	unsigned int len, linear;
	u8 *bytes;

	memset(f, 0, sizeof(*f));
	f->shape = *shape;
	f->rxq.dev = kx->dev[shape->tx ? dir : !dir];
	bytes = kzalloc(ETH_HLEN + sizeof(b->data) + shape->tail, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	len = compose(kx, bytes, b, shape, f->rxq.dev);
	linear = shape->linear ? min(len, shape->linear) : len;
	f->size = linear < len ? PAGE_SIZE : shape->headroom + len;
	f->buf = kmalloc(f->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->buf);
	memset(f->buf, 0xa5, f->size);
	memcpy(f->buf + shape->headroom, bytes, linear);
	xdp_init_buff(&f->xdp, f->size, &f->rxq);
	xdp_prepare_buff(&f->xdp, f->buf, shape->headroom, linear,
			 !shape->no_meta);
	if (!shape->no_meta)
		f->xdp.data_meta -= shape->meta;
	if (linear < len)
		add_piece(test, f, bytes + linear, len - linear);
	f->was = f->xdp;
	f->copy = kmemdup(f->buf, f->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->copy);
	kfree(bytes);
}

void kx_frame_free(struct kx_frame *f)
{
	kfree(f->buf);
	kfree(f->copy);
	kfree(f->page_copy);
	if (f->page)
		__free_page(f->page);
}

void kx_run(struct kx_frame *f)
{
	u64 before = nflb_counter_read(ku_nn(), NFLB_COUNTER_XDP);
	struct bpf_redirect_info *ri;

	local_bh_disable();
	ri = nflb_redirect_info();
	ri->tgt_index = 0;
	ri->map_id = 0;
	ri->map_type = BPF_MAP_TYPE_DEVMAP;
	f->action = nflb_xdp((struct xdp_md *)&f->xdp);
	if (ri->map_id == INT_MAX && ri->map_type == BPF_MAP_TYPE_UNSPEC)
		f->ifindex = ri->tgt_index;
	local_bh_enable();
	f->counted = nflb_counter_read(ku_nn(), NFLB_COUNTER_XDP) - before;
}

static const char *unchanged(const struct kx_frame *f)
{
	if (f->action != XDP_PASS)
		return "not XDP_PASS";
	if (memcmp(&f->xdp, &f->was, sizeof(f->xdp)))
		return "pointers changed";
	if (memcmp(f->buf, f->copy, f->size))
		return "bytes changed";
	if (f->page && memcmp(page_address(f->page), f->page_copy, f->page_len))
		return "second piece changed";
	return f->counted || f->ifindex ? "redirected or counted" : NULL;
}

static bool report(struct kunit *test, struct kx *kx, const struct kx_frame *f,
		   const char *what, const char *wrong)
{
	unsigned int len = f->xdp.data_end - f->xdp.data;

	if (!wrong)
		return true;
	KUNIT_FAIL(test, "%s, %s, seed %u: %s (action %d, device %u)",
		   kx->kind->name, what, kx->seed, wrong, f->action,
		   f->ifindex);
	print_hex_dump(KERN_INFO, "was ", DUMP_PREFIX_OFFSET, 16, 1,
		       f->copy + f->shape.headroom,
		       min_t(unsigned int, 128, f->size - f->shape.headroom),
		       false);
	print_hex_dump(KERN_INFO, "is ", DUMP_PREFIX_OFFSET, 16, 1, f->xdp.data,
		       min(len, 128U), false);
	return false;
}

bool kx_expect_pass(struct kunit *test, struct kx *kx, struct kx_frame *f,
		    const char *what)
{
	return report(test, kx, f, what, unchanged(f));
}

/* One end as packets leave with it */
static void put_ends(struct ku_bytes *b, const struct nflb_tuple *answer)
{
	unsigned int at = answer->family == AF_INET ? 12 : 8;
	unsigned int len = answer->family == AF_INET ? 4 : 16;

	memcpy(b->data + at, &answer->dst, len);
	memcpy(b->data + at + len, &answer->src, len);
	memcpy(b->data + b->l4, &answer->dport, 2);
	memcpy(b->data + b->l4 + 2, &answer->sport, 2);
}

/* A checksum that was wrong is as wrong as it was. */
static bool want_nat(struct kx *kx, enum nflb_dir dir, struct ku_bytes *b,
		     const struct ku_bytes *got)
{
	u8 family = kx->kind->family, proto = kx->kind->proto;
	u16 was = covered(b, family, proto);
	u8 *check = check_at(b, proto);
	bool none = proto == IPPROTO_UDP && !check[0] && !check[1];

	put_ends(b, nflb_conn_answer(kx->conn, dir));
	if (family == AF_INET && !(b->data[6] & 0x40) &&
	    (dir == NFLB_DIR_OUT || kx->how & NFLB_HOW_LADDR))
		memcpy(b->data + 4, got->data + 4, 2);
	if (none)
		return true;
	if (was == 0xffff)
		ku_fix(b, family, proto, CHECKSUM_NONE);
	else
		memcpy(check, got->data + b->l4 + (proto == IPPROTO_TCP ? 16 : 6),
		       2);
	return covered(b, family, proto) == was;
}

static void outer_v4(struct kx *kx, struct ku_bytes *b, u8 tos, u8 ttl, bool df,
		     u8 proto, const struct ku_bytes *got)
{
	put16(b->data, 0x4500 | tos);
	put16(b->data + 2, b->len);
	put16(b->data + 4, 0);
	if (!df)
		memcpy(b->data + 4, got->data + 4, 2);
	put16(b->data + 6, df ? 0x4000 : 0);
	put16(b->data + 8, ttl << 8 | proto);
	memcpy(b->data + 12, "\x0a\3\0\1", 4);
	memcpy(b->data + 16, &kx->backend->addr, 4);
	kx_fix_v4(b, 20);
}

static void outer_v6(struct kx *kx, struct ku_bytes *b, u8 tos, u8 ttl,
		     u8 proto)
{
	u32 label = (ntohs(kx->conn->outer.port) << 4 | 1) & 0xfffff;

	put_unaligned_be32(6 << 28 | tos << 20 | label, b->data);
	put16(b->data + 4, b->len - 40);
	put16(b->data + 6, proto << 8 | ttl);
	memcpy(b->data + 8, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\3\0\1", 16);
	memcpy(b->data + 24, &kx->backend->addr, 16);
}

static void want_encap(struct kx *kx, struct ku_bytes *b,
		       const struct ku_bytes *got)
{
	u8 family = kx->kind->family, to = kx->kind->to;
	unsigned int more = kx_overhead(kx), l4 = to == AF_INET ? 20 : 40;
	u8 encap = kx->kind->forward - NFLB_FORWARD_DSR;
	u8 tos = family == AF_INET ? b->data[1] :
				     b->data[0] << 4 | b->data[1] >> 4;
	u8 ttl = family == AF_INET ? b->data[8] : b->data[7];
	bool df = family == AF_INET6 || b->data[6] & 0x40;
	u8 proto = family == AF_INET ? IPPROTO_IPIP : IPPROTO_IPV6;
	bool right = covered(b, family, kx->kind->proto) == 0xffff;

	memmove(b->data + more, b->data, b->len);
	b->len += more;
	b->l4 = l4;
	if (encap == NFLB_ENCAP_GRE) {
		proto = IPPROTO_GRE;
		put16(b->data + l4, 0);
		put16(b->data + l4 + 2, family == AF_INET ? ETH_P_IP :
							    ETH_P_IPV6);
	} else if (encap == NFLB_ENCAP_GUE) {
		proto = IPPROTO_UDP;
		memcpy(b->data + l4, &kx->conn->outer.port, 2);
		memcpy(b->data + l4 + 2, &kx->backend->gue_port, 2);
		put16(b->data + l4 + 4, b->len - l4);
		put16(b->data + l4 + 6, 0);
	}
	if (to == AF_INET) {
		outer_v4(kx, b, tos, ttl, df, proto, got);
		return;
	}
	outer_v6(kx, b, tos, ttl, proto);
	if (encap != NFLB_ENCAP_GUE)
		return;
	if (right)
		ku_fix(b, AF_INET6, IPPROTO_UDP, CHECKSUM_NONE);
	else
		memcpy(b->data + l4 + 6, got->data + l4 + 6, 2);
}

/* @b: the packet as it came, then as it has to leave */
static bool want(struct kx *kx, enum nflb_dir dir, struct ku_bytes *b,
		 const struct ku_bytes *got)
{
	bool right = true;

	b->data[kx->kind->family == AF_INET ? 8 : 7]--;
	if (!kx_dsr(kx))
		right = want_nat(kx, dir, b, got);
	if (kx->kind->family == AF_INET)
		kx_fix_v4(b, 20);
	if (kx_overhead(kx))
		want_encap(kx, b, got);
	return right;
}

static const char *wrong_pointers(struct kx *kx, const struct kx_frame *f)
{
	unsigned int more = kx_overhead(kx);
	const struct xdp_buff *is = &f->xdp, *was = &f->was;

	if (is->data != was->data - more)
		return "data does not begin where it should";
	if (is->data_end != was->data_end ||
	    is->data_hard_start != was->data_hard_start ||
	    is->frame_sz != was->frame_sz || is->flags != was->flags)
		return "pointers changed";
	if (!more)
		return is->data_meta == was->data_meta ? NULL :
							 "metadata changed";
	return is->data_meta == is->data + f->shape.no_meta ?
	       NULL : "metadata is still there";
}

static const char *wrong_header(struct kx *kx, const struct kx_frame *f,
				enum nflb_dir dir)
{
	const u8 *eth = f->xdp.data;
	u16 type = kx_family(kx, dir) == AF_INET ? ETH_P_IP : ETH_P_IPV6;

	if (memcmp(eth, kx->mac[dir], ETH_ALEN))
		return "not to the neighbour";
	if (memcmp(eth + ETH_ALEN, kx->dev[dir]->dev_addr, ETH_ALEN))
		return "not from the device";
	return get_unaligned_be16(eth + 12) == type ? NULL : "ether type";
}

static const char *wrong_bytes(struct kx *kx, const struct kx_frame *f,
			       enum nflb_dir dir, struct ku_bytes *b,
			       struct ku_bytes *got)
{
	unsigned int begin = f->xdp.data - (void *)f->buf;
	unsigned int linear = f->xdp.data_end - f->xdp.data - ETH_HLEN;
	unsigned int len;

	got->len = min_t(unsigned int, linear, sizeof(got->data));
	memcpy(got->data, f->xdp.data + ETH_HLEN, got->len);
	if (!want(kx, dir, b, got))
		return "transport checksum";
	len = min(b->len, linear);
	if (memcmp(got->data, b->data, len))
		return "packet";
	/* What is behind it, and what is before the frame */
	if (memcmp(f->buf + begin + ETH_HLEN + len,
		   f->copy + begin + ETH_HLEN + len,
		   f->size - begin - ETH_HLEN - len))
		return "written behind the packet";
	if (memcmp(f->buf, f->copy, begin))
		return "written before the frame";
	return f->page && memcmp(page_address(f->page), f->page_copy,
				 f->page_len) ? "second piece" : NULL;
}

static const char *wrong_action(struct kx *kx, const struct kx_frame *f,
				enum nflb_dir dir)
{
	if (f->action != (f->shape.tx ? XDP_TX : XDP_REDIRECT))
		return "action";
	if (f->ifindex != (f->shape.tx ? 0 : kx->dev[dir]->ifindex))
		return "device";
	return f->counted == 1 ? NULL : "not counted";
}

bool kx_expect_forwarded(struct kunit *test, struct kx *kx, struct kx_frame *f,
			 enum nflb_dir dir, const struct ku_bytes *b,
			 const char *what)
{
	struct ku_bytes *leaves = kmemdup(b, sizeof(*b), GFP_KERNEL);
	struct ku_bytes *got = kzalloc(sizeof(*got), GFP_KERNEL);
	const char *wrong = "no memory";

	if (leaves && got)
		wrong = wrong_action(kx, f, dir) ?: wrong_pointers(kx, f) ?:
			wrong_header(kx, f, dir) ?:
			wrong_bytes(kx, f, dir, leaves, got);
	kfree(leaves);
	kfree(got);
	return report(test, kx, f, what, wrong);
}

void kx_expect_works(struct kunit *test, struct kx *kx, enum nflb_dir dir,
		     const char *what)
{
	struct ku_bytes *b = kzalloc(sizeof(*b), GFP_KERNEL);
	struct kx_shape shape = KX_SHAPE;
	struct kx_frame f;

	KUNIT_ASSERT_NOT_NULL(test, b);
	kx_packet(kx, dir, b, false, 100);
	kx_frame(test, kx, &f, dir, b, &shape);
	kx_run(&f);
	kx_expect_forwarded(test, kx, &f, dir, b, what);
	kx_frame_free(&f);
	kfree(b);
}
