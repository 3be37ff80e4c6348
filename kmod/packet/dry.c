// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that are made up: how they are known.
 */
#include "packet/dry.h"

/**
 * nflb_dry_okfn() - the function after the hook, for a constructed packet
 * @net: the namespace
 * @sk: not used
 * @skb: the packet
 *
 * A mark: it is never called. Return: 0.
 */
int nflb_dry_okfn(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return 0;
}
