// SPDX-License-Identifier: GPL-2.0
/*
 * Send packets that are almost right through a balancer.
 *
 *   packets SEED COUNT CLIENT-NS DEV PEER-MAC BACKEND-NS DEV PEER-MAC BALANCER-NS
 *
 * The program is the clients and the backends of 128 flows of eight services,
 * on packet sockets, and has no stack behind it. It keeps these flows going, and
 * sends mutations of what belongs to them: IPv4 options, IPv6 extension headers,
 * fragments, TCP options, ICMP errors that quote a flow, tunnels, GSO, wrong
 * lengths and checksums, lies about addresses.
 *
 * With SEED and COUNT alone it makes them and sends nothing.
 *
 * The same seed makes the same packets, except for what the balancer chose: local
 * ports and sequence numbers, which the program reads from what arrives. The
 * state that it prints at the end is the same, too.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet.h"

#define FLOWS		128
#define FIRST_PORT	9001
#define SERVICES	8
#define PLAIN_SERVICES	3	/* the first ones, whose backends see no tunnel */

enum side { CLIENT, BACKEND, LOCAL, SIDES };

static const char *const side_name[SIDES] = { "client", "backend", "local" };

/* What the backend sees of a flow, and may therefore answer */
struct seen {
	struct addrs a;
	uint32_t seq;
};

struct flow {
	struct addrs a;
	uint8_t proto;
	uint8_t service;
	bool known;
	struct seen seen;
};

static struct flow flows[FLOWS];
static int packet_sock[2] = { -1, -1 }, raw_sock[2] = { -1, -1 };
static uint8_t mac[2][ETH_ALEN], peer[ETH_ALEN * 2];
static unsigned long sent[SIDES], refused, learned;

/* --- sockets ------------------------------------------------------------- */

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void enter(const char *ns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail(path);
	close(fd);
}

static void open_packet(int side, const char *ns, const char *dev, const char *peer_mac)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq ifr = {};
	int on = 1, size = 1 << 22, fd;

	enter(ns);
	fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on));
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	at.sll_ifindex = if_nametoindex(dev);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		fail(dev);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr))
		fail(dev);
	memcpy(mac[side], ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	if (sscanf(peer_mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &peer[side * 6],
		   &peer[side * 6 + 1], &peer[side * 6 + 2], &peer[side * 6 + 3],
		   &peer[side * 6 + 4], &peer[side * 6 + 5]) != 6)
		fail(peer_mac);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	packet_sock[side] = fd;
}

/* What the balancer's own programs could send */
static void open_raw(const char *ns)
{
	int on = 1;

	enter(ns);
	raw_sock[0] = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	raw_sock[1] = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
	if (raw_sock[0] < 0 || raw_sock[1] < 0)
		fail("raw socket");
	setsockopt(raw_sock[1], IPPROTO_IPV6, 36 /* IPV6_HDRINCL */, &on, sizeof(on));
	fcntl(raw_sock[0], F_SETFL, O_NONBLOCK);
	fcntl(raw_sock[1], F_SETFL, O_NONBLOCK);
}

static void send_raw(const struct packet *p)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	bool v6 = p->data[0] >> 4 == 6;
	ssize_t n;

	memcpy(&to4.sin_addr, p->data + 16, 4);
	memcpy(&to6.sin6_addr, p->data + 24, 16);
	n = v6 ? sendto(raw_sock[1], p->data, p->len, 0, (void *)&to6, sizeof(to6)) :
		 sendto(raw_sock[0], p->data, p->len, 0, (void *)&to4, sizeof(to4));
	refused += n < 0;
	sent[LOCAL]++;
}

/* --- learning what the balancer made of a flow --------------------------------- */

static void drain(int side, struct flow *flow)
{
	uint8_t buf[4096];
	ssize_t n;

	while ((n = recv(packet_sock[side], buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		const uint8_t *ip = buf + sizeof(struct virtio_net_hdr) + ETH_HLEN;
		struct seen seen;

		n -= sizeof(struct virtio_net_hdr) + ETH_HLEN;
		if (!flow || n < 28 || !addrs_read(&seen.a, ip, n, flow->proto, &seen.seq))
			continue;
		if (ntohs(seen.a.dport) != FIRST_PORT + flow->service)
			continue;
		flow->seen = seen;
		flow->known = true;
		learned++;
	}
}

/* --- sending --------------------------------------------------------------- */

static void send_frame(int side, const struct packet *p)
{
	static uint8_t frame[sizeof(struct virtio_net_hdr) + ETH_HLEN + 4 + PACKET_SIZE];
	struct virtio_net_hdr *vnet = (void *)frame;
	uint8_t *eth = frame + sizeof(*vnet), *at = eth + ETH_HLEN;
	uint16_t type = p->data[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
	unsigned int len = p->len;

	memset(vnet, 0, sizeof(*vnet));
	memcpy(eth, peer + side * ETH_ALEN, ETH_ALEN);
	memcpy(eth + ETH_ALEN, mac[side], ETH_ALEN);
	if (one_in(200))
		eth[0] |= 1;		/* a group's address, or */
	else if (one_in(200))
		eth[5] ^= 1;		/* another host's */
	if (one_in(300))
		type = random_of(0x10000);
	if (one_in(200)) {
		at[0] = 0;
		at[1] = random_of(3);
		at[2] = type >> 8;
		at[3] = type;
		at += 4;
		type = ETH_P_8021Q;
	}
	eth[12] = type >> 8;
	eth[13] = type;
	memcpy(at, p->data, p->len);
	if (one_in(60)) {		/* an Ethernet frame is padded */
		unsigned int pad = random_of(60);

		memset(at + len, random_of(256), pad);
		len += pad;
	}
	if (one_in(25)) {		/* as from a virtual machine */
		vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet->csum_start = at - eth + p->l4;
		vnet->csum_offset = p->proto == IPPROTO_TCP ? 16 : 6;
		if (one_in(2)) {
			static const uint8_t kinds[] = { 1, 4, 3, 5, 0x81 };

			vnet->gso_type = one_in(4) ? kinds[random_of(sizeof(kinds))] :
				p->proto == IPPROTO_UDP ? 5 : p->data[0] >> 4 == 6 ? 4 : 1;
			vnet->gso_size = 8 + random_of(1400);
			vnet->hdr_len = vnet->csum_start + 20;
		}
	}
	refused += send(packet_sock[side], frame, at + len - frame, 0) < 0;
	sent[side]++;
}

static void transmit(int side, struct packet *p)
{
	if (p->len < 1)
		p->len = 1;
	if (side == LOCAL)
		send_raw(p);
	else
		send_frame(side, p);
}

/* --- flows -------------------------------------------------------------------- */

static void make_flows(void)
{
	int i;

	for (i = 0; i < FLOWS; i++) {
		struct flow *f = &flows[i];

		f->a.v6 = i & 1;
		f->proto = i & 2 ? IPPROTO_UDP : IPPROTO_TCP;
		f->service = (i >> 2) % SERVICES;
		f->a.sport = htons(20000 + i);
		f->a.dport = htons(FIRST_PORT + f->service);
		inet_pton(f->a.v6 ? AF_INET6 : AF_INET,
			  f->a.v6 ? "2001:db8:0::100" : "10.0.0.100", f->a.src);
		inet_pton(f->a.v6 ? AF_INET6 : AF_INET,
			  f->a.v6 ? "2001:db8:f::10" : "192.0.2.10", f->a.dst);
		f->seen.a = f->a;
	}
}

static uint32_t isn(const struct flow *f, int side)
{
	return (f - flows) * 0x01020304u + side * 0x40000000u;
}

/* A right packet of a flow, from either side */
static void flow_packet(struct packet *p, const struct flow *f, int side, uint8_t flags,
			unsigned int size)
{
	struct addrs a = f->a;
	uint32_t seq = isn(f, side), ack = isn(f, !side);

	if (side == BACKEND) {
		a = f->seen.a;
		addrs_swap(&a);
		ack = f->known ? f->seen.seq : ack;
	}
	if (!(flags & TH_SYN))
		seq++;
	packet_make(p, &a, f->proto, flags, seq, flags & TH_ACK ? ack + 1 : 0, size);
}

/* Bring a flow (back) to life as its two ends would */
static void refresh(struct flow *f)
{
	struct packet p;

	drain(BACKEND, NULL);
	flow_packet(&p, f, CLIENT, TH_SYN, f->proto == IPPROTO_UDP ? 32 : 0);
	packet_finish(&p);
	transmit(CLIENT, &p);
	drain(BACKEND, f);
	drain(CLIENT, NULL);
	flow_packet(&p, f, BACKEND, TH_SYN | TH_ACK, f->proto == IPPROTO_UDP ? 32 : 0);
	packet_finish(&p);
	transmit(BACKEND, &p);
	flow_packet(&p, f, CLIENT, TH_ACK, 0);
	packet_finish(&p);
	transmit(CLIENT, &p);
}

/* --- one packet that is almost right -------------------------------------------- */

static void one(void)
{
	static const uint8_t usual[] = { TH_SYN, TH_SYN | TH_ACK, TH_ACK, TH_ACK | TH_PUSH,
					 TH_ACK | TH_FIN, TH_RST, TH_RST | TH_ACK };
	struct flow *f = &flows[random_of(FLOWS)];
	int side = one_in(3) && f->service < PLAIN_SERVICES ? BACKEND : CLIENT, out = side;
	uint8_t flags = one_in(10) ? random_of(256) : usual[random_of(sizeof(usual))];
	unsigned int size = one_in(4) ? random_of(1400) : random_of(64), parts = 1;
	struct packet p, part;

	flow_packet(&p, f, side, flags, size);
	if (one_in(4))
		packet_lie(&p);
	if (p.proto == IPPROTO_TCP && one_in(2))
		packet_tcp_options(&p);
	packet_numbers(&p);
	switch (random_of(8)) {
	case 0:
		packet_finish(&p);
		packet_quote(&p);
		break;
	case 1:
		packet_finish(&p);
		packet_tunnel(&p);
		break;
	case 2:
		packet_echo(&p);
		break;
	}
	if (one_in(4))
		packet_ip_options(&p);
	packet_finish(&p);
	if (one_in(12))
		parts = 2 + random_of(3);
	if (one_in(3))
		packet_spoil(&p);
	if (one_in(20))
		out = LOCAL;
	if (parts == 1) {
		transmit(out, &p);
		return;
	}
	while (parts--) {
		packet_fragment(&part, &p);
		transmit(out, &part);
	}
}

int main(int argc, char **argv)
{
	unsigned long i, count;
	int side;

	if (argc != 3 && argc != 10) {
		fprintf(stderr, "usage: packets SEED COUNT CLIENT-NS DEV PEER-MAC BACKEND-NS DEV PEER-MAC BALANCER-NS\n");
		return 2;
	}
	random_seed(strtoull(argv[1], NULL, 0));
	count = strtoul(argv[2], NULL, 0);
	if (argc == 10) {
		open_packet(CLIENT, argv[3], argv[4], argv[5]);
		open_packet(BACKEND, argv[6], argv[7], argv[8]);
		open_raw(argv[9]);
	}
	make_flows();
	for (i = 0; i < FLOWS; i++)
		refresh(&flows[i]);
	while (sent[CLIENT] + sent[BACKEND] + sent[LOCAL] < count) {
		if (one_in(20))
			refresh(&flows[random_of(FLOWS)]);
		one();
	}
	printf("seed %s, state %016llx:", argv[1], (unsigned long long)random_state());
	for (side = 0; side < SIDES; side++)
		printf(" %lu from %s,", sent[side], side_name[side]);
	printf(" %lu not taken by the socket, %lu answers to what arrived\n", refused, learned);
	return learned || argc == 3 ? 0 : 1;
}
