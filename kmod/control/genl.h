/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family.
 */
#ifndef NFLB_GENL_H
#define NFLB_GENL_H

#include <net/genetlink.h>

/* Multicast groups, in the order of nflb_genl_groups[]. */
enum nflb_genl_group {
	NFLB_GENL_GROUP_CONFIG,
};

extern struct genl_family nflb_genl_family;

int nflb_genl_init(void);
void nflb_genl_exit(void);
struct sk_buff *nflb_nl_reply(struct genl_info *info, size_t size, void **hdr);
int nflb_nl_answer(struct genl_info *info, struct sk_buff *reply, void *hdr,
		   int err);

/* genl_conn.c */
int nflb_nl_conn_get_start(struct netlink_callback *cb);
int nflb_nl_conn_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int nflb_nl_conn_get_done(struct netlink_callback *cb);
int nflb_nl_conn_count_doit(struct sk_buff *skb, struct genl_info *info);
int nflb_nl_conn_flush_doit(struct sk_buff *skb, struct genl_info *info);

int nflb_nl_conn_records_start(struct netlink_callback *cb);
int nflb_nl_conn_records_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);

/* genl_record.c */
int nflb_nl_conn_records_doit(struct sk_buff *skb, struct genl_info *info);

/* genl_dump.c */
int nflb_nl_dump_start(struct netlink_callback *cb);
int nflb_nl_service_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int nflb_nl_backend_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);

void *nflb_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb,
		       u8 cmd);
void *nflb_nl_dump_config(struct sk_buff *skb, struct netlink_callback *cb,
			  u8 cmd);

/* genl_explain.c */
int nflb_nl_explain_doit(struct sk_buff *skb, struct genl_info *info);

/* genl_health.c */
int nflb_nl_health_set_doit(struct sk_buff *skb, struct genl_info *info);

/* genl_probe.c */
int nflb_nl_conn_add_doit(struct sk_buff *skb, struct genl_info *info);
int nflb_nl_conn_del_doit(struct sk_buff *skb, struct genl_info *info);

/* genl_laddr.c */
int nflb_nl_device_change_doit(struct sk_buff *skb, struct genl_info *info);
int nflb_nl_device_get_dumpit(struct sk_buff *skb,
			      struct netlink_callback *cb);

int nflb_nl_laddr_change_doit(struct sk_buff *skb, struct genl_info *info);
int nflb_nl_laddr_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* NFLB_GENL_H */
