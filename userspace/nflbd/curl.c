// SPDX-License-Identifier: GPL-2.0
/*
 * libcurl in the loop: its sockets and its timer are events. Each check opens its own
 * connection, as clients do.
 */
#define _GNU_SOURCE
#include "curl.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls.h"
#include "tls_session.h"

/* Handles that are kept for later checks */
#define SPARE_MAX 256

/* Seconds that certificate authorities are kept before their file is read again */
#define AUTHORITIES_KEPT 60L

/* One transfer; CURLOPT_PRIVATE points to it */
struct transfer {
	struct check *check;
	void (*done)(struct check *check, CURL *easy, CURLcode code);
	struct curl_slist *connect_to;
};

static struct {
	CURLM *multi;
	struct event_base *base;
	struct event timer;
	CURL *spare[SPARE_MAX];
	unsigned int spare_count;
} http;

/* Which transfers are over? */
static void collect(void)
{
	struct transfer *transfer;
	CURLMsg *msg;
	CURLcode code;
	CURL *easy;
	int left;

	while ((msg = curl_multi_info_read(http.multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		easy = msg->easy_handle;
		code = msg->data.result;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
		transfer->done(transfer->check, easy, code);
	}
}

static void act(curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(http.multi, fd, what, &running);
	collect();
}

static void socket_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)arg;
	act(fd, (what & EV_READ ? CURL_CSELECT_IN : 0) |
		(what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	act(CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *data)
{
	struct timeval after = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)multi;
	(void)data;
	if (ms < 0)
		evtimer_del(&http.timer);
	else
		evtimer_add(&http.timer, &after);
	return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *own)
{
	struct event *event = own;

	(void)easy;
	(void)data;
	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		event = event_new(http.base, fd, EV_PERSIST |
				  (what & CURL_POLL_IN ? EV_READ : 0) |
				  (what & CURL_POLL_OUT ? EV_WRITE : 0),
				  socket_ready, NULL);
		if (!event || event_add(event, NULL))
			return -1;
	}
	curl_multi_assign(http.multi, fd, event);
	return 0;
}

static bool init(struct event_base *base)
{
	if (http.multi)
		return true;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return false;
	http.multi = curl_multi_init();
	if (!http.multi)
		return false;
	http.base = base;
	evtimer_assign(&http.timer, base, timer_fired, NULL);
	curl_multi_setopt(http.multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(http.multi, CURLMOPT_TIMERFUNCTION, set_timer);
	/* No connection outlives its check. */
	curl_multi_setopt(http.multi, CURLMOPT_MAXCONNECTS, 1L);
	curl_multi_setopt(http.multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	return true;
}

void curl_exit(void)
{
	while (http.spare_count)
		curl_easy_cleanup(http.spare[--http.spare_count]);
	if (!http.multi)
		return;
	evtimer_del(&http.timer);
	curl_multi_cleanup(http.multi);
	http.multi = NULL;
	curl_global_cleanup();
}

static curl_socket_t open_socket(void *data, curlsocktype purpose,
				 struct curl_sockaddr *addr)
{
	int fd = check_socket(data, addr->family, addr->socktype, addr->protocol);

	(void)purpose;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* The URL names the server as TLS knows it; the connection goes to the backend. */
static bool set_url(struct check *check, CURL *easy, struct transfer *transfer,
		    const char *path)
{
	const char *name = health_is_tls(check->keys) ? tls_name(check->keys) : NULL;
	char address[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX + 8];
	char *port, *url = NULL;

	check_address(check, address);
	port = strrchr(address, ':') + 1;
	if (asprintf(&url, "%s://%s%s%s%s",
		     health_is_tls(check->keys) ? "https" : "http",
		     name ? name : address, name ? ":" : "", name ? port : "",
		     path) < 0)
		return false;
	curl_easy_setopt(easy, CURLOPT_URL, url);
	free(url);
	snprintf(to, sizeof(to), "::%s", address);
	transfer->connect_to = curl_slist_append(NULL, to);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->connect_to);
	return transfer->connect_to;
}

/* Where a context has the check */
static int check_index = -1;

/* libcurl makes a context for each connection, and shows it before the connection. */
static void handshake_starts(const SSL *ssl, int where, int code)
{
	(void)code;
	if (where == SSL_CB_HANDSHAKE_START)
		tls_session_use(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), check_index),
				(SSL *)ssl);
}

static CURLcode set_context(CURL *easy, void *ctx, void *check)
{
	(void)easy;
	if (check_index < 0)
		check_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	SSL_CTX_set_ex_data(ctx, check_index, check);
	SSL_CTX_set_info_callback(ctx, handshake_starts);
	SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
	tls_session_prepare(ctx);
	return CURLE_OK;
}

static void set_tls(struct check *check, CURL *easy)
{
	const struct health_check *keys = check->keys;

	/* Its own cache is of eight sessions. */
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, set_context);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, check);
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, AUTHORITIES_KEPT);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, (long)keys->verify_on);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, keys->verify_on ? 2L : 0L);
	/* Without verification, libcurl would read the system's file nevertheless. */
	if (keys->verify_file || !keys->verify_on) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, keys->verify_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (keys->client_cert) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, keys->client_cert);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, keys->client_key);
	}
}

static void set_common(struct check *check, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Neither the environment nor a server sends a check elsewhere. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, check);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
}

CURL *curl_begin(struct check *check, const char *path)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	CURL *easy = NULL;

	if (transfer && init(check->base))
		easy = http.spare_count ? http.spare[--http.spare_count] :
					  curl_easy_init();
	if (!easy) {
		free(transfer);
		check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
		return NULL;
	}
	transfer->check = check;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	set_common(check, easy);
	if (health_is_tls(check->keys))
		set_tls(check, easy);
	if (!set_url(check, easy, transfer, path))
		check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	return easy;
}

void curl_run(struct check *check, CURL *easy,
	      void (*done)(struct check *check, CURL *easy, CURLcode code))
{
	struct transfer *transfer;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
	transfer->done = done;
	if (!check->ended && curl_multi_add_handle(http.multi, easy))
		check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
}

/* libcurl has the times when it is done. */
static void report_steps(struct check *check, CURL *easy)
{
	static const struct {
		CURLINFO info;
		const char *text;
	} steps[] = {
		{ CURLINFO_CONNECT_TIME_T, "connected" },
		{ CURLINFO_APPCONNECT_TIME_T, "TLS handshake complete" },
		{ CURLINFO_PRETRANSFER_TIME_T, "request ready to send" },
		{ CURLINFO_STARTTRANSFER_TIME_T, "answer begins" },
	};
	curl_off_t us;
	size_t i;

	for (i = 0; check->step && i < sizeof(steps) / sizeof(steps[0]); i++) {
		us = 0;
		curl_easy_getinfo(easy, steps[i].info, &us);
		if (us)
			check_step(check, us, "%s", steps[i].text);
	}
}

void curl_release(CURL *easy)
{
	struct transfer *transfer;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
	curl_multi_remove_handle(http.multi, easy);
	report_steps(transfer->check, easy);
	curl_slist_free_all(transfer->connect_to);
	free(transfer);
	if (http.spare_count == SPARE_MAX) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	http.spare[http.spare_count++] = easy;
}

bool curl_is_connected(CURL *easy)
{
	curl_off_t connected = 0;

	curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
	return connected;
}

static void end_by_certificate(struct check *check, CURL *easy)
{
	long verify = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	if (verify == X509_V_ERR_CERT_HAS_EXPIRED)
		check_end(check, RESULT_FAILURE, REASON_TLS_EXPIRED, NULL);
	else
		check_end(check, RESULT_FAILURE, REASON_TLS_VERIFY, verify ?
			  X509_verify_cert_error_string(verify) :
			  "the certificate is for another name");
}

/* A failed connection: the error of the socket if there was one */
static void end_by_socket(struct check *check, CURL *easy, enum reason otherwise)
{
	long error = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
	if (error)
		check_end_errno(check, error);
	else
		check_end(check, RESULT_FAILURE, otherwise, NULL);
}

void curl_end(struct check *check, CURL *easy, CURLcode code)
{
	const char *text = curl_easy_strerror(code);

	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
		return end_by_socket(check, easy, REASON_CONNECT_UNREACHABLE);
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return end_by_socket(check, easy, REASON_RESET);
	case CURLE_SSL_CONNECT_ERROR:
		return end_by_socket(check, easy, REASON_TLS_ALERT);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return end_by_certificate(check, easy);
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		return check_end(check, RESULT_VOID, REASON_CHECK_BROKEN, text);
	default:
		check_end(check, RESULT_FAILURE, REASON_HTTP_MALFORMED, text);
	}
}

void curl_note_expiry(struct check *check, CURL *easy)
{
	struct curl_tlssessioninfo *info = NULL;

	if (check->result.expires == INT32_MAX &&
	    !curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) && info &&
	    info->backend == CURLSSLBACKEND_OPENSSL && info->internals)
		tls_note_expiry(check, info->internals);
}
