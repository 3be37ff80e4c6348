// SPDX-License-Identifier: GPL-2.0
#include "frame.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int sum(const void *data, int len, unsigned int before)
{
	const unsigned char *p = data;

	for (; len > 1; len -= 2, p += 2)
		before += p[0] << 8 | p[1];
	return len ? before + (p[0] << 8) : before;
}

static unsigned short checksum(unsigned int sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* Writes the network header. Returns what the transport's checksum has of it. */
static unsigned int put_ip(void *at, const struct flow *f, int proto, int len)
{
	struct ip6_hdr *ip6 = at;
	struct ip *ip = at;
	int size = f->v4 ? 4 : 16;

	if (f->v4) {
		ip->ip_v = 4;
		ip->ip_hl = sizeof(*ip) / 4;
		ip->ip_len = htons(sizeof(*ip) + len);
		ip->ip_off = htons(IP_DF);
		ip->ip_ttl = 64;
		ip->ip_p = proto;
		memcpy(&ip->ip_src, f->from.addr, size);
		memcpy(&ip->ip_dst, f->to.addr, size);
		ip->ip_sum = checksum(sum(ip, sizeof(*ip), 0));
	} else {
		ip6->ip6_flow = htonl(6 << 28);
		ip6->ip6_plen = htons(len);
		ip6->ip6_nxt = proto;
		ip6->ip6_hlim = 64;
		memcpy(&ip6->ip6_src, f->from.addr, size);
		memcpy(&ip6->ip6_dst, f->to.addr, size);
	}
	return sum(f->from.addr, size, sum(f->to.addr, size, proto + len));
}

/* The network header of a frame that is all zero, and its transport's place. */
static void *put_headers(struct frame *frame, const struct flow *f, int proto,
			 int len, unsigned int *pseudo)
{
	struct ether_header *eth = (void *)frame->bytes;
	int l3 = f->v4 ? sizeof(struct ip) : sizeof(struct ip6_hdr);

	memcpy(eth->ether_shost, &f->from.mac, ETH_ALEN);
	memcpy(eth->ether_dhost, &f->to.mac, ETH_ALEN);
	eth->ether_type = htons(f->v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	frame->len = sizeof(*eth) + l3 + len;
	*pseudo = put_ip(eth + 1, f, proto, len);
	return (unsigned char *)(eth + 1) + l3;
}

/* Two of no operation, for those behind to be aligned; any two times */
static void put_stamps(unsigned char *at)
{
	static const unsigned char stamps[STAMPS_LEN] = {
		TCPOPT_NOP, TCPOPT_NOP, TCPOPT_TIMESTAMP, TCPOLEN_TIMESTAMP,
		0, 0, 0x10, 0, 0, 0, 0x20, 0,
	};

	memcpy(at, stamps, sizeof(stamps));
}

/*
 * A checksum that is not just the sum of the pseudo header: a balancer takes that for
 * one that is still to be made. @spare: of the transport, where a bit does not matter
 */
static unsigned short transport_checksum(const void *l4, int len, unsigned int pseudo,
					 unsigned short *spare)
{
	unsigned short made = checksum(sum(l4, len, pseudo));

	if (made != (unsigned short)~checksum(pseudo))
		return made;
	*spare ^= htons(1);
	return checksum(sum(l4, len, pseudo));
}

struct frame segment(const struct flow *f, int flags, unsigned int seq,
		     unsigned int ack, int payload, bool stamps)
{
	int len = sizeof(struct tcphdr) + (stamps ? STAMPS_LEN : 0) + payload;
	struct frame frame = { 0 };
	unsigned int pseudo;
	struct tcphdr *th;

	th = put_headers(&frame, f, IPPROTO_TCP, len, &pseudo);
	th->th_sport = htons(f->from.port);
	th->th_dport = htons(f->to.port);
	th->th_seq = htonl(seq);
	th->th_ack = htonl(ack);
	th->th_off = (len - payload) / 4;
	th->th_flags = flags;
	th->th_win = htons(1000);
	if (stamps)
		put_stamps((unsigned char *)(th + 1));
	th->th_sum = transport_checksum(th, len, pseudo, &th->th_win);
	return frame;
}

struct frame datagram(const struct flow *f)
{
	const int len = sizeof(struct udphdr) + 18;
	struct frame frame = { 0 };
	unsigned int pseudo;
	struct udphdr *uh;

	uh = put_headers(&frame, f, IPPROTO_UDP, len, &pseudo);
	uh->uh_sport = htons(f->from.port);
	uh->uh_dport = htons(f->to.port);
	uh->uh_ulen = htons(len);
	uh->uh_sum = transport_checksum(uh, len, pseudo, (unsigned short *)(uh + 1));
	return frame;
}

void parse_flow(struct flow *f, char **words)
{
	struct ether_addr *mac = ether_aton(words[0]);
	int family;

	f->v4 = !strchr(words[2], ':');
	family = f->v4 ? AF_INET : AF_INET6;
	if (!mac || inet_pton(family, words[1], f->from.addr) != 1 ||
	    inet_pton(family, words[2], f->to.addr) != 1) {
		fprintf(stderr, "%s %s %s: bad address\n", words[0], words[1], words[2]);
		exit(1);
	}
	f->to.mac = *mac;
	f->to.port = DPORT;
}
