// SPDX-License-Identifier: GPL-2.0
/*
 * TOA as the balancers in use send it: kind 254, length 8, port and IPv4
 * address (LVS, DPVS, nflb); kind 254 (DPVS, nflb) or 253 (LVS), length 20,
 * port and IPv6 address.
 *
 * A client may have put options into the same segment, so nothing is believed
 * that leaves a doubt. The rules are those of docs/toa-receivers.md; the
 * receiver in BPF (userspace/toa/nflb_toa.bpf.c) has the same.
 */
#include <linux/in.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "toa/toa.h"

#define KIND	254
#define KIND6	253
#define LEN4	8
#define LEN6	20

/* RFC 5925; TCPOPT_AO came in 6.7 */
#define TCPOPT_AO_KIND	29

static bool usable(const struct toa_client *c)
{
	__be32 ip;

	if (!c->port)
		return false;
	if (c->family == AF_INET6)
		return !ipv6_addr_any(&c->addr) &&
		       !ipv6_addr_is_multicast(&c->addr);
	ip = c->addr.s6_addr32[0];
	return !ipv4_is_zeronet(ip) && !ipv4_is_multicast(ip) &&
	       !ipv4_is_lbcast(ip);
}

static enum toa_found read_option(const u8 *opt, struct toa_client *client)
{
	memset(client, 0, sizeof(*client));
	client->family = opt[1] == LEN4 ? AF_INET : AF_INET6;
	memcpy(&client->port, opt + 2, sizeof(client->port));
	memcpy(&client->addr, opt + 4, opt[1] - 4);
	return usable(client) ? TOA_FOUND : TOA_BROKEN;
}

static bool is_option(const u8 *opt)
{
	return (opt[0] == KIND && (opt[1] == LEN4 || opt[1] == LEN6)) ||
	       (opt[0] == KIND6 && opt[1] == LEN6);
}

/**
 * toa_option_parse() - look for a client's address
 * @opts: TCP options
 * @len: how many bytes of them
 * @client: set to the result
 *
 * Return: TOA_FOUND; TOA_NONE; TOA_BROKEN when there is one that cannot be
 * true, or the options make no sense; TOA_AMBIGUOUS when there is one beside
 * another option of its kinds, or beside a signature.
 */
enum toa_found toa_option_parse(const u8 *opts, unsigned int len,
				struct toa_client *client)
{
	unsigned int i = 0, alike = 0;
	const u8 *found = NULL;
	bool is_signed = false;

	while (i < len && opts[i] != TCPOPT_EOL) {
		const u8 *opt = &opts[i];

		if (*opt == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= len || opt[1] < 2 || i + opt[1] > len)
			return TOA_BROKEN;
		alike += *opt == KIND || *opt == KIND6;
		is_signed |= *opt == TCPOPT_MD5SIG || *opt == TCPOPT_AO_KIND;
		if (is_option(opt))
			found = opt;
		i += opt[1];
	}
	if (!found)
		return TOA_NONE;
	if (alike > 1 || is_signed)
		return TOA_AMBIGUOUS;
	return read_option(found, client);
}
