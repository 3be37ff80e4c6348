// SPDX-License-Identifier: GPL-2.0
/*
 * Connections of the host's own sockets. A service may come to an address and
 * port on which a server of the host has connections already: they go on.
 */
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/tcp.h>

#include "path/host_socket.h"
#include "netns.h"

static struct sock *find(struct net *net, const struct nflb_tuple *t, int dif)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;

	if (t->family == AF_INET)
		return nflb_inet_lookup_established(net, hashinfo, t->src.ip,
						    t->sport, t->dst.ip,
						    ntohs(t->dport), dif);
	return nflb_inet6_lookup_established(net, hashinfo, &t->src.in6,
					     t->sport, &t->dst.in6,
					     ntohs(t->dport), dif);
}

/**
 * nflb_host_socket_has() - does a segment belong to a connection of the host?
 * @pkt: a TCP segment
 *
 * One that a socket of the host opens counts, and one in TIME_WAIT; a socket
 * that only listens does not.
 *
 * Context: softirq or BH disabled, rcu_read_lock() held. Return: true when it
 * does.
 */
bool nflb_host_socket_has(const struct nflb_pkt *pkt)
{
	struct sock *sk;

	if (pkt->tuple.proto != IPPROTO_TCP)
		return false;
	sk = find(pkt->nn->net, &pkt->tuple, nflb_pkt_ifindex(pkt));
	if (!sk)
		return false;
	sock_gen_put(sk);
	return true;
}
