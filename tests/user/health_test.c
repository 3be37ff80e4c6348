// SPDX-License-Identifier: GPL-2.0
/*
 * The parser of health checks: defaults, overrides, and derived values.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/nflb.h>

#include "model/health.h"
#include "nl/msg.h"
#include "util/report.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

char lbadm_where[LBADM_WHERE_MAX];
void (*lbadm_locate)(void);
static char error[1024];

int usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, sizeof(error), format, args);
	va_end(args);
	return LBADM_USAGE;
}

int fail(int status, const char *format, ...)
{
	(void)format;
	return status;
}

/* Its fail() is a macro. */
#include <cmocka.h>

static const struct health_place tcp80 = {
	.protocol = IPPROTO_TCP, .port = 80, .mode = NFLB_MODE_DNAT,
};

static int parse(const char *service, const char *backend,
		 struct health_check *check)
{
	*error = '\0';
	return health_read_text(service, backend, &tcp80, check);
}

struct number_case {
	const char *json;
	size_t offset;
	uint32_t expected;
};

#define FIELD(name) offsetof(struct health_check, name)

static void numbers(void **state)
{
	static const struct number_case cases[] = {
		/* defaults */
		{ "{}", FIELD(protocol), HEALTH_TCP },
		{ "{}", FIELD(via), HEALTH_DIRECT },
		{ "{}", FIELD(port), 0 },
		{ "{}", FIELD(mark), 0 },
		{ "{}", FIELD(interval), 5000 },
		{ "{}", FIELD(timeout), 3000 },
		{ "{}", FIELD(health_threshold), 2 },
		{ "{}", FIELD(unhealth_threshold), 3 },
		{ "{}", FIELD(fast_interval), 1000 },
		{ "{}", FIELD(down_interval), 5000 },
		{ "{}", FIELD(jitter), 10 },
		{ "{}", FIELD(initial), NFLB_HEALTH_INITIAL_UP },
		{ "{}", FIELD(on_unhealthy), NFLB_ON_UNHEALTHY_KEEP },
		{ "{}", FIELD(when_none), NFLB_WHEN_NONE_ALL },
		{ "{}", FIELD(panic), 0 },
		{ "{}", FIELD(body_limit), 65536 },
		{ "{}", FIELD(expiry_warn_days), 14 },
		{ "{}", FIELD(expiry_fail_days), 0 },
		{ "{}", FIELD(query_type), 1 },
		{ "{}", FIELD(expect_rcode), 0 },
		{ "{}", FIELD(close), HEALTH_CLOSE_RESET },
		{ "{}", FIELD(agent.port), 0 },
		{ "{}", FIELD(agent.interval), 5000 },
		{ "{}", FIELD(passive.window), 10 },
		{ "{}", FIELD(passive.min_connections), 20 },
		{ "{}", FIELD(passive.ratio), 50 },
		{ "{}", FIELD(passive.relative), 3 },
		{ "{}", FIELD(passive.failures), 5 },
		{ "{}", FIELD(passive.base_time), 30 },
		{ "{}", FIELD(passive.max_time), 300 },
		{ "{}", FIELD(passive.max_percent), 34 },
		{ "{}", FIELD(damping.half_life), 0 },
		{ "{}", FIELD(damping.suppress), 3 },
		{ "{}", FIELD(damping.max), 600 },
		{ "{}", FIELD(announce.table), 179 },
		{ "{}", FIELD(announce.min_usable), 1 },
		{ "{}", FIELD(announce.hold_down), 2 },
		{ "{}", FIELD(announce.grace), 5 },
		{ "{}", FIELD(announce.metric), 0 },
		/* values */
		{ "{\"protocol\":\"HTTP\"}", FIELD(protocol), HEALTH_HTTP },
		{ "{\"protocol\":\"gRPCs\"}", FIELD(protocol), HEALTH_GRPCS },
		{ "{\"protocol\":\"none\"}", FIELD(protocol), HEALTH_NONE },
		{ "{\"criteria\":{\"interval\":0.1}}", FIELD(interval), 100 },
		{ "{\"criteria\":{\"interval\":0.1}}", FIELD(fast_interval), 200 },
		{ "{\"criteria\":{\"interval\":0.1}}", FIELD(down_interval), 100 },
		{ "{\"criteria\":{\"interval\":3600}}", FIELD(interval), 3600000 },
		{ "{\"criteria\":{\"interval\":3600}}", FIELD(fast_interval), 720000 },
		{ "{\"criteria\":{\"fast-interval\":0.3}}", FIELD(fast_interval), 300 },
		{ "{\"criteria\":{\"down-interval\":30}}", FIELD(down_interval), 30000 },
		/* 0 asks for the default */
		{ "{\"criteria\":{\"interval\":0,\"timeout\":0}}", FIELD(interval), 5000 },
		{ "{\"criteria\":{\"timeout\":0.0}}", FIELD(timeout), 3000 },
		{ "{\"criteria\":{\"health-threshold\":0}}", FIELD(health_threshold), 2 },
		{ "{\"criteria\":{\"unhealth-threshold\":0}}", FIELD(unhealth_threshold), 3 },
		{ "{\"criteria\":{\"fast-interval\":0}}", FIELD(fast_interval), 1000 },
		{ "{\"criteria\":{\"jitter\":0}}", FIELD(jitter), 0 },
		{ "{\"query-type\":\"AAAA\"}", FIELD(query_type), 7 },
		{ "{\"x-note\":[1,{\"a\":null}]}", FIELD(interval), 5000 },
	};
	struct health_check check;
	uint32_t value;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (parse(cases[i].json, NULL, &check))
			fail_msg("%s: %s", cases[i].json, error);
		memcpy(&value, (char *)&check + cases[i].offset, sizeof(value));
		if (value != cases[i].expected)
			fail_msg("case %zu, %s: %u, not %u", i, cases[i].json, value,
				 cases[i].expected);
		health_free(&check);
	}
}

static void texts(void **state)
{
	struct health_check check;

	(void)state;
	assert_int_equal(parse("", NULL, &check), LBADM_OK);
	assert_string_equal(check.request_path, "/");
	assert_string_equal(check.method, "GET");
	assert_string_equal(check.query_name, ".");
	assert_string_equal(check.grpc_service, "");
	assert_null(check.host);
	assert_null(check.sni);
	assert_null(check.alpn);
	assert_null(check.expect);
	assert_null(check.expect_body);
	assert_null(check.weight_header);
	assert_null(check.client_cert);
	assert_false(check.verify_on);
	assert_false(check.dry_run);
	assert_true(check.passive.trigger);
	assert_false(check.passive.eject);
	assert_true(health_in_ranges(&check.status, 200));
	assert_true(health_in_ranges(&check.status, 399));
	assert_false(health_in_ranges(&check.status, 199));
	assert_false(health_in_ranges(&check.status, 400));
	assert_false(health_in_ranges(&check.drain, 404));
	health_free(&check);

	assert_int_equal(parse("{\"expect-status\":\"200,301-302\",\"drain-status\":404}",
			       NULL, &check), LBADM_OK);
	assert_true(health_in_ranges(&check.status, 200));
	assert_false(health_in_ranges(&check.status, 201));
	assert_true(health_in_ranges(&check.status, 302));
	assert_true(health_in_ranges(&check.drain, 404));
	health_free(&check);

	assert_int_equal(parse("{\"send\":\"hex:00 ff0A\",\"expect\":\"+OK\"}", NULL,
			       &check), LBADM_OK);
	assert_int_equal(check.send_bytes.len, 3);
	assert_memory_equal(check.send_bytes.bytes, "\0\xff\n", 3);
	assert_memory_equal(check.expect_bytes.bytes, "+OK", 3);
	health_free(&check);

	assert_int_equal(parse("{\"verify\":\"/etc/ca.pem\",\"client-cert\":\"/c.pem\"}",
			       NULL, &check), LBADM_OK);
	assert_true(check.verify_on);
	assert_string_equal(check.verify_file, "/etc/ca.pem");
	assert_string_equal(check.client_key, "/c.pem");
	health_free(&check);
}

/* A backend overrides key by key, within criteria, too. */
static void overrides(void **state)
{
	struct health_check check;

	(void)state;
	assert_int_equal(parse("{\"protocol\":\"http\",\"host\":\"a\",\"criteria\":"
			       "{\"interval\":2,\"timeout\":1}}",
			       "{\"host\":\"b\",\"criteria\":{\"interval\":10}}",
			       &check), LBADM_OK);
	assert_int_equal(check.protocol, HEALTH_HTTP);
	assert_string_equal(check.host, "b");
	assert_int_equal(check.interval, 10000);
	assert_int_equal(check.timeout, 1000);
	assert_int_equal(check.fast_interval, 2000);
	health_free(&check);
	assert_int_equal(parse("{}", "{\"initial\":\"up\"}", &check), LBADM_USAGE);
	assert_string_equal(error, "initial belongs to the service; a backend cannot override it");
}

static void via(void **state)
{
	struct health_place place = tcp80;
	struct health_check check;

	(void)state;
	place.mode = NFLB_MODE_DSR;
	assert_int_equal(health_read_text("{}", NULL, &place, &check), LBADM_OK);
	assert_int_equal(check.via, HEALTH_PATH);
	assert_null(health_warning(&check, &place));
	health_free(&check);
	assert_int_equal(health_read_text("{\"port\":81}", NULL, &place, &check),
			 LBADM_OK);
	assert_int_equal(check.via, HEALTH_DIRECT);
	assert_non_null(health_warning(&check, &place));
	health_free(&check);
	assert_int_equal(health_read_text("{\"port\":81,\"via\":\"path\"}", NULL, &place,
					  &check), LBADM_USAGE);
	assert_string_equal(error, "port: with via path, it is a port of the service");
	place.port_last = 90;
	assert_int_equal(health_read_text("{\"port\":81,\"via\":\"path\"}", NULL, &place,
					  &check), LBADM_OK);
	health_free(&check);
	assert_int_equal(health_read_text("{\"protocol\":\"ping\",\"via\":\"path\"}",
					  NULL, &place, &check), LBADM_USAGE);
	assert_int_equal(health_read_text("{\"protocol\":\"ping\"}", NULL, &place,
					  &check), LBADM_OK);
	assert_int_equal(check.via, HEALTH_DIRECT);
	health_free(&check);
}

/* A check can only have a connection of the service's own protocol and ports. */
static void via_path_is_of_the_service(void **state)
{
	static const struct {
		uint8_t protocol;
		uint16_t port, port_last;
		const char *check;
		const char *error;	/* of "via": "path"; NULL: "auto" chooses it */
	} cases[] = {
		{ IPPROTO_TCP, 80, 0, "http", NULL },
		{ IPPROTO_TCP, 80, 0, "grpcs", NULL },
		{ IPPROTO_TCP, 53, 0, "dns", NULL },
		{ IPPROTO_UDP, 53, 0, "dns", NULL },
		{ IPPROTO_UDP, 53, 0, "udp", NULL },
		{ IPPROTO_TCP, 80, 0, "udp",
		  "via: a udp check goes through the module only to a service of udp" },
		{ IPPROTO_UDP, 443, 0, "https",
		  "via: this check goes through the module only to a service of tcp" },
		{ IPPROTO_TCP, 80, 90, "tcp",
		  "via: a service of several ports needs \"port\", too" },
		{ IPPROTO_TCP, 0, 0, "tcp",
		  "via: a service of several ports needs \"port\", too" },
	};
	struct health_check check;
	char text[100];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct health_place place = {
			.protocol = cases[i].protocol, .port = cases[i].port,
			.port_last = cases[i].port_last, .mode = NFLB_MODE_DSR,
		};

		snprintf(text, sizeof(text), "{\"protocol\":\"%s\"}", cases[i].check);
		assert_int_equal(health_read_text(text, NULL, &place, &check), LBADM_OK);
		assert_int_equal(check.via, cases[i].error ? HEALTH_DIRECT : HEALTH_PATH);
		health_free(&check);
		if (!cases[i].error)
			continue;
		snprintf(text, sizeof(text), "{\"protocol\":\"%s\",\"via\":\"path\"}",
			 cases[i].check);
		assert_int_equal(health_read_text(text, NULL, &place, &check), LBADM_USAGE);
		assert_string_equal(error, cases[i].error);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *json, *error;
	} cases[] = {
		{ "[]", "a health check is an object: {...}" },
		{ "{", "health-check: 1:1: string or '}' expected near end of file" },
		{ "{\"prot\":1}", "unknown key \"prot\"; did you mean protocol or port?" },
		{ "{\"protocol\":\"htpp\"}",
		  "protocol: tcp, http, https, tls, dns, udp, ping, grpc, grpcs, exec or none is expected, not \"htpp\"; did you mean http?" },
		{ "{\"criteria\":{\"interval\":0.05}}",
		  "interval: a number from 0.1 to 3600 is expected" },
		{ "{\"criteria\":{\"interval\":-1}}",
		  "interval: a number from 0.1 to 3600 is expected" },
		{ "{\"request-path\":\"a\"}",
		  "request-path: a path that begins with \"/\" and has no spaces is expected" },
		{ "{\"request-path\":\"/a b\"}",
		  "request-path: a path that begins with \"/\" and has no spaces is expected" },
		{ "{\"headers\":{\"Host\":\"a\"}}",
		  "Host: \"host\" of the health check sets this header" },
		{ "{\"headers\":{\"A\":\"b\\r\\nC: d\"}}",
		  "A: the value of a header has no control characters" },
		{ "{\"headers\":{\"A B\":\"b\"}}", "A B: this is not the name of a header" },
		{ "{\"headers\":{\"A\":1}}", "A: a string is expected" },
		{ "{\"expect-status\":\"399-200\"}", "expect-status: a range ends before it begins" },
		{ "{\"expect-status\":\"600\"}",
		  "expect-status: a list such as \"200,300-399\" is expected" },
		{ "{\"expect-status\":600}", "expect-status: a number from 100 to 599 is expected" },
		{ "{\"expect-body-regex\":\"(\"}", "expect-body-regex: Unmatched ( or \\(" },
		{ "{\"send\":\"hex:abc\"}",
		  "send: pairs of hexadecimal digits are expected after \"hex:\"" },
		{ "{\"client-key\":\"/k\"}", "client-key: client-cert is missing" },
		{ "{\"protocol\":\"exec\"}",
		  "command: an exec check needs one: [\"/path\", \"argument\"]" },
		{ "{\"command\":[\"true\"]}", "command: an absolute path is expected first" },
		{ "{\"command\":[\"/a\",1]}", "command: an array of strings is expected" },
		{ "{\"source\":\"1.2.3\"}", "source: an IPv4 or IPv6 address is expected" },
		{ "{\"agent\":{\"send\":\"x\"}}", "port: the agent is missing" },
		{ "{\"query-name\":\"a..b\"}", "query-name: a domain name is expected" },
		{ "{\"protocol\":\"https\",\"alpn\":\"h3\"}",
		  "alpn: \"http/1.1\" or \"h2\" is expected of https" },
	};
	struct health_check check;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (parse(cases[i].json, NULL, &check) != LBADM_USAGE)
			fail_msg("%s is accepted", cases[i].json);
		assert_string_equal(error, cases[i].error);
	}
}

static void size(void **state)
{
	char json[NFLB_HEALTH_CHECK_SIZE + 32];
	struct health_check check;
	int over;

	(void)state;
	for (over = 0; over < 2; over++) {
		size_t len = NFLB_HEALTH_CHECK_SIZE - 1 + over;

		memset(json, 'a', sizeof(json));
		memcpy(json, "{\"x-a\":\"", 8);
		strcpy(json + len - 2, "\"}");
		assert_int_equal(parse(json, NULL, &check),
				 over ? LBADM_USAGE : LBADM_OK);
		if (!over)
			health_free(&check);
	}
	assert_string_equal(error, "health-check: more than 4095 bytes");
}

/* Verdicts on many backends fit into one message, and into attributes of 64 KiB. */
static void verdicts(void **state)
{
	enum { COUNT = NFLB_BACKENDS_MAX };
	const char reason[] = "http-status 123456789012345678901234567890123456789012345678901";
	struct health_request *reqs = calloc(COUNT, sizeof(*reqs));
	char *buf = calloc(1, msg_list_size(COUNT));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	const struct nlattr *list, *nest;
	unsigned int seen = 0;
	int i;

	(void)state;
	assert_int_equal(strlen(reason), NFLB_HEALTH_REASON_SIZE - 1);
	for (i = 0; i < COUNT; i++)
		reqs[i] = (struct health_request){
			.backend = { .address = { 16, { 1, i >> 8, i } }, .port = 80 },
			.id = i + 1,
			.health = NFLB_HEALTH_UNHEALTHY,
			.weight = { true, 50 },
			.reason = reason,
		};
	msg_put_health(nlh, reqs, COUNT);
	assert_true(nlh->nlmsg_len <= msg_list_size(COUNT));
	mnl_attr_for_each(list, nlh, 0) {
		assert_int_equal(mnl_attr_get_type(list), NFLB_A_BACKENDS);
		mnl_attr_for_each_nested(nest, list) {
			assert_int_equal(mnl_attr_get_type(nest), NFLB_A_BACKEND);
			seen++;
		}
	}
	assert_int_equal(seen, COUNT);
	free(reqs);
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(texts),
		cmocka_unit_test(overrides),
		cmocka_unit_test(via),
		cmocka_unit_test(via_path_is_of_the_service),
		cmocka_unit_test(refused),
		cmocka_unit_test(size),
		cmocka_unit_test(verdicts),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
