// SPDX-License-Identifier: GPL-2.0
/*
 * Units of lbadm: addresses, words, grammar, messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>
/* lbadm.h has one of its own */
#undef fail
#undef fail_msg
#define broken(...) \
	do { print_error(__VA_ARGS__); _fail(__FILE__, __LINE__); } while (0)

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/nflb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbadm.h"
#include "model/names.h"
#include "model/request.h"
#include "nl/msg.h"
#include "util/addr.h"
#include "util/split.h"

struct lbadm_options lbadm_options;
char lbadm_where[LBADM_WHERE_MAX];
void (*lbadm_locate)(void);
static char said[1024];

int usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
	return LBADM_USAGE;
}

int fail(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
	return status;
}

/* Words of a line; they live until the next call. */
static struct words words_of(const char *line)
{
	static char *argv[SPLIT_WORDS_MAX];
	static char buf[4096];

	snprintf(buf, sizeof(buf), "%s", line);
	return (struct words){ .argv = argv, .argc = split_words(buf, argv) };
}

static void test_addr(void **state)
{
	static const struct {
		const char *text;
		int len;
		const char *rest;
	} good[] = {
		{ "192.0.2.1", 4, NULL }, { "192.0.2.1:80", 4, "80" },
		{ "2001:db8::1", 16, NULL }, { "[2001:db8::1]", 16, NULL },
		{ "[2001:db8::1]:80", 16, "80" }, { "::", 16, NULL },
		{ "192.0.2.1:*", 4, "*" }, { "192.0.2.1:", 4, "" },
	};
	static const char *const bad[] = {
		"", ":", "[", "[]", "[]:80", "192.0.2", "192.0.2.256", "host",
		"[192.0.2.1]:80", "[2001:db8::1", "[2001:db8::1]80", "1:2:3",
		"2001:db8::1%eth0", "[::1]]:80",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
	};
	struct addr addr;
	const char *rest;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(addr_split(&addr, &rest, good[i].text));
		assert_int_equal(addr.len, good[i].len);
		if (good[i].rest)
			assert_string_equal(rest, good[i].rest);
		else
			assert_null(rest);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (addr_split(&addr, &rest, bad[i]))
			broken("\"%s\" was taken as an address", bad[i]);
}

static void test_addr_round_trip(void **state)
{
	static const char *const texts[] = {
		"192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "::ffff:1.2.3.4",
	};
	char buf[ADDR_TEXT_MAX];
	struct addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(addr_parse(&addr, texts[i]));
		assert_string_equal(addr_format(buf, &addr), texts[i]);
	}
}

static void test_number(void **state)
{
	uint32_t n;

	(void)state;
	assert_true(number_parse(&n, "0", 10));
	assert_true(number_parse(&n, "10", 10));
	assert_int_equal(n, 10);
	assert_true(number_parse(&n, "4294967295", UINT32_MAX));
	assert_false(number_parse(&n, "4294967296", UINT32_MAX));
	assert_false(number_parse(&n, "99999999999999999999", UINT32_MAX));
	assert_false(number_parse(&n, "11", 10));
	assert_false(number_parse(&n, "", 10));
	assert_false(number_parse(&n, "-1", 10));
	assert_false(number_parse(&n, "1x", 10));
	assert_false(number_parse(&n, " 1", 10));
	assert_false(number_parse(&n, "0x1", 10));
}

static void test_split(void **state)
{
	char *argv[SPLIT_WORDS_MAX];
	char line[] = "  one 'two words' \"three\"x \t# comment\n";
	char open[] = "one 'two";
	char empty[] = " # nothing\n";
	char many[2 * SPLIT_WORDS_MAX + 3];
	int i;

	(void)state;
	assert_int_equal(split_words(line, argv), 3);
	assert_string_equal(argv[0], "one");
	assert_string_equal(argv[1], "two words");
	assert_string_equal(argv[2], "threex");
	assert_int_equal(split_words(open, argv), SPLIT_QUOTE);
	assert_int_equal(split_words(empty, argv), 0);
	for (i = 0; i < SPLIT_WORDS_MAX + 1; i++)
		memcpy(many + 2 * i, "a ", 3);
	assert_int_equal(split_words(many, argv), SPLIT_TOO_MANY);
}

static void test_service_id(void **state)
{
	struct service_id id;
	struct words w;

	(void)state;
	w = words_of("tcp 192.0.2.10:80");
	assert_int_equal(parse_service_id(&w, &id), LBADM_OK);
	assert_int_equal(id.protocol, IPPROTO_TCP);
	assert_int_equal(id.port, 80);
	assert_int_equal(id.port_last, 0);
	w = words_of("udp [2001:db8::10]:8000-8010");
	assert_int_equal(parse_service_id(&w, &id), LBADM_OK);
	assert_int_equal(id.address.len, 16);
	assert_int_equal(id.port, 8000);
	assert_int_equal(id.port_last, 8010);
	w = words_of("tcp 192.0.2.10:*");
	assert_int_equal(parse_service_id(&w, &id), LBADM_OK);
	assert_int_equal(id.port, 0);
	assert_int_equal(id.port_last, 0);
	w = words_of("tcp 192.0.2.10:1-65535");
	assert_int_equal(parse_service_id(&w, &id), LBADM_OK);
	assert_int_equal(id.port_last, 65535);
	/* A range of one is that one. */
	w = words_of("tcp 192.0.2.10:80-80");
	assert_int_equal(parse_service_id(&w, &id), LBADM_OK);
	assert_int_equal(id.port, 80);
	assert_int_equal(id.port_last, 0);
}

/* What is wrong is named in what is said. */
static void test_service_errors(void **state)
{
	static const struct {
		const char *line, *says;
	} bad[] = {
		{ "", "PROTO VIP" }, { "icmp 192.0.2.1:80", "icmp" },
		{ "tcp", "VIP is missing" },
		{ "tcp 192.0.2.1", "port is missing" },
		{ "tcp 192.0.2.1:0", "1 to 65535" },
		{ "tcp 192.0.2.1:65536", "192.0.2.1:65536" },
		{ "tcp 192.0.2.1:80x", "80x" },
		{ "tcp 192.0.2.1:90-80", "ends before" },
		{ "tcp 192.0.2.1:1-99999", "range" },
		{ "tcp 192.0.2.1:123456789-2", "192.0.2.1:123456789-2" },
		{ "tcp example.org:80", "example.org" },
		{ "tcp 192.0.2.1:80 weigth 3", "weigth" },
		{ "tcp 192.0.2.1:80 mode", "value is missing" },
		{ "tcp 192.0.2.1:80 mode nat", "dnat, fullnat or dsr" },
		{ "tcp 192.0.2.1:80 encap vxlan", "none, ipip, gre or gue" },
		{ "tcp 192.0.2.1:80 encap gue:0", "gue:0" },
		{ "tcp 192.0.2.1:80 toa yes", "on or off" },
		{ "tcp 192.0.2.1:80 persist 1/33", "1/33" },
		{ "tcp 192.0.2.1:80 persist 1/2/3/4", "1/2/3/4" },
		{ "tcp 192.0.2.1:80 persist 1/24/129", "1/24/129" },
		{ "tcp 192.0.2.1:80 persist /24", "/24" },
		{ "tcp 192.0.2.1:80 persist 1//64", "1//64" },
		{ "tcp 192.0.2.1:80 persist 1/24/", "1/24/" },
		{ "tcp 192.0.2.1:80 persist ''", "SECONDS" },
		{ "tcp 192.0.2.1:80 scheduler ''", "letters" },
		{ "tcp 192.0.2.1:80 encap gue:", "gue:" },
		{ "tcp 192.0.2.1:80 encap gre:1", "none, ipip, gre or gue" },
		{ "tcp 192.0.2.1:80 mode dn", "dnat, fullnat or dsr" },
		{ "tcp 192.0.2.1:80 time-syn 1", "time-syn" },
		{ "tcp 192.0.2.1:80 timeout-udp -1", "-1" },
		{ "tcp 192.0.2.1:", "1 to 65535" },
		{ "tcp 192.0.2.1:80-", "range" },
		{ "tcp 192.0.2.1:-80", "range" },
		{ "tcp 192.0.2.1:+80", "1 to 65535" },
		{ "tcp 2001:db8::1", "port is missing" },
		{ "TCP 192.0.2.1:80", "tcp or udp" },
		{ "tcp 192.0.2.1:80 scheduler abcdefghijklmnop", "letters" },
		{ "tcp 192.0.2.1:80 timeout-syn 604801", "604801" },
	};
	struct service_request req;
	struct words w;
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&req, 0, sizeof(req));
		w = words_of(bad[i].line);
		err = parse_service_id(&w, &req.id);
		if (!err)
			err = parse_service_settings(&w, &req);
		if (err != LBADM_USAGE || !strstr(said, bad[i].says))
			broken("\"%s\": status %d, \"%s\"", bad[i].line, err,
				 said);
	}
}

static void test_service_settings(void **state)
{
	struct service_request req = { 0 };
	struct words w = words_of("mode dsr encap gue:6080 scheduler maglev "
				  "persist 300/24/64 toa on timeout-syn 1 "
				  "timeout-established 2 timeout-fin 3 "
				  "timeout-udp 4");

	(void)state;
	assert_int_equal(parse_service_settings(&w, &req), LBADM_OK);
	assert_int_equal(req.mode.value, NFLB_MODE_DSR);
	assert_int_equal(req.encap.value, NFLB_ENCAP_GUE);
	assert_int_equal(req.encap_port.value, 6080);
	assert_string_equal(req.scheduler, "maglev");
	assert_int_equal(req.persist.value, 300);
	assert_int_equal(req.persist_prefix4.value, 24);
	assert_int_equal(req.persist_prefix6.value, 64);
	assert_true(req.toa.set && req.toa.value);
	assert_int_equal(req.timeout_syn.value, 1);
	assert_int_equal(req.timeout_established.value, 2);
	assert_int_equal(req.timeout_fin.value, 3);
	assert_int_equal(req.timeout_udp.value, 4);
}

static void test_backend(void **state)
{
	static const char *const bad[] = {
		"", "host", "10.0.0.1:0", "10.0.0.1:", "10.0.0.1:80 weight",
		"10.0.0.1:80 weight 65536", "10.0.0.1:80 weight -1",
		"10.0.0.1:80 state on", "10.0.0.1:80 speed 9",
		"10.0.0.1:80 max-connections 4294967296",
	};
	struct backend_request req;
	struct words w;
	size_t i;

	(void)state;
	w = words_of("[2001:db8::1]:8080 weight 0 state drain max-connections 7");
	assert_int_equal(parse_backend_id(&w, &req), LBADM_OK);
	assert_int_equal(parse_backend_settings(&w, &req), LBADM_OK);
	assert_int_equal(req.port, 8080);
	assert_true(req.weight.set && !req.weight.value);
	assert_int_equal(req.state.value, NFLB_BACKEND_DRAIN);
	assert_int_equal(req.max_connections.value, 7);
	w = words_of("2001:db8::1");
	assert_int_equal(parse_backend_id(&w, &req), LBADM_OK);
	assert_int_equal(req.port, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		w = words_of(bad[i]);
		if (!parse_backend_id(&w, &req) &&
		    !parse_backend_settings(&w, &req))
			broken("\"%s\" was taken", bad[i]);
	}
}

static void test_filter(void **state)
{
	struct conn_filter f;
	struct words w;

	(void)state;
	w = words_of("service tcp 192.0.2.10:80 backend 10.0.0.1:8080 client 10.0.0.0/8 state time-wait");
	assert_int_equal(parse_conn_filter(&w, &f), LBADM_OK);
	assert_true(f.has_service && f.has_backend);
	assert_int_equal(f.client_prefix.value, 8);
	assert_int_equal(f.state.value, NFLB_CONN_TIME_WAIT);
	w = words_of("client 10.0.0.0/33");
	assert_int_equal(parse_conn_filter(&w, &f), LBADM_USAGE);
	w = words_of("state gone");
	assert_int_equal(parse_conn_filter(&w, &f), LBADM_USAGE);
}

static struct nlmsghdr *message(char *buf, uint8_t cmd)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh,
							     sizeof(*genl));

	genl->cmd = cmd;
	return nlh;
}

/* What is put is what is got, in the words of the command line. */
static void test_message_round_trip(void **state)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct service_request req = { 0 };
	struct backend_request backend;
	struct nlmsghdr *nlh;
	struct words w;
	json_t *got, *want;

	(void)state;
	w = words_of("udp [2001:db8::10]:8000-8010 mode fullnat scheduler wrr toa on timeout-udp 30");
	assert_int_equal(parse_service_id(&w, &req.id), LBADM_OK);
	assert_int_equal(parse_service_settings(&w, &req), LBADM_OK);
	nlh = message(buf, NFLB_CMD_SERVICE_ADD);
	msg_put_service(nlh, &req);
	got = msg_get_service(nlh);
	want = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:i}",
			 "protocol", "udp", "address", "2001:db8::10",
			 "port", "8000-8010", "mode", "fullnat", "toa", 1,
			 "scheduler", "wrr", "timeout-udp", 30);
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);

	w = words_of("10.0.0.1:8080 weight 3 state down max-connections 9");
	assert_int_equal(parse_backend_id(&w, &backend), LBADM_OK);
	assert_int_equal(parse_backend_settings(&w, &backend), LBADM_OK);
	msg_put_backend(nlh, &backend);
	got = msg_get_event(nlh);
	assert_string_equal(json_string_value(json_object_get(got, "event")),
			    "service-add");
	assert_int_equal(json_integer_value(json_object_get(got, "weight")),
			 3);
	assert_string_equal(json_string_value(json_object_get(got, "state")),
			    "down");
	json_decref(got);
}

/* A newer kernel's numbers are shown, its attributes passed over. */
static void test_message_from_the_future(void **state)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = message(buf, NFLB_CMD_CONN_GET);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFLB_A_CONN);
	json_t *got;

	(void)state;
	mnl_attr_put_u8(nlh, NFLB_A_CONN_STATE, 200);
	mnl_attr_put_u32(nlh, 60, 7);
	mnl_attr_put_u32(nlh, 5000, 7);
	mnl_attr_nest_end(nlh, nest);
	got = msg_get_conn(nlh);
	assert_int_equal(json_integer_value(json_object_get(got, "state")),
			 200);
	json_decref(got);
}

static void test_names(void **state)
{
	char list[64];

	(void)state;
	assert_int_equal(names_find(&mode_names, "dsr"), NFLB_MODE_DSR);
	assert_int_equal(names_find(&mode_names, "ds"), -1);
	assert_null(names_get(&mode_names, 99));
	assert_string_equal(names_list(&mode_names, list, sizeof(list)),
			    "dnat, fullnat or dsr");
}

/* Whatever stands on a line, nothing is read or written that should not be. */
static void test_garbage(void **state)
{
	static const char *const seeds[] = {
		"tcp 192.0.2.10:80 mode dnat scheduler wrr persist 300/24/64",
		"udp [2001:db8::10]:8000-8010 encap gue:6080 toa on",
		"service tcp 192.0.2.10:* client 10.0.0.0/8 state udp",
		"10.0.0.1:8080 weight 3 state \"up\" max-connections 9 # x",
	};
	int i, j;

	(void)state;
	srand(1);
	for (i = 0; i < 100000; i++) {
		struct backend_request backend;
		struct service_request req;
		struct conn_filter filter;
		char line[256];
		struct words w;
		size_t len;

		snprintf(line, sizeof(line), "%s", seeds[rand() % 4]);
		len = strlen(line);
		for (j = rand() % 6; j >= 0; j--)
			line[rand() % len] = " :[]/-*#'\"0a\t."[rand() % 14];
		memset(&req, 0, sizeof(req));
		w = words_of(line);
		if (w.argc >= 0 && !parse_service_id(&w, &req.id))
			parse_service_settings(&w, &req);
		w = words_of(line);
		if (w.argc >= 0)
			parse_conn_filter(&w, &filter);
		w = words_of(line);
		if (w.argc >= 0 && !parse_backend_id(&w, &backend))
			parse_backend_settings(&w, &backend);
	}
}

/* A message that is cut or garbled is read within its bounds. */
static void test_garbled_message(void **state)
{
	static char buf[8192] __attribute__((aligned(8)));
	int i, j;

	(void)state;
	srand(2);
	for (i = 0; i < 20000; i++) {
		struct nlmsghdr *nlh = message(buf, NFLB_CMD_BACKEND_SET);
		struct service_request req = { .id.address.len = 16,
					       .id.port = 80,
					       .scheduler = "maglev" };
		struct backend_request backend = { .address.len = 4,
						   .weight = { true, 1 } };
		struct conn_filter filter = { .state = { true, 1 } };
		char *copy;
		size_t len;

		msg_put_service(nlh, &req);
		msg_put_backend(nlh, &backend);
		msg_put_conn_filter(nlh, &filter);
		msg_put_now(nlh);
		len = nlh->nlmsg_len;
		for (j = rand() % 8; j >= 0; j--)
			buf[20 + rand() % (len - 20)] = rand() % 24;
		/* In a buffer of its own size, which sanitizers guard */
		len = 20 + (rand() % (len - 20)) / 4 * 4;
		nlh->nlmsg_len = len;
		copy = malloc(len);
		memcpy(copy, buf, len);
		nlh = (struct nlmsghdr *)copy;
		json_decref(msg_get_service(nlh));
		json_decref(msg_get_backend(nlh));
		json_decref(msg_get_conn(nlh));
		json_decref(msg_get_stats(nlh));
		json_decref(msg_get_count(nlh));
		json_decref(msg_get_event(nlh));
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_addr_round_trip),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_service_id),
		cmocka_unit_test(test_service_errors),
		cmocka_unit_test(test_service_settings),
		cmocka_unit_test(test_backend),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_message_round_trip),
		cmocka_unit_test(test_message_from_the_future),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_garbled_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
