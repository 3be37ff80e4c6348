/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A whole configuration, as nflb.json(5) describes it.
 */
#ifndef LBADM_CONFIG_H
#define LBADM_CONFIG_H

#include <jansson.h>
#include <nflb/rules.h>

#include "model/request.h"
#include "model/settings.h"

/* A service and all its backends. */
struct config_service {
	struct service_request request;
	struct backend_request *backends;
	size_t backend_count;
	json_t *policy;		/* as policies_read() would find it; NULL is not named */
};

struct config {
	struct config_service *services;
	size_t service_count;
	struct laddr_request *laddrs;
	size_t laddr_count;
	struct device_request *devices;
	size_t device_count;
	bool has_settings;	/* settings not named have defaults then */
	char settings[SETTING_COUNT][SETTING_TEXT_MAX];	/* "" is not named */
	json_t *json;		/* its source, into which it points */
};

/**
 * config_read() - read a file
 * @name: its name; "-" is standard input
 * @config: set on success; for config_free()
 *
 * Returns enum lbadm_exit, with a message on errors that says where.
 */
int config_read(const char *name, struct config *config);

/**
 * config_check() - would the kernel accept this file?
 * @name: its name; "-" is standard input
 *
 * Returns enum lbadm_exit, with a message on errors that says where; and what is
 * possible but hardly meant.
 */
int config_check(const char *name);

/* Read a file as config_read() does, and check it as config_check() does. */
int config_read_checked(const char *name, struct config *config);

/* The rules of the module that need no kernel; with a message on errors. */
int config_rules(const struct config *config);
/* Warn of probable mistakes. */
void config_warn(const struct config *config);

/**
 * config_from_json() - take the kernel's configuration
 * @json: as config_read() would find it in a file; belongs to @config then
 * @config: set on success; for config_free()
 *
 * Returns enum lbadm_exit, with a message on errors.
 */
int config_from_json(json_t *json, struct config *config);

/* Free the contents of a configuration; also when it could not be read. */
void config_free(struct config *config);

/* Are two of the same identity? */
bool config_same_backend(const struct backend_request *a,
			 const struct backend_request *b);

/**
 * config_find_backend() - the backend of a service with the same identity
 * @service: the service
 * @hint: where it probably is
 * @backend: its identity
 *
 * Returns NULL if there is none.
 */
const struct backend_request *
config_find_backend(const struct config_service *service, size_t hint,
		    const struct backend_request *backend);

/* Copy @req, with the defaults of all settings that it does not name; without the
 * health check.
 */
void config_normal_service(struct service_request *n,
			   const struct service_request *req);

/**
 * config_normal_backends() - two backends with the defaults of all they do not name
 * @have: set, to the relevant part of @a
 * @wanted: set, to the relevant part of @b
 * @a: the kernel's configuration
 * @b: that of a file
 *
 * A file that was saved while a backend was drained by hand has that state; it is not
 * a difference.
 */
void config_normal_backends(struct backend_request *have,
			    struct backend_request *wanted,
			    const struct backend_request *a,
			    const struct backend_request *b);

/* Settings as a file has them, those too that have their defaults. Identity, backends
 * and policy are left out. Each returns a new reference.
 */
json_t *config_service_json(const struct service_request *req);
/* @req is from config_normal_backends(). */
json_t *config_backend_json(const struct backend_request *req);

/* Has one of the service's backends a state that was set by hand? */
bool config_by_hand(const struct config_service *service);

/* Is @b the same as @a, with defaults for settings that are not named? */
bool config_same_service(const struct config_service *a,
			 const struct config_service *b);

/* The one of the same identity, or NULL. */
const struct config_service *
config_find_service(const struct config *config, const struct service_id *id);
/* Have local addresses an address and a port in common? */
bool config_laddrs_overlap(const struct laddr_request *a,
			   const struct laddr_request *b);
/* Their ports, with the defaults */
struct port_range config_laddr_ports(const struct laddr_request *laddr);
/* The input of the module's rules */
struct nflb_rules_service
config_rules_service(const struct config_service *service);
bool config_has_laddr(const struct config *config,
		      const struct laddr_request *laddr);
const struct device_request *config_find_device(const struct config *config,
						const char *name);

#endif /* LBADM_CONFIG_H */
