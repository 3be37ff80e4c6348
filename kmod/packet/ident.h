/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Identifications of IPv4 packets. A datagram that may be fragmented needs one
 * that no other with its addresses and protocol has at the time (RFC 6864,
 * section 4.3). NAT puts several senders behind one address, each of which counts
 * for itself; so such datagrams get a new one here. Those that are atomic (DF) do
 * not need any and keep theirs.
 */
#ifndef NFLB_IDENT_H
#define NFLB_IDENT_H

#include <net/ip.h>

#include "netns.h"

void nflb_ident_select(struct nflb_net *nn, const struct sk_buff *skb,
		       struct iphdr *iph);

/**
 * nflb_ident_renew() - a new identification, unless the datagram is atomic
 * @nn: the namespace
 * @skb: its buffer, or NULL when it is no skb and so one packet
 * @iph: its header, writable, of a sender that shares its address with others
 * @len: its length
 * @ports: the two ports that it leaves with
 *
 * No link fragments what is no longer than IPV4_MIN_MTU. For those it is enough,
 * and costs next to nothing, that connections are told apart.
 *
 * Context: softirq or BH disabled. Return: what is still to be added to the sum
 * of the header.
 */
static __always_inline u32 nflb_ident_renew(struct nflb_net *nn,
					    const struct sk_buff *skb,
					    struct iphdr *iph,
					    unsigned int len, u32 ports)
{
	u16 old = (__force u16)iph->id, new;

	if (likely(iph->frag_off & htons(IP_DF)))
		return 0;
	if (len > IPV4_MIN_MTU) {
		nflb_ident_select(nn, skb, iph);
		return 0;
	}
	new = old + ports + (ports >> 16);
	iph->id = (__force __be16)new;
	return new + (u16)~old;
}

#endif /* NFLB_IDENT_H */
