// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to put connections back (conn/conn_record.c). Each record has a result of its
 * own, and none ends the batch. Only one whose size cannot be does: nobody knows where
 * the next one begins, so then nothing of the request is done.
 */
#include <linux/nflb.h>
#include <linux/sched.h>
#include <net/genetlink.h>

#include "control/config.h"
#include "control/genl.h"
#include "control/genl_fill.h"
#include "control/genl_parse.h"
#include "conn/conn.h"
#include "conn/conn_record.h"
#include "netns.h"

/* The size of the record at @at, or 0 if there can be none. */
static unsigned int size_at(const u8 *at, unsigned int left)
{
	u16 size;

	if (left < NFLB_CONN_RECORD_SIZE_MIN)
		return 0;
	memcpy(&size, at, sizeof(size));
	return size >= NFLB_CONN_RECORD_SIZE_MIN && size <= left ? size : 0;
}

/* Returns how many records there are, or a negative errno. */
static int count_records(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[NFLB_A_RECORDS];
	unsigned int left, size;
	const u8 *at;
	int count;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "the records are missing");
		return -EINVAL;
	}
	at = nla_data(attr);
	left = nla_len(attr);
	for (count = 0; left; count++, at += size, left -= size) {
		size = size_at(at, left);
		if (!size) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "the size of a record is wrong");
			return -EINVAL;
		}
		if (count == NFLB_CONN_RECORDS_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "a request has 500 records at most");
			return -E2BIG;
		}
	}
	return count;
}

/* Context: nn->view, rcu_read_lock() held. */
static struct nflb_backend *find_backend(struct nflb_service *svc,
					 const struct nflb_conn_record *r)
{
	struct nflb_backend_request want = {
		.family = r->backend_family,
		.port = r->backend_port,
	};

	memcpy(&want.addr, r->backend, sizeof(want.addr));
	return nflb_backend_find(svc, &want);
}

static enum nflb_record_result restore(struct nflb_net *nn,
				       const struct nflb_conn_record *r)
{
	enum nflb_record_result result = nflb_record_check(r);
	struct nflb_backend *backend;
	struct nflb_service *svc;
	struct nflb_host *host;
	struct nflb_tuple in;

	if (result != NFLB_RECORD_RESTORED)
		return result;
	nflb_record_tuple(r, &in);
	svc = nflb_service_lookup(nn, &in, &host);
	if (!svc)
		return NFLB_RECORD_NO_SERVICE;
	/* Its connections have no records. */
	if (svc->settings.one_packet)
		return NFLB_RECORD_OTHER_MODE;
	backend = find_backend(svc, r);
	if (!backend)
		return NFLB_RECORD_NO_BACKEND;
	local_bh_disable();
	result = nflb_record_restore(nn, backend, r);
	local_bh_enable();
	return result;
}

/* The tail of a longer record is of a newer module. */
static enum nflb_record_result restore_at(struct nflb_net *nn, const u8 *at,
					  unsigned int size)
{
	struct nflb_conn_record record;
	enum nflb_record_result result;

	if (size > sizeof(record) &&
	    memchr_inv(at + sizeof(record), 0, size - sizeof(record)))
		return NFLB_RECORD_TOO_NEW;
	memset(&record, 0, sizeof(record));
	memcpy(&record, at, min_t(size_t, size, sizeof(record)));
	rcu_read_lock();
	result = restore(nn, &record);
	rcu_read_unlock();
	return result;
}

static void restore_all(struct nflb_net *nn, const struct nlattr *attr,
			u8 *results)
{
	unsigned int left = nla_len(attr), size;
	const u8 *at = nla_data(attr);

	/* For the lists of the configuration */
	down_read(&nn->view);
	for (; left; at += size, left -= size) {
		size = size_at(at, left);
		*results++ = restore_at(nn, at, size);
		cond_resched();
	}
	up_read(&nn->view);
}

/**
 * nflb_nl_conn_records_doit() - CONN_RECORDS: put connections back
 * @skb: the request
 * @info: the request
 *
 * Return: 0 or a negative errno.
 */
int nflb_nl_conn_records_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nflb_net *nn = nflb_net(genl_info_net(info));
	int count = count_records(info);
	struct nlattr *results;
	struct sk_buff *reply;
	void *hdr;

	if (count < 0)
		return count;
	if (info->attrs[NFLB_A_EXPECT_GENERATION]) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[NFLB_A_EXPECT_GENERATION],
				    "records depend on no generation");
		return -EOPNOTSUPP;
	}
	/* Nothing is done that the answer has no room for. */
	reply = nflb_nl_reply(info, NFLB_MSG_SIZE + count, &hdr);
	if (!reply)
		return -ENOMEM;
	results = nla_reserve(reply, NFLB_A_RECORD_RESULTS, count);
	if (!results)
		return nflb_nl_answer(info, reply, hdr, -EMSGSIZE);
	restore_all(nn, info->attrs[NFLB_A_RECORDS], nla_data(results));
	return nflb_nl_answer(info, reply, hdr, 0);
}
