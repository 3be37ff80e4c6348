// SPDX-License-Identifier: GPL-2.0
/*
 * Records of connections, in messages.
 */
#include <linux/nflb.h>

#include "nl/msg.h"
#include "nl/table.h"

static const void *payload(const struct nlmsghdr *nlh, int type, size_t *len)
{
	struct table t;

	table_fill(&t, nlh);
	*len = t.attrs[type] ? mnl_attr_get_payload_len(t.attrs[type]) : 0;
	return *len ? mnl_attr_get_payload(t.attrs[type]) : NULL;
}

const void *msg_get_records(const struct nlmsghdr *nlh, size_t *len)
{
	return payload(nlh, NFLB_A_RECORDS, len);
}

const uint8_t *msg_get_record_results(const struct nlmsghdr *nlh, size_t *len)
{
	return payload(nlh, NFLB_A_RECORD_RESULTS, len);
}

void msg_put_records(struct nlmsghdr *nlh, const void *records, size_t len)
{
	mnl_attr_put(nlh, NFLB_A_RECORDS, len, records);
}
