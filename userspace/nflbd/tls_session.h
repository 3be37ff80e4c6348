/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions of servers, so that most handshakes of a target are short.
 */
#ifndef NFLBD_TLS_SESSION_H
#define NFLBD_TLS_SESSION_H

#include <openssl/ssl.h>

#include "check.h"

/* Let connections of a context note their sessions. */
void tls_session_prepare(SSL_CTX *ctx);

/**
 * tls_session_use() - resume the target's session, if there is one
 * @check: the check
 * @ssl: its connection, before the handshake
 *
 * Each tenth handshake is a full one, and so is the one after a check that failed: it
 * verifies the server's certificate anew.
 */
void tls_session_use(struct check *check, SSL *ssl);

/* Has this connection noted a session? */
bool tls_session_is_noted(SSL *ssl);

/* Forget the session of a target, by the keys of its check; those of all. */
void tls_session_drop(const struct health_check *keys);
void tls_session_forget(void);

#endif /* NFLBD_TLS_SESSION_H */
