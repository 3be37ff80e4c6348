// SPDX-License-Identifier: GPL-2.0
/* One packet in the making, and what makes it hostile; see packets.c. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "packet.h"

#define VXLAN_PORT	4789
#define GUE_PORT	6080

/* --- random numbers (xorshift64*) ---------------------------------------------- */

static uint64_t state;

void random_seed(uint64_t seed) { state = seed * 0x9e3779b97f4a7c15ull + 1; }
uint64_t random_state(void) { return state; }

uint32_t random_of(uint32_t limit)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return ((state * 0x2545f4914f6cdd1dull) >> 32) % limit;
}

static uint32_t random_u32(void) { return random_of(0xffffffff); }

static void random_bytes(uint8_t *at, unsigned int n)
{
	while (n--)
		*at++ = random_of(256);
}

/* --- bytes ---------------------------------------------------------------------- */

static bool is_v6(const struct packet *p) { return p->data[0] >> 4 == 6; }
static unsigned int base(const struct packet *p) { return is_v6(p) ? 40 : 20; }
static unsigned int addr_size(bool v6) { return v6 ? 16 : 4; }
static uint8_t *src_of(struct packet *p) { return p->data + (is_v6(p) ? 8 : 12); }
static uint8_t *dst_of(struct packet *p) { return p->data + (is_v6(p) ? 24 : 16); }
static uint8_t *proto_of(struct packet *p) { return p->data + (is_v6(p) ? 6 : 9); }

static void put16(uint8_t *at, uint16_t v) { at[0] = v >> 8; at[1] = v; }

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, v >> 16);
	put16(at + 2, v);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* Room in the middle; false when the packet would be too big */
static bool open_at(struct packet *p, unsigned int at, unsigned int n)
{
	if (p->len + n > PACKET_SIZE || at > p->len)
		return false;
	memmove(p->data + at + n, p->data + at, p->len - at);
	memset(p->data + at, 0, n);
	p->len += n;
	return true;
}

static uint32_t sum(const uint8_t *data, unsigned int n, uint32_t so_far)
{
	unsigned int i;

	for (i = 0; i + 1 < n; i += 2)
		so_far += data[i] << 8 | data[i + 1];
	if (n & 1)
		so_far += data[n - 1] << 8;
	return so_far;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s;
}

/* --- addresses ------------------------------------------------------------------- */

void addrs_swap(struct addrs *a)
{
	struct addrs b = *a;

	memcpy(a->src, b.dst, 16);
	memcpy(a->dst, b.src, 16);
	a->sport = b.dport;
	a->dport = b.sport;
}

bool addrs_read(struct addrs *a, const uint8_t *ip, unsigned int len, uint8_t proto,
		uint32_t *seq)
{
	bool v6 = ip[0] >> 4 == 6;
	unsigned int l4 = v6 ? 40 : (ip[0] & 15) * 4;

	if (len < l4 + (proto == IPPROTO_TCP ? 20 : 8) || ip[v6 ? 6 : 9] != proto)
		return false;
	memset(a, 0, sizeof(*a));
	a->v6 = v6;
	memcpy(a->src, ip + (v6 ? 8 : 12), addr_size(v6));
	memcpy(a->dst, ip + (v6 ? 24 : 16), addr_size(v6));
	memcpy(&a->sport, ip + l4, 2);
	memcpy(&a->dport, ip + l4 + 2, 2);
	*seq = proto == IPPROTO_TCP ? get32(ip + l4 + 4) : 0;
	return true;
}

static void write_ip(uint8_t *ip, bool v6, const uint8_t *src, const uint8_t *dst,
		     uint8_t proto)
{
	memset(ip, 0, v6 ? 40 : 20);
	if (v6) {
		ip[0] = 0x60;
		ip[6] = proto;
		ip[7] = one_in(20) ? random_of(3) : 64;
	} else {
		ip[0] = 0x45;
		ip[1] = one_in(8) ? random_of(256) : 0;
		put16(ip + 4, random_of(0x10000));
		ip[6] = one_in(2) ? 0x40 : 0;
		ip[8] = one_in(20) ? random_of(3) : 64;
		ip[9] = proto;
	}
	memcpy(ip + (v6 ? 8 : 12), src, addr_size(v6));
	memcpy(ip + (v6 ? 24 : 16), dst, addr_size(v6));
}

void packet_make(struct packet *p, const struct addrs *a, uint8_t proto, uint8_t flags,
		 uint32_t seq, uint32_t ack, unsigned int size)
{
	uint8_t *l4;
	unsigned int header = proto == IPPROTO_TCP ? 20 : 8;

	write_ip(p->data, a->v6, a->src, a->dst, proto);
	p->l4 = base(p);
	p->proto = proto;
	p->len = p->l4 + header + size;
	l4 = p->data + p->l4;
	memset(l4, 0, header);
	memcpy(l4, &a->sport, 2);
	memcpy(l4 + 2, &a->dport, 2);
	if (proto == IPPROTO_TCP) {
		put32(l4 + 4, seq);
		put32(l4 + 8, ack);
		l4[12] = 5 << 4;
		l4[13] = flags;
		put16(l4 + 14, 65535);
	}
	memset(l4 + header, 'x', size);
	if (size >= 16 && one_in(10))
		memcpy(l4 + header, "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16);
}

static void finish_l4(struct packet *p)
{
	uint8_t *l4 = p->data + p->l4;
	unsigned int n = p->len - p->l4, at;
	uint32_t s = 0;

	switch (p->proto) {
	case IPPROTO_TCP: at = 16; break;
	case IPPROTO_UDP: at = 6; put16(l4 + 4, n); break;
	case IPPROTO_ICMP: case IPPROTO_ICMPV6: at = 2; break;
	default: return;
	}
	if (p->l4 + at + 2 > p->len)
		return;
	put16(l4 + at, 0);
	if (p->proto == IPPROTO_UDP && !is_v6(p) && one_in(8))
		return;		/* none is allowed */
	if (p->proto != IPPROTO_ICMP)
		s = sum(src_of(p), 2 * addr_size(is_v6(p)), p->proto + n);
	s = fold(sum(l4, n, s));
	put16(l4 + at, s || p->proto != IPPROTO_UDP ? s : 0xffff);
}

void packet_finish(struct packet *p)
{
	uint8_t *ip = p->data;

	finish_l4(p);
	if (is_v6(p)) {
		put16(ip + 4, p->len - 40);
	} else {
		put16(ip + 2, p->len);
		put16(ip + 10, 0);
		put16(ip + 10, fold(sum(ip, (ip[0] & 15) * 4, 0)));
	}
}

/* --- hostility --------------------------------------------------------------------- */

void packet_lie(struct packet *p)
{
	static const char *const v4[] = { "0.0.0.0", "127.0.0.1", "192.0.2.10", "10.0.0.1",
		"10.0.0.255", "255.255.255.255", "224.0.0.1", "10.0.13.100", "10.0.0.2",
		"10.0.99.1", "10.0.13.1", "192.0.2.99", "240.0.0.1", "10.0.13.2" };
	static const char *const v6[] = { "::", "::1", "2001:db8:f::10", "2001:db8:0::1",
		"ff02::1", "fe80::1", "2001:db8:13::100", "2001:db8:0::2", "2001:db8:99::1",
		"::ffff:192.0.2.10", "64:ff9b::c000:20a", "2001:db8:13::2" };
	const char *text = is_v6(p) ? v6[random_of(sizeof(v6) / sizeof(*v6))] :
				      v4[random_of(sizeof(v4) / sizeof(*v4))];
	uint8_t *l4 = p->data + p->l4;

	switch (random_of(5)) {
	case 0: case 1:
		inet_pton(is_v6(p) ? AF_INET6 : AF_INET, text, src_of(p));
		break;
	case 2:
		inet_pton(is_v6(p) ? AF_INET6 : AF_INET, text, dst_of(p));
		break;
	case 3:
		put16(l4, one_in(4) ? 0 : random_of(0x10000));
		break;
	case 4:
		put16(l4 + 2, one_in(4) ? 9000 + random_of(10) : random_of(0x10000));
		break;
	}
}

void packet_numbers(struct packet *p)
{
	uint8_t *l4 = p->data + p->l4;
	unsigned int which;

	if (p->proto != IPPROTO_TCP)
		return;
	for (which = 4; which <= 8; which += 4)
		switch (random_of(8)) {
		case 0: put32(l4 + which, random_u32()); break;
		case 1: put32(l4 + which, get32(l4 + which) + random_of(70000) - 5000); break;
		case 2: put32(l4 + which, get32(l4 + which) + (1u << 31) + random_of(3) - 1); break;
		}
	if (one_in(6))
		put16(l4 + 14, random_of(0x10000));
	if (one_in(10))
		put16(l4 + 18, random_of(0x10000));
}

/* An option of TCP: right, or of another length */
static unsigned int tcp_option(uint8_t *at)
{
	static const struct { uint8_t kind, len; } known[] = {
		{ 2, 4 }, { 3, 3 }, { 4, 2 }, { 5, 10 }, { 5, 18 }, { 8, 10 }, { 19, 18 },
		{ 29, 16 }, { 29, 4 }, { 30, 12 }, { 34, 10 }, { 34, 2 }, { 253, 20 },
		{ 254, 8 }, { 254, 20 }, { 254, 12 }, { 28, 4 }, { 14, 3 }, { 69, 8 } };
	unsigned int i = random_of(sizeof(known) / sizeof(*known) + 2), len;

	if (i >= sizeof(known) / sizeof(*known)) {
		*at = one_in(6) ? 0 : 1;
		return 1;
	}
	len = known[i].len;
	random_bytes(at, len);
	at[0] = known[i].kind;
	at[1] = one_in(8) ? random_of(one_in(2) ? 256 : 4) : len;
	if (at[0] >= 253 && one_in(3))
		memcpy(at + 2, "\xf9\x89", 2);		/* Fast Open's experiment */
	return len;
}

void packet_tcp_options(struct packet *p)
{
	uint8_t options[64] = {};
	unsigned int n = 0, want = one_in(4) ? 40 : 4 + random_of(37);

	while (n < want)
		n += tcp_option(options + n);
	n = (n > 40 ? 40 : n + 3) & ~3u;
	if (one_in(10))
		memset(options, 1, n);
	if (!open_at(p, p->l4 + 20, n))
		return;
	memcpy(p->data + p->l4 + 20, options, n);
	p->data[p->l4 + 12] = ((20 + n) / 4) << 4 | random_of(16);
	if (one_in(15))
		p->data[p->l4 + 12] = random_of(256);
}

static void ipv4_options(struct packet *p)
{
	static const uint8_t kinds[] = { 7, 68, 131, 137, 130, 134, 136, 148, 25, 82, 222 };
	uint8_t options[64] = {};
	unsigned int n = 0, want = 4 + random_of(37), len;

	while (n < want) {
		if (one_in(3)) {
			options[n++] = !one_in(5);
			continue;
		}
		len = one_in(3) ? 4 : 3 + random_of(20);
		random_bytes(options + n, len);
		options[n] = one_in(6) ? random_of(256) : kinds[random_of(sizeof(kinds))];
		options[n + 1] = one_in(6) ? random_of(256) : len;
		options[n + 2] = one_in(4) ? random_of(256) : 4;
		n += len;
	}
	n = (n > 40 ? 40 : n + 3) & ~3u;
	if ((p->data[0] & 15) != 5 || !open_at(p, 20, n))
		return;
	memcpy(p->data + 20, options, n);
	p->data[0] = 0x40 | (20 + n) / 4;
	p->l4 += n;
}

static void ipv6_header(struct packet *p)
{
	static const uint8_t kinds[] = { 0, 60, 43, 44, 51, 135, 139, 140, 60, 0 };
	uint8_t kind = one_in(12) ? random_of(256) : kinds[random_of(sizeof(kinds))];
	unsigned int n = kind == 44 ? 8 : 8 * (1 + random_of(one_in(6) ? 30 : 3));
	uint8_t *at = p->data + 40;

	if (!open_at(p, 40, n))
		return;
	p->l4 += n;
	at[0] = *proto_of(p);
	*proto_of(p) = kind;
	at[1] = kind == 51 ? n / 4 - 2 : n / 8 - 1;
	switch (kind) {
	case 44:			/* complete in one */
		at[1] = 0;
		put32(at + 4, random_u32());
		if (one_in(4))
			put16(at + 2, random_of(0x10000));
		break;
	case 43:
		at[2] = random_of(6);
		at[3] = random_of(4);
		break;
	default:
		if (n > 2) {		/* options, which pad */
			at[2] = one_in(3) ? random_of(256) : 1;
			at[3] = one_in(6) ? random_of(256) : n - 4;
		}
		if (one_in(3))
			random_bytes(at + 2, n - 2);
	}
	if (one_in(10))
		at[1] = random_of(256);
}

void packet_ip_options(struct packet *p)
{
	int n;

	if (!is_v6(p)) {
		ipv4_options(p);
		return;
	}
	for (n = one_in(5) ? random_of(12) : 1; n > 0; n--)
		ipv6_header(p);
}

void packet_echo(struct packet *p)
{
	uint8_t *l4 = p->data + p->l4;
	bool v6 = is_v6(p), reply = one_in(4);

	*proto_of(p) = p->proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	memset(l4, 0, 8);
	l4[0] = one_in(6) ? random_of(256) : v6 ? (reply ? 129u : 128u) : reply ? 0u : 8u;
	put32(l4 + 4, random_u32());
}

/* An error comes from the one to whom the packet went, or from between */
void packet_quote(struct packet *p)
{
	static const uint8_t types4[] = { 3, 3, 3, 4, 5, 11, 12 }, types6[] = { 1, 2, 2, 3, 4, 137 };
	static const uint16_t mtus[] = { 0, 1, 68, 552, 576, 1279, 1280, 1400, 1500, 0xffff };
	bool v6 = is_v6(p);
	unsigned int n = 8 + base(p), quoted = one_in(3) ? 8 + random_of(120) : p->len;
	uint8_t src[16], dst[16], *l4;

	memcpy(src, dst_of(p), addr_size(v6));
	memcpy(dst, src_of(p), addr_size(v6));
	if (one_in(3))
		inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "2001:db8:0::77" : "10.0.0.77", src);
	if (quoted < p->len)
		p->len = quoted;
	if (one_in(6))		/* what is quoted is not right, either */
		p->data[random_of(p->len)] = random_of(256);
	if (!open_at(p, 0, n))
		return;
	write_ip(p->data, v6, src, dst, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	p->l4 = base(p);
	p->proto = *proto_of(p);
	l4 = p->data + p->l4;
	l4[0] = v6 ? types6[random_of(sizeof(types6))] : types4[random_of(sizeof(types4))];
	l4[1] = l4[0] == 3 && !v6 && one_in(2) ? 4 : random_of(one_in(8) ? 256 : 16);
	put32(l4 + 4, one_in(3) ? random_u32() : mtus[random_of(10)]);
}

/* Headers around it: IP in IP, GRE, GUE, VXLAN */
void packet_tunnel(struct packet *p)
{
	bool inner6 = is_v6(p), v6 = one_in(4) ? !inner6 : inner6;
	unsigned int ip = v6 ? 40 : 20, kind = random_of(4), more;
	uint8_t src[16], dst[16], protos[4] = { inner6 ? 41 : 4, 47, 17, 17 }, *l4;
	static const uint8_t extra[] = { 0, 4, 8, 30 };
	uint16_t port = kind == 2 ? GUE_PORT : VXLAN_PORT;

	memcpy(src, src_of(p), 16);
	memcpy(dst, dst_of(p), 16);
	if (v6 != inner6) {
		inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "2001:db8:0::100" : "10.0.0.100", src);
		inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "2001:db8:f::10" : "192.0.2.10", dst);
	}
	more = extra[kind] + (kind == 1 ? 4 * random_of(4) : kind == 2 ? 4 * random_of(3) : 0);
	if (!open_at(p, 0, ip + more))
		return;
	write_ip(p->data, v6, src, dst, protos[kind]);
	p->l4 = ip;
	p->proto = protos[kind];
	l4 = p->data + ip;
	if (kind == 1) {
		l4[0] = (more - 4) / 4 ? random_of(8) << 4 : 0;
		l4[1] = one_in(8) ? random_of(256) : 0;
		put16(l4 + 2, inner6 ? 0x86dd : 0x0800);
	} else if (kind >= 2) {
		put16(l4, 1024 + random_of(60000));
		/* To the tunnel's port, or through a service */
		put16(l4 + 2, one_in(2) ? 9001 + random_of(8) : port);
		if (more > 8) {
			l4[8] = kind == 2 ? (more - 12) / 4 : 8;
			l4[9] = protos[0];
		}
	}
}

/* Some part of it, which may overlap with others */
void packet_fragment(struct packet *part, const struct packet *whole)
{
	unsigned int head = is_v6(whole) ? 40 : (whole->data[0] & 15) * 4, n, at;
	bool v6 = is_v6(whole), more;
	uint32_t id = get32(whole->data + whole->l4) & 15;

	*part = *whole;
	if (whole->len <= head + 8)
		return;
	at = one_in(3) ? 0 : random_of((whole->len - head) / 8 + 1) * 8;
	n = one_in(3) ? 8 + 8 * random_of(20) : whole->len - head - at;
	if (at + n > whole->len - head)
		n = whole->len - head - at;
	more = at + n < whole->len - head;
	memmove(part->data + head, whole->data + head + at, n);
	part->len = head + n;
	if (one_in(20))
		at = random_of(0x2000) * 8;
	if (v6) {
		uint8_t *frag = part->data + 40;

		if (!open_at(part, 40, 8))
			return;
		frag[0] = *proto_of(part);
		*proto_of(part) = 44;
		put16(frag + 2, at | more);
		put32(frag + 4, id);
		put16(part->data + 4, part->len - 40);
	} else {
		put16(part->data + 4, id);
		put16(part->data + 6, at / 8 | (more ? 0x2000 : 0) | (one_in(30) ? 0xc000 : 0));
		put16(part->data + 2, part->len);
		put16(part->data + 10, 0);
		put16(part->data + 10, fold(sum(part->data, head, 0)));
	}
}

void packet_spoil(struct packet *p)
{
	uint8_t *ip = p->data, *l4 = ip + p->l4;
	int n;

	switch (random_of(8)) {
	case 0:			/* lengths */
		put16(ip + (is_v6(p) ? 4 : 2), one_in(2) ? random_of(0x10000) : p->len - random_of(40));
		break;
	case 1:			/* the end is missing */
		p->len = random_of(p->len) + 1;
		break;
	case 2:			/* an IPv4 header of another length or version */
		ip[0] = one_in(2) ? random_of(256) : (ip[0] & 0xf0) | random_of(16);
		break;
	case 3:			/* a checksum */
		if (p->len >= p->l4 + 18)
			l4[p->proto == IPPROTO_TCP ? 16 : 6] ^= 1 + random_of(255);
		break;
	case 4:
		if (p->len >= p->l4 + 6)
			put16(l4 + 4, random_of(0x10000));	/* the length of a datagram */
		break;
	case 5:			/* anything */
		random_bytes(ip + random_of(p->len), 1);
		break;
	default:		/* anything, and right checksums */
		for (n = 1 + random_of(6); n; n--)
			ip[random_of(p->len)] = random_of(256);
		if (p->l4 + 20 <= p->len && p->len >= 40 && one_in(2))
			packet_finish(p);
	}
	/* Checksums of what was changed: else nothing looks further */
	if (!is_v6(p) && p->len >= 20 && (ip[0] & 15) >= 5 && (ip[0] & 15) * 4u <= p->len && !one_in(5)) {
		put16(ip + 10, 0);
		put16(ip + 10, fold(sum(ip, (ip[0] & 15) * 4, 0)));
	}
}
