// SPDX-License-Identifier: GPL-2.0
/*
 * What a GSO packet is on the wire: segments of gso_size bytes each, the last one
 * shorter perhaps, and all with the same headers in front.
 */
#include <net/ipv6.h>
#include <net/tcp.h>

#include "nflb.h"
#include "packet/wire.h"

#define JUMBO_TYPE	0xc2

/**
 * nflb_has_jumbo_header() - does an IPv6 packet begin with a jumbo payload option?
 * @skb: the packet; skb->data is its network header
 *
 * The kernel puts one into IPv6 packets of more than 64 KiB (BIG TCP). None of the
 * segments has it.
 *
 * Return: whether it does.
 */
bool nflb_has_jumbo_header(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr header;
	u8 option[4];
	const u8 *hop;

	ip6h = skb_header_pointer(skb, 0, sizeof(header), &header);
	if (!ip6h || ip6h->version != 6 || ip6h->nexthdr != NEXTHDR_HOP)
		return false;
	hop = skb_header_pointer(skb, sizeof(header), sizeof(option), option);
	return hop && !hop[1] && hop[2] == JUMBO_TYPE;
}

/* Up to the end of the innermost transport header, which all segments have. */
static unsigned int headers(const struct sk_buff *skb, unsigned int l4,
			    unsigned int end)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	const struct tcphdr *th;
	struct tcphdr header;
	int inner;

	/* Fragments: the first one alone has the header of UDP. */
	if (shinfo->gso_type & SKB_GSO_UDP)
		return l4;
	if (!skb->encapsulation)
		return end;
	inner = skb_inner_transport_offset(skb);
	if (inner < (int)end)
		return end;
	if (!skb_is_gso_tcp(skb))
		return inner + sizeof(struct udphdr);
	th = skb_header_pointer(skb, inner, sizeof(header), &header);
	return th ? inner + __tcp_hdrlen(th) : end;
}

/**
 * nflb_wire_of_gso() - what a GSO packet is on the wire
 * @skb: the packet, unchanged; skb->data is its network header
 * @l4: offset of its transport header
 * @end: offset of what is behind that
 *
 * Untrusted senders (virtio, packet sockets) leave gso_segs to the kernel, which
 * counts them late. No packet has more segments than bytes.
 *
 * Return: its packets, one at least, and their bytes.
 */
struct nflb_wire nflb_wire_of_gso(const struct sk_buff *skb, unsigned int l4,
				  unsigned int end)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int header = headers(skb, l4, end), len = skb->len;
	unsigned int payload, packets = shinfo->gso_segs;

	payload = len > header ? len - header : 1;
	if (!packets)
		packets = DIV_ROUND_UP(payload, shinfo->gso_size);
	packets = clamp(packets, 1U, payload);
	if (header > NFLB_JUMBO_LEN && nflb_has_jumbo_header(skb)) {
		header -= NFLB_JUMBO_LEN;
		len -= NFLB_JUMBO_LEN;
	}
	return (struct nflb_wire){
		.bytes = len + (u64)(packets - 1) * header,
		.packets = packets,
	};
}
NFLB_EXPORT_KUNIT(nflb_wire_of_gso);
