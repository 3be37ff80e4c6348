// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/nflb_toa: counters, and sockets whose client is known.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>

#include "toa/toa.h"

#define TOA_COUNTER_NAME(id, name) [TOA_##id] = name,

static const char * const counter_names[] = {
	TOA_COUNTERS(TOA_COUNTER_NAME)
};

static_assert(ARRAY_SIZE(counter_names) == TOA_COUNTER_COUNT);

static int stats_show(struct seq_file *seq, void *v)
{
	const struct toa_net *tn = toa_net(seq_file_single_net(seq));
	int cpu, c;

	for (c = 0; c < TOA_COUNTER_COUNT; c++) {
		u64 sum = 0;

		for_each_possible_cpu(cpu)
			sum += READ_ONCE(per_cpu_ptr(tn->counters, cpu)[c]);
		seq_printf(seq, "%s %llu\n", counter_names[c], sum);
	}
	seq_printf(seq, "missed %u\n", toa_getname_missed());
	return 0;
}

static void show_end(struct seq_file *seq, const struct in6_addr *addr,
		     __be16 port, u8 family)
{
	if (family == AF_INET)
		seq_printf(seq, "%pI4:%u", addr, ntohs(port));
	else
		seq_printf(seq, "[%pI6c]:%u", addr, ntohs(port));
}

/* An open file: a walk of the table that goes on from read to read. */
struct walk {
	struct net		*net;
	struct rhashtable_iter	iter;
};

static void *of_net(struct walk *walk, struct toa_socket *s)
{
	while (s && (IS_ERR(s) || s->net != walk->net))
		s = rhashtable_walk_next(&walk->iter);
	return s;
}

static void *sockets_start(struct seq_file *seq, loff_t *pos)
	__acquires(RCU)
{
	struct walk *walk = seq->private;

	if (!*pos) {
		rhashtable_walk_exit(&walk->iter);
		rhashtable_walk_enter(&toa_sockets, &walk->iter);
	}
	rhashtable_walk_start(&walk->iter);
	return of_net(walk, rhashtable_walk_peek(&walk->iter));
}

static void *sockets_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct walk *walk = seq->private;

	++*pos;
	return of_net(walk, rhashtable_walk_next(&walk->iter));
}

static void sockets_stop(struct seq_file *seq, void *v)
	__releases(RCU)
{
	struct walk *walk = seq->private;

	rhashtable_walk_stop(&walk->iter);
}

static int sockets_show(struct seq_file *seq, void *v)
{
	const struct toa_socket *s = v;

	show_end(seq, &s->peer, s->peer_port, s->family);
	seq_puts(seq, " -> ");
	show_end(seq, &s->local, s->local_port, s->family);
	seq_puts(seq, " client ");
	show_end(seq, &s->client.addr, s->client.port, s->client.family);
	seq_putc(seq, '\n');
	return 0;
}

static const struct seq_operations sockets_ops = {
	.start = sockets_start,
	.next = sockets_next,
	.stop = sockets_stop,
	.show = sockets_show,
};

static int sockets_open(struct inode *inode, struct file *file)
{
	struct walk *walk;

	walk = __seq_open_private(file, &sockets_ops, sizeof(*walk));
	if (!walk)
		return -ENOMEM;
	walk->net = pde_data(inode);
	rhashtable_walk_enter(&toa_sockets, &walk->iter);
	return 0;
}

static int sockets_release(struct inode *inode, struct file *file)
{
	struct seq_file *seq = file->private_data;
	struct walk *walk = seq->private;

	rhashtable_walk_exit(&walk->iter);
	return seq_release_private(inode, file);
}

static const struct proc_ops sockets_proc_ops = {
	.proc_open	= sockets_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= sockets_release,
};

/**
 * toa_proc_init() - make the files
 * @net: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int toa_proc_init(struct net *net)
{
	struct proc_dir_entry *dir;

	dir = proc_net_mkdir(net, "nflb_toa", net->proc_net);
	if (!dir)
		return -ENOMEM;
	if (!proc_create_net_single("stats", 0444, dir, stats_show, NULL) ||
	    !proc_create_data("connections", 0440, dir, &sockets_proc_ops,
			      net)) {
		toa_proc_exit(net);
		return -ENOMEM;
	}
	return 0;
}

/**
 * toa_proc_exit() - remove the files
 * @net: the namespace
 */
void toa_proc_exit(struct net *net)
{
	remove_proc_subtree("nflb_toa", net->proc_net);
}
