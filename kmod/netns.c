// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a network namespace's balancer: traffic stops before state goes.
 */
#include <linux/module.h>
#include <linux/rtnetlink.h>

#include "netns.h"
#include "control/config.h"
#include "control/device_wait.h"
#include "control/generation.h"
#include "control/lifecycle.h"
#include "control/listen.h"
#include "control/proc.h"
#include "control/sysctl.h"
#include "userns.h"
#include "service/direct.h"
#include "service/endpoint.h"
#include "service/service.h"
#include "service/source.h"
#include "sched/maglev.h"
#include "conn/conn.h"
#include "conn/persist.h"
#include "forward/way.h"
#include "path/hook.h"
#include "path/ingress.h"

unsigned int nflb_net_id __read_mostly;
struct workqueue_struct *nflb_wq;

/**
 * nflb_net() - the balancer of a network namespace
 * @net: the namespace
 *
 * Return: never NULL between the namespace's init and exit.
 */
struct nflb_net *nflb_net(const struct net *net)
{
	return net_generic(net, nflb_net_id);
}
NFLB_EXPORT_KUNIT(nflb_net);

static int tables_init(struct nflb_net *nn)
{
	int err;

	err = nflb_conn_table_init(nn);
	if (err)
		return err;
	err = rhashtable_init(&nn->services, &nflb_service_params);
	if (err)
		goto err_conns;
	err = rhashtable_init(&nn->hosts, &nflb_host_params);
	if (err)
		goto err_services;
	err = rhashtable_init(&nn->endpoints, &nflb_endpoint_params);
	if (err)
		goto err_hosts;
	err = nflb_persist_init(nn);
	if (err)
		goto err_endpoints;
	/*
	 * Bucket arrays are charged to nobody: those of a user shrink with what is in
	 * them, while the host's stay as large as they were needed once.
	 */
	if (nn->user) {
		nn->conns.p.automatic_shrinking = true;
		nn->services.p.automatic_shrinking = true;
		nn->hosts.p.automatic_shrinking = true;
		nn->endpoints.p.automatic_shrinking = true;
		nn->persist.p.automatic_shrinking = true;
	}
	return 0;

err_endpoints:
	rhashtable_destroy(&nn->endpoints);
err_hosts:
	rhashtable_destroy(&nn->hosts);
err_services:
	rhashtable_destroy(&nn->services);
err_conns:
	nflb_conn_table_destroy(nn);
	return err;
}

static void tables_destroy(struct nflb_net *nn)
{
	nflb_persist_exit(nn);
	nflb_direct_free(nn);
	rhashtable_destroy(&nn->endpoints);
	rhashtable_destroy(&nn->hosts);
	rhashtable_destroy(&nn->services);
	nflb_conn_table_destroy(nn);
}

static int __net_init nflb_net_init(struct net *net)
{
	struct nflb_net *nn = nflb_net(net);
	int err;

	nn->net = net;
	nn->reject = 1;
	nn->refuse_late = 1;
	nn->maglev_table_size = NFLB_MAGLEV_DEFAULT;
	mutex_init(&nn->mutex);
	mutex_init(&nn->hashing_mutex);
	init_rwsem(&nn->view);
	INIT_LIST_HEAD(&nn->service_list);
	INIT_LIST_HEAD(&nn->service_objects);
	INIT_LIST_HEAD(&nn->devices);
	INIT_LIST_HEAD(&nn->awaited);
	INIT_LIST_HEAD(&nn->ways);
	spin_lock_init(&nn->ways_lock);
	nflb_listen_net_init(nn);
	nflb_generation_init(nn);

	refcount_set(&nn->live, 1);
	init_completion(&nn->gone);

	err = nflb_user_init(nn);
	if (err)
		return err;
	err = -ENOMEM;
	nn->drops = alloc_percpu_gfp(struct nflb_drops, GFP_KERNEL_ACCOUNT);
	if (!nn->drops)
		goto err_user;
	nn->source_filter = alloc_percpu_gfp(struct nflb_source_filter,
					     GFP_KERNEL_ACCOUNT);
	if (!nn->source_filter)
		goto err_drops;
	err = tables_init(nn);
	if (err)
		goto err_filter;
	nflb_conn_gc_init(nn);
	nflb_lifecycle_init(nn);
	err = nflb_sysctl_init(nn);
	if (err)
		goto err_tables;
	err = nflb_proc_init(nn);
	if (err)
		goto err_sysctl;
	return 0;

err_sysctl:
	nflb_sysctl_exit(nn);
err_tables:
	tables_destroy(nn);
err_filter:
	free_percpu(nn->source_filter);
err_drops:
	free_percpu(nn->drops);
err_user:
	nflb_user_exit(nn);
	return err;
}

static void __net_exit nflb_net_pre_exit(struct net *net)
{
	struct nflb_net *nn = nflb_net(net);

	/* Files wait for those who are at it. */
	WRITE_ONCE(nn->dying, true);
	nflb_way_forget_all(nn);
	nflb_proc_exit(nn);
	nflb_sysctl_exit(nn);
	/* No packet comes after this: pre_exit is followed by a grace period. */
	/* A device that goes just now is in neither list for a moment. */
	if (READ_ONCE(nn->had_devices)) {
		rtnl_lock();
		nflb_awaited_flush(nn);
		nflb_ingress_detach_all(nn);
		rtnl_unlock();
	}
	if (READ_ONCE(nn->hooks)) {
		mutex_lock(&nn->mutex);
		nflb_hooks_unregister(nn);
		mutex_unlock(&nn->mutex);
	}
}

/*
 * Connections hold backends, backends hold services; each is freed by a work
 * after a grace period. So: end all, and wait for the last service. What a
 * namespace never had nobody waits for, nor for what others have.
 */
static void __net_exit nflb_net_exit_batch(struct list_head *net_exit_list)
{
	struct net *net;

	list_for_each_entry(net, net_exit_list, exit_list) {
		struct nflb_net *nn = nflb_net(net);

		nflb_conn_gc_stop(nn);
		nflb_config_flush(nn);
		nflb_conn_table_flush(nn);
		nflb_persist_flush(nn);
	}
	list_for_each_entry(net, net_exit_list, exit_list) {
		struct nflb_net *nn = nflb_net(net);

		if (!refcount_dec_and_test(&nn->live))
			wait_for_completion(&nn->gone);
		WARN_ON(!list_empty(&nn->service_objects));
		nflb_listen_net_exit(nn);
		tables_destroy(nn);
		nflb_laddr_exit(nn);
		free_percpu(nn->source_filter);
		free_percpu(nn->drops);
		nflb_user_exit(nn);
	}
}

static struct pernet_operations nflb_net_ops = {
	.init = nflb_net_init,
	.pre_exit = nflb_net_pre_exit,
	.exit_batch = nflb_net_exit_batch,
	.id = &nflb_net_id,
	.size = sizeof(struct nflb_net),
};

/**
 * nflb_netns_init() - begin to exist in every namespace
 *
 * Return: 0 or a negative errno.
 */
int nflb_netns_init(void)
{
	int err;

	nflb_wq = alloc_workqueue("nflb", 0, 0);
	if (!nflb_wq)
		return -ENOMEM;
	err = register_pernet_subsys(&nflb_net_ops);
	if (err)
		destroy_workqueue(nflb_wq);
	return err;
}

/**
 * nflb_netns_exit() - end in every namespace, and wait until all is freed
 */
void nflb_netns_exit(void)
{
	unregister_pernet_subsys(&nflb_net_ops);
	nflb_config_drain();
	destroy_workqueue(nflb_wq);
}
