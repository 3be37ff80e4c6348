// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm explain
 */
#include <stdio.h>
#include <string.h>

#include "cmd/show.h"
#include "lbadm.h"
#include "model/request.h"
#include "model/vocabulary.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"
#include "xdp/xdp.h"

static int explain_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t **answer = data;

	*answer = msg_get_explain(nlh);
	return *answer ? MNL_CB_OK : MNL_CB_ERROR;
}

static int parse_end(struct words *words, const char *what, struct addr *addr,
		     uint16_t *port)
{
	const char *word = words_next(words), *rest;
	uint32_t value;

	if (!word)
		return usage_error("the %s is missing: ADDRESS:PORT", what);
	if (!addr_split(addr, &rest, word) || !rest ||
	    !number_parse(&value, rest, 65535) || !value)
		return usage_error("\"%s\": the %s is an address with a port (192.0.2.10:80, [2001:db8::10]:80)",
				   word, what);
	*port = value;
	return LBADM_OK;
}

static int parse_packet(struct words *words, struct packet_request *req)
{
	int err;

	memset(req, 0, sizeof(*req));
	err = parse_protocol(words, &req->protocol);
	if (!err)
		err = parse_end(words, "client", &req->source,
				&req->source_port);
	if (!err)
		err = parse_end(words, "VIP", &req->destination,
				&req->destination_port);
	if (err)
		return err;
	if (req->source.len != req->destination.len)
		return usage_error("client and VIP are not of the same family");
	if (words_accept(words, "device"))
		return parse_device(words, &req->device);
	return words_end(words);
}

/* Which service an answer is about; false when it is about none. */
static bool service_of(const json_t *answer, struct service_id *id)
{
	const json_t *service = json_object_get(answer, "service"), *port;
	const char *protocol, *address;
	char text[2 * ADDR_TEXT_MAX], *argv[2];
	struct words words = { .argv = argv, .argc = 2 };
	bool bracket;

	if (json_unpack((json_t *)service, "{s:s, s:s}", "protocol", &protocol,
			"address", &address))
		return false;
	port = json_object_get(service, "port");
	bracket = strchr(address, ':');
	if (json_is_integer(port))
		snprintf(text, sizeof(text), "%s%s%s:%" JSON_INTEGER_FORMAT,
			 bracket ? "[" : "", address, bracket ? "]" : "",
			 json_integer_value(port));
	else
		snprintf(text, sizeof(text), "%s%s%s:%s",
			 bracket ? "[" : "", address, bracket ? "]" : "",
			 json_string_value(port));
	argv[0] = (char *)protocol;
	argv[1] = text;
	return !parse_service_id(&words, id);
}

/* Whom the scheduler could have picked. A connection that is known asks none. */
static int add_backends(json_t *answer)
{
	struct service_id id;
	json_t *backends, *b;
	int status;
	size_t i;

	if (json_object_get(answer, "connection") || !service_of(answer, &id))
		return LBADM_OK;
	status = read_backends(&id, &backends);
	if (status)
		return status;
	json_array_foreach(backends, i, b)
		json_object_del(b, "service");
	json_object_set_new(answer, "backends", backends);
	return LBADM_OK;
}

/*
 * Where is it taken? The module says which doors would; only who attaches programs
 * knows whether XDP is one of them.
 */
static void add_door(json_t *answer)
{
	const char *device = json_string_value(json_object_get(answer, "device"));
	bool xdp = json_object_get(answer, "by-xdp");
	bool ingress = json_object_get(answer, "by-ingress");
	struct xdp_state state = { .owner = XDP_NOBODY };
	const char *door;

	json_object_del(answer, "by-xdp");
	json_object_del(answer, "by-ingress");
	if (!json_object_get(answer, "service"))
		return;
	/* All the rest is known even if this is not. */
	if (xdp && xdp_look(device, &state))
		return;
	door = state.owner == XDP_NFLB ? "xdp" : ingress ? "ingress" :
	       json_object_get(answer, "from-host") ? "output" : "prerouting";
	json_object_set_new(answer, "door", json_string(door));
	/* Somebody else's program may call nflb_xdp(), too. */
	if (state.program && state.owner != XDP_NFLB)
		json_object_set_new(answer, "xdp-program",
				    json_integer(state.program));
}

static int explain(struct words *words)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct packet_request req;
	json_t *answer = NULL;
	struct nlmsghdr *nlh;
	int status;

	status = parse_packet(words, &req);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	nlh = sock_request(buf, NFLB_CMD_EXPLAIN, 0);
	msg_put_packet(nlh, &req);
	status = sock_talk(nlh, explain_cb, &answer);
	if (!status)
		add_door(answer);
	if (!status)
		status = add_backends(answer);
	if (!status && lbadm_options.json)
		out_json(answer);
	else if (!status)
		out_explain(answer);
	json_decref(answer);
	return status;
}

static const struct word args_packet[] = {
	{ .name = "PROTO", .kind = &kind_protocol },
	{ .name = "CLIENT_ADDR:PORT", .kind = &kind_client_port },
	{ .name = "VIP:PORT", .kind = &kind_vip_port },
	{ 0 },
};

static const struct word packet_words[] = {
	{ .name = "device", .kind = &kind_netdev,
	  .help = "the device that receives the packet; by default the one that replies leave by" },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "", explain, "trace a packet through the module, and change nothing",
	  args_packet, packet_words },
	{ 0 },
};

const struct lbadm_object lbadm_explain = {
	"explain", "trace a packet through the module", commands,
};
