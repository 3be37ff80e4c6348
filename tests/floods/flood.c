// SPDX-License-Identifier: GPL-2.0
/*
 * A flood of packets from random sources, and nothing else wrong with them.
 *
 *   flood KIND COUNT SEED DEV PEER-MAC DESTINATION PORT
 *
 * KIND: syn; synack, a SYN and the ACK that would end its handshake if its number
 * were right, of each source; ack, without a SYN; udp; fragment, first ones whose
 * rest never comes; icmp, errors that quote flows that may exist, and echo requests.
 * Prints packets and the seconds they took.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

static uint64_t state;
static bool v6;
static uint8_t dst[16], frame[2048], *const ip = frame + ETH_HLEN;
static uint16_t port;

static uint32_t rnd(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull) >> 32;
}

static void put16(uint8_t *at, uint16_t v) { at[0] = v >> 8; at[1] = v; }
static void put32(uint8_t *at, uint32_t v) { put16(at, v >> 16); put16(at + 2, v); }

static uint16_t sum(const uint8_t *data, unsigned int n, uint32_t s)
{
	unsigned int i;

	for (i = 0; i + 1 < n; i += 2)
		s += data[i] << 8 | data[i + 1];
	if (n & 1)
		s += data[n - 1] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

static unsigned int base(void) { return v6 ? 40 : 20; }

/* 10.128.0.0/9 and 2001:db8:8000::/33: nobody is there */
static void random_source(uint8_t *src)
{
	put32(src, v6 ? 0x20010db8 : 0x0a800000 | (rnd() & 0x7fffff));
	if (!v6)
		return;
	put32(src + 4, 0x80000000 | rnd());
	put32(src + 8, rnd());
	put32(src + 12, rnd() | 1);
}

static void write_ip(uint8_t *at, const uint8_t *src, const uint8_t *to, uint8_t proto,
		     unsigned int len, uint16_t frag)
{
	memset(at, 0, base());
	at[0] = v6 ? 0x60 : 0x45;
	if (v6) {
		put16(at + 4, len);
		at[6] = proto;
		at[7] = 64;
		memcpy(at + 8, src, 16);
		memcpy(at + 24, to, 16);
		return;
	}
	put16(at + 2, 20 + len);
	put16(at + 4, rnd());
	put16(at + 6, frag);
	at[8] = 64;
	at[9] = proto;
	memcpy(at + 12, src, 4);
	memcpy(at + 16, to, 4);
	put16(at + 10, sum(at, 20, 0));
}

static uint32_t pseudo(const uint8_t *at, uint32_t s)
{
	const uint8_t *a = at + (v6 ? 8 : 12);
	unsigned int i;

	for (i = 0; i < (v6 ? 32 : 8); i += 2)
		s += a[i] << 8 | a[i + 1];
	return s;
}

static unsigned int tcp(const uint8_t *src, uint16_t sport, uint8_t flags)
{
	uint8_t *l4 = ip + base();

	write_ip(ip, src, dst, IPPROTO_TCP, 20, 0x4000);
	memset(l4, 0, 20);
	put16(l4, sport);
	put16(l4 + 2, port);
	put32(l4 + 4, rnd());
	put32(l4 + 8, flags & 0x10 ? rnd() : 0);
	l4[12] = 0x50;
	l4[13] = flags;
	put16(l4 + 14, 65535);
	put16(l4 + 16, sum(l4, 20, pseudo(ip, IPPROTO_TCP + 20)));
	return base() + 20;
}

static unsigned int udp(const uint8_t *src, uint16_t sport)
{
	uint8_t *l4 = ip + base();

	write_ip(ip, src, dst, IPPROTO_UDP, 16, 0);
	put16(l4, sport);
	put16(l4 + 2, port);
	put16(l4 + 4, 16);
	put16(l4 + 6, 0);
	memcpy(l4 + 8, "flooding", 8);
	put16(l4 + 6, sum(l4, 16, pseudo(ip, IPPROTO_UDP + 16)));
	return base() + 16;
}

static unsigned int fragment(const uint8_t *src, uint16_t sport)
{
	unsigned int len = udp(src, sport);

	if (!v6) {
		put16(ip + 6, 0x2000);
		put16(ip + 10, 0);
		put16(ip + 10, sum(ip, 20, 0));
		return len;
	}
	memmove(ip + 48, ip + 40, len - 40);
	ip[40] = IPPROTO_UDP;
	ip[6] = 44;
	put16(ip + 4, len - 40 + 8);
	put16(ip + 41, 0);
	put16(ip + 42, 1);
	put32(ip + 44, rnd());
	return len + 8;
}

static unsigned int icmp(const uint8_t *src, uint16_t sport)
{
	uint8_t proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, *l4 = ip + base();
	unsigned int len = 8 + base() + 8;

	if (!(rnd() & 3)) {
		len = 16;
		memset(l4, 0, len);
		l4[0] = v6 ? 128 : 8;
	} else {		/* what was quoted came from the VIP */
		memset(l4, 0, len);
		l4[0] = v6 ? 1 + rnd() % 2 : 3;
		l4[1] = v6 ? 0 : rnd() & 1 ? 4 : 1;
		put32(l4 + 4, 1280);
		write_ip(l4 + 8, dst, src, IPPROTO_TCP, 20, 0x4000);
		put16(l4 + 8 + base(), port);
		put16(l4 + 8 + base() + 2, sport);
	}
	write_ip(ip, src, dst, proto, len, 0);
	put16(l4 + 2, sum(l4, len, v6 ? pseudo(ip, proto + len) : 0));
	return base() + len;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	unsigned long i, count, refused = 0;
	struct timespec from, to;
	struct ifreq ifr = {};
	int fd;

	if (argc != 8)
		return 2;
	count = strtoul(argv[2], NULL, 0);
	state = strtoull(argv[3], NULL, 0) * 0x9e3779b97f4a7c15ull + 1;
	v6 = strchr(argv[6], ':');
	if (inet_pton(v6 ? AF_INET6 : AF_INET, argv[6], dst) != 1)
		return 2;
	port = atoi(argv[7]);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	at.sll_ifindex = if_nametoindex(argv[4]);
	at.sll_protocol = 0;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[4]);
	if (fd < 0 || bind(fd, (void *)&at, sizeof(at)) || ioctl(fd, SIOCGIFHWADDR, &ifr)) {
		perror(argv[4]);
		return 2;
	}
	sscanf(argv[5], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &frame[0], &frame[1], &frame[2],
	       &frame[3], &frame[4], &frame[5]);
	memcpy(frame + 6, ifr.ifr_hwaddr.sa_data, 6);
	put16(frame + 12, v6 ? ETH_P_IPV6 : ETH_P_IP);

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < count; i++) {
		static uint8_t src[16];
		static uint16_t sport;
		bool second = !strcmp(argv[1], "synack") && i % 2;
		unsigned int len;

		if (!second) {
			random_source(src);
			sport = 1024 + rnd() % 60000;
		}
		switch (argv[1][0]) {
		case 's': len = tcp(src, sport, second ? 0x10 : 0x02); break;
		case 'a': len = tcp(src, sport, 0x10); break;
		case 'u': len = udp(src, sport); break;
		case 'f': len = fragment(src, sport); break;
		case 'i': len = icmp(src, sport); break;
		default: return 2;
		}
		refused += send(fd, frame, ETH_HLEN + len, 0) < 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%lu %.2f %.3f\n", count - refused, to.tv_sec - from.tv_sec +
	       (to.tv_nsec - from.tv_nsec) / 1e9, to.tv_sec + to.tv_nsec / 1e9);
	return 0;
}
