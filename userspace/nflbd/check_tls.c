// SPDX-License-Identifier: GPL-2.0
/*
 * tls: a handshake, the certificate, and an orderly end.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

#include "check.h"
#include "tls.h"
#include "tls_session.h"

/* Milliseconds for a ticket of TLS 1.3, which servers send after the handshake */
#define TICKET_WAIT 100

static void handshake(struct check *check);

static void ready(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;

	(void)fd;
	(void)what;
	check->waiting = false;
	handshake(check);
}

static void not_verified(struct check *check, long error)
{
	check_end(check, RESULT_FAILURE, error == X509_V_ERR_CERT_HAS_EXPIRED ?
		  REASON_TLS_EXPIRED : REASON_TLS_VERIFY,
		  error == X509_V_ERR_CERT_HAS_EXPIRED ? NULL :
		  X509_verify_cert_error_string(error));
}

static void broken(struct check *check, int kind)
{
	SSL *ssl = check->state;
	long verify = SSL_get_verify_result(ssl);
	const char *text;

	if (check->keys->verify_on && verify != X509_V_OK)
		return not_verified(check, verify);
	if (kind == SSL_ERROR_SYSCALL && errno)
		return check_end_errno(check, errno);
	text = ERR_reason_error_string(ERR_peek_error());
	if (kind == SSL_ERROR_SYSCALL || (text && strstr(text, "unexpected eof")))
		return check_end(check, RESULT_FAILURE, REASON_RESET, "in the handshake");
	check_end(check, RESULT_FAILURE, REASON_TLS_ALERT, text);
}

/* It makes the next handshake short; the result does not depend on it. */
static void read_ticket(evutil_socket_t fd, short what, void *arg)
{
	struct check *check = arg;
	SSL *ssl = check->state;
	char byte;

	(void)fd;
	(void)what;
	check->waiting = false;
	ERR_clear_error();
	if (SSL_get_error(ssl, SSL_read(ssl, &byte, 1)) == SSL_ERROR_WANT_READ &&
	    !tls_session_is_noted(ssl))
		return check_wait(check, EV_READ, read_ticket);
	check_finish(check);
}

static void complete(struct check *check)
{
	const unsigned char *name = NULL;
	SSL *ssl = check->state;
	unsigned int len = 0;

	SSL_get0_alpn_selected(ssl, &name, &len);
	check_step(check, 0, "handshake complete, %s, %s", SSL_get_version(ssl),
		   SSL_get_cipher_name(ssl));
	tls_note_expiry(check, ssl);
	if (tls_is_expiring(check))
		return;
	if (check->keys->alpn && !len)
		return check_end(check, RESULT_FAILURE, REASON_TLS_ALERT,
				 "the server negotiates no protocol");
	check_succeed(check, SSL_get_version(ssl));
	if (SSL_version(ssl) != TLS1_3_VERSION || SSL_session_reused(ssl))
		return;
	check_linger(check, TICKET_WAIT);
	check_wait(check, EV_READ, read_ticket);
}

static void handshake(struct check *check)
{
	SSL *ssl = check->state;
	int done, kind;

	ERR_clear_error();
	errno = 0;
	done = SSL_connect(ssl);
	if (done == 1)
		return complete(check);
	kind = SSL_get_error(ssl, done);
	if (kind == SSL_ERROR_WANT_READ)
		check_wait(check, EV_READ, ready);
	else if (kind == SSL_ERROR_WANT_WRITE)
		check_wait(check, EV_WRITE, ready);
	else
		broken(check, kind);
}

/* Verification compares the name, or else the address, with the certificate. */
static bool set_names(struct check *check, SSL *ssl)
{
	const char *name = tls_name(check->keys);
	char text[ADDR_TEXT_MAX];

	if (name)
		return SSL_set_tlsext_host_name(ssl, name) &&
		       (!check->keys->verify_on || SSL_set1_host(ssl, name));
	if (!check->keys->verify_on)
		return true;
	check_address(check, text);
	*strrchr(text, ':') = '\0';
	if (*text == '[')
		text[strlen(text) - 1] = '\0';
	return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
					     text + (*text == '['));
}

/* One protocol, in the form of the handshake: its length, then its name */
static bool set_alpn(const char *alpn, SSL *ssl)
{
	unsigned char list[256];
	size_t len = alpn ? strlen(alpn) : 0;

	if (!len || len > 255)
		return !len;
	list[0] = len;
	memcpy(list + 1, alpn, len);
	return !SSL_set_alpn_protos(ssl, list, len + 1);
}

static void connected(struct check *check)
{
	char why[RESULT_DETAIL_MAX] = "";
	SSL_CTX *ctx = tls_context(check->keys, why, sizeof(why));
	SSL *ssl;

	if (!ctx)
		return check_end(check, RESULT_VOID, REASON_CHECK_BROKEN, why);
	ssl = SSL_new(ctx);
	check->state = ssl;
	if (!ssl || !SSL_set_fd(ssl, check->fd) || !set_names(check, ssl) ||
	    !set_alpn(check->keys->alpn, ssl))
		return check_end(check, RESULT_VOID, REASON_NO_MEMORY, NULL);
	tls_session_use(check, ssl);
	handshake(check);
}

static void start(struct check *check)
{
	check_connect(check, SOCK_STREAM, connected);
}

/* Without an orderly end, OpenSSL would not resume the session. */
static void stop(struct check *check)
{
	SSL *ssl = check->state;

	ERR_clear_error();
	if (ssl && SSL_is_init_finished(ssl))
		SSL_shutdown(ssl);
	SSL_free(ssl);
}

const struct check_ops check_tls = { .start = start, .stop = stop };
