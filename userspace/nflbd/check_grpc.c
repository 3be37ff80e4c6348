// SPDX-License-Identifier: GPL-2.0
/*
 * grpc and grpcs: one call of grpc.health.v1.Health/Check over HTTP/2. Both messages have
 * one field, so that they are written and read by hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "curl.h"
#include "tls.h"

#define PREFIX 5		/* of a message: a flag and its length */
#define ANSWER_MAX 64
#define NO_STATUS -1L		/* grpc-status is missing */

/* Of the answer */
static const char *const states[] = {
	"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN",
};

/* Of grpc-status, for failures that say so */
static const char *const codes[] = {
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED",
	"NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
	"UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
};

#define COUNT(a) ((long)(sizeof(a) / sizeof((a)[0])))

struct grpc {
	CURL *easy;
	struct curl_slist *headers;
	char question[PREFIX + 2 + 127];
	size_t question_len;
	uint8_t answer[ANSWER_MAX];
	size_t answer_len;
	long status;
};

/* Field 1 is the name of the service, of 127 bytes at most. */
static void write_question(struct grpc *grpc, const char *service)
{
	size_t len = strlen(service), size = len ? len + 2 : 0;

	grpc->question[4] = size;
	if (size) {
		grpc->question[PREFIX] = 1 << 3 | 2;
		grpc->question[PREFIX + 1] = len;
		memcpy(grpc->question + PREFIX + 2, service, len);
	}
	grpc->question_len = PREFIX + size;
}

/* Field 1 is the state; 0 is left out. Returns -1 if it is not such a message. */
static int read_answer(const struct grpc *grpc)
{
	const uint8_t *message = grpc->answer;
	size_t len = grpc->answer_len;

	if (len < PREFIX || message[0] || message[1] || message[2] || message[3] ||
	    message[4] != len - PREFIX)
		return -1;
	if (len == PREFIX)
		return 0;
	if (len != PREFIX + 2 || message[PREFIX] != 1 << 3)
		return -1;
	return message[PREFIX + 1];
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	struct check *check = arg;
	struct grpc *grpc = check->state;
	size_t len = size * count;

	if (len > ANSWER_MAX - grpc->answer_len) {
		check_end(check, RESULT_FAILURE, REASON_GRPC_STATUS, "the answer is too long");
		return 0;
	}
	memcpy(grpc->answer + grpc->answer_len, data, len);
	grpc->answer_len += len;
	return len;
}

/* Trailers come here, too. */
static size_t take_header(char *data, size_t size, size_t count, void *arg)
{
	static const char name[] = "grpc-status:";
	struct check *check = arg;
	struct grpc *grpc = check->state;
	size_t len = size * count;
	char number[16] = "";

	if (health_is_tls(check->keys))
		curl_note_expiry(check, grpc->easy);
	if (len > sizeof(name) - 1 && !strncasecmp(data, name, sizeof(name) - 1)) {
		len -= sizeof(name) - 1;
		memcpy(number, data + sizeof(name) - 1,
		       len < sizeof(number) ? len : sizeof(number) - 1);
		grpc->status = strtol(number, NULL, 10);
	}
	return size * count;
}

static void judge(struct check *check, const struct grpc *grpc)
{
	char number[16];
	long code = 0;
	int state;

	curl_easy_getinfo(grpc->easy, CURLINFO_RESPONSE_CODE, &code);
	if (code != 200) {
		snprintf(number, sizeof(number), "%ld", code);
		return check_end(check, RESULT_FAILURE, REASON_HTTP_STATUS, number);
	}
	/* libcurl 7.88 loses trailers that arrive together with the message: a whole message
	 * is enough. Without one, the status is in the headers.
	 */
	if (grpc->status == NO_STATUS && !grpc->answer_len)
		return check_end(check, RESULT_FAILURE, REASON_HTTP_MALFORMED,
				 "there is no grpc-status");
	if (grpc->status != NO_STATUS && grpc->status) {
		snprintf(number, sizeof(number), "%ld", grpc->status);
		return check_end(check, RESULT_FAILURE, REASON_GRPC_STATUS,
				 grpc->status > 0 && grpc->status < COUNT(codes) ?
				 codes[grpc->status] : number);
	}
	state = read_answer(grpc);
	if (state == 1)
		return check_succeed(check, states[state]);
	check_end(check, RESULT_FAILURE, REASON_GRPC_STATUS,
		  state >= 0 && state < COUNT(states) ? states[state] : "malformed");
}

static void done(struct check *check, CURL *easy, CURLcode code)
{
	if (check->ended)
		return;
	if (code)
		return curl_end(check, easy, code);
	check->connected = true;
	if (!tls_is_expiring(check))
		judge(check, check->state);
}

static bool set_headers(struct check *check, struct grpc *grpc)
{
	static const char *const fixed[] = {
		"Content-Type: application/grpc", "TE: trailers", "Accept:",
		"Expect:", "User-Agent: nflbd",
	};
	struct curl_slist *list;
	char host[300];
	size_t i;

	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		list = curl_slist_append(grpc->headers, fixed[i]);
		if (!list)
			return false;
		grpc->headers = list;
	}
	if (!check->keys->host)
		return true;
	snprintf(host, sizeof(host), "Host: %s", check->keys->host);
	list = curl_slist_append(grpc->headers, host);
	if (list)
		grpc->headers = list;
	return list;
}

static void start(struct check *check)
{
	struct grpc *grpc = calloc(1, sizeof(*grpc));

	check->state = grpc;
	if (!grpc)
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	grpc->status = NO_STATUS;
	write_question(grpc, check->keys->grpc_service);
	grpc->easy = curl_begin(check, "/grpc.health.v1.Health/Check");
	if (!grpc->easy)
		return;
	if (!set_headers(check, grpc))
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	curl_easy_setopt(grpc->easy, CURLOPT_HTTPHEADER, grpc->headers);
	curl_easy_setopt(grpc->easy, CURLOPT_POSTFIELDS, grpc->question);
	curl_easy_setopt(grpc->easy, CURLOPT_POSTFIELDSIZE, (long)grpc->question_len);
	curl_easy_setopt(grpc->easy, CURLOPT_HTTP_VERSION,
			 check->keys->protocol == HEALTH_GRPCS ?
			 CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	curl_easy_setopt(grpc->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(grpc->easy, CURLOPT_WRITEDATA, check);
	curl_easy_setopt(grpc->easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(grpc->easy, CURLOPT_HEADERDATA, check);
	curl_run(check, grpc->easy, done);
}

static void expire(struct check *check)
{
	struct grpc *grpc = check->state;

	check->connected = curl_is_connected(grpc->easy);
}

static void stop(struct check *check)
{
	struct grpc *grpc = check->state;

	if (!grpc)
		return;
	if (grpc->easy)
		curl_release(grpc->easy);
	curl_slist_free_all(grpc->headers);
	free(grpc);
}

const struct check_ops check_grpc = { .start = start, .expire = expire, .stop = stop };
