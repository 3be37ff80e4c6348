/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The result of one check, and the fixed list of words for its reason.
 */
#ifndef NFLBD_RESULT_H
#define NFLBD_RESULT_H

#include <stddef.h>
#include <stdint.h>

/* A void result is neither success nor failure: the checker could not check. */
enum result_kind {
	RESULT_SUCCESS,
	RESULT_FAILURE,
	RESULT_VOID,
};

enum reason {
	REASON_NONE,
	/* failures */
	REASON_CONNECT_REFUSED,
	REASON_CONNECT_TIMEOUT,
	REASON_CONNECT_UNREACHABLE,
	REASON_RESET,
	REASON_TLS_ALERT,
	REASON_TLS_VERIFY,
	REASON_TLS_EXPIRED,
	REASON_HTTP_STATUS,
	REASON_HTTP_BODY,
	REASON_HTTP_MALFORMED,
	REASON_DNS_RCODE,
	REASON_DNS_ANSWER,
	REASON_UDP_SILENT,
	REASON_UDP_UNREACHABLE,
	REASON_PING_SILENT,
	REASON_GRPC_STATUS,
	REASON_EXIT_CODE,
	REASON_KILLED,
	REASON_TIMEOUT,
	REASON_ANSWER,		/* of a tcp or udp check, not as expected */
	/* void results */
	REASON_LATE,		/* the checker itself was late */
	REASON_NO_DESCRIPTOR,
	REASON_NO_MEMORY,
	REASON_NO_PORT,
	REASON_DEVICE_DOWN,	/* ours */
	REASON_LOCAL,		/* this host refuses to send */
	REASON_CHECK_BROKEN,	/* a command or a file of the check */
	REASON_PROBE_LOST,	/* the connection was not the backend's */

	REASON_COUNT
};

/* Its terminating NUL included */
#define RESULT_DETAIL_MAX 40

/**
 * struct result - the result of one check
 * @kind: success, failure or void
 * @reason: why it is a failure or void
 * @detail: more of it, such as "503"; printable ASCII, may be ""
 * @weight: percent of the weight that the backend asks for
 * @duration: microseconds
 * @expires: days until the certificate expires; INT32_MAX if there is none
 */
struct result {
	enum result_kind kind;
	enum reason reason;
	char detail[RESULT_DETAIL_MAX];
	uint8_t weight;
	uint32_t duration;
	int32_t expires;
};

/* "connect-refused" */
const char *reason_word(enum reason reason);

/* Keep printable ASCII of @text, and as much as there is room for. */
void result_set_detail(struct result *result, const char *text);

/* "http-status 503", or "" for a success without a detail. Returns @buf. */
#define RESULT_TEXT_MAX 64
const char *result_text(const struct result *result, char buf[RESULT_TEXT_MAX]);

/* Translate an errno of a socket: a failure, or a void result of this host. */
void result_from_errno(struct result *result, int error);

#endif /* NFLBD_RESULT_H */
