// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts of OpenSSL, one for each set of files, and the dates of certificates.
 */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_session.h"

struct context {
	struct context *next;
	SSL_CTX *ctx;
	bool verify;
	char *file, *cert, *key;
};

static struct context *contexts;

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static char *copy(const char *text)
{
	char *own = text ? strdup(text) : NULL;

	if (text && !own)
		abort();
	return own;
}

static bool load(SSL_CTX *ctx, const struct health_check *keys)
{
	if (keys->verify_on &&
	    !(keys->verify_file ?
	      SSL_CTX_load_verify_file(ctx, keys->verify_file) :
	      SSL_CTX_set_default_verify_paths(ctx)))
		return false;
	if (!keys->client_cert)
		return true;
	return SSL_CTX_use_certificate_chain_file(ctx, keys->client_cert) == 1 &&
	       SSL_CTX_use_PrivateKey_file(ctx, keys->client_key,
					   SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_check_private_key(ctx) == 1;
}

static SSL_CTX *create(const struct health_check *keys, char *why, size_t size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct context *c;

	ERR_clear_error();
	if (!ctx || !load(ctx, keys)) {
		snprintf(why, size, "%s", ERR_reason_error_string(ERR_peek_last_error()) ?:
			 "a file cannot be read");
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_verify(ctx, keys->verify_on ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	tls_session_prepare(ctx);
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->ctx = ctx;
	c->verify = keys->verify_on;
	c->file = copy(keys->verify_file);
	c->cert = copy(keys->client_cert);
	c->key = copy(keys->client_key);
	c->next = contexts;
	contexts = c;
	return ctx;
}

SSL_CTX *tls_context(const struct health_check *keys, char *why, size_t size)
{
	struct context *c;

	for (c = contexts; c; c = c->next)
		if (c->verify == keys->verify_on && same(c->file, keys->verify_file) &&
		    same(c->cert, keys->client_cert) && same(c->key, keys->client_key))
			return c->ctx;
	return create(keys, why, size);
}

void tls_forget(void)
{
	struct context *c;

	tls_session_forget();
	while (contexts) {
		c = contexts;
		contexts = c->next;
		SSL_CTX_free(c->ctx);
		free(c->file);
		free(c->cert);
		free(c->key);
		free(c);
	}
}

const char *tls_name(const struct health_check *keys)
{
	struct addr addr;
	const char *rest;

	if (keys->sni)
		return keys->sni;
	/* An address is no name, nor is a name with a port. */
	if (!keys->host || addr_split(&addr, &rest, keys->host) ||
	    strchr(keys->host, ':'))
		return NULL;
	return keys->host;
}

void tls_note_expiry(struct check *check, SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	int days, seconds;

	if (cert && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)))
		check->result.expires = days - (seconds < 0);
}

bool tls_is_expiring(struct check *check)
{
	uint32_t limit = check->keys->expiry_fail_days;
	char text[RESULT_DETAIL_MAX];

	if (!limit || check->result.expires == INT32_MAX ||
	    check->result.expires >= (int32_t)limit)
		return false;
	snprintf(text, sizeof(text), "in %d days", check->result.expires);
	check_end(check, RESULT_FAILURE, REASON_TLS_EXPIRED,
		  check->result.expires < 0 ? NULL : text);
	return true;
}
