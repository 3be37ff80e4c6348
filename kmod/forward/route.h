/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Routes of connections, and sending by them.
 */
#ifndef NFLB_ROUTE_H
#define NFLB_ROUTE_H

#include <net/dst.h>
#include <net/ip6_fib.h>

#include "packet/packet.h"
#include "conn/conn.h"

struct dst_entry *nflb_route_renew(const struct nflb_pkt *pkt,
				   struct nflb_conn *conn, enum nflb_dir dir);
struct dst_entry *nflb_route_find(const struct nflb_pkt *pkt, u8 family,
				  const union nflb_addr *src,
				  const union nflb_addr *dst, __be16 sport,
				  __be16 dport, u8 flags, int oif);
struct dst_entry *nflb_route_back(const struct nflb_pkt *pkt);
bool nflb_route_misses_vrf(const struct nflb_pkt *pkt);
bool nflb_route_source(struct net *net, const union nflb_addr *dst, u8 family,
		       union nflb_addr *src);
bool nflb_route_has_gateway(const struct dst_entry *dst, u8 family);
bool nflb_route_is_local(const struct dst_entry *dst, u8 family);
unsigned int nflb_route_mtu(const struct dst_entry *dst, u8 family);
bool nflb_exceeds_mtu(const struct nflb_pkt *pkt, unsigned int mtu);
bool nflb_route_to_host(struct nflb_pkt *pkt);
int nflb_route_input_local(struct nflb_pkt *pkt, const union nflb_addr *to);
enum nflb_verdict nflb_xmit_via(struct nflb_pkt *pkt, struct dst_entry *dst,
				const union nflb_addr *via);
enum nflb_verdict nflb_xmit_fragments(struct nflb_pkt *pkt,
				      struct dst_entry *dst);
enum nflb_verdict nflb_xmit(struct nflb_pkt *pkt, struct dst_entry *dst);
void nflb_untrack(struct sk_buff *skb);

/* For dst_check(), read once for good */
static inline u32 nflb_route_cookie(const struct dst_entry *dst, u8 family)
{
	return family == AF_INET6 ? rt6_get_cookie(dst_rt6_info(dst)) : 0;
}

/* nflb_route_find() of a packet that nothing more is known of */
static inline struct dst_entry *
nflb_route_lookup(const struct nflb_pkt *pkt, u8 family,
		  const union nflb_addr *src, const union nflb_addr *dst,
		  __be16 sport, __be16 dport)
{
	return nflb_route_find(pkt, family, src, dst, sport, dport, 0, 0);
}

/* nflb_route_renew(), if the one that the connection has is not good any more */
static inline struct dst_entry *nflb_route(const struct nflb_pkt *pkt,
					   struct nflb_conn *conn,
					   enum nflb_dir dir)
{
	struct dst_entry *dst = rcu_dereference(*nflb_conn_dst(conn, dir));

	if (likely(dst && dst_check(dst,
				    READ_ONCE(*nflb_conn_dst_cookie(conn, dir)))))
		return dst;
	return nflb_route_renew(pkt, conn, dir);
}

void nflb_route_tell_socket(struct sk_buff *skb, unsigned int mtu);

#endif /* NFLB_ROUTE_H */
