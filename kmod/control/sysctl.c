// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/sys/net/nflb, once a namespace. What goes into schedulers' tables makes
 * them anew for every service.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "control/config.h"
#include "control/sysctl.h"
#include "netns.h"
#include "sched/maglev.h"

static int max_connections_min = 1;
static int max_connections_max = 1 << 26;

enum {
	SYSCTL_MAX_CONNECTIONS,
	SYSCTL_REJECT,
	SYSCTL_ENCAP_FRAGMENT_INSIDE,
	SYSCTL_HASH_SEED,
	SYSCTL_MAGLEV_TABLE_SIZE,
	SYSCTL_COUNT
};

/* The new value takes effect for all services, or for none. */
static int set_and_publish(struct nflb_net *nn, u32 *field, u32 value)
{
	struct nflb_service *svc;
	u32 old;
	int err = 0;

	mutex_lock(&nn->mutex);
	old = *field;
	*field = value;
	list_for_each_entry(svc, &nn->service_list, list) {
		err = nflb_service_publish(svc, &svc->settings, NULL);
		if (err)
			break;
	}
	if (err) {
		*field = old;
		/* What can be put back is; the rest follows with a change. */
		list_for_each_entry(svc, &nn->service_list, list)
			if (nflb_service_publish(svc, &svc->settings, NULL))
				break;
	}
	mutex_unlock(&nn->mutex);
	return err;
}

static int table_handler(NFLB_CTL_TABLE *table, int write, void *buffer,
			 size_t *lenp, loff_t *ppos)
{
	struct nflb_net *nn = table->extra1;
	u32 *field = table->data;
	u32 value = READ_ONCE(*field);
	struct ctl_table copy = {
		.procname = table->procname,
		.data = &value,
		.maxlen = sizeof(value),
		.mode = table->mode,
	};
	int err;

	err = proc_douintvec(&copy, write, buffer, lenp, ppos);
	if (err || !write || value == READ_ONCE(*field))
		return err;
	if (field == &nn->maglev_table_size && !nflb_maglev_size_ok(value))
		return -EINVAL;
	return set_and_publish(nn, field, value);
}

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
	[SYSCTL_ENCAP_FRAGMENT_INSIDE] = {
		.procname = "encap_fragment_inside",
		.maxlen = sizeof(int),
		.mode = 0644,
		.proc_handler = proc_dointvec_minmax,
		.extra1 = SYSCTL_ZERO,
		.extra2 = SYSCTL_ONE,
	},
	[SYSCTL_HASH_SEED] = {
		.procname = "hash_seed",
		.maxlen = sizeof(u32),
		.mode = 0600,
		.proc_handler = table_handler,
	},
	[SYSCTL_MAGLEV_TABLE_SIZE] = {
		.procname = "maglev_table_size",
		.maxlen = sizeof(u32),
		.mode = 0644,
		.proc_handler = table_handler,
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
	table[SYSCTL_ENCAP_FRAGMENT_INSIDE].data = &nn->encap_fragment_inside;
	table[SYSCTL_HASH_SEED].data = &nn->hash_seed;
	table[SYSCTL_HASH_SEED].extra1 = nn;
	table[SYSCTL_MAGLEV_TABLE_SIZE].data = &nn->maglev_table_size;
	table[SYSCTL_MAGLEV_TABLE_SIZE].extra1 = nn;
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
