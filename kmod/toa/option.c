// SPDX-License-Identifier: GPL-2.0
/*
 * TOA as the balancers in use send it: kind 254, length 8, port and IPv4
 * address (LVS, DPVS, nflb); kind 254 (DPVS, nflb) or 253 (LVS), length 20,
 * port and IPv6 address. The first one counts, since balancers put theirs in
 * front of what a client may have sent.
 */
#include <linux/in.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "toa/toa.h"

#define KIND	254
#define KIND6	253
#define LEN4	8
#define LEN6	20

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

/**
 * toa_option_parse() - look for a client's address
 * @opts: TCP options
 * @len: how many bytes of them
 * @client: set to what was found
 *
 * Return: TOA_FOUND; TOA_NONE; TOA_BROKEN when there is one that cannot be
 * true, or the options make no sense.
 */
enum toa_found toa_option_parse(const u8 *opts, unsigned int len,
				struct toa_client *client)
{
	unsigned int i = 0;

	while (i < len && opts[i] != TCPOPT_EOL) {
		u8 opt_len;

		if (opts[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= len)
			return TOA_BROKEN;
		opt_len = opts[i + 1];
		if (opt_len < 2 || i + opt_len > len)
			return TOA_BROKEN;
		if ((opts[i] == KIND && (opt_len == LEN4 || opt_len == LEN6)) ||
		    (opts[i] == KIND6 && opt_len == LEN6))
			return read_option(&opts[i], client);
		i += opt_len;
	}
	return TOA_NONE;
}
