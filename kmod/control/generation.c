// SPDX-License-Identifier: GPL-2.0
/*
 * A request that changes the configuration holds nn->mutex from the comparison of
 * the generation to its count. It counts once, and only if it succeeds. Devices that
 * appear or go count too, under RTNL: hence an atomic.
 */
#include <linux/nflb.h>
#include <linux/random.h>

#include "control/generation.h"
#include "control/genl.h"
#include "control/genl_fill.h"

/**
 * nflb_generation_init() - begin to count
 * @nn: the namespace
 *
 * Generations of two loads of the module are told apart by nn->boot.
 */
void nflb_generation_init(struct nflb_net *nn)
{
	atomic64_set(&nn->config_generation, 1);
	nn->boot = get_random_u32() | 1;
}

/**
 * nflb_generation() - the generation for an answer or an event
 * @nn: the namespace
 *
 * Context: any. Return: in a request that changes something, the generation that it
 * makes.
 */
u64 nflb_generation(const struct nflb_net *nn)
{
	return atomic64_read(&nn->config_generation) +
	       (READ_ONCE(nn->changer) == current);
}
NFLB_EXPORT_KUNIT(nflb_generation);

/**
 * nflb_generation_count() - something changed without a request
 * @nn: the namespace
 *
 * A request counts at its end, so this does nothing in one.
 *
 * Context: process.
 */
void nflb_generation_count(struct nflb_net *nn)
{
	if (READ_ONCE(nn->changer) != current)
		atomic64_inc(&nn->config_generation);
}
NFLB_EXPORT_KUNIT(nflb_generation_count);

/**
 * nflb_generation_lock() - begin a change
 * @nn: the namespace
 * @expected: the generation that the change depends on, or NULL
 * @counts: the change is one of the configuration
 * @extack: for a message
 *
 * Return: 0, and nn->mutex is held; or -ESTALE.
 */
int nflb_generation_lock(struct nflb_net *nn, const u64 *expected, bool counts,
			 struct netlink_ext_ack *extack)
{
	mutex_lock(&nn->mutex);
	if (expected && *expected != nflb_generation(nn)) {
		mutex_unlock(&nn->mutex);
		NL_SET_ERR_MSG(extack, "the configuration changed");
		return -ESTALE;
	}
	if (counts)
		WRITE_ONCE(nn->changer, current);
	return 0;
}
NFLB_EXPORT_KUNIT(nflb_generation_lock);

/**
 * nflb_generation_unlock() - end a change
 * @nn: the namespace; nn->mutex is released
 * @changed: the configuration changed
 */
void nflb_generation_unlock(struct nflb_net *nn, bool changed)
{
	WRITE_ONCE(nn->changer, NULL);
	/* Whoever reads the new configuration with the old number is refused later. */
	if (changed)
		atomic64_inc(&nn->config_generation);
	mutex_unlock(&nn->mutex);
}
NFLB_EXPORT_KUNIT(nflb_generation_unlock);

static int begin(struct nflb_change *change, struct genl_info *info,
		 bool counts)
{
	const struct nlattr *attr = info->attrs[NFLB_A_EXPECT_GENERATION];
	int err;

	change->nn = nflb_net(genl_info_net(info));
	change->info = info;
	change->counts = counts;
	change->reply = NULL;
	if (!attr)
		return nflb_generation_lock(change->nn, NULL, counts,
					    info->extack);
	change->expected = nla_get_u64(attr);
	change->reply = nflb_nl_reply(info, NFLB_MSG_SIZE, &change->hdr);
	if (!change->reply)
		return -ENOMEM;
	err = nflb_generation_lock(change->nn, &change->expected, counts,
				   info->extack);
	if (err)
		nlmsg_free(change->reply);
	return err;
}

/**
 * nflb_change_begin() - begin a request that changes the configuration
 * @change: for nflb_change_end()
 * @info: the request
 *
 * Return: 0, and nn->mutex is held; or a negative errno.
 */
int nflb_change_begin(struct nflb_change *change, struct genl_info *info)
{
	return begin(change, info, true);
}

/**
 * nflb_change_begin_beside() - begin a request that changes something else
 * @change: for nflb_change_end()
 * @info: the request
 *
 * Verdicts and counters are not part of the configuration: they depend on its
 * generation if the request says so, and do not change it.
 *
 * Return: 0, and nn->mutex is held; or a negative errno.
 */
int nflb_change_begin_beside(struct nflb_change *change, struct genl_info *info)
{
	return begin(change, info, false);
}

/**
 * nflb_change_end() - end a request that changes something
 * @change: from nflb_change_begin() or nflb_change_begin_beside()
 * @err: its result
 *
 * The answer has the number that follows the expected one, even if a device disappeared
 * meanwhile: then the next request is refused.
 *
 * Return: @err.
 */
int nflb_change_end(struct nflb_change *change, int err)
{
	nflb_generation_unlock(change->nn, change->counts && !err);
	if (!change->reply)
		return err;
	if (err)
		nlmsg_free(change->reply);
	else
		/* The change is made, whether this arrives or not. */
		nflb_nl_answer(change->info, change->reply, change->hdr,
			       nflb_fill_generation(change->reply, change->nn,
						    change->expected +
						    change->counts));
	return err;
}
