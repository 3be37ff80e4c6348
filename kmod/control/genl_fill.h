/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Plain structures to netlink attributes: one serializer for answers, dumps and
 * events.
 */
#ifndef NFLB_GENL_FILL_H
#define NFLB_GENL_FILL_H

#include <linux/skbuff.h>

#include "control/config.h"
#include "conn/conn.h"

/* Room for the longest message of nflb_fill_*(), header included: that of a service; and
 * for one of a connection, of which there are many.
 */
#define NFLB_MSG_SIZE \
	(900 + NFLB_HEALTH_CHECK_SIZE + NFLB_NAME_SIZE + NFLB_COMMENT_SIZE)
#define NFLB_CONN_MSG_SIZE 1800
#define NFLB_TROUBLE_MSG_SIZE 256

int nflb_fill_addr(struct sk_buff *skb, int type, const union nflb_addr *addr,
		   u8 family);
int nflb_fill_service(struct sk_buff *skb, const struct nflb_service *svc);
int nflb_fill_service_plain(struct sk_buff *skb,
			    const struct nflb_service *svc);
int nflb_fill_backend(struct sk_buff *skb, const struct nflb_backend *backend);
int nflb_fill_trouble(struct sk_buff *skb, const struct nflb_backend *b,
		      enum nflb_passive what);
int nflb_fill_conn(struct sk_buff *skb, const struct nflb_conn *conn);
int nflb_fill_laddr(struct sk_buff *skb, const struct nflb_net *nn,
		    const struct nflb_laddr *laddr);
int nflb_fill_device(struct sk_buff *skb, const char *name, bool absent,
		     bool xdp);
int nflb_fill_generation(struct sk_buff *skb, const struct nflb_net *nn,
			 u64 generation);
int nflb_fill_config(struct sk_buff *skb, const struct nflb_net *nn);
int nflb_fill_net(struct sk_buff *skb, struct nflb_net *nn);

#endif /* NFLB_GENL_FILL_H */
