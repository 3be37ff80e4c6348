// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/nflb/{services,connections,stats}: one record a line, words
 * separated by single spaces, nothing aligned. New words are added at the end
 * of a line only. docs/proc.md describes them.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>

#include "control/config.h"
#include "control/lifecycle.h"
#include "control/proc.h"
#include "conn/conn.h"
#include "conn/conn_probe.h"
#include "conn/conn_state.h"
#include "forward/forward.h"
#include "netns.h"

static const char * const mode_names[] = {
	[NFLB_MODE_DNAT]	= "dnat",
	[NFLB_MODE_FULLNAT]	= "fullnat",
	[NFLB_MODE_DSR]		= "dsr",
};

static const char * const encap_names[] = {
	[NFLB_ENCAP_NONE]	= "none",
	[NFLB_ENCAP_IPIP]	= "ipip",
	[NFLB_ENCAP_GRE]	= "gre",
	[NFLB_ENCAP_GUE]	= "gue",
};

static const char * const backend_state_names[] = {
	[NFLB_BACKEND_UP]	= "up",
	[NFLB_BACKEND_DRAIN]	= "drain",
	[NFLB_BACKEND_DOWN]	= "down",
};

static const char * const health_names[] = {
	[NFLB_HEALTH_UNKNOWN]	= "unknown",
	[NFLB_HEALTH_CHECKING]	= "checking",
	[NFLB_HEALTH_HEALTHY]	= "healthy",
	[NFLB_HEALTH_UNHEALTHY]	= "unhealthy",
	[NFLB_HEALTH_EJECTED]	= "ejected",
};

static struct nflb_net *seq_nn(struct seq_file *seq)
{
	return nflb_net(seq_file_net(seq));
}

static const char *proto_name(u8 proto)
{
	return proto == IPPROTO_TCP ? "tcp" : "udp";
}

static void show_addr(struct seq_file *seq, const union nflb_addr *addr,
		      u8 family)
{
	if (family == AF_INET)
		seq_printf(seq, "%pI4", &addr->ip);
	else
		seq_printf(seq, "[%pI6c]", &addr->in6);
}

static void show_endpoint(struct seq_file *seq, const union nflb_addr *addr,
			  __be16 port, u8 family)
{
	show_addr(seq, addr, family);
	seq_printf(seq, ":%u", ntohs(port));
}

static void show_identity(struct seq_file *seq, const struct nflb_service *svc)
{
	seq_printf(seq, "%s ", proto_name(svc->key.proto));
	show_addr(seq, &svc->key.addr, svc->key.family);
	if (!svc->key.port)
		seq_puts(seq, ":*");
	else
		seq_printf(seq, ":%u", ntohs(svc->key.port));
	if (svc->key.port && nflb_service_has_range(svc))
		seq_printf(seq, "-%u", ntohs(svc->port_last));
}

static void show_counters(struct seq_file *seq,
			  const struct nflb_stats_sum *sum)
{
	seq_printf(seq, " active %u connections %llu packets-in %llu packets-out %llu bytes-in %llu bytes-out %llu inactive %u",
		   sum->active, sum->connections,
		   sum->packets[NFLB_DIR_IN], sum->packets[NFLB_DIR_OUT],
		   sum->bytes[NFLB_DIR_IN], sum->bytes[NFLB_DIR_OUT],
		   sum->inactive);
}

/*
 * Where a read of `services` is: a line each for a service and for its backends.
 * Ids tell, for between two reads anything may come or go.
 */
struct services_walk {
	struct seq_net_private	net;
	loff_t			pos;
	u32			service;
	u32			backend;	/* 0: the service itself */
	struct nflb_service	*at;
	struct nflb_backend	*at_backend;
};

/* The first line at or behind the walk's ids, or NULL. */
static void *services_find(struct seq_file *seq)
{
	struct services_walk *walk = seq->private;
	struct nflb_net *nn = seq_nn(seq);
	struct nflb_service *svc;
	struct nflb_backend *b;

	list_for_each_entry(svc, &nn->service_list, list) {
		if (svc->id < walk->service)
			continue;
		if (svc->id > walk->service)
			walk->backend = 0;
		walk->service = svc->id;
		walk->at = svc;
		walk->at_backend = NULL;
		if (!walk->backend)
			return walk;
		list_for_each_entry(b, &svc->backends, list) {
			if (b->id < walk->backend)
				continue;
			walk->backend = b->id;
			walk->at_backend = b;
			return walk;
		}
	}
	return NULL;
}

static void *services_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct services_walk *walk = seq->private;
	struct list_head *backends = &walk->at->backends;
	struct nflb_backend *b;

	walk->pos = ++*pos;
	b = walk->at_backend ? list_next_entry(walk->at_backend, list) :
			       list_first_entry(backends, struct nflb_backend,
						list);
	if (!list_entry_is_head(b, backends, list)) {
		walk->backend = b->id;
		walk->at_backend = b;
		return walk;
	}
	walk->service++;
	walk->backend = 0;
	return services_find(seq);
}

static void *services_start(struct seq_file *seq, loff_t *pos)
{
	struct services_walk *walk = seq->private;
	loff_t at = 0;
	void *v;

	down_read(&seq_nn(seq)->view);
	/* What is read on end has its ids; what was sought goes by lines. */
	if (*pos && walk->pos == *pos)
		return services_find(seq);
	walk->pos = 0;
	walk->service = 0;
	walk->backend = 0;
	v = services_find(seq);
	while (v && at < *pos)
		v = services_next(seq, v, &at);
	return v;
}

static void services_stop(struct seq_file *seq, void *v)
{
	up_read(&seq_nn(seq)->view);
}

static void show_service(struct seq_file *seq, const struct nflb_service *svc)
{
	struct nflb_stats_sum sum;

	nflb_service_stats(svc, &sum);
	seq_puts(seq, "service ");
	show_identity(seq, svc);
	seq_printf(seq, " mode %s scheduler %s backends %u",
		   mode_names[svc->settings.mode], svc->settings.scheduler,
		   svc->backend_count);
	show_counters(seq, &sum);
	seq_printf(seq, " persist %u persistent %u slow-start %u toa %s proxy-protocol %s encap %s one-packet %s drops %llu\n",
		   svc->settings.persist, atomic_read(&svc->persist_count),
		   svc->settings.slow_start, svc->settings.toa ? "on" : "off",
		   svc->settings.proxy ? "on" : "off",
		   encap_names[svc->settings.encap],
		   svc->settings.one_packet ? "on" : "off", sum.drops);
}

static void show_backend(struct seq_file *seq, const struct nflb_service *svc,
			 const struct nflb_backend *b)
{
	const struct nflb_forward_ops *ops;
	struct nflb_stats_sum sum;

	nflb_backend_stats(b, &sum);
	seq_puts(seq, "backend ");
	show_identity(seq, svc);
	seq_putc(seq, ' ');
	show_endpoint(seq, &b->addr, b->port, b->family);
	seq_printf(seq, " weight %u state %s max-connections %u", b->weight,
		   backend_state_names[b->state], b->max_connections);
	show_counters(seq, &sum);
	ops = nflb_backend_forward(b, &svc->settings);
	seq_printf(seq, " condition %s mode %s encap %s by-hand %s health %s drops %llu\n",
		   nflb_lifecycle_condition(b), mode_names[ops->mode],
		   encap_names[ops->encap],
		   b->by_hand == NFLB_BACKEND_UP ?
		   "none" : backend_state_names[b->by_hand],
		   health_names[b->health], sum.drops);
}

static int services_show(struct seq_file *seq, void *v)
{
	const struct services_walk *walk = v;

	if (walk->at_backend)
		show_backend(seq, walk->at, walk->at_backend);
	else
		show_service(seq, walk->at);
	return 0;
}

static const struct seq_operations services_ops = {
	.start = services_start,
	.next = services_next,
	.stop = services_stop,
	.show = services_show,
};

/*
 * An open `connections`: a walk of the table that goes on from read to read.
 * @here is where the connection is that was met last, and not shown perhaps.
 */
struct conn_walk {
	struct nflb_net		*nn;
	struct nflb_conn_walk	next;
	struct nflb_conn_walk	here;
};

static void *conns_valid(struct conn_walk *walk)
{
	struct nflb_conn *conn;

	do {
		walk->here = walk->next;
		conn = nflb_conn_walk_next(walk->nn, &walk->next);
	} while (conn && (nflb_conn_is(conn, NFLB_CONN_PROBE) ||
			  !nflb_conn_alive(conn, nflb_now())));
	return conn;
}

static void *conns_start(struct seq_file *seq, loff_t *pos)
	__acquires(RCU)
{
	struct conn_walk *walk = seq->private;

	/* From the beginning, also after lseek(). */
	if (!*pos)
		memset(&walk->here, 0, sizeof(walk->here));
	walk->next = walk->here;
	rcu_read_lock();
	return conns_valid(walk);
}

static void *conns_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return conns_valid(seq->private);
}

static void conns_stop(struct seq_file *seq, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static int conns_show(struct seq_file *seq, void *v)
{
	const struct nflb_conn *conn = v;
	const struct nflb_backend *backend = conn->backend;
	const struct nflb_tuple *out = &conn->out.tuple;
	const struct nflb_tuple *in = &conn->in.tuple;
	u32 now = nflb_now();
	const struct nflb_forward_ops *ops = nflb_conn_ops(conn);
	u32 left = nflb_conn_left(conn, now);

	seq_printf(seq, "%s ", proto_name(in->proto));
	show_endpoint(seq, &in->src, in->sport, in->family);
	seq_puts(seq, " -> ");
	show_endpoint(seq, &in->dst, in->dport, in->family);
	seq_puts(seq, " -> ");
	show_endpoint(seq, &backend->addr, nflb_conn_backend_port(conn),
		      backend->family);
	if (conn->how & NFLB_HOW_LADDR) {
		seq_puts(seq, " local ");
		show_endpoint(seq, &out->dst, out->dport, out->family);
	}
	seq_printf(seq, " mode %s state %s expires %u age %u encap %s\n",
		   mode_names[ops->mode],
		   nflb_conn_state_name(READ_ONCE(conn->state)), left / HZ,
		   nflb_conn_age(conn, now) / HZ, encap_names[ops->encap]);
	return 0;
}

static const struct seq_operations conns_ops = {
	.start = conns_start,
	.next = conns_next,
	.stop = conns_stop,
	.show = conns_show,
};

static int conns_open(struct inode *inode, struct file *file)
{
	struct conn_walk *walk;

	walk = __seq_open_private(file, &conns_ops, sizeof(*walk));
	if (!walk)
		return -ENOMEM;
	walk->nn = pde_data(inode);
	return 0;
}

static const struct proc_ops conns_proc_ops = {
	.proc_open	= conns_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= seq_release_private,
};

static int stats_show(struct seq_file *seq, void *v)
{
	struct nflb_net *nn = nflb_net(seq_file_single_net(seq));
	struct nflb_stats_sum sum;
	int r;

	down_read(&nn->view);
	nflb_net_stats(nn, &sum);
	seq_printf(seq, "active %u\nmax-connections %u\n",
		   nflb_conn_counted(nn),
		   READ_ONCE(nn->max_connections));
	seq_printf(seq, "connections %llu\n", sum.connections);
	seq_printf(seq, "packets-in %llu\npackets-out %llu\n",
		   sum.packets[NFLB_DIR_IN], sum.packets[NFLB_DIR_OUT]);
	seq_printf(seq, "bytes-in %llu\nbytes-out %llu\n",
		   sum.bytes[NFLB_DIR_IN], sum.bytes[NFLB_DIR_OUT]);
	for (r = 0; r < NFLB_REASON_COUNT; r++)
		seq_printf(seq, "drop-%s %llu\n", nflb_reason_name(r),
			   nflb_drops_read(nn, r));
	seq_printf(seq, "persistent %u\n", atomic_read(&nn->persist_count));
	for (r = 0; r < NFLB_COUNTER_COUNT; r++)
		seq_printf(seq, "%s %llu\n", nflb_counter_name(r),
			   nflb_counter_read(nn, r));
	up_read(&nn->view);
	return 0;
}

static void laddr_show(struct seq_file *seq, const struct nflb_net *nn,
		       const struct nflb_laddr *l)
{
	const char *format = l->family == AF_INET ? "%pI4" : "%pI6c";
	union nflb_addr last;
	int i;

	nflb_laddr_addr(l, l->addr_count - 1, &last);
	seq_printf(seq, format, &l->first);
	if (l->addr_count > 1) {
		seq_putc(seq, '-');
		seq_printf(seq, format, &last);
	}
	seq_printf(seq, " ports %u-%u", l->ports.first, l->ports.last);
	for (i = 0; i < l->excluded_count; i++)
		seq_printf(seq, "%s%u-%u", i ? "," : " exclude ",
			   l->excluded[i].first, l->excluded[i].last);
	seq_printf(seq, " foreign %u\n", nflb_laddr_foreign(nn, l));
}

/* A line of `local_addresses`; copied, for looking the addresses up takes long. */
struct laddrs_walk {
	struct seq_net_private	net;
	struct nflb_laddr	laddr;
};

static void *laddrs_start(struct seq_file *seq, loff_t *pos)
{
	struct laddrs_walk *walk = seq->private;

	/* Not more than 512 are there. */
	if (*pos > U32_MAX || !nflb_laddr_nth(seq_nn(seq), *pos, &walk->laddr))
		return NULL;
	return walk;
}

static void *laddrs_next(struct seq_file *seq, void *v, loff_t *pos)
{
	++*pos;
	return laddrs_start(seq, pos);
}

static void laddrs_stop(struct seq_file *seq, void *v)
{
}

static int laddrs_show(struct seq_file *seq, void *v)
{
	const struct laddrs_walk *walk = v;

	laddr_show(seq, seq_nn(seq), &walk->laddr);
	return 0;
}

static const struct seq_operations laddrs_ops = {
	.start = laddrs_start,
	.next = laddrs_next,
	.stop = laddrs_stop,
	.show = laddrs_show,
};

/**
 * nflb_proc_init() - make the files
 * @nn: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int nflb_proc_init(struct nflb_net *nn)
{
	struct proc_dir_entry *dir;

	dir = proc_net_mkdir(nn->net, "nflb", nn->net->proc_net);
	if (!dir)
		return -ENOMEM;
	if (!proc_create_net("services", 0444, dir, &services_ops,
			     sizeof(struct services_walk)) ||
	    !proc_create_data("connections", 0440, dir, &conns_proc_ops, nn) ||
	    !proc_create_net("local_addresses", 0444, dir, &laddrs_ops,
			     sizeof(struct laddrs_walk)) ||
	    !proc_create_net_single("stats", 0444, dir, stats_show, NULL)) {
		nflb_proc_exit(nn);
		return -ENOMEM;
	}
	return 0;
}

/**
 * nflb_proc_exit() - remove the files
 * @nn: the namespace
 */
void nflb_proc_exit(struct nflb_net *nn)
{
	remove_proc_subtree("nflb", nn->net->proc_net);
}
