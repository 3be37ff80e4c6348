// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/sys/net/nflb, once a namespace: max_connections, reject.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "control/sysctl.h"
#include "netns.h"

static int max_connections_min = 1;
static int max_connections_max = 1 << 26;

enum {
	SYSCTL_MAX_CONNECTIONS,
	SYSCTL_REJECT,
	SYSCTL_COUNT
};

static const struct ctl_table template[SYSCTL_COUNT] = {
	[SYSCTL_MAX_CONNECTIONS] = {
		.procname = "max_connections",
		.maxlen = sizeof(int),
		.mode = 0644,
		.proc_handler = proc_dointvec_minmax,
		.extra1 = &max_connections_min,
		.extra2 = &max_connections_max,
	},
	[SYSCTL_REJECT] = {
		.procname = "reject",
		.maxlen = sizeof(int),
		.mode = 0644,
		.proc_handler = proc_dointvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_ONE,
	},
};

/**
 * nflb_sysctl_init() - make the files
 * @nn: the namespace; its defaults are set
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_sysctl_init(struct nflb_net *nn)
{
	struct ctl_table *table;

	table = kcalloc(SYSCTL_COUNT + 1, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	memcpy(table, template, sizeof(template));
	table[SYSCTL_MAX_CONNECTIONS].data = &nn->max_connections;
	table[SYSCTL_REJECT].data = &nn->reject;
	/* Memory is the host's: who is root in a container only may not take
	 * more of it.
	 */
	if (nn->net->user_ns != &init_user_ns)
		table[SYSCTL_MAX_CONNECTIONS].mode = 0444;
	nn->sysctl_header = register_net_sysctl_sz(nn->net, "net/nflb", table,
						   SYSCTL_COUNT);
	if (!nn->sysctl_header) {
		kfree(table);
		return -ENOMEM;
	}
	nn->sysctl_table = table;
	return 0;
}

/**
 * nflb_sysctl_exit() - remove the files
 * @nn: the namespace
 */
void nflb_sysctl_exit(struct nflb_net *nn)
{
	unregister_net_sysctl_table(nn->sysctl_header);
	kfree(nn->sysctl_table);
}
