// SPDX-License-Identifier: GPL-2.0
/*
 * nflb_toa: for servers behind FullNAT. Tells them the client's address that
 * the balancer put into a TCP option. Loading, unloading, namespaces.
 *
 * No code and no read-only table of the kernel is changed, no field of a socket
 * is taken, and nothing is needed that a stock kernel does not export.
 */
#include <linux/module.h>
#include <net/netns/generic.h>

#include "toa/toa.h"
#include "version.h"

static unsigned int toa_net_id __read_mostly;

/**
 * toa_net() - the state of a namespace
 * @net: the namespace
 */
struct toa_net *toa_net(const struct net *net)
{
	return net_generic(net, toa_net_id);
}

/**
 * toa_count() - count something
 * @net: where it happened
 * @counter: what
 */
void toa_count(const struct net *net, enum toa_counter counter)
{
	this_cpu_inc(toa_net(net)->counters[counter]);
}

static int __net_init toa_net_init(struct net *net)
{
	struct toa_net *tn = toa_net(net);
	int err;

	tn->counters = __alloc_percpu(TOA_COUNTER_COUNT * sizeof(u64),
				      __alignof__(u64));
	if (!tn->counters)
		return -ENOMEM;
	err = toa_proc_init(net);
	if (err)
		goto err_counters;
	err = toa_hooks_register(net);
	if (err)
		goto err_proc;
	return 0;

err_proc:
	toa_proc_exit(net);
err_counters:
	free_percpu(tn->counters);
	return err;
}

static void __net_exit toa_net_pre_exit(struct net *net)
{
	toa_hooks_unregister(net);
	toa_proc_exit(net);
}

static void __net_exit toa_net_exit(struct net *net)
{
	free_percpu(toa_net(net)->counters);
}

static struct pernet_operations toa_net_ops = {
	.init = toa_net_init,
	.pre_exit = toa_net_pre_exit,
	.exit = toa_net_exit,
	.id = &toa_net_id,
	.size = sizeof(struct toa_net),
};

/*
 * The table comes first, for files in /proc; then namespaces, in which the
 * probes count their calls.
 */
static int __init toa_init(void)
{
	int err;

	err = toa_sockets_init();
	if (err)
		goto err_allow;
	err = register_pernet_subsys(&toa_net_ops);
	if (err)
		goto err_sockets;
	err = toa_sockets_start();
	if (err)
		goto err_pernet;
	err = toa_getname_init();
	if (err)
		goto err_stop;
	return 0;

err_stop:
	toa_sockets_stop();
err_pernet:
	unregister_pernet_subsys(&toa_net_ops);
err_sockets:
	toa_sockets_exit();
err_allow:
	toa_allow_exit();
	return err;
}

static void __exit toa_exit(void)
{
	toa_getname_exit();
	toa_sockets_stop();
	unregister_pernet_subsys(&toa_net_ops);
	toa_sockets_exit();
	toa_allow_exit();
}

module_init(toa_init);
module_exit(toa_exit);

MODULE_DESCRIPTION("TCP Option Address receiver");
MODULE_AUTHOR("nflb maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(NFLB_VERSION);
