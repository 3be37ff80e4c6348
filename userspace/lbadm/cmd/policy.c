// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm policy
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/config_policy.h"
#include "lbadm.h"
#include "model/policy.h"
#include "model/vocabulary.h"
#include "nft/nft.h"
#include "out/out.h"

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
		status = policy_next_prefix(words, id, &prefix);
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
		return policy_add_prefixes(words, id, policy, "allow");
	if (words_accept(words, "deny"))
		return policy_add_prefixes(words, id, policy, "deny");
	if (words_accept(words, "rate"))
		return policy_parse_rate(words, policy);
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

/*
 * What is wrong with the words themselves is found first, whatever policies there are:
 * what may be deleted is what can be added, or nothing, or "rate" alone.
 */
static int check_words(struct words words, const struct service_id *id, bool add)
{
	json_t *scratch;
	int status;

	if (!add && !words.argc)
		return LBADM_OK;
	if (!add && words_accept(&words, "rate"))
		return words_end(&words);
	scratch = json_object();
	status = add_words(&words, id, scratch);
	json_decref(scratch);
	return status;
}

static int change(struct words *words, bool add)
{
	json_t *policies, *was, *policy;
	struct service_id id;
	int status;

	status = parse_service_id(words, &id);
	if (!status)
		status = check_words(*words, &id, add);
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
				      policy_is_empty(policy) ? NULL : policy);
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
		status = out_policies(policies);
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

/* Those of a file, and no others that came from one */
static int policy_apply(struct words *words)
{
	const char *name = words_next(words);
	struct config wanted;
	json_t *have, *final;
	int status;

	if (!name)
		return usage_error("a file is expected, or - for standard input");
	status = words_end(words);
	status = status ? status : config_read(name, &wanted);
	if (status)
		return status;
	status = read_all(&have);
	if (!status) {
		final = policies_final(have, &wanted);
		status = policies_step(have, final);
		json_decref(final);
		json_decref(have);
	}
	config_free(&wanted);
	return status;
}

#define SERVICE { .name = "SERVICE", .kind = &kind_service }
#define LIST { .name = "LIST", .kind = &kind_policy_list }
#define PREFIXES { .name = "PREFIX", .kind = &kind_prefix, .flags = WORD_REPEATED }
#define RATE(kind_of) { .name = "rate", .kind = (kind_of), \
	.help = "the most connections that a client can begin" }

static const struct word args_lists[] = { SERVICE, LIST, PREFIXES, { 0 } };
static const struct word args_rate[] = { SERVICE, RATE(&kind_rate), { 0 } };
static const struct word args_no_rate[] = { SERVICE, RATE(NULL), { 0 } };

static const struct word rate_words[] = {
	{ .name = "burst", .kind = &kind_burst,
	  .help = "how many of them can come at once; as many as N unless given" },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "add", policy_add, "let only some clients begin connections, or not some",
	  args_lists, NULL },
	{ "add", policy_add, "limit how many connections each client can begin",
	  args_rate, rate_words },
	{ "del", policy_del, "remove prefixes from a list", args_lists, NULL },
	{ "del", policy_del, "remove the limit", args_no_rate, NULL },
	{ "del", policy_del, "remove all of a service's", args_service, NULL },
	{ "show", policy_show, "show one policy, or all, with numbers of drops",
	  args_maybe_service, NULL },
	{ "apply", policy_apply, "make the policies of a configuration file, and nothing else",
	  args_file, NULL },
	{ "flush", policy_flush, "remove all policies", NULL, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_policy = {
	"policy", "access lists and rate limits (by nftables)",
	commands,
};
