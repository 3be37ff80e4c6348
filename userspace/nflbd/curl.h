/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libcurl's multi interface in the loop, for checks by HTTP. For check_http.c and
 * check_grpc.c only.
 */
#ifndef NFLBD_CURL_H
#define NFLBD_CURL_H

#include <curl/curl.h>

#include "check.h"

/**
 * curl_begin() - a transfer with all that HTTP checks share
 * @check: the check
 * @path: of the request
 *
 * The socket has the source, device and mark of the check. The Host, the server name of
 * TLS and verification follow from the keys. curl_run() starts it. Returns NULL, and has
 * ended the check, if there is no memory.
 */
CURL *curl_begin(struct check *check, const char *path);

/**
 * curl_run() - start a transfer
 * @check: the check
 * @easy: from curl_begin()
 * @done: called when it is over, unless curl_release() was before
 */
void curl_run(struct check *check, CURL *easy,
	      void (*done)(struct check *check, CURL *easy, CURLcode code));

/* Release the handle of curl_begin(); not from a callback of libcurl. */
void curl_release(CURL *easy);

/* End the check with the reason for which a transfer failed. */
void curl_end(struct check *check, CURL *easy, CURLcode code);

/* Has the connection been made? */
bool curl_is_connected(CURL *easy);

/* Note when the certificate expires; only while the transfer runs. */
void curl_note_expiry(struct check *check, CURL *easy);

/* Free all that is kept for the next check. */
void curl_exit(void);

#endif /* NFLBD_CURL_H */
