// SPDX-License-Identifier: GPL-2.0
/*
 * http and https: one request; the status, and perhaps the body, decide.
 */
#define _GNU_SOURCE
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "curl.h"
#include "tls.h"

struct http {
	CURL *easy;
	struct curl_slist *headers;
	char *body;		/* NULL if nothing is expected of it */
	size_t body_len, received;
	bool enough;		/* the transfer was ended at body-limit */
	bool bad_weight;
};

static bool wants_body(const struct health_check *keys)
{
	return keys->expect_body || keys->expect_body_regex;
}

static bool wants_http2(const struct health_check *keys)
{
	return keys->protocol == HEALTH_HTTPS && keys->alpn && !strcmp(keys->alpn, "h2");
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	struct check *check = arg;
	struct http *http = check->state;
	size_t room = check->keys->body_limit - http->received;
	size_t len = size * count < room ? size * count : room;

	if (wants_body(check->keys) && len) {
		char *body = realloc(http->body, http->body_len + len + 1);

		if (!body) {
			check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
			return 0;
		}
		memcpy(body + http->body_len, data, len);
		http->body = body;
		http->body_len += len;
		body[http->body_len] = '\0';
	}
	http->received += len;
	if (http->received < check->keys->body_limit)
		return size * count;
	/* The rest does not matter, however long it is. */
	http->enough = true;
	return 0;
}

/* "50" or "50%": a percentage of the weight */
static void take_weight(struct check *check, const char *value, size_t len)
{
	struct http *http = check->state;
	unsigned int percent = 0;
	size_t i = 0;

	while (i < len && (value[i] == ' ' || value[i] == '\t'))
		i++;
	http->bad_weight = i == len || value[i] < '0' || value[i] > '9';
	for (; i < len && value[i] >= '0' && value[i] <= '9' && percent <= 100; i++)
		percent = percent * 10 + value[i] - '0';
	while (i < len && strchr("% \t\r\n", value[i]))
		i++;
	http->bad_weight |= i < len || percent > 100;
	if (!http->bad_weight)
		check->result.weight = percent;
}

static size_t take_header(char *data, size_t size, size_t count, void *arg)
{
	struct check *check = arg;
	struct http *http = check->state;
	const char *name = check->keys->weight_header;
	size_t len = size * count, name_len = name ? strlen(name) : 0;

	if (health_is_tls(check->keys))
		curl_note_expiry(check, http->easy);
	if (name && len > name_len && data[name_len] == ':' &&
	    !strncasecmp(data, name, name_len))
		take_weight(check, data + name_len + 1, len - name_len - 1);
	return len;
}

static bool has_text(const struct http *http, const char *text)
{
	return memmem(http->body ? http->body : "", http->body_len, text, strlen(text));
}

/* The pattern was compiled when the keys were read, so that it is right. */
static bool matches(const struct http *http, const char *pattern)
{
	/* regexec() ends at a NUL, or at rm_eo. */
	regmatch_t range = { .rm_eo = http->body_len };
	regex_t regex;
	bool met;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE))
		return false;
	met = !regexec(&regex, http->body ? http->body : "", 1, &range, REG_STARTEND);
	regfree(&regex);
	return met;
}

static void judge(struct check *check, struct http *http)
{
	const struct health_check *keys = check->keys;
	char text[RESULT_DETAIL_MAX];
	long code = 0;

	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &code);
	snprintf(text, sizeof(text), "%ld", code);
	if (health_in_ranges(&keys->drain, code)) {
		check->result.weight = 0;
		return check_succeed(check, text);
	}
	if (!health_in_ranges(&keys->status, code))
		return check_end(check, RESULT_FAILURE, REASON_HTTP_STATUS, text);
	if (keys->expect_body && !has_text(http, keys->expect_body))
		return check_end(check, RESULT_FAILURE, REASON_HTTP_BODY, NULL);
	if (keys->expect_body_regex && !matches(http, keys->expect_body_regex))
		return check_end(check, RESULT_FAILURE, REASON_HTTP_BODY, NULL);
	if (http->bad_weight)
		return check_end(check, RESULT_FAILURE, REASON_HTTP_MALFORMED,
				 keys->weight_header);
	check_succeed(check, text);
}

static void done(struct check *check, CURL *easy, CURLcode code)
{
	struct http *http = check->state;
	long version = 0;

	if (code == CURLE_WRITE_ERROR && http->enough)
		code = CURLE_OK;
	if (code)
		return curl_end(check, easy, code);
	check->connected = true;
	if (tls_is_expiring(check))
		return;
	curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
	if (wants_http2(check->keys) && version != CURL_HTTP_VERSION_2_0)
		return check_end(check, RESULT_FAILURE, REASON_TLS_ALERT,
				 "the server negotiates no h2");
	judge(check, http);
}

static bool add_header(struct http *http, const char *name, const char *value)
{
	struct curl_slist *list = NULL;
	char *line = NULL;

	/* ";" asks libcurl for a header without a value. */
	if (asprintf(&line, *value ? "%s: %s" : "%s;", name, value) >= 0)
		list = curl_slist_append(http->headers, line);
	free(line);
	if (list)
		http->headers = list;
	return list;
}

static bool set_headers(struct check *check, struct http *http)
{
	char address[ADDR_TEXT_MAX];
	const char *name;
	json_t *value;
	bool ok;

	ok = add_header(http, "Host", check->keys->host ? check->keys->host :
						check_address(check, address)) &&
	     add_header(http, "Connection", "close");
	json_object_foreach((json_t *)check->keys->headers, name, value)
		ok = ok && add_header(http, name, json_string_value(value));
	return ok;
}

static void set_request(struct check *check, struct http *http)
{
	const struct health_check *keys = check->keys;

	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
	curl_easy_setopt(http->easy, CURLOPT_USERAGENT, "nflbd");
	if (!strcmp(keys->method, "HEAD"))
		curl_easy_setopt(http->easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, keys->method);
	if (wants_http2(keys))
		curl_easy_setopt(http->easy, CURLOPT_HTTP_VERSION,
				 CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, check);
	curl_easy_setopt(http->easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(http->easy, CURLOPT_HEADERDATA, check);
}

static void start(struct check *check)
{
	struct http *http = calloc(1, sizeof(*http));

	check->state = http;
	if (!http)
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	http->easy = curl_begin(check, check->keys->request_path);
	if (!http->easy)
		return;
	if (!set_headers(check, http))
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	set_request(check, http);
	curl_run(check, http->easy, done);
}

static void expire(struct check *check)
{
	struct http *http = check->state;

	check->connected = curl_is_connected(http->easy);
}

static void stop(struct check *check)
{
	struct http *http = check->state;

	if (!http)
		return;
	if (http->easy)
		curl_release(http->easy);
	curl_slist_free_all(http->headers);
	free(http->body);
	free(http);
}

const struct check_ops check_http = { .start = start, .expire = expire, .stop = stop };
