// SPDX-License-Identifier: GPL-2.0
/*
 * List the services of the balancer, with their connections, by netlink alone:
 *
 *	tcp 192.0.2.10:80 rr, 3 backends, 17 connections
 *
 * It needs no privileges, and shows the steps of every dump: find the number of the
 * generic netlink family, send one request, read messages until the last one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/nflb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char buf[65536];

/* An attribute of a nest; attributes that are new in this version are skipped. */
static int keep(const struct nlattr *attr, void *data)
{
	const struct nlattr **table = data;

	if (mnl_attr_type_valid(attr, NFLB_A_SERVICE_MAX) > 0)
		table[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static uint64_t active_of(const struct nlattr *stats)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, stats)
		if (mnl_attr_get_type(attr) == NFLB_A_STATS_ACTIVE)
			return mnl_attr_get_u32(attr);
	return 0;
}

static void print_vip(const struct nlattr *const *attrs)
{
	const struct nlattr *address = attrs[NFLB_A_SERVICE_ADDRESS];
	bool v6 = mnl_attr_get_payload_len(address) == sizeof(struct in6_addr);
	char text[INET6_ADDRSTRLEN];
	uint16_t port, last;

	inet_ntop(v6 ? AF_INET6 : AF_INET, mnl_attr_get_payload(address), text, sizeof(text));
	printf(v6 ? "[%s]" : "%s", text);
	port = ntohs(mnl_attr_get_u16(attrs[NFLB_A_SERVICE_PORT]));
	if (!port)
		printf(":*");
	else
		printf(":%u", port);
	if (attrs[NFLB_A_SERVICE_PORT_LAST]) {
		last = ntohs(mnl_attr_get_u16(attrs[NFLB_A_SERVICE_PORT_LAST]));
		if (last != port)
			printf("-%u", last);
	}
}

static int print_service(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attrs[NFLB_A_SERVICE_MAX + 1] = { NULL };
	const struct nlattr *attr;

	(void)data;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == NFLB_A_SERVICE)
			mnl_attr_parse_nested(attr, keep, attrs);
	if (!attrs[NFLB_A_SERVICE_PROTOCOL] || !attrs[NFLB_A_SERVICE_ADDRESS] ||
	    !attrs[NFLB_A_SERVICE_PORT])
		return MNL_CB_OK;
	printf("%s ", mnl_attr_get_u8(attrs[NFLB_A_SERVICE_PROTOCOL]) == IPPROTO_TCP ?
	       "tcp" : "udp");
	print_vip(attrs);
	if (attrs[NFLB_A_SERVICE_SCHEDULER])
		printf(" %s", mnl_attr_get_str(attrs[NFLB_A_SERVICE_SCHEDULER]));
	if (attrs[NFLB_A_SERVICE_BACKEND_COUNT])
		printf(", %" PRIu32 " backends",
		       mnl_attr_get_u32(attrs[NFLB_A_SERVICE_BACKEND_COUNT]));
	if (attrs[NFLB_A_SERVICE_STATS])
		printf(", %" PRIu64 " connections", active_of(attrs[NFLB_A_SERVICE_STATS]));
	putchar('\n');
	return MNL_CB_OK;
}

static int note_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	uint16_t *family = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

/* A message with the header of a request; attributes may follow. */
static struct nlmsghdr *request(uint16_t type, uint8_t cmd, uint8_t version, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	static unsigned int seq;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++seq;
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

/* Send it, and hand what comes back to @cb until the end of a dump, or an ack. */
static int ask(struct mnl_socket *nl, const struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	unsigned int seq = nlh->nlmsg_seq;
	ssize_t len;
	int run;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -1;
	do {
		len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (len < 0)
			return -1;
		/* EINTR: the configuration changed during the dump; ask again. */
		run = mnl_cb_run(buf, len, seq, 0, cb, data);
	} while (run > MNL_CB_STOP);
	return run;
}

int main(void)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_GENERIC);
	struct nlmsghdr *nlh;
	uint16_t family = 0;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		perror("services: netlink");
		return EXIT_FAILURE;
	}
	nlh = request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, NFLB_GENL_NAME);
	if (ask(nl, nlh, note_family, &family) < 0 || !family) {
		fprintf(stderr, "services: the module nflb is not loaded\n");
		return EXIT_FAILURE;
	}
	nlh = request(family, NFLB_CMD_SERVICE_GET, NFLB_GENL_VERSION, NLM_F_DUMP);
	if (ask(nl, nlh, print_service, NULL) < 0) {
		perror("services: the dump");
		return EXIT_FAILURE;
	}
	mnl_socket_close(nl);
	return EXIT_SUCCESS;
}
