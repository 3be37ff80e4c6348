/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Encapsulation of whole packets.
 */
#ifndef NFLB_ENCAP_H
#define NFLB_ENCAP_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/gre.h>

#include "packet/packet.h"
#include "conn/conn.h"

/**
 * nflb_encap_overhead() - by how much packets grow
 * @encap: enum nflb_encap
 * @family: of the outer header
 *
 * Return: bytes.
 */
static inline unsigned int nflb_encap_overhead(u8 encap, u8 family)
{
	unsigned int ip = family == AF_INET ? sizeof(struct iphdr) :
					      sizeof(struct ipv6hdr);

	switch (encap) {
	case NFLB_ENCAP_NONE:
		return 0;
	case NFLB_ENCAP_GRE:
		return ip + sizeof(struct gre_base_hdr);
	case NFLB_ENCAP_GUE:
		return ip + sizeof(struct udphdr);
	default:
		return ip;
	}
}

unsigned int nflb_encap_mtu(const struct dst_entry *dst, u8 encap, u8 family);
enum nflb_verdict nflb_encap_push(struct nflb_pkt *pkt,
				  const struct nflb_conn *conn,
				  const struct dst_entry *dst, bool may_split);
enum nflb_verdict nflb_encap_split(struct nflb_pkt *pkt,
				   const struct nflb_conn *conn,
				   struct dst_entry *dst, unsigned int mtu);
void nflb_encap_icmp(struct nflb_pkt *pkt, const struct nflb_tuple *quoted,
		     u8 proto, unsigned int l4);

#endif /* NFLB_ENCAP_H */
