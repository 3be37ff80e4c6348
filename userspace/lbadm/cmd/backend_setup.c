// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm backend-setup: prepare a backend of mode dsr. It runs there, not on
 * the balancer, and needs no module of nflb: the VIP, kept quiet on the network;
 * a stock tunnel that takes packets out of their encapsulation; and a limit for
 * the segments that clients send.
 *
 * It prints a script of commands that every distribution has, and runs that very
 * script when asked to. Everything has names of its own, so that undoing it
 * takes nothing else away.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lbadm.h"
#include "model/names.h"
#include "model/request.h"
#include "model/vocabulary.h"

#define MTU_DEFAULT	1500

/* Lengths of headers */
#define IPV4_LEN	20
#define IPV6_LEN	40
#define TCP_LEN		20
#define UDP_LEN		8
#define GRE_LEN		4

#define TABLE_NAME_MAX	(ADDR_TEXT_MAX + 8)

struct setup {
	struct addr vip, backend;
	char vip_text[ADDR_TEXT_MAX], backend_text[ADDR_TEXT_MAX];
	bool vip4, outer4;
	struct opt encap, encap_port, mtu;
	unsigned int port;
};

/* A stock device that decapsulates packets. */
struct tunnel {
	const char *name;
	const char *add;	/* words of `ip link add` */
	const char *modules;
};

static int parse_setup_addr(struct words *words, const char *what,
			    struct addr *addr, char text[ADDR_TEXT_MAX])
{
	const char *word = words_next(words);

	if (!word)
		return usage_error("the %s is missing", what);
	if (!addr_parse(addr, word))
		return usage_error("%s \"%s\": an address is expected", what,
				   word);
	addr_format(text, addr);
	return LBADM_OK;
}

static const struct word setup_words[] = {
	{ .name = "encap", .kind = &kind_encap,
	  .help = "the tunnel that packets come by", .standard = "none",
	  .offset = offsetof(struct setup, encap),
	  .extra = offsetof(struct setup, encap_port) },
	{ .name = "mtu", .kind = &kind_mtu,
	  .help = "the largest packets that the way from the balancer takes",
	  .standard = "1500", .offset = offsetof(struct setup, mtu) },
	{ 0 },
};

static int parse_setup(struct words *words, struct setup *s)
{
	int err;

	memset(s, 0, sizeof(*s));
	err = parse_setup_addr(words, "VIP", &s->vip, s->vip_text);
	if (!err)
		err = parse_setup_addr(words, "backend's address", &s->backend,
				       s->backend_text);
	if (!err)
		err = parse_words(words, setup_words, s);
	if (err)
		return err;
	if (!s->mtu.set)
		s->mtu.value = MTU_DEFAULT;
	s->vip4 = s->vip.len == 4;
	s->outer4 = s->backend.len == 4;
	s->port = s->encap_port.set ? s->encap_port.value : NFLB_GUE_PORT;
	if (s->encap.value == NFLB_ENCAP_NONE && s->vip4 != s->outer4)
		return usage_error("without encap, the VIP and the backend's address must be of one family");
	return LBADM_OK;
}

static struct tunnel tunnel_of(const struct setup *s)
{
	if (s->encap.value == NFLB_ENCAP_GRE)
		return s->outer4 ?
		       (struct tunnel){ "nflb-gre4", "type gre", "ip_gre" } :
		       (struct tunnel){ "nflb-gre6", "type ip6gre", "ip6_gre" };
	if (s->outer4)
		return s->vip4 ?
		       (struct tunnel){ "nflb-4in4", "type ipip", "ipip" } :
		       (struct tunnel){ "nflb-6in4", "type sit", "sit" };
	return s->vip4 ?
	       (struct tunnel){ "nflb-4in6", "type ip6tnl mode ip4ip6",
				"ip6_tunnel" } :
	       (struct tunnel){ "nflb-6in6", "type ip6tnl mode ip6ip6",
				"ip6_tunnel" };
}

static unsigned int overhead(const struct setup *s)
{
	unsigned int ip = s->outer4 ? IPV4_LEN : IPV6_LEN;

	switch (s->encap.value) {
	case NFLB_ENCAP_IPIP:
		return ip;
	case NFLB_ENCAP_GRE:
		return ip + GRE_LEN;
	case NFLB_ENCAP_GUE:
		return ip + UDP_LEN;
	default:
		return 0;
	}
}

/*
 * What the backend announces to clients: their segments are what grows, and the
 * announcement does not pass the balancer, which could lower it.
 */
static unsigned int mss(const struct setup *s)
{
	return s->mtu.value - overhead(s) - TCP_LEN -
	       (s->vip4 ? IPV4_LEN : IPV6_LEN);
}

/* A name for nftables: letters, digits and underscores. */
static const char *table_name(char buf[TABLE_NAME_MAX], const struct setup *s)
{
	char *c;

	snprintf(buf, TABLE_NAME_MAX, "nflb_%s", s->vip_text);
	for (c = buf; *c; c++)
		if (*c == '.' || *c == ':')
			*c = '_';
	return buf;
}

/*
 * Nobody on the network may learn that the VIP is here: no answer to who asks
 * for it, and no question in its name. IPv6 neither answers nor asks for an
 * address of another interface.
 */
static void print_quiet(FILE *to, const struct setup *s, const char *table)
{
	if (!s->vip4)
		return;
	fprintf(to,
		"nft 'table arp %s; delete table arp %s; table arp %s {\n"
		"	chain in { type filter hook input priority 0; arp operation request arp daddr ip %s drop; }\n"
		"	chain out { type filter hook output priority 0; arp saddr ip %s arp saddr ip set %s; }\n"
		"}'\n", table, table, table, s->vip_text, s->vip_text,
		s->outer4 ? s->backend_text : "0.0.0.0");
}

static void print_mss(FILE *to, const struct setup *s, const char *table)
{
	const char *ip = s->vip4 ? "ip" : "ip6";

	if (!overhead(s))
		return;
	fprintf(to,
		"# segments of %u bytes fit into packets of %u\n"
		"nft 'table %s %s; delete table %s %s; table %s %s {\n"
		"	chain out { type filter hook postrouting priority 0; %s saddr %s tcp flags & (syn | rst) == syn tcp option maxseg size set %u; }\n"
		"}'\n", mss(s), s->mtu.value, ip, table, ip, table, ip, table,
		ip, s->vip_text, mss(s));
}

static void print_tunnel(FILE *to, const struct setup *s)
{
	struct tunnel t = tunnel_of(s);
	bool gue = s->encap.value == NFLB_ENCAP_GUE;

	fprintf(to, "modprobe -aq %s%s || true\n", t.modules,
		!gue ? "" : s->outer4 ? " fou" : " fou6");
	fprintf(to,
		"ip link show %s >/dev/null 2>&1 || ip link add %s %s local %s\n",
		t.name, t.name, t.add, s->backend_text);
	fprintf(to, "ip link set %s up\n", t.name);
	/* The highest of this and that of "all" counts; 2 is loose. */
	if (s->vip4)
		fprintf(to, "sysctl -qw net.ipv4.conf.%s.rp_filter=2\n", t.name);
	if (gue)
		fprintf(to,
			"ip %sfou show | grep -qw 'port %u' || ip %sfou add port %u gue\n",
			s->outer4 ? "" : "-6 ", s->port,
			s->outer4 ? "" : "-6 ", s->port);
	fprintf(to, "ip addr replace %s dev %s%s\n", s->vip_text, t.name,
		s->vip4 ? "" : " nodad");
}

static void print_setup(FILE *to, const struct setup *s)
{
	char table[TABLE_NAME_MAX];

	table_name(table, s);
	/* First, or the VIP would be announced when it is added. */
	print_quiet(to, s, table);
	print_mss(to, s, table);
	if (s->encap.value != NFLB_ENCAP_NONE)
		print_tunnel(to, s);
	else
		fprintf(to, "ip addr replace %s dev lo%s\n", s->vip_text,
			s->vip4 ? "" : " nodad");
}

static void print_delete_table(FILE *to, const char *family, const char *table)
{
	fprintf(to, "nft 'table %s %s; delete table %s %s'\n", family, table,
		family, table);
}

/* Things that other VIPs still need stay; a missing one is no error. */
static void print_undo(FILE *to, const struct setup *s)
{
	char table[TABLE_NAME_MAX];
	struct tunnel t = tunnel_of(s);

	table_name(table, s);
	if (s->encap.value != NFLB_ENCAP_NONE) {
		fprintf(to, "ip addr del %s dev %s 2>/dev/null || true\n",
			s->vip_text, t.name);
		/* sit devices have an address of their own, a /96 */
		fprintf(to,
			"if ! ip -o addr show dev %s 2>/dev/null | grep -Eq '/(32|128) '; then\n"
			"	ip link del %s 2>/dev/null || true\n",
			t.name, t.name);
		if (s->encap.value == NFLB_ENCAP_GUE)
			fprintf(to, "	ip %sfou del port %u 2>/dev/null || true\n",
				s->outer4 ? "" : "-6 ", s->port);
		fprintf(to, "fi\n");
	} else {
		fprintf(to, "ip addr del %s dev lo 2>/dev/null || true\n",
			s->vip_text);
	}
	if (overhead(s))
		print_delete_table(to, s->vip4 ? "ip" : "ip6", table);
	if (s->vip4)
		print_delete_table(to, "arp", table);
}

/* Returns whether the shell that got the script did all of it. */
static bool run(void (*print)(FILE *to, const struct setup *s),
		const struct setup *s)
{
	FILE *shell;

	fflush(stdout);
	shell = popen("/bin/sh -e", "w");
	if (!shell)
		return false;
	print(shell, s);
	return !pclose(shell);
}

static int setup_show(struct words *words)
{
	struct setup s;
	int status = parse_setup(words, &s);

	if (!status)
		print_setup(stdout, &s);
	return status;
}

static bool same_address(const struct sockaddr *sa, const struct addr *addr)
{
	if (sa->sa_family == AF_INET && addr->len == 4)
		return !memcmp(&((const struct sockaddr_in *)sa)->sin_addr,
			       addr->bytes, addr->len);
	return sa->sa_family == AF_INET6 && addr->len == 16 &&
	       !memcmp(&((const struct sockaddr_in6 *)sa)->sin6_addr,
		       addr->bytes, addr->len);
}

/* A tunnel that ends at another host's address takes nothing out. */
static int check_own(const struct setup *s)
{
	struct ifaddrs *list, *i;
	bool own = false;

	if (getifaddrs(&list))
		return fail(LBADM_REFUSED, "cannot list the addresses of this host: %s",
			    strerror(errno));
	for (i = list; i && !own; i = i->ifa_next)
		own = i->ifa_addr && same_address(i->ifa_addr, &s->backend);
	freeifaddrs(list);
	return own ? LBADM_OK :
	       usage_error("%s is not an address of this host: use the address that the balancer uses for it",
			   s->backend_text);
}

static int setup_apply(struct words *words)
{
	struct setup s;
	int status = parse_setup(words, &s);

	status = status ? status : check_own(&s);
	if (status)
		return status;
	if (run(print_setup, &s))
		return LBADM_OK;
	return fail(LBADM_REFUSED,
		    "the command above failed; `backend-setup undo` reverts the commands before it");
}

static int setup_undo(struct words *words)
{
	struct setup s;
	int status = parse_setup(words, &s);

	if (status)
		return status;
	return run(print_undo, &s) ? LBADM_OK :
	       fail(LBADM_REFUSED, "the command above failed");
}

static const struct word args_setup[] = {
	{ .name = "VIP", .kind = &kind_vip_address },
	{ .name = "ADDRESS", .kind = &kind_own_address },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "show", setup_show, "print the commands that make this host ready for a VIP",
	  args_setup, setup_words },
	{ "apply", setup_apply, "run them", args_setup, setup_words },
	{ "undo", setup_undo, "undo apply", args_setup, setup_words },
	{ 0 },
};

const struct lbadm_object lbadm_backend_setup = {
	"backend-setup", "run on a backend of mode dsr: get it ready",
	commands,
};
