/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules for a configuration that depend on nothing but the configuration. The module
 * enforces them, and `lbadm config check` compiles the same functions: both reach the
 * same verdict and give the same reason.
 *
 * Addresses are 4 or 16 bytes in network order, ports are in host order.
 */
#ifndef NFLB_RULES_H
#define NFLB_RULES_H

#include <linux/nflb.h>
#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#endif

/* Ports of all local addresses of a family */
#define NFLB_RULES_PORTS_MAX	0x40000000U
/* The shortest prefix that encapsulated packets may use as their source */
#define NFLB_RULES_PREFIX_MIN	8
/* nflb_rules_backend.mode, .encap: as the service's */
#define NFLB_RULES_INHERIT	0xff

/**
 * struct nflb_refusal - the outcome of a rule
 * @err: 0, or a negative errno
 * @why: the reason, or NULL
 */
struct nflb_refusal {
	int err;
	const char *why;
};

/**
 * struct nflb_rules_service - the settings of a service that the rules look at
 * @addr_len: length of the VIP, 4 or 16
 * @mode: enum nflb_mode
 * @encap: enum nflb_encap
 * @tcp: the protocol is TCP
 * @range: the service has more than one port
 * @encap_port: a UDP port for gue is set
 * @encap_source: a source for outer headers is set
 * @toa: the client's address is passed as a TCP option
 * @proxy: the client's address is passed in a PROXY header
 * @one_packet: each datagram is scheduled by itself
 * @persist: clients are remembered
 * @any_dsr: the service or one of its backends uses mode dsr
 * @any_fullnat: the service or one of its backends uses mode fullnat
 * @port: the first port
 */
struct nflb_rules_service {
	__u8 addr_len;
	__u8 mode;
	__u8 encap;
	bool tcp;
	bool range;
	bool encap_port;
	bool encap_source;
	bool toa;
	bool proxy;
	bool one_packet;
	bool persist;
	bool any_dsr;
	bool any_fullnat;
	__u16 port;
};

/**
 * struct nflb_rules_backend - the settings of a backend that the rules look at
 * @addr_len: length of its address, 4 or 16
 * @mode: enum nflb_mode, or NFLB_RULES_INHERIT
 * @encap: enum nflb_encap, or NFLB_RULES_INHERIT
 * @encap_port: a UDP port for gue is set
 * @port: its port, or 0 for the service's
 */
struct nflb_rules_backend {
	__u8 addr_len;
	__u8 mode;
	__u8 encap;
	bool encap_port;
	__u16 port;
};

static inline struct nflb_refusal nflb_rules_refuse(int err, const char *why)
{
	struct nflb_refusal refusal = { .err = err, .why = why };

	return refusal;
}

/*
 * Characters that move the cursor, end a line, or reverse the direction of the text
 * after them.
 */
static inline bool nflb_rules_controls(__u32 c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Bytes of the character at @s, in UTF-8; 0 if it is none, or controls a terminal */
static inline unsigned int nflb_rules_character(const __u8 *s)
{
	static const __u32 least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned int more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0;
	__u32 c = s[0] & (more ? 0x3f >> more : 0x7f);
	unsigned int i;

	if ((s[0] >= 0x80 && !more) || s[0] >= 0xf8)
		return 0;
	for (i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ||
	    nflb_rules_controls(c))
		return 0;
	return more + 1;
}

/**
 * nflb_rules_text() - can this be a name or a comment?
 * @text: the text
 *
 * Return: NULL, or why not.
 */
static inline const char *nflb_rules_text(const char *text)
{
	const __u8 *s = (const __u8 *)text;
	unsigned int len;

	for (; *s; s += len) {
		len = nflb_rules_character(s);
		if (!len)
			return "text must be UTF-8 without control characters";
	}
	return NULL;
}

static inline const char *nflb_rules_ipv4(const __u8 *a)
{
	if (!a[0])
		return "not a unicast address: 0.0.0.0/8 names no host";
	if ((a[0] & 0xf0) == 224 ||
	    (a[0] & a[1] & a[2] & a[3]) == 255)
		return "not a unicast address: it names many hosts";
	return NULL;
}

static inline const char *nflb_rules_ipv6(const __u8 *a)
{
	static const __u8 zero[15], mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!memcmp(a, zero, sizeof(zero)) && !a[15])
		return "not a unicast address: :: names no host";
	if (a[0] == 0xff)
		return "not a unicast address: it names many hosts";
	if (!memcmp(a, zero, sizeof(zero)) && a[15] == 1)
		return "a loopback address exists on every host";
	if (!memcmp(a, mapped, sizeof(mapped)))
		return "no packet has an IPv4-mapped address: use the IPv4 address";
	if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
		return "a link-local address exists on each link";
	return NULL;
}

/**
 * nflb_rules_addr() - can an address belong to one host?
 * @a: the address of a VIP, a backend or the balancer
 * @len: its length
 *
 * Return: NULL, or the reason why not.
 */
static inline const char *nflb_rules_addr(const void *a, __u8 len)
{
	return len == 4 ? nflb_rules_ipv4(a) : nflb_rules_ipv6(a);
}

/**
 * nflb_rules_loopback() - is this address in 127.0.0.0/8?
 * @a: the address, of which nflb_rules_addr() approves
 * @len: its length
 *
 * As a VIP it serves clients on the balancer. As a backend it gets packets that
 * arrive only if the sysctl route_localnet is set.
 */
static inline bool nflb_rules_loopback(const void *a, __u8 len)
{
	return len == 4 && *(const __u8 *)a == 127;
}

#define NFLB_RULES_LOOPBACK_WHY \
	"a loopback address needs the sysctl net.ipv4.conf.DEV.route_localnet"

/**
 * nflb_rules_encap_source() - can outer headers have this source?
 * @a: an address of the prefix
 * @len: its length
 * @prefix: length of the prefix
 */
static inline struct nflb_refusal
nflb_rules_encap_source(const void *a, __u8 len, __u8 prefix)
{
	if (!nflb_rules_addr(a, len) && prefix >= NFLB_RULES_PREFIX_MIN)
		return nflb_rules_refuse(0, NULL);
	return nflb_rules_refuse(-EINVAL,
			   "encapsulated packets must come from a unicast address or a prefix of 8 bits or more");
}

static inline struct nflb_refusal
nflb_rules_tell(const struct nflb_rules_service *s)
{
	if (s->toa && s->proxy)
		return nflb_rules_refuse(-EINVAL,
					 "toa and proxy-protocol exclude each other: turn one off");
	if (s->toa && !s->tcp)
		return nflb_rules_refuse(-EINVAL, "toa needs protocol tcp");
	if ((s->toa || s->proxy) && !s->any_fullnat)
		return nflb_rules_refuse(-EOPNOTSUPP,
					 "toa and proxy-protocol need mode fullnat");
	return nflb_rules_refuse(0, NULL);
}

static inline struct nflb_refusal
nflb_rules_one_packet(const struct nflb_rules_service *s)
{
	if (s->one_packet && s->tcp)
		return nflb_rules_refuse(-EINVAL, "one-packet needs udp");
	if (s->one_packet && s->persist)
		return nflb_rules_refuse(-EINVAL,
					 "one-packet and persist exclude each other: turn one off");
	return nflb_rules_refuse(0, NULL);
}

/**
 * nflb_rules_settings() - do the settings of a service fit together?
 * @s: the settings
 */
static inline struct nflb_refusal
nflb_rules_settings(const struct nflb_rules_service *s)
{
	struct nflb_refusal refusal = nflb_rules_one_packet(s);

	if (refusal.err)
		return refusal;
	if (s->encap_port && s->encap != NFLB_ENCAP_GUE)
		return nflb_rules_refuse(-EINVAL, "a port needs encap gue");
	if ((s->encap != NFLB_ENCAP_NONE || s->encap_source) && !s->any_dsr)
		return nflb_rules_refuse(-EOPNOTSUPP,
					 "encapsulation needs mode dsr");
	return nflb_rules_tell(s);
}

/**
 * nflb_rules_backend() - does a backend fit its service?
 * @s: the service
 * @b: the backend
 */
static inline struct nflb_refusal
nflb_rules_backend(const struct nflb_rules_service *s,
		   const struct nflb_rules_backend *b)
{
	__u8 mode = b->mode == NFLB_RULES_INHERIT ? s->mode : b->mode;
	__u8 encap = b->encap == NFLB_RULES_INHERIT ? s->encap : b->encap;
	bool dsr = mode == NFLB_MODE_DSR;

	if (b->encap_port && b->encap != NFLB_ENCAP_GUE)
		return nflb_rules_refuse(-EINVAL, "a port needs encap gue");
	if (b->encap != NFLB_RULES_INHERIT && b->encap != NFLB_ENCAP_NONE &&
	    !dsr)
		return nflb_rules_refuse(-EOPNOTSUPP,
					 "encapsulation needs mode dsr");
	if (dsr && b->port && (s->range || b->port != s->port))
		return nflb_rules_refuse(-EINVAL,
					 "mode dsr cannot change the port: leave it out");
	if (b->addr_len != s->addr_len && mode != NFLB_MODE_FULLNAT &&
	    (!dsr || encap == NFLB_ENCAP_NONE))
		return nflb_rules_refuse(-EAFNOSUPPORT,
					 "a backend of another address family than the VIP needs mode fullnat, or dsr with encapsulation");
	return nflb_rules_refuse(0, NULL);
}

/**
 * nflb_rules_same_place() - do two backends of a service name the same place?
 * @s: the service
 * @a: the port of a backend, or 0
 * @b: the port of another backend with the same address, or 0
 */
static inline bool nflb_rules_same_place(const struct nflb_rules_service *s,
					 __u16 a, __u16 b)
{
	return !s->range && (a ? a : s->port) == (b ? b : s->port);
}

/**
 * nflb_rules_addr_range() - can local addresses be this range?
 * @first: the first address
 * @last: the last address
 * @len: length of both
 * @count: set to the number of addresses
 */
static inline struct nflb_refusal
nflb_rules_addr_range(const void *first, const void *last, __u8 len,
		      __u32 *count)
{
	const __u8 *a = first, *b = last;
	__u64 n = 0;
	int i;

	*count = 0;
	if (nflb_rules_addr(a, len) || nflb_rules_addr(b, len))
		return nflb_rules_refuse(-EINVAL, nflb_rules_addr(a, len) ?:
					    nflb_rules_addr(b, len));
	if (memcmp(b, a, len) < 0)
		return nflb_rules_refuse(-EINVAL, "the range ends before it begins");
	for (i = 0; i < len && n < NFLB_LADDR_RANGE_MAX; i++)
		n = n * 256 + b[i] - a[i];
	if (i < len || ++n > NFLB_LADDR_RANGE_MAX)
		return nflb_rules_refuse(-EINVAL,
					 "a range has 4096 addresses at most");
	if (len == 16 && memcmp(b, a, 8))
		return nflb_rules_refuse(-EINVAL,
					 "a range of IPv6 addresses is within one /64");
	*count = n;
	return nflb_rules_refuse(0, NULL);
}

/**
 * nflb_rules_ports() - can local addresses have these ports?
 * @first: the first port
 * @last: the last port
 */
static inline struct nflb_refusal nflb_rules_ports(__u16 first, __u16 last)
{
	if (!first || first > last)
		return nflb_rules_refuse(-EINVAL,
					 "ports must be from 1 on, the last not less than the first");
	return nflb_rules_refuse(0, NULL);
}

/**
 * nflb_rules_excluded() - can these ports be left out?
 * @ports_first: the first of all ports
 * @ports_last: the last of all ports
 * @before: the last port that was left out so far, or 0
 * @first: the first port to leave out
 * @last: the last port to leave out
 */
static inline struct nflb_refusal
nflb_rules_excluded(__u16 ports_first, __u16 ports_last, __u16 before,
		    __u16 first, __u16 last)
{
	if (first > last || first <= before || first < ports_first ||
	    last > ports_last)
		return nflb_rules_refuse(-EINVAL,
					 "excluded ports must be in ascending order, apart from each other, and within the ports");
	return nflb_rules_refuse(0, NULL);
}

/**
 * nflb_rules_laddr_limits() - may a family have one more range of local addresses?
 * @ranges: the number of ranges so far
 * @total: the number of their ports
 * @more: the number of ports of the new range
 */
static inline struct nflb_refusal
nflb_rules_laddr_limits(__u32 ranges, __u64 total, __u64 more)
{
	if (ranges >= NFLB_LADDRS_MAX)
		return nflb_rules_refuse(-ENOSPC,
					 "there are 256 ranges of local addresses, the maximum");
	if (total + more > NFLB_RULES_PORTS_MAX)
		return nflb_rules_refuse(-ENOSPC,
					 "there would be too many local ports");
	return nflb_rules_refuse(0, NULL);
}

#endif /* NFLB_RULES_H */
