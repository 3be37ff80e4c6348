// SPDX-License-Identifier: GPL-2.0
/*
 * TCP options of packets that pass: finding and changing them.
 *
 * Servers behind load balancers may believe a TCP option that tells the
 * client's address (TOA). A client must not be able to forge one, so what comes
 * from clients and looks like one is overwritten with NOPs: the length stays.
 *
 * The kinds and lengths are those which the receivers in use take: 254 and 253
 * with 8 (IPv4), 16 or 20 (IPv6) bytes; 252/20, 250/8 and 249/40 of Alibaba;
 * 200/8 of Tencent; 28/7 and 28/19 of Alibaba's CDN, where RFC 5482's User
 * Timeout of the same kind has length 4.
 *
 * Nothing else that a client puts into a segment spares such an option. Two
 * experiments share kind 254 (RFC 6994: TCP Fast Open, SMC); both exist in SYNs
 * only, so only a SYN may have them. A signature (RFC 2385, RFC 5925) covers
 * the addresses, so it does not survive NAT; in mode dsr an MD5 signature does
 * not cover options, and one by TCP-AO fails at the backend.
 */
#include <net/checksum.h>
#include <net/tcp.h>

#include "packet/dry.h"
#include "packet/tcp_option.h"
#include "netns.h"

/* Linux sends no shorter segments, whatever it is told (tcp_min_snd_mss). */
#define MSS_LEAST	48

#define EXID_FASTOPEN	0xf989
#define EXID_SMC	0xe2d4c3d9

static bool is_experiment(const u8 *opt, u8 len)
{
	return (len >= 4 && get_unaligned_be16(opt + 2) == EXID_FASTOPEN) ||
	       (len >= 6 && get_unaligned_be32(opt + 2) == EXID_SMC);
}

static bool is_address(const u8 *opt, u8 len, bool syn)
{
	switch (opt[0]) {
	case 254:
	case 253:
		return (len == 8 || len == 16 || len == 20) &&
		       !(syn && is_experiment(opt, len));
	case 252:
		return len == 20;
	case 250:
	case 200:
		return len == 8;
	case 249:
		return len == 40;
	case 28:
		return len == 7 || len == 19;
	default:
		return false;
	}
}

/**
 * nflb_tcp_option_len() - step through a list of options
 * @opts: options of a segment
 * @len: how many bytes of them
 * @i: offset of one of them
 *
 * Return: the length of the option at @i, 1 for a NOP; or 0 where the list ends:
 * behind the last option, at an EOL, or at an option whose length cannot be
 * right.
 */
unsigned int nflb_tcp_option_len(const u8 *opts, unsigned int len,
				 unsigned int i)
{
	if (i >= len || opts[i] == TCPOPT_EOL)
		return 0;
	if (opts[i] == TCPOPT_NOP)
		return 1;
	if (i + 1 >= len || opts[i + 1] < 2 || i + opts[i + 1] > len)
		return 0;
	return opts[i + 1];
}

/*
 * Overwrite address options among @len bytes of options. An EOL does not end
 * the walk: a receiver may look behind it. Returns whether there were any.
 */
static bool scrub(u8 *opts, unsigned int len, bool syn, bool write)
{
	bool found = false;
	unsigned int i = 0;

	while (i < len) {
		unsigned int opt_len = nflb_tcp_option_len(opts, len, i);

		if (!opt_len && opts[i] != TCPOPT_EOL)
			break;
		if (opt_len > 1 && is_address(&opts[i], opt_len, syn)) {
			found = true;
			if (write)
				memset(&opts[i], TCPOPT_NOP, opt_len);
		}
		i += opt_len ?: 1;
	}
	return found;
}

static u8 *options(const struct nflb_pkt *pkt)
{
	return pkt->skb->data + pkt->l4 + sizeof(struct tcphdr);
}

static unsigned int options_len(const struct nflb_pkt *pkt)
{
	return pkt->tcp_doff - sizeof(struct tcphdr);
}

/**
 * nflb_tcp_option() - find an option
 * @pkt: a TCP packet, its options linear
 * @kind: of the option, not NOP nor EOL
 *
 * Return: the first of that kind that is whole (its length is at least 2), or
 * NULL.
 */
u8 *nflb_tcp_option(const struct nflb_pkt *pkt, u8 kind)
{
	unsigned int len = options_len(pkt), i = 0, opt_len;
	u8 *opts = options(pkt);

	while ((opt_len = nflb_tcp_option_len(opts, len, i))) {
		if (opts[i] == kind)
			return &opts[i];
		i += opt_len;
	}
	return NULL;
}
NFLB_EXPORT_KUNIT(nflb_tcp_option);

/**
 * nflb_tcp_options_sum() - before options are changed
 * @pkt: a TCP packet, its options linear
 *
 * Return: for nflb_tcp_options_changed().
 */
__wsum nflb_tcp_options_sum(const struct nflb_pkt *pkt)
{
	return csum_partial(options(pkt), options_len(pkt), 0);
}

/**
 * nflb_tcp_options_changed() - after options were changed
 * @pkt: a TCP packet, writable
 * @before: from nflb_tcp_options_sum()
 *
 * CHECKSUM_PARTIAL covers the pseudo header only; COMPLETE stays right, since
 * the checksum cancels the options.
 */
void nflb_tcp_options_changed(struct nflb_pkt *pkt, __wsum before)
{
	struct tcphdr *th = (struct tcphdr *)(pkt->skb->data + pkt->l4);

	if (pkt->skb->ip_summed != CHECKSUM_PARTIAL)
		csum_replace_by_diff(&th->check,
				     csum_sub(nflb_tcp_options_sum(pkt),
					      before));
}

/**
 * nflb_tcp_remove_option() - overwrite an option with NOPs
 * @pkt: a TCP packet, writable
 * @kind: which
 */
void nflb_tcp_remove_option(struct nflb_pkt *pkt, u8 kind)
{
	__wsum before = nflb_tcp_options_sum(pkt);
	u8 *opt;

	while ((opt = nflb_tcp_option(pkt, kind)))
		memset(opt, TCPOPT_NOP, opt[1]);
	nflb_tcp_options_changed(pkt, before);
}
NFLB_EXPORT_KUNIT(nflb_tcp_remove_option);

static bool is_fast_open(const u8 *opt, unsigned int len)
{
	if (opt[0] == TCPOPT_FASTOPEN)
		return true;
	return (opt[0] == 254 || opt[0] == 253) && len >= 4 &&
	       get_unaligned_be16(opt + 2) == EXID_FASTOPEN;
}

/**
 * nflb_tcp_remove_fast_open() - overwrite Fast Open options with NOPs
 * @pkt: a SYN, writable
 *
 * Return: whether there were any.
 */
bool nflb_tcp_remove_fast_open(struct nflb_pkt *pkt)
{
	unsigned int len = options_len(pkt), i = 0, opt_len;
	__wsum before = nflb_tcp_options_sum(pkt);
	u8 *opts = options(pkt);
	bool found = false;

	while ((opt_len = nflb_tcp_option_len(opts, len, i))) {
		if (opt_len > 1 && is_fast_open(&opts[i], opt_len)) {
			memset(&opts[i], TCPOPT_NOP, opt_len);
			found = true;
		}
		i += opt_len;
	}
	if (found)
		nflb_tcp_options_changed(pkt, before);
	return found;
}
NFLB_EXPORT_KUNIT(nflb_tcp_remove_fast_open);

/**
 * nflb_tcp_lower_mss() - let the receiver of a SYN send shorter segments
 * @pkt: a SYN or SYN-ACK, writable
 * @by: by how much
 *
 * Without the option the MSS is the least of all (RFC 9293, 3.7.1), and none is
 * added. An MSS that is too small to be meant is left alone.
 */
void nflb_tcp_lower_mss(struct nflb_pkt *pkt, unsigned int by)
{
	__wsum before = nflb_tcp_options_sum(pkt);
	u8 *opt = nflb_tcp_option(pkt, TCPOPT_MSS);
	u16 mss;

	if (!opt || opt[1] != TCPOLEN_MSS)
		return;
	mss = get_unaligned_be16(opt + 2);
	if (mss < MSS_LEAST + by)
		return;
	put_unaligned_be16(mss - by, opt + 2);
	nflb_tcp_options_changed(pkt, before);
}
NFLB_EXPORT_KUNIT(nflb_tcp_lower_mss);

/**
 * nflb_tcp_scrub_address() - remove address options that a client put there
 * @pkt: a TCP packet from a client, writable up to the end of its options
 *
 * What almost all segments have, no options or a timestamp alone, costs two
 * comparisons.
 */
void nflb_tcp_scrub_address(struct nflb_pkt *pkt)
{
	bool syn = pkt->tcp_flags & NFLB_TCP_SYN;
	unsigned int len = options_len(pkt);
	u8 *opts = options(pkt);
	__wsum before;

	if (likely(!len))
		return;
	if (likely(len == TCPOLEN_TSTAMP_ALIGNED &&
		   *(__be32 *)opts == htonl(TCPOPT_NOP << 24 |
					    TCPOPT_NOP << 16 |
					    TCPOPT_TIMESTAMP << 8 |
					    TCPOLEN_TIMESTAMP)))
		return;
	if (likely(!scrub(opts, len, syn, false)))
		return;
	before = nflb_tcp_options_sum(pkt);
	scrub(opts, len, syn, true);
	nflb_tcp_options_changed(pkt, before);
	nflb_pkt_count(pkt, NFLB_COUNTER_TOA_REMOVED);
}
NFLB_EXPORT_KUNIT(nflb_tcp_scrub_address);
