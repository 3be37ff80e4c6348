/* SPDX-License-Identifier: GPL-2.0 */
/* One packet in the making, and what makes it hostile; see packets.c. */
#ifndef FUZZ_PACKET_H
#define FUZZ_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#define TH_FIN	0x01
#define TH_SYN	0x02
#define TH_RST	0x04
#define TH_PUSH	0x08
#define TH_ACK	0x10

#define PACKET_SIZE	4096

/* Addresses in network order, the first 4 bytes of IPv4; ports, too */
struct addrs {
	bool v6;
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
};

struct packet {
	uint8_t data[PACKET_SIZE];
	unsigned int len;
	unsigned int l4;		/* offset of the transport header */
	uint8_t proto;			/* what that is */
};

void random_seed(uint64_t seed);
uint64_t random_state(void);
uint32_t random_of(uint32_t limit);
static inline bool one_in(uint32_t n) { return !random_of(n); }

void addrs_swap(struct addrs *a);
bool addrs_read(struct addrs *a, const uint8_t *ip, unsigned int len, uint8_t proto,
		uint32_t *seq);

void packet_make(struct packet *p, const struct addrs *a, uint8_t proto, uint8_t flags,
		 uint32_t seq, uint32_t ack, unsigned int size);
void packet_finish(struct packet *p);	/* lengths and checksums, so that they are right */

void packet_lie(struct packet *p);		/* about its addresses or ports */
void packet_numbers(struct packet *p);		/* other sequence numbers */
void packet_tcp_options(struct packet *p);
void packet_ip_options(struct packet *p);	/* or extension headers */
void packet_quote(struct packet *p);		/* an ICMP error about it, in its place */
void packet_echo(struct packet *p);
void packet_tunnel(struct packet *p);
void packet_fragment(struct packet *part, const struct packet *whole);
void packet_spoil(struct packet *p);		/* bytes, lengths, checksums */

#endif
