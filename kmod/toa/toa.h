/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by the receiver's files.
 */
#ifndef NFLB_TOA_RECEIVER_H
#define NFLB_TOA_RECEIVER_H

#include <linux/in6.h>
#include <linux/percpu.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

/* What is counted, once a namespace; names as /proc/net/nflb_toa/stats has
 * them: stable.
 */
#define TOA_COUNTERS(X)						\
	X(BELIEVED,		"believed")			\
	X(REFUSED_SOURCE,	"refused-source")		\
	X(MALFORMED,		"malformed")			\
	X(DELIVERED,		"delivered")			\
	X(OTHER_FAMILY,		"other-family")			\
	X(NO_MEMORY,		"no-memory")			\
	X(AMBIGUOUS_OPTIONS,	"ambiguous")

#define TOA_COUNTER_ENUM(id, name) TOA_##id,

enum toa_counter {
	TOA_COUNTERS(TOA_COUNTER_ENUM)
	TOA_COUNTER_COUNT
};

/**
 * struct toa_client - the contents of an option
 * @addr: the client's address; IPv4's in the first four bytes
 * @port: its port
 * @family: AF_INET or AF_INET6
 */
struct toa_client {
	struct in6_addr	addr;
	__be16		port;
	u8		family;
};

/**
 * struct toa_socket - a socket whose client is known
 * @node: in the table, by @sk
 * @sk: the socket; its address only, it may not be looked into
 * @net: its namespace
 * @client: who it is
 * @peer: the balancer, as the packets have it
 * @local: this end
 * @peer_port: of @peer
 * @local_port: of @local
 * @family: of @peer and @local
 * @rcu: to free it
 */
struct toa_socket {
	struct rhash_head	node;
	const struct sock	*sk;
	struct net		*net;
	struct toa_client	client;
	struct in6_addr		peer;
	struct in6_addr		local;
	__be16			peer_port;
	__be16			local_port;
	u8			family;
	struct rcu_head		rcu;
};

/* Once a namespace. */
struct toa_net {
	u64 __percpu		*counters;
	struct proc_dir_entry	*proc;
};

struct toa_net *toa_net(const struct net *net);
void toa_count(const struct net *net, enum toa_counter counter);

/* allow.c */
bool toa_allowed(const void *addr, u8 family);
void toa_allow_exit(void);

/* option.c */
enum toa_found {
	TOA_NONE,
	TOA_FOUND,
	TOA_BROKEN,
	TOA_AMBIGUOUS,
};

enum toa_found toa_option_parse(const u8 *opts, unsigned int len,
				struct toa_client *client);

/* sockets.c */
extern struct rhashtable toa_sockets;

int toa_sockets_init(void);
int toa_sockets_start(void);
void toa_sockets_stop(void);
void toa_sockets_exit(void);
int toa_hooks_register(struct net *net);
void toa_hooks_unregister(struct net *net);
struct toa_socket *toa_socket_find(const struct sock *sk);

/* getname.c */
int toa_getname_init(void);
void toa_getname_exit(void);
unsigned int toa_getname_missed(void);

/* proc.c */
int toa_proc_init(struct net *net);
void toa_proc_exit(struct net *net);

#endif /* NFLB_TOA_RECEIVER_H */
