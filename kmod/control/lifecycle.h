/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens to backends in the course of time.
 */
#ifndef NFLB_LIFECYCLE_H
#define NFLB_LIFECYCLE_H

#include "control/config.h"

void nflb_lifecycle_init(struct nflb_net *nn);
void nflb_lifecycle_kick(struct nflb_net *nn);
void nflb_lifecycle_behind(struct nflb_service *svc);
void nflb_lifecycle_stop(struct nflb_net *nn);

void nflb_lifecycle_came(struct nflb_backend *b);
void nflb_lifecycle_gone(struct nflb_service *svc, bool open);
void nflb_lifecycle_state(struct nflb_backend *b, bool has_deadline,
			  u32 deadline);
u32 nflb_lifecycle_weight_scale(const struct nflb_service *svc);
u32 nflb_lifecycle_weight(const struct nflb_backend *b,
			  const struct nflb_service_settings *s, u32 scale,
			  bool panic);
const char *nflb_lifecycle_condition(const struct nflb_backend *b);

#endif /* NFLB_LIFECYCLE_H */
