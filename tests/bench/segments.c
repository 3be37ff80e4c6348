// SPDX-License-Identifier: GPL-2.0
/*
 * segments begin|talk DEVICE MAC FROM TO FIRST-PORT FLOWS: begin connections from as
 * many ports to port 53, or send some data, too, while at the other end runs
 *
 * segments answer DEVICE: answer SYNs, data and datagrams that arrive, as a backend
 * does, until killed.
 *
 * segments udp|tcp|first DEVICE MAC FROM TO FIRST-PORT FLOWS COUNT: send COUNT
 * frames of these flows by turns, 60 bytes long (80 of IPv6), and print the
 * nanoseconds for one: datagrams; or segments of connections that are in use; or
 * segments as long as the client has nothing to acknowledge but the backend's SYN.
 *
 * All by packet sockets: neither side has sockets of these connections.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_device(const char *device, int proto)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(proto),
		.sll_ifindex = if_nametoindex(device),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(proto));

	if (fd < 0 || bind(fd, (void *)&at, sizeof(at)))
		die(device);
	return fd;
}

static void put(int fd, const struct frame *frame)
{
	if (send(fd, frame->bytes, frame->len, 0) != frame->len)
		die("send");
}

/* What answers a frame, a SYN or a datagram; its length is 0 for other frames. */
static struct frame answer_to(const unsigned char *bytes, int len)
{
	const struct ether_header *eth = (const void *)bytes;
	const struct ip6_hdr *ip6 = (const void *)(eth + 1);
	const struct ip *ip = (const void *)(eth + 1);
	struct flow f = { .v4 = eth->ether_type == htons(ETHERTYPE_IP) };
	const struct tcphdr *th;
	int proto;

	th = f.v4 ? (const void *)(ip + 1) : (const void *)(ip6 + 1);
	proto = f.v4 ? ip->ip_p : ip6->ip6_nxt;
	if ((const unsigned char *)(th + 1) > bytes + len)
		return (struct frame) { 0 };
	memcpy(&f.from.mac, eth->ether_dhost, ETH_ALEN);
	memcpy(&f.to.mac, eth->ether_shost, ETH_ALEN);
	memcpy(f.from.addr, f.v4 ? (void *)&ip->ip_dst : (void *)&ip6->ip6_dst,
	       f.v4 ? 4 : 16);
	memcpy(f.to.addr, f.v4 ? (void *)&ip->ip_src : (void *)&ip6->ip6_src,
	       f.v4 ? 4 : 16);
	/* The ports of both protocols are in the same place. */
	f.from.port = ntohs(th->th_dport);
	f.to.port = ntohs(th->th_sport);
	if (proto == IPPROTO_UDP)
		return datagram(&f);
	if (proto == IPPROTO_TCP && (th->th_flags & (TH_SYN | TH_ACK)) == TH_SYN)
		return segment(&f, TH_SYN | TH_ACK, BACKEND_ISN,
			       ntohl(th->th_seq) + 1, 0,
			       false);
	if (proto == IPPROTO_TCP && th->th_flags & TH_PUSH)
		return segment(&f, TH_ACK, BACKEND_ISN + 1,
			       ntohl(th->th_seq) + DATA, 0,
			       false);
	return (struct frame) { 0 };
}

static _Noreturn void answer(const char *device)
{
	int fd = open_device(device, ETH_P_ALL), len;
	unsigned char bytes[2048];
	struct sockaddr_ll sll;
	struct frame frame;
	socklen_t size;

	for (;;) {
		size = sizeof(sll);
		len = recvfrom(fd, bytes, sizeof(bytes), 0, (void *)&sll, &size);
		if (len < 0)
			die("recvfrom");
		if (sll.sll_pkttype == PACKET_OUTGOING)
			continue;
		frame = answer_to(bytes, len);
		if (frame.len)
			put(fd, &frame);
	}
}

/* One flow after the other, each in the time that the answer takes. */
static void begin(int fd, struct flow *f, int first, int flows, bool talk)
{
	struct frame frame;
	int i;

	for (i = 0; i < flows; i++) {
		f->from.port = first + i;
		frame = segment(f, TH_SYN, CLIENT_ISN, 0, 0, false);
		put(fd, &frame);
		usleep(2000);
		frame = segment(f, talk ? TH_ACK | TH_PUSH : TH_ACK, CLIENT_ISN + 1,
				BACKEND_ISN + 1, talk ? DATA : 0, false);
		put(fd, &frame);
		if (talk)
			usleep(1000);
	}
}

static struct frame *prepare(struct flow *f, const char *kind, int first,
			     int flows)
{
	/* Beyond the SYN, the client has acknowledged some data. */
	unsigned int ack = BACKEND_ISN + (strcmp(kind, "first") ? 500 : 1);
	struct frame *frames = calloc(flows, sizeof(*frames));
	int i;

	if (!frames)
		die("calloc");
	for (i = 0; i < flows; i++) {
		f->from.port = first + i;
		frames[i] = strcmp(kind, "udp") ?
			segment(f, TH_ACK, CLIENT_ISN + 1, ack, DATA, false) :
			datagram(f);
	}
	return frames;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	int fd, i, first, flows, count;
	struct frame *frames;
	struct flow f = { 0 };

	if (argc == 3 && !strcmp(argv[1], "answer"))
		answer(argv[2]);
	if (argc != 8 + (argc > 1 && strcmp(argv[1], "begin") && strcmp(argv[1], "talk"))) {
		fprintf(stderr, "usage: segments begin|talk DEVICE MAC FROM TO FIRST-PORT FLOWS\n"
				"       segments udp|tcp|first DEVICE MAC FROM TO FIRST-PORT FLOWS COUNT\n"
				"       segments answer DEVICE\n");
		return 1;
	}
	/* Of no protocol: it receives nothing. */
	fd = open_device(argv[2], 0);
	parse_flow(&f, argv + 3);
	first = atoi(argv[6]);
	flows = atoi(argv[7]);
	if (argc == 8) {
		begin(fd, &f, first, flows, !strcmp(argv[1], "talk"));
		return 0;
	}
	count = atoi(argv[8]);
	frames = prepare(&f, argv[1], first, flows);
	for (i = -flows; i < count; i++) {
		if (!i)
			clock_gettime(CLOCK_MONOTONIC, &start);
		put(fd, &frames[(i + flows) % flows]);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lld\n", ((end.tv_sec - start.tv_sec) * 1000000000LL +
			  end.tv_nsec - start.tv_nsec) / count);
	return 0;
}
