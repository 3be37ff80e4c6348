// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/sys/net/nflb, once a namespace. A change of a parameter of schedulers' tables
 * rebuilds those of every service.
 */
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "control/config.h"
#include "control/lifecycle.h"
#include "control/sysctl.h"
#include "userns.h"
#include "netns.h"
#include "sched/flow.h"
#include "sched/maglev.h"

static int max_connections_min = 1;
static int max_connections_max = 1 << 26;
static int user_max_max = 1 << 30;

enum {
	SYSCTL_MAX_CONNECTIONS,
	SYSCTL_REJECT,
	SYSCTL_REFUSE_LATE,
	SYSCTL_ENCAP_FRAGMENT_INSIDE,
	SYSCTL_HASH_SEED,
	SYSCTL_MAGLEV_TABLE_SIZE,
	SYSCTL_COUNT,
	/* In the host's first namespace alone */
	SYSCTL_USER = SYSCTL_COUNT,
	SYSCTL_ALL = SYSCTL_USER + NFLB_USER_COUNT
};

/* For so long changes of the configuration wait for tables that are made anew. */
#define REBUILD_SLICE (HZ / 50)

/* 32 hexadecimal digits */
#define SEED_DIGITS 32

/* Parameters of the tables of hashing schedulers */
struct hashing {
	siphash_key_t	seed;
	u32		table_size;
};

static struct hashing hashing_of(const struct nflb_net *nn)
{
	lockdep_assert_held(&nn->mutex);
	return (struct hashing){
		.seed = nn->hash_seed,
		.table_size = nn->maglev_table_size,
	};
}

static bool is_stale(const struct nflb_service *svc)
{
	siphash_key_t key = nflb_flow_key(&svc->nn->hash_seed);
	const struct nflb_snapshot *snapshot;

	snapshot = rcu_dereference_protected(svc->snapshot,
					     lockdep_is_held(&svc->nn->mutex));
	return snapshot->maglev_size != svc->nn->maglev_table_size ||
	       memcmp(&snapshot->hash_key, &key, sizeof(key));
}

/* Some services anew. Returns 1 when all are, 0 when not yet, or an errno. */
static int rebuild_some(struct nflb_net *nn)
{
	unsigned long until = jiffies + REBUILD_SLICE;
	struct nflb_service *svc;
	int err;

	lockdep_assert_held(&nn->mutex);
	list_for_each_entry(svc, &nn->service_list, list) {
		if (!is_stale(svc))
			continue;
		err = nflb_service_publish(svc, &svc->settings, NULL);
		if (err)
			return err;
		if (time_after(jiffies, until))
			return 0;
	}
	return 1;
}

/* Others may change the configuration meanwhile, and use the new parameters already. */
static int rebuild(struct nflb_net *nn)
{
	int ret;

	do {
		/* Whoever ends the namespace waits for this. */
		if (READ_ONCE(nn->dying))
			return -ENODEV;
		if (fatal_signal_pending(current))
			return -EINTR;
		mutex_lock(&nn->mutex);
		ret = rebuild_some(nn);
		mutex_unlock(&nn->mutex);
		cond_resched();
	} while (!ret);
	return min(ret, 0);
}

static struct hashing hashing_swap(struct nflb_net *nn, struct hashing new)
{
	struct hashing old;

	mutex_lock(&nn->mutex);
	old = hashing_of(nn);
	nn->hash_seed = new.seed;
	WRITE_ONCE(nn->maglev_table_size, new.table_size);
	mutex_unlock(&nn->mutex);
	return old;
}

/* A table that cannot be put back now is built later. */
static void put_back(struct nflb_net *nn)
{
	struct nflb_service *svc;

	if (!rebuild(nn))
		return;
	mutex_lock(&nn->mutex);
	list_for_each_entry(svc, &nn->service_list, list)
		if (is_stale(svc))
			nflb_lifecycle_behind(svc);
	mutex_unlock(&nn->mutex);
}

/* New values take effect for all services, or for none. */
static int hashing_set(struct nflb_net *nn, struct hashing new)
{
	struct hashing old;
	int err;

	lockdep_assert_held(&nn->hashing_mutex);
	old = hashing_swap(nn, new);
	err = rebuild(nn);
	if (err) {
		hashing_swap(nn, old);
		put_back(nn);
	}
	return err;
}

/*
 * One writer at a time, from the old values to the end of an undo: two would put back
 * each other's values.
 */
static int hashing_handler(proc_handler *handler, NFLB_CTL_TABLE *table, int write,
			   void *buffer, size_t *lenp, loff_t *ppos)
{
	struct nflb_net *nn = table->extra1;
	int err;

	if (!write)
		return handler(table, write, buffer, lenp, ppos);
	if (mutex_lock_killable(&nn->hashing_mutex))
		return -EINTR;
	err = handler(table, write, buffer, lenp, ppos);
	mutex_unlock(&nn->hashing_mutex);
	return err;
}

static struct hashing hashing_get(struct nflb_net *nn)
{
	struct hashing now;

	mutex_lock(&nn->mutex);
	now = hashing_of(nn);
	mutex_unlock(&nn->mutex);
	return now;
}

static int size_change(NFLB_CTL_TABLE *table, int write, void *buffer,
		       size_t *lenp, loff_t *ppos)
{
	struct nflb_net *nn = table->extra1;
	struct hashing new = hashing_get(nn);
	u32 size = new.table_size;
	struct ctl_table copy = {
		.procname = table->procname,
		.data = &size,
		.maxlen = sizeof(size),
		.mode = table->mode,
	};
	int err;

	err = proc_douintvec(&copy, write, buffer, lenp, ppos);
	if (err || !write || size == new.table_size)
		return err;
	if (!nflb_maglev_size_ok(size))
		return -EINVAL;
	new.table_size = size;
	return hashing_set(nn, new);
}

/*
 * A key, or a number below 2^32, the older format: it becomes the low half of a key. No
 * such number has 32 digits.
 */
static int parse_seed(const char *text, siphash_key_t *seed)
{
	__be64 halves[2];
	u32 number;
	int err;

	if (strlen(text) == SEED_DIGITS) {
		err = hex2bin((u8 *)halves, text, sizeof(halves));
		seed->key[1] = be64_to_cpu(halves[0]);
		seed->key[0] = be64_to_cpu(halves[1]);
		return err;
	}
	err = kstrtou32(text, 0, &number);
	if (err)
		return -EINVAL;
	seed->key[1] = 0;
	seed->key[0] = number;
	return 0;
}

static int seed_change(NFLB_CTL_TABLE *table, int write, void *buffer,
		       size_t *lenp, loff_t *ppos)
{
	struct nflb_net *nn = table->extra1;
	struct hashing new = hashing_get(nn);
	char text[SEED_DIGITS + 8];
	struct ctl_table copy = {
		.procname = table->procname,
		.data = text,
		.maxlen = sizeof(text),
		.mode = table->mode,
	};
	siphash_key_t seed;
	int err;

	snprintf(text, sizeof(text), "%016llx%016llx", new.seed.key[1],
		 new.seed.key[0]);
	err = proc_dostring(&copy, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	err = parse_seed(strim(text), &seed);
	if (err || !memcmp(&seed, &new.seed, sizeof(seed)))
		return err;
	new.seed = seed;
	return hashing_set(nn, new);
}

static int size_handler(NFLB_CTL_TABLE *table, int write, void *buffer,
			size_t *lenp, loff_t *ppos)
{
	return hashing_handler(size_change, table, write, buffer, lenp, ppos);
}

static int seed_handler(NFLB_CTL_TABLE *table, int write, void *buffer,
			size_t *lenp, loff_t *ppos)
{
	return hashing_handler(seed_change, table, write, buffer, lenp, ppos);
}

static const char * const user_names[NFLB_USER_COUNT] = {
	[NFLB_USER_CONNECTIONS] = "user_max_connections",
	[NFLB_USER_PERSISTENT] = "user_max_persistent",
	[NFLB_USER_SERVICES] = "user_max_services",
	[NFLB_USER_BACKENDS] = "user_max_backends",
	[NFLB_USER_SLOTS] = "user_max_slots",
	[NFLB_USER_LADDRS] = "user_max_local_ranges",
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
	[SYSCTL_REFUSE_LATE] = {
		.procname = "refuse_late",
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
		.mode = 0600,
		.proc_handler = seed_handler,
	},
	[SYSCTL_MAGLEV_TABLE_SIZE] = {
		.procname = "maglev_table_size",
		.mode = 0644,
		.proc_handler = size_handler,
	},
};

static void user_table(struct ctl_table *table)
{
	int i;

	for (i = 0; i < NFLB_USER_COUNT; i++)
		table[i] = (struct ctl_table){
			.procname = user_names[i],
			.data = &nflb_user_max[i],
			.maxlen = sizeof(int),
			.mode = 0644,
			.proc_handler = proc_dointvec_minmax,
			.extra1 = SYSCTL_ZERO,
			.extra2 = &user_max_max,
		};
}

/**
 * nflb_sysctl_init() - make the files
 * @nn: the namespace; its defaults are set
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_sysctl_init(struct nflb_net *nn)
{
	bool host = net_eq(nn->net, &init_net);
	int count = host ? SYSCTL_ALL : SYSCTL_COUNT;
	struct ctl_table *table;

	table = kcalloc(count + 1, sizeof(*table),
			GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	memcpy(table, template, sizeof(template));
	if (host)
		user_table(&table[SYSCTL_USER]);
	table[SYSCTL_MAX_CONNECTIONS].data = &nn->max_connections;
	table[SYSCTL_REJECT].data = &nn->reject;
	table[SYSCTL_REFUSE_LATE].data = &nn->refuse_late;
	table[SYSCTL_ENCAP_FRAGMENT_INSIDE].data = &nn->encap_fragment_inside;
	table[SYSCTL_HASH_SEED].extra1 = nn;
	table[SYSCTL_MAGLEV_TABLE_SIZE].extra1 = nn;
	/* Memory is the host's: who is root in a container only may not take
	 * more of it.
	 */
	if (nn->user)
		table[SYSCTL_MAX_CONNECTIONS].mode = 0444;
	nn->sysctl_header = register_net_sysctl_sz(nn->net, "net/nflb", table,
						   count);
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
