/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A flow that XDP forwards, frames of it, and what has to become of them. The frames
 * are random, but a seed gives the same again: failures print it.
 */
#ifndef NFLB_KUNIT_XDP_UTIL_H
#define NFLB_KUNIT_XDP_UTIL_H

#include <linux/filter.h>
#include <linux/netdevice.h>
#include <linux/prandom.h>
#include <net/neighbour.h>
#include <net/xdp.h>

#include "util.h"

/* kmod/path/xdp.c; programs are its only callers else. */
int nflb_xdp(struct xdp_md *ctx);

/**
 * struct kx_kind - a kind of flow
 * @name: of the kind
 * @family: of its packets
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @forward: enum nflb_forward_id
 * @to: family of the backend
 */
struct kx_kind {
	const char	*name;
	u8		family;
	u8		proto;
	u8		forward;
	u8		to;
};

extern const struct kx_kind kx_kinds[];
extern const size_t kx_kind_count;

/* For KUnit's parameterized cases */
const void *kx_gen_kinds(const void *prev, char *desc);

/**
 * struct kx - a flow, and its surroundings
 * @kind: which
 * @rnd: makes its frames
 * @seed: of @rnd
 * @dev: the devices that packets of either direction leave by
 * @neigh: the neighbours that they go to
 * @mac: and the addresses of these
 * @svc: its service
 * @backend: its backend
 * @laddr: its local address, with mode fullnat
 * @conn: its connection
 * @how: nflb_conn.how
 * @prog: stands for a program of XDP
 */
struct kx {
	const struct kx_kind	*kind;
	struct rnd_state	rnd;
	u32			seed;
	struct net_device	*dev[NFLB_DIR_COUNT];
	struct neighbour	*neigh[NFLB_DIR_COUNT];
	u8			mac[NFLB_DIR_COUNT][ETH_ALEN];
	struct nflb_service	*svc;
	struct nflb_backend	*backend;
	struct nflb_laddr	laddr;
	struct nflb_conn	*conn;
	u8			how;
	struct bpf_prog		*prog;
};

extern struct device kx_hardware;

/* What a frame is like besides the packet in it. */
struct kx_shape {
	bool		tx;		/* leaves by the device that it came by */
	bool		no_meta;	/* the driver has no metadata */
	unsigned int	meta;		/* bytes of metadata */
	unsigned int	headroom;
	unsigned int	tail;		/* bytes behind the packet */
	unsigned int	linear;		/* bytes in the first piece, if there are two */
	unsigned int	cut;		/* no more bytes than these */
	const u8	*mac;		/* not the device's */
	u16		type;		/* not the packet's */
};

#define KX_SHAPE ((struct kx_shape){ \
	.headroom = XDP_PACKET_HEADROOM, .cut = UINT_MAX })

/* A frame, and how it was */
struct kx_frame {
	struct xdp_buff		xdp;
	struct xdp_buff		was;
	struct xdp_rxq_info	rxq;
	struct kx_shape		shape;
	u8			*buf;
	u8			*copy;
	unsigned int		size;
	struct page		*page;
	u8			*page_copy;
	unsigned int		page_len;
	int			action;
	u32			ifindex;
	u64			counted;
};

struct kx *kx_open(struct kunit *test, const struct kx_kind *kind);
void kx_close(struct kunit *test);
/* Everything about the flow is as it should be. */
void kx_renew(struct kx *kx);
void kx_conn_renew(struct kx *kx);
/* A new route for a direction; NULL: none */
struct dst_entry *kx_route(struct kx *kx, enum nflb_dir dir, bool any);
unsigned int kx_mtu(struct kx *kx, enum nflb_dir dir, unsigned int mtu);

static inline u32 kx_below(struct kx *kx, u32 ceiling)
{
	return prandom_u32_state(&kx->rnd) % ceiling;
}

static inline bool kx_dsr(const struct kx *kx)
{
	return kx->kind->forward >= NFLB_FORWARD_DSR;
}

/* By how much its packets grow */
unsigned int kx_overhead(const struct kx *kx);
/* The family that packets of a direction leave with */
u8 kx_family(const struct kx *kx, enum nflb_dir dir);

/* @options: the time stamps of TCP; @payload: bytes */
void kx_packet(struct kx *kx, enum nflb_dir dir, struct ku_bytes *b,
	       bool stamps, unsigned int payload);
/* The right header checksum of a packet of IPv4 */
void kx_fix_v4(struct ku_bytes *b, unsigned int hlen);
void kx_frame(struct kunit *test, struct kx *kx, struct kx_frame *f,
	      enum nflb_dir dir, const struct ku_bytes *b,
	      const struct kx_shape *shape);
void kx_frame_free(struct kx_frame *f);
void kx_run(struct kx_frame *f);

/* XDP_PASS, and nothing was written. Returns false when it was not so. */
bool kx_expect_pass(struct kunit *test, struct kx *kx, struct kx_frame *f,
		    const char *what);
/* @b: the packet as it came */
bool kx_expect_forwarded(struct kunit *test, struct kx *kx, struct kx_frame *f,
			 enum nflb_dir dir, const struct ku_bytes *b,
			 const char *what);
/* A frame that nothing is wrong with is forwarded. */
void kx_expect_works(struct kunit *test, struct kx *kx, enum nflb_dir dir,
		     const char *what);

#endif /* NFLB_KUNIT_XDP_UTIL_H */
