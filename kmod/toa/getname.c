// SPDX-License-Identifier: GPL-2.0
/*
 * Telling servers: getpeername() and accept() ask inet_getname() or
 * inet6_getname(), whose answers are changed on their return. What the kernel
 * itself knows of the socket stays what it is, and so does what ss(8) shows.
 *
 * Two socket options provide the rest:
 *  4096  the client as an IPv6 address, also to an IPv4 socket (the option, and
 *        its struct, are those of DPVS's receiver)
 *  4097  the untranslated peer
 */
#include <linux/kprobes.h>
#include <linux/netfilter.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>

#include "toa/toa.h"

#define TOA_SO_CLIENT	4096
#define TOA_SO_PEER	4097

/* As many may be in one of the functions, sleeping for a socket's lock. */
#define MAX_ACTIVE	2048

/* TOA_SO_CLIENT */
struct toa_so_client {
	struct in6_addr	addr;
	__be16		port;
};

/* Arguments, from the function's entry to its return. */
struct getname_call {
	struct socket	*sock;
	struct sockaddr	*addr;
};

static int getname_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct getname_call *call = (void *)ri->data;

	/* int peer: 0 asks for the own name; not 0 skips the return handler */
	if (!(int)regs_get_kernel_argument(regs, 2))
		return 1;
	call->sock = (struct socket *)regs_get_kernel_argument(regs, 0);
	call->addr = (struct sockaddr *)regs_get_kernel_argument(regs, 1);
	return 0;
}

static void set_mapped(struct in6_addr *to, const struct toa_client *client)
{
	if (client->family == AF_INET)
		ipv6_addr_set_v4mapped(client->addr.s6_addr32[0], to);
	else
		*to = client->addr;
}

static bool tell(struct sockaddr *addr, const struct toa_client *client)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)addr;
	struct sockaddr_in *sin = (struct sockaddr_in *)addr;

	if (addr->sa_family == AF_INET6) {
		set_mapped(&sin6->sin6_addr, client);
		sin6->sin6_port = client->port;
		sin6->sin6_flowinfo = 0;
		sin6->sin6_scope_id = 0;
		return true;
	}
	if (addr->sa_family != AF_INET || client->family != AF_INET)
		return false;
	sin->sin_addr.s_addr = client->addr.s6_addr32[0];
	sin->sin_port = client->port;
	return true;
}

static int getname_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct getname_call *call = (void *)ri->data;
	const struct toa_socket *s;
	const struct sock *sk;

	if ((int)regs_return_value(regs) <= 0)
		return 0;
	sk = READ_ONCE(call->sock->sk);
	if (!sk)
		return 0;
	rcu_read_lock();
	s = toa_socket_find(sk);
	if (s)
		toa_count(sock_net(sk), tell(call->addr, &s->client) ?
					TOA_DELIVERED : TOA_OTHER_FAMILY);
	rcu_read_unlock();
	return 0;
}

#define GETNAME_PROBE(function) {					\
	.kp.symbol_name = function,					\
	.entry_handler = getname_entry,					\
	.handler = getname_return,					\
	.data_size = sizeof(struct getname_call),			\
	.maxactive = MAX_ACTIVE,					\
}

static struct kretprobe inet_probe = GETNAME_PROBE("inet_getname");
static struct kretprobe inet6_probe = GETNAME_PROBE("inet6_getname");
static struct kretprobe *probes[] = { &inet_probe, &inet6_probe };

/**
 * toa_getname_missed() - calls whose answers could not be changed
 *
 * Return: how many, because more were under way than there is room for.
 */
unsigned int toa_getname_missed(void)
{
	return inet_probe.nmissed + inet6_probe.nmissed;
}

static int put_client(const struct toa_socket *s, void __user *user, int *len)
{
	struct toa_so_client answer = { };

	if (*len < sizeof(answer))
		return -EINVAL;
	set_mapped(&answer.addr, &s->client);
	answer.port = s->client.port;
	*len = sizeof(answer);
	return copy_to_user(user, &answer, sizeof(answer)) ? -EFAULT : 0;
}

static int put_peer(const struct toa_socket *s, void __user *user, int *len)
{
	struct sockaddr_in6 answer = { .sin6_family = AF_INET6 };

	if (*len < sizeof(answer))
		return -EINVAL;
	if (s->family == AF_INET)
		ipv6_addr_set_v4mapped(s->peer.s6_addr32[0],
				       &answer.sin6_addr);
	else
		answer.sin6_addr = s->peer;
	answer.sin6_port = s->peer_port;
	*len = sizeof(answer);
	return copy_to_user(user, &answer, sizeof(answer)) ? -EFAULT : 0;
}

static int toa_getsockopt(struct sock *sk, int option, void __user *user,
			  int *len)
{
	struct toa_socket copy;
	const struct toa_socket *s;

	rcu_read_lock();
	s = toa_socket_find(sk);
	if (s)
		copy = *s;
	rcu_read_unlock();
	if (!s)
		return -ENOENT;
	return option == TOA_SO_CLIENT ? put_client(&copy, user, len) :
					 put_peer(&copy, user, len);
}

static struct nf_sockopt_ops sockopt_ops = {
	.pf = PF_INET,
	.get_optmin = TOA_SO_CLIENT,
	.get_optmax = TOA_SO_PEER + 1,
	.get = toa_getsockopt,
	.owner = THIS_MODULE,
};

/**
 * toa_getname_init() - begin to tell servers
 *
 * Return: 0 or a negative errno.
 */
int toa_getname_init(void)
{
	int err;

	err = nf_register_sockopt(&sockopt_ops);
	if (err)
		return err;
	err = register_kretprobes(probes, ARRAY_SIZE(probes));
	if (err) {
		pr_err("cannot probe inet_getname() and inet6_getname(): %d\n",
		       err);
		nf_unregister_sockopt(&sockopt_ops);
	}
	return err;
}

/**
 * toa_getname_exit() - tell nobody any more; waits for calls under way
 */
void toa_getname_exit(void)
{
	unregister_kretprobes(probes, ARRAY_SIZE(probes));
	nf_unregister_sockopt(&sockopt_ops);
}
