// SPDX-License-Identifier: GPL-2.0
/*
 * Identifications of IPv4 packets: the part of ident.h that is not inline.
 */
#include "packet/ident.h"

/**
 * nflb_ident_select() - the kernel's next identification for a packet
 * @nn: the namespace
 * @skb: its buffer, whose segments get as many in a row; or NULL when it is no skb
 * @iph: its header, writable, with the addresses that it leaves with or arrived with; its
 *	checksum follows
 *
 * As the host's own packets get them: those of other destinations tell nothing.
 */
noinline void nflb_ident_select(struct nflb_net *nn, const struct sk_buff *skb,
				struct iphdr *iph)
{
	__be16 old = iph->id;

	__ip_select_ident(nn->net, iph,
			  skb ? max_t(int, skb_shinfo(skb)->gso_segs, 1) : 1);
	csum_replace2(&iph->check, old, iph->id);
}
