/* SPDX-License-Identifier: GPL-2.0 */
/* Frames of flows to and from port 53, as measurements send them. */
#ifndef FRAME_H
#define FRAME_H

#include <net/ethernet.h>
#include <netinet/ether.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdbool.h>

#define DPORT		53
#define CLIENT_ISN	5000
#define BACKEND_ISN	1000
#define DATA		6

/* TCP's time stamps, as everybody sends them */
#define STAMPS_LEN	12

/* With the longest headers */
#define FRAME_MAX	(sizeof(struct ether_header) + sizeof(struct ip6_hdr) + \
			 sizeof(struct tcphdr) + STAMPS_LEN + DATA)

struct end {
	struct ether_addr mac;
	unsigned char addr[16];
	unsigned short port;
};

struct flow {
	int v4;
	struct end from, to;
};

struct frame {
	unsigned char bytes[FRAME_MAX];
	int len;
};

/* A TCP segment; with @stamps it has the option of time stamps. */
struct frame segment(const struct flow *f, int flags, unsigned int seq,
		     unsigned int ack, int payload, bool stamps);

/* A datagram of UDP, 60 bytes long, or 80 of IPv6 */
struct frame datagram(const struct flow *f);

/* "MAC FROM TO", where @f gets it; ends the program if that is wrong. */
void parse_flow(struct flow *f, char **words);

#endif /* FRAME_H */
