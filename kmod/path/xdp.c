// SPDX-License-Identifier: GPL-2.0
/*
 * The door of XDP: packets of known flows are taken where a device's driver received
 * them, before there is an skb. A program of BPF, which lbadm brings or a user wrote,
 * calls nflb_xdp() and returns its result.
 *
 * This door has the fast path (fast.h) only. Every other frame goes to the stack
 * unchanged, and reaches the ingress hook or PRE_ROUTING.
 *
 * ip_rcv_core() and ip6_rcv_core() have not seen the packet yet. This file makes their
 * checks itself, as far as a packet of a known flow can fail them.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <linux/module.h>
#include <net/ip6_checksum.h>
#include <net/xdp.h>

#include "forward/encap.h"
#include "forward/encap_write.h"
#include "path/fast.h"
#include "nflb.h"
#include "path/xdp.h"

/* Senders pad shorter frames to this length. */
#define FRAME_LEAST (ETH_ZLEN - ETH_HLEN)

/* TCP's time stamps alone, as everybody sends them: RFC 7323, appendix A */
#define OPTIONS_STAMPS_LEN (sizeof(struct tcphdr) + TCPOLEN_TSTAMP_ALIGNED)
#define OPTIONS_STAMPS	(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 | \
			 TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP)

/* --- the door */

static __always_inline void *door_l3(const struct nflb_view *v)
{
	return v->l3;
}

static __always_inline unsigned int door_len(const struct nflb_view *v)
{
	return v->len;
}

static __always_inline bool door_linear(struct nflb_view *v, unsigned int len)
{
	return likely(len <= v->linear);
}

/* Drivers turn LRO off for XDP, so no frame stands for several packets. */
static __always_inline void door_note_wire(struct nflb_pkt *pkt,
					   const struct nflb_view *v)
{
}

static __always_inline bool door_fits(const struct nflb_view *v,
				      unsigned int mtu, bool encap)
{
	return v->len <= mtu;
}

static __always_inline bool door_is_marked(const struct nflb_view *v)
{
	return false;
}

static __always_inline bool door_takes_options(const struct nflb_view *v)
{
	return v->end - v->l4 == OPTIONS_STAMPS_LEN &&
	       get_unaligned_be32(fast_l4(v) + sizeof(struct tcphdr)) ==
	       OPTIONS_STAMPS;
}

/*
 * May UDP over IPv6 get its checksum from that of the inner packet?
 * Not when it has none, or when that does not cover all of it.
 */
static __always_inline bool inner_is_summed(const struct nflb_view *v)
{
	const struct udphdr *uh = fast_l4(v);

	return fast_is_tcp(v) ||
	       (uh->check && ntohs(uh->len) == v->len - v->l4);
}

/* Is there room for outer headers? */
static __always_inline bool encap_ready(const struct nflb_view *v, u8 to)
{
	u8 encap = fast_forward_id(v) - NFLB_FORWARD_DSR;
	unsigned int room = nflb_encap_overhead(encap, to);
	const struct xdp_buff *xdp = v->xdp;

	if (unlikely(v->len + room > U16_MAX ||
		     xdp->data - room < xdp->data_hard_start +
					sizeof(struct xdp_frame)))
		return false;
	return to == AF_INET || encap != NFLB_ENCAP_GUE || inner_is_summed(v);
}

static __always_inline bool door_ready(struct nflb_view *v,
				       struct nflb_conn *conn, u8 to,
				       const struct nflb_plan *plan)
{
	const struct neighbour *neigh = plan->neigh;
	struct net_device *dev = neigh->dev;

	/* Only headers of Ethernet: another device may cache longer ones or none. */
	if (unlikely(READ_ONCE(neigh->hh.hh_len) != ETH_HLEN))
		return false;
	if (fast_encapsulates(v) && unlikely(!encap_ready(v, to)))
		return false;
	if (dev == v->xdp->rxq->dev)
		return nflb_dev_sends_back(dev);
	return likely(nflb_dev_takes_frames(dev, xdp_buff_has_frags(v->xdp)));
}

/* Update the connection's state. Few packets need that. */
static noinline void follow(struct nflb_net *nn, void *l3, unsigned int len,
			    struct nflb_conn *conn, enum nflb_dir dir)
{
	struct nflb_view v = { .nn = nn, .l3 = l3, .len = len, .linear = len };
	u8 family = ((const struct iphdr *)l3)->version == 4 ? AF_INET :
							       AF_INET6;
	struct nflb_pkt pkt = { .nn = nn };

	if (WARN_ON_ONCE(!fast_parse(&v, family)))
		return;
	fast_fill(&pkt, &v, family);
	nflb_conn_state_packet(conn, &pkt, dir);
}

static __always_inline void door_follow(struct nflb_pkt *pkt,
					const struct nflb_view *v,
					struct nflb_conn *conn,
					enum nflb_dir dir, u8 from, u32 now)
{
	if (fast_moved(v, conn, dir, now))
		follow(v->nn, v->l3, v->len, conn, dir);
	else
		nflb_conn_touch(conn, now);
}

/* A driver has received it, so its sender has completed it. */
static __always_inline bool door_is_partial(const struct nflb_view *v)
{
	return false;
}

static __always_inline void door_mangled(const struct nflb_view *v)
{
}

/*
 * The sum of a packet, from its checksums: the sum of what a right one covers, itself
 * and the pseudo header included, is nothing. A wrong one makes the outer one wrong.
 */
static __always_inline __wsum inner_sum(const void *l3, unsigned int len,
					u8 proto, u8 from)
{
	const struct ipv6hdr *ip6h = l3;
	const struct iphdr *iph = l3;

	if (from == AF_INET)
		return csum_unfold(csum_tcpudp_magic(iph->saddr, iph->daddr,
						     len - sizeof(*iph), proto,
						     0));
	return csum_partial(l3, sizeof(*ip6h),
			    csum_unfold(csum_ipv6_magic(&ip6h->saddr,
							&ip6h->daddr,
							len - sizeof(*ip6h),
							proto, 0)));
}

static __always_inline void udp_sum(struct udphdr *uh,
				    const struct nflb_conn *conn, __wsum inner,
				    unsigned int len)
{
	uh->check = csum_ipv6_magic(&conn->outer.source.in6,
				    &conn->backend->addr.in6, len, IPPROTO_UDP,
				    csum_partial(uh, sizeof(*uh), inner));
	if (!uh->check)
		uh->check = CSUM_MANGLED_0;
}

static __always_inline bool door_encap(struct nflb_pkt *pkt,
				       struct nflb_view *v,
				       struct nflb_conn *conn, u8 from, u8 to,
				       const struct nflb_plan *plan)
{
	struct nflb_inherited in = nflb_inherit(v->l3, from, false);
	u8 encap = fast_forward_id(v) - NFLB_FORWARD_DSR, proto = in.ipproto;
	unsigned int len = v->len;
	void *at = v->l3;

	if (encap == NFLB_ENCAP_GRE) {
		at -= sizeof(struct gre_base_hdr);
		len += sizeof(struct gre_base_hdr);
		nflb_gre_write(at, &in);
		proto = IPPROTO_GRE;
	} else if (encap == NFLB_ENCAP_GUE) {
		at -= sizeof(struct udphdr);
		len += sizeof(struct udphdr);
		nflb_outer_udp_write(at, conn, len);
		if (to == AF_INET6)
			udp_sum(at, conn,
				inner_sum(v->l3, v->len, v->key.proto, from),
				len);
		proto = IPPROTO_UDP;
	}
	if (to == AF_INET) {
		at -= sizeof(struct iphdr);
		nflb_outer_v4_write(at, conn, &in, proto,
				    len + sizeof(struct iphdr), 1);
	} else {
		at -= sizeof(struct ipv6hdr);
		nflb_outer_v6_write(at, conn, &in, proto, len);
	}
	v->l3 = at;
	return true;
}

/* Write the neighbour's Ethernet header. */
static __always_inline void header_write(struct ethhdr *eth,
					 const struct hh_cache *hh)
{
	unsigned int seq;

	do {
		seq = read_seqbegin(&hh->hh_lock);
		memcpy(eth, (const u8 *)hh->hh_data + HH_DATA_OFF(ETH_HLEN),
		       ETH_HLEN);
	} while (unlikely(read_seqretry(&hh->hh_lock, seq)));
}

/* As the helper bpf_redirect(). */
static __always_inline void redirect(int ifindex)
{
	struct bpf_redirect_info *ri = nflb_redirect_info();

	ri->tgt_index = ifindex;
	ri->map_id = INT_MAX;
	ri->map_type = BPF_MAP_TYPE_UNSPEC;
}

static __always_inline enum nflb_verdict
door_send(struct nflb_view *v, u8 to, const struct nflb_plan *plan)
{
	const struct net_device *dev = plan->neigh->dev;
	void *data = v->l3 - ETH_HLEN;
	struct xdp_buff *xdp = v->xdp;

	header_write(data, &plan->neigh->hh);
	if (fast_encapsulates(v)) {
		/* The packet's metadata is lost: it lay where the headers are now. */
		xdp->data_meta = xdp_data_meta_unsupported(xdp) ? data + 1 :
								  data;
		xdp->data = data;
	}
	nflb_count(v->nn, NFLB_COUNTER_XDP);
	v->action = XDP_TX;
	if (dev != xdp->rxq->dev) {
		redirect(dev->ifindex);
		v->action = XDP_REDIRECT;
	}
	return NFLB_STOLEN;
}

/* --- frames */

/*
 * May its transport checksum be the sum of the pseudo header alone, as the stack leaves
 * it to devices? A NIC receives no such packet, but veth and tap devices do, from senders
 * on this host, and a frame does not tell. They have no hardware behind them. One packet
 * in 65,536 only looks like it.
 */
static __always_inline bool looks_partial(const struct nflb_view *v, u8 family)
{
	unsigned int len = v->len - v->l4;
	const struct ipv6hdr *ip6h = v->l3;
	const struct iphdr *iph = v->l3;
	const void *l4 = fast_l4(v);
	__sum16 pseudo, check;

	if (likely(v->xdp->rxq->dev->dev.parent))
		return false;
	pseudo = family == AF_INET ?
		 csum_tcpudp_magic(iph->saddr, iph->daddr, len, v->key.proto, 0) :
		 csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len, v->key.proto, 0);
	check = fast_is_tcp(v) ? ((const struct tcphdr *)l4)->check :
				 ((const struct udphdr *)l4)->check;
	return unlikely(check == (__force __sum16)~(__force u16)pseudo);
}

/* Only a frame of the least length may be longer than its packet. */
static __always_inline bool is_whole(const struct nflb_view *v,
				     unsigned int bytes)
{
	return likely(v->len == bytes) ||
	       (v->len < bytes && bytes <= FRAME_LEAST);
}

/* Version and options are looked at by the parser. */
static __always_inline bool valid_v4(struct nflb_view *v, unsigned int bytes)
{
	const struct iphdr *iph = v->l3;

	if (unlikely(v->linear < FAST_LEN_V4 || iph->ihl != 5 ||
		     ip_fast_csum(iph, 5)))
		return false;
	v->len = ntohs(iph->tot_len);
	return v->len >= FAST_LEN_V4 && is_whole(v, bytes);
}

/* Of length 0 are jumbograms. */
static __always_inline bool valid_v6(struct nflb_view *v, unsigned int bytes)
{
	const struct ipv6hdr *ip6h = v->l3;

	if (unlikely(v->linear < FAST_LEN_V6 || !ip6h->payload_len))
		return false;
	v->len = sizeof(*ip6h) + ntohs(ip6h->payload_len);
	return v->len >= FAST_LEN_V6 && is_whole(v, bytes);
}

static __always_inline enum nflb_verdict take(struct nflb_view *v, u8 family)
{
	u32 now = nflb_now();
	struct nflb_conn *conn;
	enum nflb_dir dir;

	if (unlikely(!fast_parse(v, family)))
		return NFLB_CONTINUE;
	/* A short frame's rest is not the packet's. */
	if (unlikely(v->end > v->len))
		return NFLB_CONTINUE;
	conn = conn_lookup(v->nn, &v->key, family, &dir);
	if (unlikely(!fast_takes(v, conn, family, now) ||
		     looks_partial(v, family)))
		return NFLB_CONTINUE;
	/* A packet that changes family by NAT is not steady. */
	if (unlikely(fast_encapsulates(v) && conn->backend->family != family))
		return fast_forward(NULL, v, conn, dir, family,
				    family == AF_INET ? AF_INET6 : AF_INET,
				    now);
	return fast_forward(NULL, v, conn, dir, family, family, now);
}

static __always_inline int forward(struct xdp_buff *xdp)
{
	const struct net_device *dev = xdp->rxq->dev;
	struct nflb_view v = {
		.xdp = xdp,
		.nn = nflb_net_rcu(dev_net(dev)),
		.l3 = xdp->data + ETH_HLEN,
	};
	unsigned int bytes = xdp_get_buff_len(xdp) - ETH_HLEN;
	const struct ethhdr *eth = xdp->data;
	enum nflb_verdict verdict;

	if (unlikely(v.l3 + FAST_LEN_V4 > xdp->data_end))
		return XDP_PASS;
	v.linear = xdp->data_end - v.l3;
	/* Another's frame, and one that goes on to a bridge or bond, are the stack's. */
	if (unlikely(!ether_addr_equal(eth->h_dest, dev->dev_addr) ||
		     rcu_access_pointer(dev->rx_handler)))
		return XDP_PASS;
	if (eth->h_proto == htons(ETH_P_IP) && valid_v4(&v, bytes))
		verdict = take(&v, AF_INET);
	else if (eth->h_proto == htons(ETH_P_IPV6) && valid_v6(&v, bytes))
		verdict = take(&v, AF_INET6);
	else
		return XDP_PASS;
	return likely(verdict == NFLB_STOLEN) ? v.action : XDP_PASS;
}

/**
 * nflb_xdp() - forward a packet of a known flow, for a program of XDP
 * @ctx: the packet
 *
 * Context: a program of XDP, in driver mode. Return: a verdict of XDP. XDP_TX or
 * XDP_REDIRECT: the packet was rewritten, and the program has to return the same.
 * XDP_PASS: it was not changed, and the stack has to see it.
 */
__bpf_kfunc int nflb_xdp(struct xdp_md *ctx)
{
	int action;

	/* Drivers disable BH, which protects readers as well. Only lockdep wants more. */
	if (IS_ENABLED(CONFIG_PROVE_RCU))
		rcu_read_lock();
	/* Programs see this as struct xdp_md. */
	action = forward((struct xdp_buff *)ctx);
	if (IS_ENABLED(CONFIG_PROVE_RCU))
		rcu_read_unlock();
	return action;
}
NFLB_EXPORT_KUNIT(nflb_xdp);

/**
 * nflb_xdp_would() - would nflb_xdp() forward a packet?
 * @dev: the device that it comes from
 * @skb: the packet, whole and linear; skb->data is its network header
 * @family: of the packet
 *
 * Context: BH disabled, rcu_read_lock() held. Return: whether it would, if a program of
 * @dev called it.
 */
bool nflb_xdp_would(struct net_device *dev, struct sk_buff *skb, u8 family)
{
	struct xdp_rxq_info rxq = { .dev = dev };
	struct xdp_buff xdp = {
		.data = skb->data - ETH_HLEN,
		.data_end = skb_tail_pointer(skb),
		.data_hard_start = skb->head,
		.rxq = &rxq,
	};
	struct nflb_view v = {
		.xdp = &xdp,
		.nn = nflb_net_rcu(dev_net(dev)),
		.l3 = skb->data,
		.linear = skb->len,
	};

	if (rcu_access_pointer(dev->rx_handler))
		return false;
	return family == AF_INET ?
	       valid_v4(&v, skb->len) && fast_would(&v, AF_INET) :
	       valid_v6(&v, skb->len) && fast_would(&v, AF_INET6);
}

BTF_KFUNCS_START(nflb_xdp_ids)
BTF_ID_FLAGS(func, nflb_xdp)
BTF_KFUNCS_END(nflb_xdp_ids)

static const struct btf_kfunc_id_set nflb_xdp_set = {
	.owner = THIS_MODULE,
	.set = &nflb_xdp_ids,
};

/**
 * nflb_xdp_init() - let programs of XDP call nflb_xdp()
 *
 * The kernel finds the function by the module's BTF. Without BTF, or with that of another
 * kernel, no program can call it, and all else works. There is no way back: the kernel
 * forgets it with the module.
 *
 * Context: process.
 */
void __init nflb_xdp_init(void)
{
	int err = register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &nflb_xdp_set);

	if (err)
		pr_warn("no XDP: the module's BTF is not for this kernel (%d); rebuild it\n", err);
}
