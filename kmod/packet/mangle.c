// SPDX-License-Identifier: GPL-2.0
/*
 * Writing to packets. Checksums are updated, not made anew (RFC 1624), so that
 * a packet that arrived corrupt leaves corrupt and its receiver can tell. The
 * kernel's inet_proto_csum_replace*() know what CHECKSUM_PARTIAL and
 * CHECKSUM_COMPLETE ask for.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#include "packet/ident.h"
#include "packet/mangle.h"
#include "packet/mangle_tuple.h"

static void *header(const struct nflb_pkt *pkt, unsigned int off)
{
	return pkt->skb->data + off;
}

/* check_update() of the packet's transport header */
static void update(struct nflb_pkt *pkt, __wsum pseudo, __wsum other)
{
	void *l4 = header(pkt, pkt->l4);

	check_update(l4, pkt->tuple.proto, check_is_partial(pkt->skb, l4),
		     pseudo, other);
	sum_forget(pkt->skb);
}

/* Where a network header at @l3 has the address of one end. */
static union nflb_addr *addr_at(struct nflb_pkt *pkt, unsigned int l3,
				enum nflb_end end)
{
	if (pkt->tuple.family == AF_INET) {
		struct iphdr *iph = header(pkt, l3);

		return (union nflb_addr *)(end == NFLB_END_SRC ? &iph->saddr :
								 &iph->daddr);
	} else {
		struct ipv6hdr *ip6h = header(pkt, l3);

		return (union nflb_addr *)(end == NFLB_END_SRC ? &ip6h->saddr :
								 &ip6h->daddr);
	}
}

/* TCP and UDP both begin with the source port, then the destination port. */
static __be16 *port_at(struct nflb_pkt *pkt, unsigned int l4, enum nflb_end end)
{
	return (__be16 *)header(pkt, l4) + (end == NFLB_END_DST);
}

/* An address in place: four bytes or sixteen. */
static void addr_write(struct nflb_pkt *pkt, union nflb_addr *to,
		       const union nflb_addr *from)
{
	if (pkt->tuple.family == AF_INET)
		to->ip = from->ip;
	else
		to->in6 = from->in6;
}

/**
 * nflb_mangle_writable() - make the headers linear, unshared and writable
 * @pkt: the packet
 *
 * For TCP and UDP up to the end of the transport header (all TCP options); for
 * ICMP the whole packet. Warning: may move the skb's head.
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_mangle_writable(struct nflb_pkt *pkt)
{
	unsigned int len;

	if (pkt->kind != NFLB_KIND_FLOW)
		len = pkt->skb->len;
	else if (pkt->tuple.proto == IPPROTO_TCP)
		len = pkt->l4 + pkt->tcp_doff;
	else
		len = pkt->l4 + sizeof(struct udphdr);
	return skb_ensure_writable(pkt->skb, len);
}
NFLB_EXPORT_KUNIT(nflb_mangle_writable);

/**
 * nflb_mangle_addr() - rewrite an address in the network header
 * @pkt: the packet, writable
 * @end: source or destination
 * @addr: the new address
 *
 * IPv4's header checksum follows; the transport's does not.
 */
void nflb_mangle_addr(struct nflb_pkt *pkt, enum nflb_end end,
		      const union nflb_addr *addr)
{
	unsigned int l3 = skb_network_offset(pkt->skb);
	union nflb_addr *at = addr_at(pkt, l3, end);

	if (pkt->tuple.family == AF_INET)
		csum_replace4(&((struct iphdr *)header(pkt, l3))->check,
			      at->ip, addr->ip);
	addr_write(pkt, at, addr);
}

/* The effect of a new address on a checksum that covers it */
static __wsum addr_diff(const struct nflb_pkt *pkt, const union nflb_addr *old,
			const union nflb_addr *new)
{
	u8 family = pkt->tuple.family;

	/* As in addrs_write() */
	return sum_fold(4ULL * U32_MAX + addr_sum(new->all, family) -
			addr_sum(old->all, family));
}

/**
 * nflb_mangle_end() - rewrite address and port of one end
 * @pkt: a TCP or UDP packet, writable
 * @end: source or destination
 * @addr: the new address
 * @port: the new port
 */
void nflb_mangle_end(struct nflb_pkt *pkt, enum nflb_end end,
		     const union nflb_addr *addr, __be16 port)
{
	union nflb_addr *at = addr_at(pkt, skb_network_offset(pkt->skb), end);
	__sum16 *check = check_at(pkt->skb, header(pkt, pkt->l4),
				   pkt->tuple.proto);
	__be16 *port_p = port_at(pkt, pkt->l4, end);

	if (check && pkt->skb->ip_summed == CHECKSUM_PARTIAL) {
		update(pkt, addr_diff(pkt, at, addr),
		       csum_sub((__force __wsum)port,
				(__force __wsum)*port_p));
	} else if (check) {
		if (pkt->tuple.family == AF_INET)
			inet_proto_csum_replace4(check, pkt->skb, at->ip,
						 addr->ip, true);
		else
			inet_proto_csum_replace16(check, pkt->skb, at->all,
						  addr->all, true);
		if (*port_p != port)
			inet_proto_csum_replace2(check, pkt->skb, *port_p, port,
						 false);
		if (!*check && pkt->tuple.proto == IPPROTO_UDP)
			*check = CSUM_MANGLED_0;
	}
	*port_p = port;
	nflb_mangle_addr(pkt, end, addr);
}
NFLB_EXPORT_KUNIT(nflb_mangle_end);

/**
 * nflb_mangle_tuple() - rewrite both ends
 * @pkt: a TCP or UDP packet, writable
 * @to: the tuple that the answers to it have
 */
void nflb_mangle_tuple(struct nflb_pkt *pkt, const struct nflb_tuple *to)
{
	void *l4 = header(pkt, pkt->l4);

	mangle_tuple(skb_network_header(pkt->skb), l4, pkt->tuple.proto,
		     check_is_partial(pkt->skb, l4), to, pkt->tuple.family,
		     false, 0);
	sum_forget(pkt->skb);
}
NFLB_EXPORT_KUNIT(nflb_mangle_tuple);

/**
 * nflb_mangle_field() - rewrite 32 bits of the transport header
 * @pkt: a TCP or UDP packet, writable
 * @off: offset of the field in the transport header, even
 * @value: the new value
 */
void nflb_mangle_field(struct nflb_pkt *pkt, unsigned int off, __be32 value)
{
	__be32 *field = header(pkt, pkt->l4 + off);
	__wsum diff = csum_sub((__force __wsum)value, (__force __wsum)*field);

	*field = value;
	update(pkt, 0, diff);
}
NFLB_EXPORT_KUNIT(nflb_mangle_field);

/* The link-layer header, as far as it is known, goes along. */
static void move_mac(struct sk_buff *skb, unsigned int len)
{
	if (!skb_mac_header_was_set(skb) ||
	    skb_headroom(skb) < skb->mac_len + len)
		return;
	memmove(skb_mac_header(skb) - len, skb_mac_header(skb), skb->mac_len);
	skb->mac_header -= len;
}

/**
 * nflb_mangle_ident() - a new identification, for a sender that gets behind an
 *	address which others have, too
 * @pkt: the packet, writable; IPv6 has none
 * @to: the tuple that the answers to it have
 */
void nflb_mangle_ident(struct nflb_pkt *pkt, const struct nflb_tuple *to)
{
	struct iphdr *iph = ip_hdr(pkt->skb);
	__be16 old = iph->id;

	if (pkt->tuple.family != AF_INET)
		return;
	/* It arrived in fragments, and is to leave so. */
	if (unlikely(iph->frag_off & htons(IP_DF) &&
		     IPCB(pkt->skb)->frag_max_size))
		nflb_ident_select(pkt->nn, pkt->skb, iph);
	else if (nflb_ident_renew(pkt->nn, pkt->skb, iph, pkt->skb->len,
				  *(const u32 *)&to->sport))
		csum_replace2(&iph->check, old, iph->id);
}
NFLB_EXPORT_KUNIT(nflb_mangle_ident);

static void length_add(struct nflb_pkt *pkt, unsigned int len)
{
	if (pkt->tuple.family == AF_INET) {
		struct iphdr *iph = ip_hdr(pkt->skb);
		__be16 tot_len = htons(ntohs(iph->tot_len) + len);

		csum_replace2(&iph->check, iph->tot_len, tot_len);
		iph->tot_len = tot_len;
	} else {
		be16_add_cpu(&ipv6_hdr(pkt->skb)->payload_len, len);
	}
}

/**
 * nflb_mangle_grow() - make room within a packet
 * @pkt: a TCP or UDP packet, writable
 * @at: offset where bytes are added, behind the base transport header
 * @len: how many, an even number; the packet is not longer than 64 KiB then
 *
 * The headers move into the headroom. The network header's length is right
 * then; for the checksum see nflb_mangle_added(). Warning: may move the skb's
 * head.
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_mangle_grow(struct nflb_pkt *pkt, unsigned int at, unsigned int len)
{
	struct sk_buff *skb = pkt->skb;
	bool moves;

	if (skb_cow_head(skb, len + skb->mac_len))
		return -ENOMEM;
	/* Not so where it is about a packet inside, which stays. */
	moves = skb->ip_summed == CHECKSUM_PARTIAL &&
		skb_checksum_start_offset(skb) < (int)at;
	move_mac(skb, len);
	skb_push(skb, len);
	memmove(skb->data, skb->data + len, at);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, pkt->l4);
	if (moves)
		skb->csum_start -= len;
	else if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	length_add(pkt, len);
	return 0;
}
NFLB_EXPORT_KUNIT(nflb_mangle_grow);

/**
 * nflb_mangle_added() - let the transport checksum cover added bytes
 * @pkt: a TCP or UDP packet, after nflb_mangle_grow()
 * @at: where, an even number behind the transport header's begin
 * @len: how many bytes, that are written now
 */
void nflb_mangle_added(struct nflb_pkt *pkt, unsigned int at, unsigned int len)
{
	unsigned int new = pkt->skb->len - pkt->l4;
	__wsum pseudo = csum_sub((__force __wsum)htons(new),
				 (__force __wsum)htons(new - len));

	update(pkt, pseudo, csum_partial(header(pkt, at), len, 0));
}
NFLB_EXPORT_KUNIT(nflb_mangle_added);

/**
 * nflb_mangle_cut() - remove the payload of a segment
 * @pkt: a TCP packet, writable
 *
 * Lengths and the checksum follow. Warning: may move the skb's head.
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_mangle_cut(struct nflb_pkt *pkt)
{
	unsigned int end = pkt->l4 + pkt->tcp_doff;
	struct sk_buff *skb = pkt->skb;
	unsigned int len = skb->len - end;
	__wsum pseudo, payload;

	pseudo = csum_sub((__force __wsum)htons(end - pkt->l4),
			  (__force __wsum)htons(skb->len - pkt->l4));
	payload = skb_checksum(skb, end, len, 0);
	if (pskb_trim(skb, end))
		return -ENOMEM;
	if (skb_is_gso(skb))
		skb_gso_reset(skb);
	/* The sum of the whole packet had the payload in it. */
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	length_add(pkt, -len);
	update(pkt, pseudo, csum_sub(0, payload));
	return 0;
}
NFLB_EXPORT_KUNIT(nflb_mangle_cut);

/**
 * nflb_mangle_udp_len() - a datagram became longer
 * @pkt: a UDP packet, writable, after nflb_mangle_added()
 * @added: by how much
 */
void nflb_mangle_udp_len(struct nflb_pkt *pkt, unsigned int added)
{
	struct udphdr *uh = header(pkt, pkt->l4);
	__be16 len = htons(ntohs(uh->len) + added);
	__wsum diff = csum_sub((__force __wsum)len, (__force __wsum)uh->len);

	uh->len = len;
	update(pkt, 0, diff);
}
NFLB_EXPORT_KUNIT(nflb_mangle_udp_len);

/* Bytes of the packet from @off on, as far as there are any. */
static unsigned int room(const struct nflb_pkt *pkt, unsigned int off)
{
	return pkt->skb->len > off ? pkt->skb->len - off : 0;
}

/*
 * The transport checksum of a quoted packet, if so much of it is quoted and it
 * has one. It is the sender's own, whatever ip_summed of the error says.
 */
static __sum16 *quoted_check(struct nflb_pkt *pkt)
{
	struct udphdr *uh;

	if (pkt->inner_proto == IPPROTO_TCP) {
		if (room(pkt, pkt->inner_l4) <
		    offsetofend(struct tcphdr, check))
			return NULL;
		return &((struct tcphdr *)header(pkt, pkt->inner_l4))->check;
	}
	if (room(pkt, pkt->inner_l4) < sizeof(*uh))
		return NULL;
	uh = header(pkt, pkt->inner_l4);
	return uh->check ? &uh->check : NULL;
}

/**
 * nflb_mangle_quoted() - rewrite one end of the packet that an error quotes
 * @pkt: an ICMP error, writable
 * @end: source or destination of the quoted packet
 * @addr: the new address
 * @port: the new port
 *
 * The ICMP checksum does not follow, see nflb_mangle_icmp_checksum().
 */
void nflb_mangle_quoted(struct nflb_pkt *pkt, enum nflb_end end,
			const union nflb_addr *addr, __be16 port)
{
	union nflb_addr *at = addr_at(pkt, pkt->inner, end);
	__be16 *port_p = port_at(pkt, pkt->inner_l4, end);
	__sum16 *check = quoted_check(pkt);
	int i;

	if (check) {
		if (pkt->tuple.family == AF_INET)
			csum_replace4(check, at->ip, addr->ip);
		else
			for (i = 0; i < 4; i++)
				csum_replace4(check, at->all[i], addr->all[i]);
		csum_replace2(check, *port_p, port);
		if (!*check && pkt->inner_proto == IPPROTO_UDP)
			*check = CSUM_MANGLED_0;
	}
	*port_p = port;
	if (pkt->tuple.family == AF_INET) {
		struct iphdr *iph = header(pkt, pkt->inner);

		csum_replace4(&iph->check, at->ip, addr->ip);
	}
	addr_write(pkt, at, addr);
}

/**
 * nflb_mangle_quoted_seq() - move the sequence number that an error quotes
 * @pkt: an ICMP error, writable
 * @delta: is subtracted from it
 */
void nflb_mangle_quoted_seq(struct nflb_pkt *pkt, u32 delta)
{
	struct tcphdr *th = header(pkt, pkt->inner_l4);
	__sum16 *check = quoted_check(pkt);
	__be32 seq;

	if (!delta || pkt->inner_proto != IPPROTO_TCP ||
	    room(pkt, pkt->inner_l4) < offsetofend(struct tcphdr, seq))
		return;
	seq = htonl(ntohl(th->seq) - delta);
	if (check)
		csum_replace4(check, th->seq, seq);
	th->seq = seq;
}

/**
 * nflb_mangle_icmp_checksum() - make the checksum of an ICMP message anew
 * @pkt: an ICMP or ICMPv6 packet, writable and rewritten; the checksum that it
 *	came with was right
 */
void nflb_mangle_icmp_checksum(struct nflb_pkt *pkt)
{
	unsigned int len = pkt->skb->len - pkt->l4;
	struct icmphdr *icmph = header(pkt, pkt->l4);
	__wsum sum;

	icmph->checksum = 0;
	sum = skb_checksum(pkt->skb, pkt->l4, len, 0);
	if (pkt->tuple.family == AF_INET) {
		icmph->checksum = csum_fold(sum);
	} else {
		struct ipv6hdr *ip6h = ipv6_hdr(pkt->skb);

		icmph->checksum = csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr,
						  len, IPPROTO_ICMPV6, sum);
	}
	pkt->skb->ip_summed = CHECKSUM_NONE;
}

static_assert(offsetof(struct icmphdr, checksum) ==
	      offsetof(struct icmp6hdr, icmp6_cksum));
