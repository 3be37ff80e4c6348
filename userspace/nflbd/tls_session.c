// SPDX-License-Identifier: GPL-2.0
/*
 * A session for each target, in the form of its encoding, which is much smaller than the
 * object. Targets are known by the keys of their checks: each has its own.
 */
#include "tls_session.h"

#include <stdlib.h>

#define BUCKETS 16384		/* a power of 2 */
#define SIZE_MAX_KEPT 8192	/* bytes of a session that is kept */
#define ALL_MAX (64 << 20)	/* and of all together */
#define FULL_EVERY 10		/* handshakes */

struct kept {
	struct kept *next;
	const struct health_check *keys;
	unsigned char *der;
	int len;
	unsigned int used;	/* handshakes since the last full one */
};

static struct kept *buckets[BUCKETS];
static size_t all;

/* Where a connection has its check, and that it noted a session */
static int check_index = -1, noted_index = -1;

static struct kept **find(const struct health_check *keys)
{
	struct kept **at = &buckets[((uintptr_t)keys * 0x9e3779b97f4a7c15ull) >> 50];

	while (*at && (*at)->keys != keys)
		at = &(*at)->next;
	return at;
}

static void drop(struct kept **at)
{
	struct kept *kept = *at;

	*at = kept->next;
	all -= kept->len;
	free(kept->der);
	free(kept);
}

static struct kept *add(struct kept **at, const struct health_check *keys)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	kept->keys = keys;
	*at = kept;
	return kept;
}

static void keep(struct check *check, SSL *ssl, SSL_SESSION *session)
{
	struct kept **at = find(check->keys), *kept;
	int len = i2d_SSL_SESSION(session, NULL);
	unsigned char *der, *end;

	if (len <= 0 || len > SIZE_MAX_KEPT || all + len > ALL_MAX)
		return;
	der = end = malloc(len);
	kept = !der ? NULL : *at ? *at : add(at, check->keys);
	if (!kept) {
		free(der);
		return;
	}
	i2d_SSL_SESSION(session, &end);
	all += len - kept->len;
	free(kept->der);
	kept->der = der;
	kept->len = len;
	if (!SSL_session_reused(ssl))
		kept->used = 0;
}

/* A server may send several: one is enough. Returns 0: OpenSSL owns the session. */
static int new_session(SSL *ssl, SSL_SESSION *session)
{
	struct check *check = SSL_get_ex_data(ssl, check_index);

	if (!check || tls_session_is_noted(ssl) || !SSL_SESSION_is_resumable(session))
		return 0;
	SSL_set_ex_data(ssl, noted_index, check);
	keep(check, ssl, session);
	return 0;
}

bool tls_session_is_noted(SSL *ssl)
{
	return SSL_get_ex_data(ssl, noted_index);
}

void tls_session_prepare(SSL_CTX *ctx)
{
	if (check_index < 0) {
		check_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
		noted_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
					    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, new_session);
}

void tls_session_use(struct check *check, SSL *ssl)
{
	struct kept **at = find(check->keys);
	const unsigned char *der;
	SSL_SESSION *session;

	/* A renegotiation begins a handshake, too. */
	if (SSL_get_ex_data(ssl, check_index))
		return;
	SSL_set_ex_data(ssl, check_index, check);
	if (!*at)
		return;
	if (++(*at)->used == FULL_EVERY)
		return drop(at);
	der = (*at)->der;
	session = d2i_SSL_SESSION(NULL, &der, (*at)->len);
	if (session)
		SSL_set_session(ssl, session);
	SSL_SESSION_free(session);
}

void tls_session_drop(const struct health_check *keys)
{
	struct kept **at = find(keys);

	if (*at)
		drop(at);
}

void tls_session_forget(void)
{
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		while (buckets[i])
			drop(&buckets[i]);
}
