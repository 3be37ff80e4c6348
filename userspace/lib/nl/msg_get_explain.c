// SPDX-License-Identifier: GPL-2.0
/*
 * The fate of a packet, as a JSON object.
 */
#include <linux/genetlink.h>
#include <linux/nflb.h>
#include <netinet/in.h>

#include "nl/msg.h"
#include "nl/table.h"

static void set_flag(json_t *to, const char *key, const struct table *table,
		     int type)
{
	if (table->attrs[type])
		json_object_set_new(to, key, json_true());
}

/* Of the possible outer packets */
static void set_ip_protocol(json_t *to, const struct table *table, int type)
{
	switch (get_uint(table, type)) {
	case IPPROTO_IPIP:
		json_object_set_new(to, "protocol", json_string("ipip"));
		break;
	case IPPROTO_IPV6:
		json_object_set_new(to, "protocol", json_string("ip6ip"));
		break;
	case IPPROTO_GRE:
		json_object_set_new(to, "protocol", json_string("gre"));
		break;
	default:
		set_protocol(to, table, type);
	}
}

static json_t *packet_object(const struct nlattr *nest)
{
	json_t *packet = json_object();
	struct table t;

	table_fill_nest(&t, nest);
	set_ip_protocol(packet, &t, NFLB_A_PACKET_PROTOCOL);
	json_object_set_new(packet, "source-address",
			    get_addr(&t, NFLB_A_PACKET_SOURCE));
	set_port(packet, "source-port", &t, NFLB_A_PACKET_SOURCE_PORT);
	json_object_set_new(packet, "destination-address",
			    get_addr(&t, NFLB_A_PACKET_DESTINATION));
	set_port(packet, "destination-port", &t,
		 NFLB_A_PACKET_DESTINATION_PORT);
	return packet;
}

static json_t *pick_object(const struct nlattr *nest)
{
	json_t *pick = json_object();
	struct table t;

	table_fill_nest(&t, nest);
	json_object_set_new(pick, "address", get_addr(&t, NFLB_A_PICK_ADDRESS));
	set_port(pick, "port", &t, NFLB_A_PICK_PORT);
	set_flag(pick, "remembered", &t, NFLB_A_PICK_REMEMBERED);
	set_string(pick, "reason", &t, NFLB_A_PICK_REASON);
	return pick;
}

static json_t *picks_array(const struct nlattr *explain)
{
	json_t *picks = json_array();
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, explain)
		if (mnl_attr_get_type(attr) == NFLB_A_EXPLAIN_PICK)
			json_array_append_new(picks, pick_object(attr));
	return picks;
}

static void set_route(json_t *answer, const struct table *t)
{
	json_t *route;

	if (!t->attrs[NFLB_A_EXPLAIN_DEVICE])
		return;
	route = json_object();
	set_string(route, "device", t, NFLB_A_EXPLAIN_DEVICE);
	json_object_set_new(route, "next-hop",
			    get_addr(t, NFLB_A_EXPLAIN_NEXT_HOP));
	json_object_set_new(answer, "route", route);
}

/* The source of the packet, its service, its connection */
static void set_subjects(json_t *answer, const struct nlmsghdr *nlh)
{
	json_t *device = msg_get_device(nlh), *object;

	if (device)
		json_object_update(answer, device);
	json_decref(device);
	object = msg_get_service(nlh);
	if (object)
		json_object_set_new(answer, "service", object);
	object = msg_get_conn(nlh);
	if (object)
		json_object_set_new(answer, "connection", object);
}

json_t *msg_get_explain(const struct nlmsghdr *nlh)
{
	const struct nlattr *explain;
	json_t *answer;
	struct table t;

	table_fill(&t, nlh);
	explain = t.attrs[NFLB_A_EXPLAIN];
	if (!explain)
		return NULL;
	table_fill_nest(&t, explain);
	if (!t.attrs[NFLB_A_EXPLAIN_ARRIVES])
		return NULL;
	answer = json_object();
	json_object_set_new(answer, "packet", packet_object(
		t.attrs[NFLB_A_EXPLAIN_ARRIVES]));
	set_subjects(answer, nlh);
	set_flag(answer, "from-host", &t, NFLB_A_EXPLAIN_LOCAL_OUT);
	set_flag(answer, "by-ingress", &t, NFLB_A_EXPLAIN_BY_INGRESS);
	set_flag(answer, "by-xdp", &t, NFLB_A_EXPLAIN_BY_XDP);
	set_flag(answer, "reply", &t, NFLB_A_EXPLAIN_REPLY);
	set_flag(answer, "dsr-reply-here", &t, NFLB_A_EXPLAIN_DSR_REPLY_HERE);
	json_object_set_new(answer, "picks", picks_array(explain));
	set_flag(answer, "by-lot", &t, NFLB_A_EXPLAIN_BY_LOT);
	set_name(answer, "mode", &mode_names, &t, NFLB_A_EXPLAIN_MODE);
	if (get_uint(&t, NFLB_A_EXPLAIN_MODE) == NFLB_MODE_DSR)
		set_name(answer, "encap", &encap_names, &t,
			 NFLB_A_EXPLAIN_ENCAP);
	set_flag(answer, "toa", &t, NFLB_A_EXPLAIN_TOA);
	set_flag(answer, "proxy-protocol", &t, NFLB_A_EXPLAIN_PROXY);
	if (t.attrs[NFLB_A_EXPLAIN_LEAVES])
		json_object_set_new(answer, "leaves", packet_object(
			t.attrs[NFLB_A_EXPLAIN_LEAVES]));
	set_route(answer, &t);
	set_name(answer, "verdict", &verdict_names, &t, NFLB_A_EXPLAIN_VERDICT);
	set_string(answer, "reason", &t, NFLB_A_EXPLAIN_REASON);
	set_flag(answer, "sender-told", &t, NFLB_A_EXPLAIN_TOLD);
	return answer;
}
