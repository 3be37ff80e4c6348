// SPDX-License-Identifier: GPL-2.0
/*
 * Registry of forwarding modes.
 */
#include "datapath/forward.h"

static const struct nflb_forward_ops * const modes[] = {
	&nflb_forward_dnat,
	&nflb_forward_fullnat,
};

/**
 * nflb_forward_find() - how packets are forwarded in a mode
 * @mode: enum nflb_mode
 *
 * Return: the operations, or NULL when this module does not have that mode.
 */
const struct nflb_forward_ops *nflb_forward_find(u8 mode)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (modes[i]->mode == mode)
			return modes[i];
	return NULL;
}
