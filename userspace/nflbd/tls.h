/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parts that TLS checks share: contexts, names, and the certificate of a server.
 */
#ifndef NFLBD_TLS_H
#define NFLBD_TLS_H

#include <openssl/ssl.h>
#include <stdint.h>

#include "check.h"

/**
 * tls_context() - the context for checks with these keys
 * @keys: of the check
 * @why: set to the error of a file
 * @size: of @why
 *
 * Contexts are kept, for files are slow to read. Returns NULL on errors.
 */
SSL_CTX *tls_context(const struct health_check *keys, char *why, size_t size);

/* Read all files again the next time. */
void tls_forget(void);

/* The server name of a handshake, or NULL if the check has none. */
const char *tls_name(const struct health_check *keys);

/* Note when the server's certificate expires. */
void tls_note_expiry(struct check *check, SSL *ssl);

/* Does it expire too soon? The check has failed then. */
bool tls_is_expiring(struct check *check);

#endif /* NFLBD_TLS_H */
