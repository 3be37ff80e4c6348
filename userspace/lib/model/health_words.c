// SPDX-License-Identifier: GPL-2.0
/*
 * The keys of "health-check": their values, ranges and defaults.
 */
#include <stddef.h>

#include "model/health.h"
#include "model/names.h"
#include "model/vocabulary.h"

static const char *const protocols[] = {
	"tcp", "http", "https", "tls", "dns", "udp", "ping", "grpc", "grpcs",
	"exec", "none",
};

static const char *const vias[] = { "auto", "direct", "path" };
static const char *const closes[] = { "reset", "fin" };

static const char *const dns_types[] = {
	"A", "NS", "CNAME", "SOA", "PTR", "MX", "TXT", "AAAA", "SRV",
};

static const char *const dns_rcodes[] = {
	"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
};

#define NAMES(text, list) { text, list, sizeof(list) / sizeof((list)[0]), NULL }

const struct names health_protocol_names = NAMES("protocol", protocols);
const struct names health_via_names = NAMES("via", vias);
const struct names health_close_names = NAMES("close", closes);
const struct names dns_type_names = NAMES("query-type", dns_types);
const struct names dns_rcode_names = NAMES("expect-rcode", dns_rcodes);

#define KIND(name) static const struct kind name
#define NAMED(set) .names = &(set), .json = JSON_KIND_STRING
#define NUMBER(low, high) .min = (low), .max = (high), .json = JSON_KIND_NUMBER
#define TEXT(low, high) .min = (low), .max = (high), .json = JSON_KIND_STRING
/* Milliseconds */
#define SECONDS(low, high) .min = (low), .max = (high), .json = JSON_KIND_SECONDS

KIND(kind_check_protocol) = { NAMED(health_protocol_names), .any_case = true };
KIND(kind_via) = { NAMED(health_via_names) };
KIND(kind_close) = { NAMED(health_close_names) };
KIND(kind_dns_type) = { NAMED(dns_type_names) };
KIND(kind_dns_rcode) = { NAMED(dns_rcode_names) };
KIND(kind_check_port) = { NUMBER(1, 65535) };
KIND(kind_mark) = { NUMBER(1, UINT32_MAX) };
KIND(kind_interval_ms) = { SECONDS(100, 3600000) };
KIND(kind_timeout_ms) = { SECONDS(10, 3600000) };
KIND(kind_threshold) = { NUMBER(1, 10) };
KIND(kind_jitter) = { NUMBER(0, 50) };
KIND(kind_body_limit) = { NUMBER(1, 65536) };
KIND(kind_days) = { NUMBER(0, 3650) };
KIND(kind_source) = {
	TEXT(2, 45), .pattern = "^[0-9a-fA-F:.]+$", .about = "an IPv4 or IPv6 address",
};
KIND(kind_device_name) = {
	TEXT(1, 15), .pattern = "^[!-.0-~]+$", .about = "the name of a network device",
};
KIND(kind_path) = {
	TEXT(1, 1024), .pattern = "^/[!-~]*$",
	.about = "a path that begins with \"/\" and has no spaces",
};
KIND(kind_token) = {
	TEXT(1, 64), .pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", .about = "a word",
};
KIND(kind_host) = {
	TEXT(1, 255), .pattern = "^[!-~]+$", .about = "a name without spaces",
};
KIND(kind_text_bytes) = { TEXT(1, 1024) };
KIND(kind_file_name) = {
	TEXT(2, 255), .pattern = "^/", .about = "an absolute path",
};
KIND(kind_dns_name) = {
	TEXT(1, 253), .pattern = "^([^. ]{1,63}(\\.[^. ]{1,63})*\\.?|\\.)$",
	.about = "a domain name",
};
KIND(kind_grpc_name) = {
	TEXT(0, 127), .pattern = "^[!-~]*$", .about = "a name without spaces",
};
KIND(kind_status) = {
	.json = JSON_KIND_NUMBER_OR_STRING, .min = 100, .max = 599,
	.about = "a list such as \"200,300-399\"",
	.pattern = "^[1-5][0-9][0-9](-[1-5][0-9][0-9])?(,[1-5][0-9][0-9](-[1-5][0-9][0-9])?)*$",
};
KIND(kind_verify) = {
	.json = JSON_KIND_BOOLEAN_OR_STRING, .pattern = "^/",
	.about = "true, false, or the absolute path of a file",
};
KIND(kind_agent_send) = { TEXT(0, 256) };
KIND(kind_seconds_whole) = { NUMBER(1, 86400) };
KIND(kind_seconds_or_off) = { NUMBER(0, 86400) };
KIND(kind_small_count) = { NUMBER(1, 1000000) };
KIND(kind_times) = { NUMBER(1, 100) };
KIND(kind_percent_whole) = { NUMBER(1, 100) };

#define CHECK(field) .flags = WORD_KEY_ONLY, .offset = offsetof(struct health_check, field)
#define CRITERION(field) \
	.flags = WORD_KEY_ONLY | WORD_ZERO, .offset = offsetof(struct health_check, field)

static const struct word criteria_words[] = {
	{ .name = "interval", .kind = &kind_interval_ms,
	  .help = "seconds from one check to the next", .standard = "5",
	  CRITERION(interval) },
	{ .name = "timeout", .kind = &kind_timeout_ms,
	  .help = "seconds that a check may take, handshakes included",
	  .more = "It may exceed the interval: checks of a backend never overlap.",
	  .standard = "3", CRITERION(timeout) },
	{ .name = "health-threshold", .kind = &kind_threshold,
	  .help = "successes in a row until the backend is healthy",
	  .standard = "2", CRITERION(health_threshold) },
	{ .name = "unhealth-threshold", .kind = &kind_threshold,
	  .help = "failures in a row until the backend is unhealthy",
	  .standard = "3", CRITERION(unhealth_threshold) },
	{ .name = "fast-interval", .kind = &kind_interval_ms,
	  .help = "the interval from the first contrary result until the verdict changes",
	  .more = "The default is a fifth of the interval, at least 0.2.",
	  CRITERION(fast_interval) },
	{ .name = "down-interval", .kind = &kind_interval_ms,
	  .help = "the interval while the backend is unhealthy",
	  .more = "The default is the interval. It doubles every 10 minutes, to 8 times its value.",
	  CRITERION(down_interval) },
	{ .name = "jitter", .kind = &kind_jitter,
	  .help = "the percentage by which each interval varies at random",
	  .standard = "10", CHECK(jitter) },
	{ 0 },
};

static const struct word agent_words[] = {
	{ .name = "port", .kind = &kind_check_port, .help = "the port of the agent",
	  .flags = WORD_KEY_ONLY | WORD_NEEDED,
	  .offset = offsetof(struct health_check, agent.port) },
	{ .name = "send", .kind = &kind_agent_send, .help = "text that is sent first",
	  CHECK(agent.send) },
	{ .name = "interval", .kind = &kind_interval_ms,
	  .help = "seconds from one question to the next", .standard = "5",
	  CRITERION(agent.interval) },
	{ 0 },
};

static const struct word passive_words[] = {
	{ .name = "trigger", .help = "check a backend at once when a connection to it fails",
	  .standard = "on", CHECK(passive.trigger) },
	{ .name = "eject", .help = "eject a backend whose connections fail",
	  .standard = "off", CHECK(passive.eject) },
	{ .name = "window", .kind = &kind_seconds_whole,
	  .help = "seconds whose connections are judged together", .standard = "10",
	  CHECK(passive.window) },
	{ .name = "min-connections", .kind = &kind_small_count,
	  .help = "the fewest connections of a window that are judged", .standard = "20",
	  CHECK(passive.min_connections) },
	{ .name = "ratio", .kind = &kind_percent_whole,
	  .help = "the percentage of failed connections that ejects", .standard = "50",
	  CHECK(passive.ratio) },
	{ .name = "relative", .kind = &kind_times,
	  .help = "how many times the median of the other backends that has to be", .standard = "3",
	  CHECK(passive.relative) },
	{ .name = "failures", .kind = &kind_small_count,
	  .help = "failures that eject a backend at which no connection succeeds", .standard = "5",
	  CHECK(passive.failures) },
	{ .name = "base-time", .kind = &kind_seconds_whole,
	  .help = "seconds of an ejection, times the number of ejections so far", .standard = "30",
	  CHECK(passive.base_time) },
	{ .name = "max-time", .kind = &kind_seconds_whole,
	  .help = "the most seconds of an ejection", .standard = "300",
	  CHECK(passive.max_time) },
	{ .name = "max-percent", .kind = &kind_percent,
	  .help = "the most backends that are ejected at a time, in percent", .standard = "34",
	  CHECK(passive.max_percent) },
	{ 0 },
};

static const struct word damping_words[] = {
	{ .name = "half-life", .kind = &kind_seconds_or_off,
	  .help = "seconds in which the penalty of a change to unhealthy halves; 0 is off",
	  .standard = "0", CHECK(damping.half_life) },
	{ .name = "suppress", .kind = &kind_times,
	  .help = "the penalty from which the backend stays unhealthy, until it is below 1",
	  .standard = "3", CHECK(damping.suppress) },
	{ .name = "max", .kind = &kind_seconds_whole,
	  .help = "the most seconds that damping holds a backend", .standard = "600",
	  CHECK(damping.max) },
	{ 0 },
};

static const char *const announce_requires[] = { "any", "all" };
static const char *const announce_stops[] = { "keep", "withdraw" };
static const struct names require_names = NAMES("require", announce_requires);
static const struct names on_stop_names = NAMES("on-stop", announce_stops);

KIND(kind_table) = { NUMBER(1, UINT32_MAX) };
KIND(kind_backends) = { NUMBER(1, 4096) };
KIND(kind_metric) = { NUMBER(0, UINT32_MAX) };
KIND(kind_require) = { NAMED(require_names) };
KIND(kind_on_stop) = { NAMED(on_stop_names) };

static const struct word announce_words[] = {
	{ .name = "table", .kind = &kind_table, .help = "the routing table of the route",
	  .standard = "179", CHECK(announce.table) },
	{ .name = "min-usable", .kind = &kind_backends,
	  .help = "the fewest usable backends of a service that is announced",
	  .standard = "1", CHECK(announce.min_usable) },
	{ .name = "hold-down", .kind = &kind_seconds_or_off,
	  .help = "seconds that a service is usable before its VIP is announced",
	  .standard = "2", CHECK(announce.hold_down) },
	{ .name = "grace", .kind = &kind_seconds_or_off,
	  .help = "seconds after the start without a withdrawal", .standard = "5",
	  CHECK(announce.grace) },
	{ .name = "metric", .kind = &kind_metric, .help = "the metric of the route",
	  .standard = "0", CHECK(announce.metric) },
	{ .name = "require", .kind = &kind_require,
	  .help = "whether any service of the VIP, or all of them, have to be usable",
	  .standard = "any", CHECK(announce.require) },
	{ .name = "on-stop", .kind = &kind_on_stop,
	  .help = "whether the route stays when the checker stops", .standard = "keep",
	  CHECK(announce.on_stop) },
	{ 0 },
};

KIND(kind_announce) = { .json = JSON_KIND_OBJECT, .keys = announce_words };
KIND(kind_criteria) = { .json = JSON_KIND_OBJECT, .keys = criteria_words };
KIND(kind_agent) = { .json = JSON_KIND_OBJECT, .keys = agent_words };
KIND(kind_passive) = { .json = JSON_KIND_OBJECT, .keys = passive_words };
KIND(kind_damping) = { .json = JSON_KIND_OBJECT, .keys = damping_words };

const struct word health_check_words[] = {
	{ .name = "protocol", .kind = &kind_check_protocol,
	  .help = "the kind of check; upper and lower case are the same",
	  .more = "With *none* the checker relies on _passive_ and _agent_ alone.",
	  .standard = "tcp", CHECK(protocol) },
	{ .name = "port", .kind = &kind_check_port,
	  .help = "the port that is checked; the backend's unless given", CHECK(port) },
	{ .name = "via", .kind = &kind_via,
	  .help = "whether checks go to the backend's address, or to the VIP by the module",
	  .more = "*auto* is *path* for a backend of mode *dsr* without a _port_, and *direct* for all others. "
		  "*path* is possible if _protocol_ is that of the service, and neither *ping* nor *exec*; "
		  "_port_ is one of the service then.",
	  .standard = "auto", CHECK(via) },
	{ .name = "source", .kind = &kind_source,
	  .help = "the source address of checks",
	  .more = "It is not the VIP of a service of mode *dsr*, because backends have that address, too.",
	  CHECK(source) },
	{ .name = "device", .kind = &kind_device_name,
	  .help = "the network device that checks leave by", CHECK(device) },
	{ .name = "mark", .kind = &kind_mark,
	  .help = "the mark of packets of checks", CHECK(mark) },
	{ .name = "criteria", .kind = &kind_criteria,
	  .help = "how often to check, and how many results make a verdict",
	  .flags = WORD_KEY_ONLY },
	{ .name = "initial", .kind = &kind_health_initial,
	  .help = "whether a new backend gets connections before the first verdict",
	  .standard = "up", .flags = WORD_KEY_ONLY | WORD_SERVICE,
	  .offset = offsetof(struct health_check, initial) },
	{ .name = "on-unhealthy", .kind = &kind_on_unhealthy,
	  .help = "whether TCP connections of an unhealthy backend are ended",
	  .standard = "keep", .flags = WORD_KEY_ONLY | WORD_SERVICE,
	  .offset = offsetof(struct health_check, on_unhealthy) },
	{ .name = "when-none-healthy", .kind = &kind_when_none,
	  .help = "which backends get connections while none is healthy",
	  .standard = "all", .flags = WORD_KEY_ONLY | WORD_SERVICE,
	  .offset = offsetof(struct health_check, when_none) },
	{ .name = "panic-threshold", .kind = &kind_percent,
	  .help = "the percentage of healthy backends below which health is ignored",
	  .standard = "0", .flags = WORD_KEY_ONLY | WORD_SERVICE,
	  .offset = offsetof(struct health_check, panic) },
	{ .name = "request-path", .kind = &kind_path,
	  .help = "the path and query of an HTTP request", .standard = "/",
	  CHECK(request_path) },
	{ .name = "method", .kind = &kind_token, .help = "the method of an HTTP request",
	  .standard = "GET", CHECK(method) },
	{ .name = "host", .kind = &kind_host,
	  .help = "the Host of an HTTP request; the address and port unless given",
	  CHECK(host) },
	{ .name = "headers", .kind = &kind_object,
	  .help = "more headers of an HTTP request, by name", CHECK(headers) },
	{ .name = "expect-status", .kind = &kind_status,
	  .help = "HTTP status codes of a healthy backend, such as \"200,300-399\"",
	  .standard = "200-399", CHECK(expect_status) },
	{ .name = "drain-status", .kind = &kind_status,
	  .help = "HTTP status codes that set the weight to 0 instead", CHECK(drain_status) },
	{ .name = "expect-body", .kind = &kind_text_bytes,
	  .help = "text that the body of an HTTP answer contains", CHECK(expect_body) },
	{ .name = "expect-body-regex", .kind = &kind_text_bytes,
	  .help = "a POSIX extended regular expression that it matches",
	  CHECK(expect_body_regex) },
	{ .name = "body-limit", .kind = &kind_body_limit,
	  .help = "the bytes of the body that are looked at", .standard = "65536",
	  CHECK(body_limit) },
	{ .name = "sni", .kind = &kind_host,
	  .help = "the server name of a TLS handshake; the host unless given, if it is a name",
	  CHECK(sni) },
	{ .name = "verify", .kind = &kind_verify,
	  .help = "whether the certificate is verified: by the system's authorities, or a file's",
	  .standard = "off", CHECK(verify) },
	{ .name = "alpn", .kind = &kind_text_bytes,
	  .help = "the protocol that TLS negotiates: \"http/1.1\" or \"h2\" for https",
	  CHECK(alpn) },
	{ .name = "client-cert", .kind = &kind_file_name,
	  .help = "the file of a client certificate, in PEM format", CHECK(client_cert) },
	{ .name = "client-key", .kind = &kind_file_name,
	  .help = "the file of its key; the same file unless given", CHECK(client_key) },
	{ .name = "expiry-warn-days", .kind = &kind_days,
	  .help = "warn when the certificate expires within so many days; 0 is off",
	  .standard = "14", CHECK(expiry_warn_days) },
	{ .name = "expiry-fail-days", .kind = &kind_days,
	  .help = "fail when it expires within so many days; 0 is off",
	  .standard = "0", CHECK(expiry_fail_days) },
	{ .name = "query-name", .kind = &kind_dns_name, .help = "the name of a DNS query",
	  .standard = ".", CHECK(query_name) },
	{ .name = "query-type", .kind = &kind_dns_type, .help = "the type of a DNS query",
	  .standard = "NS", CHECK(query_type) },
	{ .name = "expect-rcode", .kind = &kind_dns_rcode,
	  .help = "the response code of a healthy server", .standard = "NOERROR",
	  CHECK(expect_rcode) },
	{ .name = "expect-answer", .kind = &kind_host,
	  .help = "an address or a name among the answers", CHECK(expect_answer) },
	{ .name = "send", .kind = &kind_text_bytes,
	  .help = "text that a tcp or udp check sends, or \"hex:\" and hexadecimal digits",
	  CHECK(send) },
	{ .name = "expect", .kind = &kind_text_bytes,
	  .help = "the beginning of the answer to it, in the same notation", CHECK(expect) },
	{ .name = "close", .kind = &kind_close,
	  .help = "how a tcp check ends its connection", .standard = "reset", CHECK(close) },
	{ .name = "grpc-service", .kind = &kind_grpc_name,
	  .help = "the service that a grpc check asks about; \"\" is the server",
	  .standard = "", CHECK(grpc_service) },
	{ .name = "command", .kind = &kind_array,
	  .help = "the program of an exec check, an absolute path, and its arguments",
	  CHECK(command) },
	{ .name = "agent", .kind = &kind_agent,
	  .help = "an agent of HAProxy's kind on the backend", .flags = WORD_KEY_ONLY },
	{ .name = "weight-header", .kind = &kind_token,
	  .help = "the header of an HTTP answer with a percentage of the weight",
	  CHECK(weight_header) },
	{ .name = "passive", .kind = &kind_passive,
	  .help = "conclusions from clients' connections",
	  .flags = WORD_KEY_ONLY },
	{ .name = "damping", .kind = &kind_damping,
	  .help = "how long a backend that often fails stays unhealthy",
	  .flags = WORD_KEY_ONLY },
	{ .name = "dry-run", .help = "log verdicts, and do not act on them", .standard = "off",
	  CHECK(dry_run) },
	{ .name = "announce", .kind = &kind_announce,
	  .help = "the announcement of the VIP to routers",
	  .flags = WORD_KEY_ONLY | WORD_SERVICE },
	{ 0 },
};
