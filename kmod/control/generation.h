/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generation of a namespace's configuration: it counts changes of services,
 * backends, local addresses and devices, so that a request can depend on nobody
 * else having changed anything.
 */
#ifndef NFLB_GENERATION_H
#define NFLB_GENERATION_H

#include <net/genetlink.h>

#include "netns.h"

/**
 * struct nflb_change - a request that changes something
 * @nn: the namespace
 * @info: the request
 * @counts: it changes the configuration
 * @expected: the generation that it depends on, if it names one
 * @reply: with the new generation, for a request that names one; or NULL
 * @hdr: for genlmsg_end()
 */
struct nflb_change {
	struct nflb_net		*nn;
	struct genl_info	*info;
	bool			counts;
	u64			expected;
	struct sk_buff		*reply;
	void			*hdr;
};

void nflb_generation_init(struct nflb_net *nn);
u64 nflb_generation(const struct nflb_net *nn);
void nflb_generation_count(struct nflb_net *nn);
int nflb_generation_lock(struct nflb_net *nn, const u64 *expected, bool counts,
			 struct netlink_ext_ack *extack);
void nflb_generation_unlock(struct nflb_net *nn, bool changed);

int nflb_change_begin(struct nflb_change *change, struct genl_info *info);
int nflb_change_begin_beside(struct nflb_change *change,
			     struct genl_info *info);
int nflb_change_end(struct nflb_change *change, int err);

#endif /* NFLB_GENERATION_H */
