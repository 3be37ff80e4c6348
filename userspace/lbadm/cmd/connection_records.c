// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm connection save, restore
 */
#include "cmd/connection_records.h"

#include <inttypes.h>
#include <linux/nflb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/record_file.h"
#include "model/request.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

/* The fates of records, for people and as keys of JSON */
static const char *const fates[] = {
	[NFLB_RECORD_RESTORED] = "restored",
	[NFLB_RECORD_INVALID] = "invalid",
	[NFLB_RECORD_TOO_NEW] = "too-new",
	[NFLB_RECORD_EXPIRED] = "expired",
	[NFLB_RECORD_EXISTS] = "exists",
	[NFLB_RECORD_NO_SERVICE] = "no-service",
	[NFLB_RECORD_NO_BACKEND] = "no-backend",
	[NFLB_RECORD_OTHER_MODE] = "other-mode",
	[NFLB_RECORD_NO_LOCAL_ADDRESS] = "no-local-address",
	[NFLB_RECORD_TABLE_FULL] = "table-full",
	[NFLB_RECORD_BACKEND_FULL] = "backend-full",
	[NFLB_RECORD_NO_ROUTE] = "no-route",
	[NFLB_RECORD_NO_MEMORY] = "no-memory",
};

#define FATES (sizeof(fates) / sizeof(fates[0]))

static int records_cb(const struct nlmsghdr *nlh, void *data)
{
	struct record_file *file = data;
	const void *records;
	uint16_t size;
	size_t len;

	records = msg_get_records(nlh, &len);
	if (!records)
		return MNL_CB_OK;
	if (len < sizeof(size))
		return MNL_CB_ERROR;
	memcpy(&size, records, sizeof(size));
	/* All records of a module are of one size. */
	if (size < NFLB_CONN_RECORD_SIZE_MIN || len % size ||
	    (file->size && file->size != size))
		return MNL_CB_ERROR;
	file->size = size;
	record_file_append(file, records, len / size);
	return MNL_CB_OK;
}

static int say_saved(const struct record_file *file, const char *name)
{
	if (!strcmp(name, "-"))
		return LBADM_OK;
	if (lbadm_options.json)
		printf("{\"saved\":%zu}\n", file->count);
	else
		printf("%zu %s saved\n", file->count,
		       file->count == 1 ? "connection" : "connections");
	return LBADM_OK;
}

int connection_save(struct words *words)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	const char *name = words_next(words);
	struct record_file file = { 0 };
	int status;

	if (!name)
		return usage_error("the name of a file is missing; \"-\" is standard output");
	status = words_end(words);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	/* Before the dump: the time that it takes counts as passed. */
	file.saved = record_file_now();
	status = sock_dump(sock_request(buf, NFLB_CMD_CONN_RECORDS, 0), records_cb,
			   NULL, &file);
	if (!file.size)
		file.size = NFLB_CONN_RECORD_SIZE_MIN;
	if (!status)
		status = record_file_write(&file, name);
	if (!status)
		status = say_saved(&file, name);
	record_file_free(&file);
	return status;
}

/* --- restore */

/* How many records had which fate, and how many results the next answer has */
struct tally {
	uint64_t counts[FATES];
	size_t wanted;
};

static int results_cb(const struct nlmsghdr *nlh, void *data)
{
	struct tally *tally = data;
	const uint8_t *result;
	size_t len, i;

	result = msg_get_record_results(nlh, &len);
	if (!result || len != tally->wanted)
		return MNL_CB_ERROR;
	for (i = 0; i < tally->wanted; i++)
		/* A newer module may have more reasons. */
		tally->counts[result[i] < FATES ? result[i] : NFLB_RECORD_INVALID]++;
	return MNL_CB_OK;
}

static uint32_t less(uint32_t value, uint64_t by)
{
	return by < value ? value - by : 0;
}

static uint32_t more(uint32_t value, uint64_t by)
{
	return by < UINT32_MAX - value ? value + by : UINT32_MAX;
}

/* Time went on since they were saved. */
static void grow_older(struct record_file *file)
{
	uint64_t now = record_file_now(), passed;
	struct nflb_conn_record record;
	unsigned char *at;
	size_t i;

	passed = now > file->saved ? now - file->saved : 0;
	for (i = 0; i < file->count; i++) {
		at = file->records + i * file->size;
		memcpy(&record, at, sizeof(record));
		record.left = less(record.left, passed);
		record.age = more(record.age, passed);
		memcpy(at, &record, sizeof(record));
	}
}

/* An attribute has 64 KiB at most. */
static size_t batch_of(const struct record_file *file)
{
	size_t fit = 65000 / file->size;

	return fit < NFLB_CONN_RECORDS_MAX ? fit : NFLB_CONN_RECORDS_MAX;
}

static int restore(const struct record_file *file, struct tally *tally)
{
	size_t batch = batch_of(file), at, count;
	char *buf = malloc(MNL_SOCKET_BUFFER_SIZE + batch * file->size);
	struct nlmsghdr *nlh;
	int status = LBADM_OK;

	if (!buf)
		abort();
	for (at = 0; at < file->count && !status; at += count) {
		count = file->count - at < batch ? file->count - at : batch;
		nlh = sock_request(buf, NFLB_CMD_CONN_RECORDS, 0);
		msg_put_records(nlh, file->records + at * file->size,
				count * file->size);
		tally->wanted = count;
		status = sock_talk(nlh, results_cb, tally);
	}
	free(buf);
	return status;
}

static void say_json(const struct tally *tally)
{
	json_t *refused = json_object(), *object;
	size_t i;

	for (i = NFLB_RECORD_RESTORED + 1; i < FATES; i++)
		if (tally->counts[i])
			json_object_set_new(refused, fates[i],
					    json_integer(tally->counts[i]));
	object = json_pack("{s:I, s:o}", "restored",
			   (json_int_t)tally->counts[NFLB_RECORD_RESTORED],
			   "refused", refused);
	out_json(object);
	json_decref(object);
}

static void say_text(const struct tally *tally, uint64_t refused)
{
	uint64_t restored = tally->counts[NFLB_RECORD_RESTORED];
	const char *separator = ": ";
	size_t i;

	printf("%" PRIu64 " %s restored", restored,
	       restored == 1 ? "connection" : "connections");
	if (refused)
		printf(", %" PRIu64 " refused", refused);
	for (i = NFLB_RECORD_RESTORED + 1; i < FATES; i++) {
		if (!tally->counts[i])
			continue;
		printf("%s%" PRIu64 " %s", separator, tally->counts[i], fates[i]);
		separator = ", ";
	}
	putchar('\n');
}

/* A connection that has expired meanwhile, or is there, is no loss. */
static int say_restored(const struct tally *tally)
{
	uint64_t refused = 0, lost;
	size_t i;

	for (i = NFLB_RECORD_RESTORED + 1; i < FATES; i++)
		refused += tally->counts[i];
	if (lbadm_options.json)
		say_json(tally);
	else
		say_text(tally, refused);
	lost = refused - tally->counts[NFLB_RECORD_EXPIRED] -
	       tally->counts[NFLB_RECORD_EXISTS];
	return !lost ? LBADM_OK :
	       fail(LBADM_REFUSED, "%" PRIu64 " %s not restored", lost,
		    lost == 1 ? "connection was" : "connections were");
}

int connection_restore(struct words *words)
{
	const char *name = words_next(words);
	struct tally tally = { 0 };
	struct record_file file;
	int status;

	if (!name)
		return usage_error("the name of a file is missing; \"-\" is standard input");
	status = words_end(words);
	if (status)
		return status;
	status = record_file_read(&file, name);
	if (!status)
		status = sock_open();
	if (!status) {
		grow_older(&file);
		status = restore(&file, &tally);
	}
	if (!status)
		status = say_restored(&tally);
	record_file_free(&file);
	return status;
}
