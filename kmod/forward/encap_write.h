/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Outer headers, written where a pointer says: into an skb (encap.c) or a frame
 * (path/xdp.c). Formats: see encap.c.
 */
#ifndef NFLB_ENCAP_WRITE_H
#define NFLB_ENCAP_WRITE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/dsfield.h>
#include <net/gre.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "packet/mangle_tuple.h"
#include "service/service.h"
#include "conn/conn.h"

/**
 * struct nflb_inherited - the fields that an outer header copies from the packet
 * @dsfield: DSCP and ECN
 * @ttl: hops
 * @df: it must not be fragmented
 * @ipproto: the packet itself, as payload of IP
 */
struct nflb_inherited {
	u8	dsfield;
	u8	ttl;
	bool	df;
	u8	ipproto;
};

/* @l3: the packet's header. @may_split: it may be fragmented in any case. */
static __always_inline struct nflb_inherited
nflb_inherit(const void *l3, u8 family, bool may_split)
{
	const struct ipv6hdr *ip6h = l3;
	const struct iphdr *iph = l3;

	if (family == AF_INET)
		return (struct nflb_inherited){
			.dsfield = iph->tos,
			.ttl = iph->ttl,
			.df = !may_split && iph->frag_off & htons(IP_DF),
			.ipproto = IPPROTO_IPIP,
		};
	return (struct nflb_inherited){
		.dsfield = ipv6_get_dsfield(ip6h),
		.ttl = ip6h->hop_limit,
		.df = !may_split,
		.ipproto = IPPROTO_IPV6,
	};
}

/* Without any option, RFC 2784 section 2.1 */
static __always_inline void nflb_gre_write(struct gre_base_hdr *gre,
					   const struct nflb_inherited *in)
{
	gre->flags = 0;
	gre->protocol = in->ipproto == IPPROTO_IPIP ? htons(ETH_P_IP) :
						      htons(ETH_P_IPV6);
}

/* @len: with the payload. The checksum is 0; IPv6 needs one yet. */
static __always_inline void nflb_outer_udp_write(struct udphdr *uh,
						 const struct nflb_conn *conn,
						 unsigned int len)
{
	uh->source = conn->outer.port;
	uh->dest = READ_ONCE(conn->backend->gue_port);
	uh->len = htons(len);
	uh->check = 0;
}

__be16 nflb_encap_ident(struct nflb_backend *backend, u16 count);

/* As ip_send_check(), without a call, for a header that was just written */
static __always_inline __sum16 outer_sum(const struct iphdr *iph)
{
	const u32 *word = (const u32 *)iph;

	return csum_fold(sum_fold((u64)get_unaligned(word) +
				  get_unaligned(word + 1) +
				  get_unaligned(word + 2) +
				  get_unaligned(word + 3) +
				  get_unaligned(word + 4)));
}

/* @len: with the payload. @packets: how many it represents. */
static __always_inline void
nflb_outer_v4_write(struct iphdr *iph, const struct nflb_conn *conn,
		    const struct nflb_inherited *in, u8 proto, unsigned int len,
		    u16 packets)
{
	struct nflb_backend *backend = conn->backend;

	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = in->dsfield;
	iph->tot_len = htons(len);
	/* Atomic datagrams need no identification (RFC 6864, section 4.1). */
	iph->id = in->df ? 0 : nflb_encap_ident(backend, packets);
	iph->frag_off = in->df ? htons(IP_DF) : 0;
	iph->ttl = in->ttl;
	iph->protocol = proto;
	iph->saddr = conn->outer.source.ip;
	iph->daddr = backend->addr.ip;
	iph->check = 0;
	iph->check = outer_sum(iph);
}

/* Routers and NICs spread by the flow label (RFC 6438). */
static __always_inline __be32 nflb_outer_label(const struct nflb_conn *conn)
{
	return htonl((u32)ntohs(conn->outer.port) << 4 | 1) &
	       IPV6_FLOWLABEL_MASK;
}

/* @len: of the payload */
static __always_inline void
nflb_outer_v6_write(struct ipv6hdr *ip6h, const struct nflb_conn *conn,
		    const struct nflb_inherited *in, u8 proto, unsigned int len)
{
	ip6_flow_hdr(ip6h, in->dsfield, nflb_outer_label(conn));
	ip6h->payload_len = htons(len);
	ip6h->nexthdr = proto;
	ip6h->hop_limit = in->ttl;
	ip6h->saddr = conn->outer.source.in6;
	ip6h->daddr = conn->backend->addr.in6;
}

#endif /* NFLB_ENCAP_WRITE_H */
