// SPDX-License-Identifier: GPL-2.0
/*
 * Registry of forwarding modes.
 */
#include "forward/forward.h"

const struct nflb_forward_ops *const nflb_forward[NFLB_FORWARD_COUNT] = {
	[NFLB_FORWARD_DNAT] = &nflb_forward_dnat,
	[NFLB_FORWARD_FULLNAT] = &nflb_forward_fullnat,
	[NFLB_FORWARD_DSR + NFLB_ENCAP_NONE] = &nflb_forward_dsr[NFLB_ENCAP_NONE],
	[NFLB_FORWARD_DSR + NFLB_ENCAP_IPIP] = &nflb_forward_dsr[NFLB_ENCAP_IPIP],
	[NFLB_FORWARD_DSR + NFLB_ENCAP_GRE] = &nflb_forward_dsr[NFLB_ENCAP_GRE],
	[NFLB_FORWARD_DSR + NFLB_ENCAP_GUE] = &nflb_forward_dsr[NFLB_ENCAP_GUE],
};

/**
 * nflb_forward_find() - how packets are forwarded in a mode
 * @mode: enum nflb_mode
 * @encap: enum nflb_encap, for mode dsr
 *
 * Return: the operations.
 */
const struct nflb_forward_ops *nflb_forward_find(u8 mode, u8 encap)
{
	switch (mode) {
	case NFLB_MODE_FULLNAT:
		return &nflb_forward_fullnat;
	case NFLB_MODE_DSR:
		return &nflb_forward_dsr[encap];
	default:
		return &nflb_forward_dnat;
	}
}
