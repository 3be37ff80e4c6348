// SPDX-License-Identifier: GPL-2.0
/*
 * From all policies that there are to others, in one transaction.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/policy.h"
#include "model/subject.h"

/* nftables sorts the elements of a set. */
static bool same_list(const json_t *a, const json_t *b)
{
	const json_t *one, *other;
	size_t i, j;

	if (json_array_size(a) != json_array_size(b))
		return false;
	json_array_foreach(a, i, one) {
		json_array_foreach(b, j, other)
			if (json_equal(one, other))
				break;
		if (j == json_array_size(b))
			return false;
	}
	return true;
}

static bool same_value(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return (!x && !y) || json_equal(x, y);
}

bool policy_same(const json_t *a, const json_t *b)
{
	return same_list(json_object_get(a, "allow"), json_object_get(b, "allow")) &&
	       same_list(json_object_get(a, "deny"), json_object_get(b, "deny")) &&
	       same_value(a, b, "rate") && same_value(a, b, "burst");
}

void policy_remove(json_t *policies, const struct service_id *id)
{
	const json_t *policy = policy_find(policies, id);
	size_t i;

	for (i = 0; i < json_array_size(policies) && policy; i++)
		if (json_array_get(policies, i) == policy) {
			json_array_remove(policies, i);
			return;
		}
}

/* With its identity, as policies_read() finds it */
void policy_replace(json_t *policies, const struct service_id *id,
		    json_t *policy)
{
	subject_set_service(policy, id);
	policy_remove(policies, id);
	json_array_append_new(policies, policy);
}

static void put(FILE *to, char *commands)
{
	fputs(commands, to);
	free(commands);
}

/* One wanted policy; @now is the one that exists by then. */
static void change_one(FILE *to, json_t *now, const json_t *policy)
{
	struct service_id id;
	const json_t *was;
	char name[POLICY_NAME_MAX];

	policy_id(&id, policy);
	was = policy_find(now, &id);
	if (was && policy_same(was, policy)) {
		if (json_object_get(was, "config") ||
		    !json_object_get(policy, "config"))
			return;
		policy_name(name, &id);
		fprintf(to, "add chain " NFT_TABLE " %s.config\n", name);
		return;
	}
	put(to, policy_write(&id, now, policy));
	policy_replace(now, &id, json_deep_copy(policy));
}

char *policies_change(const json_t *before, const json_t *after)
{
	json_t *now = json_deep_copy(before), *policy;
	struct service_id id;
	char *commands = NULL;
	size_t size, i;
	FILE *to = open_memstream(&commands, &size);

	if (!to)
		abort();
	if (json_array_size(before) && !json_array_size(after)) {
		fputs("delete table " NFT_TABLE "\n", to);
	} else {
		json_array_foreach(after, i, policy)
			change_one(to, now, policy);
		json_array_foreach(before, i, policy) {
			policy_id(&id, policy);
			if (policy_find(after, &id))
				continue;
			put(to, policy_write(&id, now, NULL));
			policy_remove(now, &id);
		}
	}
	json_decref(now);
	if (fclose(to))
		abort();
	if (size)
		return commands;
	free(commands);
	return NULL;
}
