// SPDX-License-Identifier: GPL-2.0
/*
 * Words for reasons, and the errors of the socket layer as results.
 */
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const words[REASON_COUNT] = {
	[REASON_NONE] = "",
	[REASON_CONNECT_REFUSED] = "connect-refused",
	[REASON_CONNECT_TIMEOUT] = "connect-timeout",
	[REASON_CONNECT_UNREACHABLE] = "connect-unreachable",
	[REASON_RESET] = "reset",
	[REASON_TLS_ALERT] = "tls-alert",
	[REASON_TLS_VERIFY] = "tls-verify",
	[REASON_TLS_EXPIRED] = "tls-expired",
	[REASON_HTTP_STATUS] = "http-status",
	[REASON_HTTP_BODY] = "http-body",
	[REASON_HTTP_MALFORMED] = "http-malformed",
	[REASON_DNS_RCODE] = "dns-rcode",
	[REASON_DNS_ANSWER] = "dns-answer",
	[REASON_UDP_SILENT] = "udp-silent",
	[REASON_UDP_UNREACHABLE] = "udp-unreachable",
	[REASON_PING_SILENT] = "ping-silent",
	[REASON_GRPC_STATUS] = "grpc-status",
	[REASON_EXIT_CODE] = "exit-code",
	[REASON_KILLED] = "killed",
	[REASON_TIMEOUT] = "timeout",
	[REASON_ANSWER] = "answer",
	[REASON_LATE] = "late",
	[REASON_NO_DESCRIPTOR] = "no-descriptor",
	[REASON_NO_MEMORY] = "no-memory",
	[REASON_NO_PORT] = "no-port",
	[REASON_DEVICE_DOWN] = "device-down",
	[REASON_LOCAL] = "local",
	[REASON_CHECK_BROKEN] = "check-broken",
	[REASON_PROBE_LOST] = "probe-lost",
};

const char *reason_word(enum reason reason)
{
	return words[reason];
}

void result_set_detail(struct result *result, const char *text)
{
	size_t i;

	for (i = 0; text[i] && i < RESULT_DETAIL_MAX - 1; i++)
		result->detail[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	result->detail[i] = '\0';
}

const char *result_text(const struct result *result, char buf[RESULT_TEXT_MAX])
{
	const char *word = reason_word(result->reason);

	snprintf(buf, RESULT_TEXT_MAX, "%s%s%s", word,
		 *word && *result->detail ? " " : "", result->detail);
	return buf;
}

static void set(struct result *result, enum result_kind kind, enum reason reason)
{
	result->kind = kind;
	result->reason = reason;
}

void result_from_errno(struct result *result, int error)
{
	switch (error) {
	case ECONNREFUSED:
		return set(result, RESULT_FAILURE, REASON_CONNECT_REFUSED);
	case ETIMEDOUT:
		return set(result, RESULT_FAILURE, REASON_CONNECT_TIMEOUT);
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENONET:
		return set(result, RESULT_FAILURE, REASON_CONNECT_UNREACHABLE);
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED:
		return set(result, RESULT_FAILURE, REASON_RESET);
	case EMFILE:
	case ENFILE:
		return set(result, RESULT_VOID, REASON_NO_DESCRIPTOR);
	case ENOMEM:
	case ENOBUFS:
		return set(result, RESULT_VOID, REASON_NO_MEMORY);
	case EADDRINUSE:
	case EAGAIN:
		return set(result, RESULT_VOID, REASON_NO_PORT);
	case ENETDOWN:
	case ENODEV:
		return set(result, RESULT_VOID, REASON_DEVICE_DOWN);
	default:
		set(result, RESULT_VOID, REASON_LOCAL);
		result_set_detail(result, strerror(error));
	}
}
