/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a checker says of backends.
 */
#ifndef NFLB_HEALTH_H
#define NFLB_HEALTH_H

#include <linux/netlink.h>

#include "service/service.h"

/**
 * struct nflb_health_verdict - a verdict on a backend
 * @backend: the backend
 * @health: enum nflb_health
 * @weight: percent of the backend's weight
 * @has_health: there is a @health
 * @has_weight: there is a @weight
 * @has_reason: there is a @reason
 * @changed: for nflb_health_set()
 * @reason: text
 */
struct nflb_health_verdict {
	struct nflb_backend	*backend;
	u8			health;
	u8			weight;
	bool			has_health;
	bool			has_weight;
	bool			has_reason;
	bool			changed;
	char			reason[NFLB_HEALTH_REASON_SIZE];
};

void nflb_health_init(struct nflb_backend *b,
		      const struct nflb_service_settings *s);
bool nflb_health_panic(const struct nflb_service *svc,
		       const struct nflb_service_settings *s);
bool nflb_health_takes(const struct nflb_backend *b, bool panic);
enum nflb_gone nflb_health_gone(const struct nflb_backend *b);
const char *nflb_health_condition(const struct nflb_backend *b);
int nflb_health_set(struct nflb_service *svc,
		    struct nflb_health_verdict *verdicts, u32 count,
		    struct netlink_ext_ack *extack);

#endif /* NFLB_HEALTH_H */
