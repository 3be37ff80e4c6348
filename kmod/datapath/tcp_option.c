// SPDX-License-Identifier: GPL-2.0
/*
 * Servers behind load balancers may believe a TCP option that tells the
 * client's address (TOA). A client must not be able to forge one, so what comes
 * from clients and looks like one is overwritten with NOPs: the length stays.
 *
 * The kinds and lengths are those which the receivers in use take: 254 and 253
 * with 8 (IPv4), 16 or 20 (IPv6) bytes, but for the two experiments that share
 * kind 254 (RFC 6994: TCP Fast Open, SMC); 252/20, 250/8 and 249/40 of Alibaba;
 * 200/8 of Tencent; 28/7 and 28/19 of Alibaba's CDN, where RFC 5482's User
 * Timeout of the same kind has length 4.
 */
#include <net/checksum.h>
#include <net/tcp.h>

#include "datapath/tcp_option.h"

#define EXID_FASTOPEN	0xf989
#define EXID_SMC	0xe2d4c3d9

static bool is_experiment(const u8 *opt, u8 len)
{
	return (len >= 4 && get_unaligned_be16(opt + 2) == EXID_FASTOPEN) ||
	       (len >= 6 && get_unaligned_be32(opt + 2) == EXID_SMC);
}

static bool is_address(const u8 *opt, u8 len)
{
	switch (opt[0]) {
	case 254:
	case 253:
		return (len == 8 || len == 16 || len == 20) &&
		       !is_experiment(opt, len);
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

/*
 * Overwrite address options among @len bytes of options. A signed segment
 * (RFC 2385, RFC 5925) is left alone: it would be worthless after. Returns
 * whether something was changed.
 */
static bool scrub(u8 *opts, unsigned int len, bool write)
{
	bool changed = false;
	unsigned int i = 0;

	while (i < len && opts[i] != TCPOPT_EOL) {
		u8 opt_len;

		if (opts[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= len)
			break;
		opt_len = opts[i + 1];
		if (opt_len < 2 || i + opt_len > len)
			break;
		if (opts[i] == TCPOPT_MD5SIG || opts[i] == 29)
			return false;
		if (is_address(&opts[i], opt_len)) {
			changed = true;
			if (write)
				memset(&opts[i], TCPOPT_NOP, opt_len);
		}
		i += opt_len;
	}
	return changed;
}

/**
 * nflb_tcp_scrub_address() - remove address options that a client put there
 * @pkt: a TCP packet from a client, writable up to the end of its options
 *
 * What almost all segments have, no options or a timestamp alone, costs two
 * comparisons.
 */
void nflb_tcp_scrub_address(struct nflb_pkt *pkt)
{
	unsigned int len = pkt->tcp_doff - sizeof(struct tcphdr);
	struct tcphdr *th;
	__wsum before;
	u8 *opts;

	if (likely(!len))
		return;
	th = (struct tcphdr *)(pkt->skb->data + pkt->l4);
	opts = (u8 *)(th + 1);
	if (likely(len == TCPOLEN_TSTAMP_ALIGNED &&
		   *(__be32 *)opts == htonl(TCPOPT_NOP << 24 |
					    TCPOPT_NOP << 16 |
					    TCPOPT_TIMESTAMP << 8 |
					    TCPOLEN_TIMESTAMP)))
		return;
	/* Twice, so that a signature behind an address is still respected. */
	if (likely(!scrub(opts, len, false)))
		return;
	before = csum_partial(opts, len, 0);
	scrub(opts, len, true);
	/* CHECKSUM_PARTIAL covers the pseudo header only; COMPLETE stays right,
	 * since the checksum cancels the options.
	 */
	if (pkt->skb->ip_summed != CHECKSUM_PARTIAL)
		csum_replace_by_diff(&th->check,
				     csum_sub(csum_partial(opts, len, 0),
					      before));
}
NFLB_EXPORT_KUNIT(nflb_tcp_scrub_address);
