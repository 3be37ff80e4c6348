/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services, backends and local addresses as text, for messages.
 */
#ifndef LBADM_SUBJECT_H
#define LBADM_SUBJECT_H

#include <jansson.h>

#include "model/request.h"

#define SUBJECT_MAX (2 * ADDR_TEXT_MAX)

/* "tcp 192.0.2.10:80". Each writes SUBJECT_MAX bytes at most, and returns @buf. */
const char *subject_service(char *buf, const struct service_id *id);
/* "10.0.0.1:8080" */
const char *subject_backend(char *buf, const struct backend_request *backend);
/* "10.0.0.1-10.0.0.9" */
const char *subject_laddr(char *buf, const struct laddr_request *laddr);

/* Set the keys that say which one it is, as a configuration has them. */
void subject_set_service(json_t *to, const struct service_id *id);
void subject_set_backend(json_t *to, const struct backend_request *backend);
void subject_set_laddr(json_t *to, const struct laddr_request *laddr);

#endif /* LBADM_SUBJECT_H */
