// SPDX-License-Identifier: GPL-2.0
/*
 * Policies from words, and from a configuration: one parser for both.
 */
#include <stdio.h>
#include <string.h>

#include "model/policy.h"
#include "model/vocabulary.h"
#include "util/json_reader.h"

static int bad_rate(const char *text)
{
	return usage_error("rate \"%s\": N/second, N/minute, N/hour or N/day is expected",
			   text);
}

int policy_parse_rate(struct words *words, json_t *policy)
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
	if (!policy_units[i] || !number_parse(&number, digits, POLICY_RATE_MAX) ||
	    !number)
		return bad_rate(text);
	burst.value = number;
	if (words_accept(words, "burst")) {
		err = parse_number(words, "burst", POLICY_RATE_MAX, &burst);
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

int policy_next_prefix(struct words *words, const struct service_id *id,
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

int policy_add_prefixes(struct words *words, const struct service_id *id,
			json_t *policy, const char *key)
{
	json_t *list = json_object_get(policy, key), *other;
	size_t i, before = json_array_size(list);
	struct prefix_text prefix, its;
	int status;

	if (!words->argc)
		return usage_error("%s: a prefix is missing", key);
	if (!list) {
		list = json_array();
		json_object_set_new(policy, key, list);
	}
	while (words->argc) {
		status = policy_next_prefix(words, id, &prefix);
		if (status)
			return status;
		json_array_foreach(list, i, other)
			if (parse_prefix(&its, json_string_value(other)) &&
			    overlap(prefix, its))
				return fail(i < before ? LBADM_REFUSED :
							 LBADM_USAGE,
					    "%s %s: the list has %s already",
					    key, prefix.text, its.text);
		json_array_append_new(list, json_string(prefix.text));
	}
	return LBADM_OK;
}

bool policy_is_empty(const json_t *policy)
{
	return !json_object_get(policy, "deny") &&
	       !json_object_get(policy, "allow") &&
	       !json_object_get(policy, "rate");
}

/* An element that is a word, with its place in the file. */
static int element_read(const json_t *element, size_t i,
			const struct service_id *id, json_t *policy,
			const char *key)
{
	char *argv[] = { (char *)json_string_value(element) };
	struct words words = { .argv = argv, .argc = 1 };
	int status;

	json_enter_index(i);
	status = *argv ? policy_add_prefixes(&words, id, policy, key) :
			 usage_error("%s: a string is expected", key);
	json_leave();
	return status ? LBADM_USAGE : LBADM_OK;
}

static int list_read(const json_t *object, const struct service_id *id,
		     json_t *policy, const char *key)
{
	const json_t *list = json_object_get(object, key), *element;
	int status = LBADM_OK;
	size_t i;

	json_enter_key(key);
	if (list && !json_array_size(list))
		status = usage_error("%s: a prefix is missing", key);
	for (i = 0; i < json_array_size(list) && !status; i++) {
		element = json_array_get(list, i);
		status = element_read(element, i, id, policy, key);
	}
	json_leave();
	return status;
}

static int rate_read(const json_t *object, json_t *policy)
{
	const json_t *rate = json_object_get(object, "rate");
	const json_t *burst = json_object_get(object, "burst");
	char number[24], text[] = "burst";
	char *argv[] = { (char *)json_string_value(rate), text, number };
	struct words words = { .argv = argv, .argc = burst ? 3 : 1 };
	int status;

	if (!rate && !burst)
		return LBADM_OK;
	json_enter_key(rate ? "rate" : "burst");
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		 json_integer_value(burst));
	status = rate ? policy_parse_rate(&words, policy) :
			usage_error("burst needs rate");
	json_leave();
	return status;
}

int policy_read(const json_t *object, const struct service_id *id,
		json_t **policy)
{
	struct json_key keys[KEYS_MAX];
	int status;

	vocabulary_keys(policy_words, keys);
	status = json_check_keys(object, keys, "a policy");
	if (status)
		return status;
	*policy = json_object();
	status = list_read(object, id, *policy, "allow");
	status = status ? status : list_read(object, id, *policy, "deny");
	return status ? status : rate_read(object, *policy);
}
