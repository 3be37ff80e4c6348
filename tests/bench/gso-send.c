// SPDX-License-Identifier: GPL-2.0
/*
 * gso-send ADDRESS PORT COUNT: send datagrams of 45 segments of 1,400 bytes each,
 * that the kernel does not cut before a device has to (UDP_SEGMENT), and print
 * the nanoseconds for one.
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define SEGMENT 1400

static char data[45 * SEGMENT];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_socket(const char *address, unsigned short port)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int v4 = inet_pton(AF_INET, address, &to4.sin_addr) == 1;
	int segment = SEGMENT, fd;

	if (!v4 && inet_pton(AF_INET6, address, &to6.sin6_addr) != 1) {
		fprintf(stderr, "gso-send: %s is no address\n", address);
		exit(1);
	}
	fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0)
		die("socket");
	if (connect(fd, v4 ? (void *)&to4 : (void *)&to6, v4 ? sizeof(to4) : sizeof(to6)))
		die("connect");
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		die("UDP_SEGMENT");
	return fd;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	int fd, i, count;

	if (argc != 4) {
		fprintf(stderr, "usage: gso-send ADDRESS PORT COUNT\n");
		return 1;
	}
	fd = open_socket(argv[1], atoi(argv[2]));
	count = atoi(argv[3]);
	/* The first finds the neighbour. */
	for (i = -10; i < count; i++) {
		if (!i)
			clock_gettime(CLOCK_MONOTONIC, &start);
		if (send(fd, data, sizeof(data), 0) != sizeof(data))
			die("send");
		if (i < 0)
			usleep(1000);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lld\n", ((end.tv_sec - start.tv_sec) * 1000000000LL +
			  end.tv_nsec - start.tv_nsec) / count);
	return 0;
}
