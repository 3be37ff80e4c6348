/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events.
 */
#ifndef NFLB_GENL_NOTIFY_H
#define NFLB_GENL_NOTIFY_H

#include <linux/types.h>

struct nflb_service;
struct nflb_backend;
struct nflb_laddr;
struct nflb_net;
struct net_device;

void nflb_notify_service(const struct nflb_service *svc, u8 cmd);
void nflb_notify_backend(const struct nflb_backend *backend, u8 cmd);
void nflb_notify_laddr(const struct nflb_net *nn,
		       const struct nflb_laddr *laddr, u8 cmd);
void nflb_notify_device(const struct nflb_net *nn, const char *name,
			bool absent, bool xdp, u8 cmd);
void nflb_notify_enable(bool on);

#endif /* NFLB_GENL_NOTIFY_H */
