/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many packets a buffer stands for, and how long these are together. One that was
 * merged (GRO), or that a device will segment (GSO), counts as its segments.
 */
#ifndef NFLB_WIRE_H
#define NFLB_WIRE_H

#include <linux/skbuff.h>

/* RFC 2675: the only extension header that a merged packet may have. */
#define NFLB_JUMBO_LEN	8

/**
 * struct nflb_wire - a buffer as packets on the wire
 * @bytes: network-layer bytes, the headers of each packet included
 * @packets: how many
 */
struct nflb_wire {
	u64	bytes;
	u32	packets;
};

bool nflb_has_jumbo_header(const struct sk_buff *skb);
struct nflb_wire nflb_wire_of_gso(const struct sk_buff *skb, unsigned int l4,
				  unsigned int end);

/* Does each segment of a GSO packet fit? The jumbo payload option is in none of them. */
static inline bool nflb_gso_fits(const struct sk_buff *skb, unsigned int mtu)
{
	if (unlikely(skb->len > U16_MAX) && nflb_has_jumbo_header(skb))
		mtu += NFLB_JUMBO_LEN;
	return skb_gso_validate_network_len(skb, mtu);
}

/* Packets of a buffer whose headers nobody may have read. */
static inline u32 nflb_wire_packets(const struct sk_buff *skb)
{
	return likely(!skb_is_gso(skb)) ? 1 :
					  nflb_wire_of_gso(skb, 0, 0).packets;
}

#endif /* NFLB_WIRE_H */
