// SPDX-License-Identifier: GPL-2.0
/*
 * Which targets share a check: a hash table by address, port and effective keys.
 */
#define _GNU_SOURCE
#include "share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

/**
 * struct share - targets that are checked alike
 * @chain: of those with the same hash
 * @key: address, port and keys; NULL: it is not in the table
 * @members: targets; the first one leads
 * @count: of @members
 * @held: a result is being delivered
 */
struct share {
	struct share *chain;
	char *key;
	struct target *members;
	size_t count;
	bool held;
};

static struct share *buckets[BUCKETS];

/* FNV-1a */
static struct share **bucket_of(const char *key)
{
	uint32_t hash = 2166136261u;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	return &buckets[hash % BUCKETS];
}

/* NULL: it shares with none. A check through the module is one of its service alone. */
static char *make_key(const struct target *target)
{
	struct check_place place = target_place(target);
	char address[ADDR_TEXT_MAX], *keys, *key = NULL;

	if (target->check.via == HEALTH_PATH)
		return NULL;
	keys = health_key(&target->check);
	if (!keys)
		abort();
	addr_format(address, &place.address);
	if (asprintf(&key, "%s %u %d %s", address, place.port, place.stream, keys) < 0)
		abort();
	free(keys);
	return key;
}

static struct share *find(char *key)
{
	struct share *share = key ? *bucket_of(key) : NULL;

	while (share && strcmp(share->key, key))
		share = share->chain;
	if (share) {
		free(key);
		return share;
	}
	share = calloc(1, sizeof(*share));
	if (!share)
		abort();
	share->key = key;
	if (key) {
		share->chain = *bucket_of(key);
		*bucket_of(key) = share;
	}
	return share;
}

static void drop(struct share *share)
{
	struct share **at;

	if (share->members || share->held)
		return;
	if (share->key) {
		for (at = bucket_of(share->key); *at != share; at = &(*at)->chain)
			;
		*at = share->chain;
	}
	free(share->key);
	free(share);
}

bool share_join(struct target *target)
{
	struct share *share = target->share;

	if (!share) {
		share = find(make_key(target));
		target->share = share;
		share->count++;
		/* Second, so that the one that leads goes on. */
		if (share->members) {
			target->sharing = share->members->sharing;
			share->members->sharing = target;
		} else {
			target->sharing = NULL;
			share->members = target;
		}
	}
	return share->members == target;
}

struct target *share_leave(struct target *target)
{
	struct share *share = target->share;
	struct target **at, *heir;
	bool led;

	if (!share)
		return NULL;
	led = share->members == target;
	for (at = &share->members; *at != target; at = &(*at)->sharing)
		;
	*at = target->sharing;
	share->count--;
	target->share = NULL;
	target->sharing = NULL;
	heir = led && !share->held ? share->members : NULL;
	drop(share);
	return heir;
}

struct target *share_leader(const struct target *target)
{
	return target->share ? target->share->members : (struct target *)target;
}

struct target *share_next(const struct target *target)
{
	return target->sharing;
}

size_t share_count(const struct target *target)
{
	return target->share ? target->share->count : 1;
}

struct share *share_hold(struct target *target)
{
	if (target->share)
		target->share->held = true;
	return target->share;
}

struct target *share_release(struct share *share)
{
	struct target *leader;

	if (!share)
		return NULL;
	share->held = false;
	leader = share->members;
	drop(share);
	return leader;
}
