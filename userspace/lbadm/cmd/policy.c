// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm policy
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/policy.h"
#include "nft/nft.h"
#include "out/out.h"

#define RATE_MAX 1000000000

/* Every policy that there is. Returns enum lbadm_exit. */
static int read_all(json_t **policies)
{
	json_t *objects;
	int status = nft_list(&objects);

	if (status)
		return status;
	*policies = policies_read(objects);
	json_decref(objects);
	return LBADM_OK;
}

static int bad_rate(const char *text)
{
	return usage_error("rate \"%s\": N/second, N/minute, N/hour or N/day is expected",
			   text);
}

/* N/UNIT [burst N] */
static int parse_rate(struct words *words, json_t *policy)
{
	const char *text = words_next(words), *slash;
	struct opt burst = { 0 };
	uint32_t number;
	char digits[16];
	int i, err;

	if (!text)
		return usage_error("rate: a value is missing");
	slash = strchr(text, '/');
	if (!slash || (size_t)(slash - text) >= sizeof(digits))
		return bad_rate(text);
	memcpy(digits, text, slash - text);
	digits[slash - text] = '\0';
	for (i = 0; policy_units[i] && strcmp(policy_units[i], slash + 1); i++)
		;
	if (!policy_units[i] || !number_parse(&number, digits, RATE_MAX) ||
	    !number)
		return bad_rate(text);
	burst.value = number;
	if (words_accept(words, "burst")) {
		err = parse_number(words, "burst", RATE_MAX, &burst);
		if (err)
			return err;
		if (!burst.value)
			return usage_error("burst: 1 at least, or nobody could begin a connection");
	}
	json_object_set_new(policy, "rate", json_sprintf("%u/%s", number,
							 policy_units[i]));
	json_object_set_new(policy, "burst", json_integer(burst.value));
	return words_end(words);
}

struct prefix_text {
	struct addr addr;
	uint32_t length;
	char text[PREFIX_TEXT_MAX];
};

static bool parse_prefix(struct prefix_text *prefix, const char *text)
{
	char address[ADDR_TEXT_MAX];

	if (!prefix_parse(&prefix->addr, &prefix->length, text))
		return false;
	prefix_mask(&prefix->addr, prefix->length);
	addr_format(address, &prefix->addr);
	if (prefix->length == prefix->addr.len * 8u)
		snprintf(prefix->text, sizeof(prefix->text), "%s", address);
	else
		snprintf(prefix->text, sizeof(prefix->text), "%s/%u", address,
			 prefix->length);
	return true;
}

static bool overlap(struct prefix_text a, struct prefix_text b)
{
	uint32_t length = a.length < b.length ? a.length : b.length;

	prefix_mask(&a.addr, length);
	prefix_mask(&b.addr, length);
	return !memcmp(a.addr.bytes, b.addr.bytes, a.addr.len);
}

/* The next of a list, as it is kept. Returns enum lbadm_exit. */
static int next_prefix(struct words *words, const struct service_id *id,
		       struct prefix_text *prefix)
{
	const char *word = words_next(words);

	if (!parse_prefix(prefix, word))
		return usage_error("\"%s\": ADDRESS or ADDRESS/LENGTH is expected",
				   word);
	if (prefix->addr.len != id->address.len)
		return usage_error("%s is not of the VIP's address family",
				   word);
	return LBADM_OK;
}

static int add_prefixes(struct words *words, const struct service_id *id,
			json_t *policy, const char *key)
{
	json_t *list = json_object_get(policy, key), *other;
	struct prefix_text prefix, its;
	int status;
	size_t i;

	if (!words->argc)
		return usage_error("%s: a prefix is missing", key);
	if (!list) {
		list = json_array();
		json_object_set_new(policy, key, list);
	}
	while (words->argc) {
		status = next_prefix(words, id, &prefix);
		if (status)
			return status;
		json_array_foreach(list, i, other)
			if (parse_prefix(&its, json_string_value(other)) &&
			    overlap(prefix, its))
				return fail(LBADM_REFUSED,
					    "%s %s: the list has %s already",
					    key, prefix.text, its.text);
		json_array_append_new(list, json_string(prefix.text));
	}
	return LBADM_OK;
}

static int del_prefixes(struct words *words, const struct service_id *id,
			json_t *policy, const char *key)
{
	json_t *list = json_object_get(policy, key), *other;
	struct prefix_text prefix;
	int status;
	size_t i;

	if (!words->argc)
		return usage_error("%s: a prefix is missing", key);
	while (words->argc) {
		status = next_prefix(words, id, &prefix);
		if (status)
			return status;
		json_array_foreach(list, i, other)
			if (!strcmp(prefix.text, json_string_value(other)))
				break;
		if (i >= json_array_size(list))
			return fail(LBADM_REFUSED, "%s: the list has no %s", key,
				    prefix.text);
		json_array_remove(list, i);
	}
	if (!json_array_size(list))
		json_object_del(policy, key);
	return LBADM_OK;
}

/* Is nothing left of it? */
static bool is_empty(const json_t *policy)
{
	return !json_object_get(policy, "deny") &&
	       !json_object_get(policy, "allow") &&
	       !json_object_get(policy, "rate");
}

/* The table goes with the last policy. */
static int write_policy(const struct service_id *id, const json_t *policies,
			const json_t *policy)
{
	char *commands;
	int status;

	if (!policy && json_array_size(policies) == 1)
		return nft_run("delete table " NFT_TABLE "\n");
	commands = policy_write(id, policies, policy);
	status = nft_run(commands);
	free(commands);
	return status;
}

/* Each changes @policy as the words say. Returns enum lbadm_exit. */

static int add_words(struct words *words, const struct service_id *id,
		     json_t *policy)
{
	if (words_accept(words, "allow"))
		return add_prefixes(words, id, policy, "allow");
	if (words_accept(words, "deny"))
		return add_prefixes(words, id, policy, "deny");
	if (words_accept(words, "rate"))
		return parse_rate(words, policy);
	return usage_error("allow, deny or rate is expected");
}

static int del_words(struct words *words, const struct service_id *id,
		     json_t *policy)
{
	if (words_accept(words, "allow"))
		return del_prefixes(words, id, policy, "allow");
	if (words_accept(words, "deny"))
		return del_prefixes(words, id, policy, "deny");
	if (words_accept(words, "rate")) {
		if (json_object_del(policy, "rate"))
			return fail(LBADM_REFUSED, "rate: there is none");
		json_object_del(policy, "burst");
		return words_end(words);
	}
	if (words->argc)
		return usage_error("allow, deny or rate is expected");
	json_object_del(policy, "allow");
	json_object_del(policy, "deny");
	json_object_del(policy, "rate");
	return LBADM_OK;
}

static int change(struct words *words, bool add)
{
	json_t *policies, *was, *policy;
	struct service_id id;
	int status;

	status = parse_service_id(words, &id);
	if (!status)
		status = read_all(&policies);
	if (status)
		return status;
	was = policy_find(policies, &id);
	if (!was && !add) {
		json_decref(policies);
		return fail(LBADM_REFUSED, "the service has no policy");
	}
	policy = was ? json_deep_copy(was) : json_object();
	status = add ? add_words(words, &id, policy) :
		       del_words(words, &id, policy);
	if (!status)
		status = write_policy(&id, policies,
				      is_empty(policy) ? NULL : policy);
	json_decref(policy);
	json_decref(policies);
	return status;
}

static int policy_add(struct words *words)
{
	return change(words, true);
}

static int policy_del(struct words *words)
{
	return change(words, false);
}

/* All, or that of one service. */
static int policy_show(struct words *words)
{
	json_t *policies, *one = NULL;
	struct service_id id;
	bool named = words->argc;
	int status = LBADM_OK;

	if (named)
		status = parse_service_id(words, &id);
	if (!status)
		status = words_end(words);
	if (!status)
		status = read_all(&policies);
	if (status)
		return status;
	if (named) {
		one = policy_find(policies, &id);
		json_incref(one);
		json_array_clear(policies);
		if (one)
			json_array_append_new(policies, one);
		else
			status = fail(LBADM_REFUSED,
				      "the service has no policy");
	}
	if (!status && lbadm_options.json)
		out_json(policies);
	else if (!status)
		out_policies(policies);
	json_decref(policies);
	return status;
}

static int policy_flush(struct words *words)
{
	json_t *objects;
	int status = words_end(words);

	if (!status)
		status = nft_list(&objects);
	if (status)
		return status;
	if (objects)
		status = nft_run("delete table " NFT_TABLE "\n");
	json_decref(objects);
	return status;
}

static const struct lbadm_command commands[] = {
	{ "add", policy_add, "SERVICE allow|deny PREFIX...\n"
	  "    lbadm policy add SERVICE rate N/second|minute|hour|day [burst N]" },
	{ "del", policy_del, "SERVICE [allow|deny PREFIX... | rate]" },
	{ "show", policy_show, "[SERVICE]" },
	{ "flush", policy_flush, "" },
	{ 0 },
};

const struct lbadm_object lbadm_policy = {
	"policy", "who may begin connections, and how many: by nftables",
	commands,
};
