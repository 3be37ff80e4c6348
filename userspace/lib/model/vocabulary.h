/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of lbadm, described once. The parser, help, completion, the lists of
 * options in man pages, the keys of a configuration file and its JSON schema are all
 * made from here and from the commands of cmd/: docs/CONVENTIONS.md, "Adding a word".
 */
#ifndef LBADM_VOCABULARY_H
#define LBADM_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/report.h"
#include "model/names.h"
#include "util/json_reader.h"

/* Existing objects that completion offers. */
enum live {
	LIVE_NONE,
	LIVE_PROTOCOL,		/* PROTO, then a new VIP */
	LIVE_SERVICE,		/* PROTO and VIP of a service: two words */
	LIVE_BACKEND,		/* of the service named before, or any */
	LIVE_HOST,		/* addresses of backends */
	LIVE_LADDR,		/* local addresses, as they were added */
	LIVE_DEVICE,		/* devices with the fast path */
	LIVE_NETDEV,		/* devices of the host */
	LIVE_ADDRESS,		/* addresses of the host */
	LIVE_NETNS,
	LIVE_FILE,
};

struct word;

/**
 * struct kind - a kind of value
 * @form: how it is written, for help; NULL: the words of @names
 * @about: explains @form where that is not plain, for help; or NULL
 * @names: the words that it can be, or NULL
 * @min: of a number, in milliseconds of JSON_KIND_SECONDS, or the length of a string
 * @max: the same; 0 if there is none
 * @bytes: of a text at most, 0 if there is no such limit
 * @live: existing objects that completion offers
 * @json: how a configuration file writes it
 * @pattern: a regular expression for the JSON schema, or NULL
 * @keys: of an object in a configuration file, or NULL
 * @any_case: @names may be in upper case
 * @parse: takes the value from @words and keeps it in @req, at @word's place; NULL for
 *	an argument, which its command takes itself
 */
struct kind {
	const char *form;
	const char *about;
	const struct names *names;
	uint32_t min, max;
	uint32_t bytes;
	enum live live;
	enum json_kind json;
	const char *pattern;
	const struct word *keys;
	bool any_case;
	int (*parse)(struct words *words, const struct word *word, void *req);
};

/* An argument that can be left out */
#define WORD_OPTIONAL	0x01
/* An argument or a word that there can be more of */
#define WORD_REPEATED	0x02
/* A key of a configuration file, too, */
#define WORD_KEY	0x04
/* or one alone, */
#define WORD_KEY_ONLY	0x08
/* which has to be there */
#define WORD_NEEDED	0x10
/* A key whose value 0 asks for the default */
#define WORD_ZERO	0x20
/* A key of a service's health check that no backend overrides */
#define WORD_SERVICE	0x40

/**
 * struct word - a word of a command, or an argument
 * @name: the word; an argument's is in capital letters
 * @kind: the kind of its value, or of an argument; NULL if it has no value
 * @help: one short description, without a full stop
 * @more: sentences that man pages add to it, or NULL; *word* is bold, _word_ italic
 * @standard: its default, or NULL
 * @flags: WORD_...
 * @offset: where the value goes in the request
 * @extra: of encap, where its port goes
 */
struct word {
	const char *name;
	const struct kind *kind;
	const char *help;
	const char *more;
	const char *standard;
	unsigned int flags;
	size_t offset, extra;
};

/* Kinds of values */
extern const struct kind kind_mode, kind_encap, kind_encap_source, kind_scheduler,
	kind_persist, kind_seconds, kind_on_off, kind_toa_kind6, kind_weight,
	kind_connections, kind_backend_state, kind_mtu, kind_laddr_ports,
	kind_laddr_exclude, kind_client, kind_conn_state, kind_burst,
	kind_interval, kind_count, kind_watch_sort, kind_name, kind_comment;
/* Those of arguments */
extern const struct kind kind_service, kind_new_service, kind_backend,
	kind_new_backend, kind_laddr, kind_new_laddr, kind_device, kind_netdev,
	kind_file, kind_prefix, kind_policy_list, kind_rate, kind_verdict,
	kind_protocol, kind_client_port, kind_vip_port, kind_vip_address,
	kind_own_address, kind_fwmark;
/* Those of keys of a file */
extern const struct kind kind_address, kind_port, kind_service_port, kind_prefix4,
	kind_prefix6, kind_array, kind_object, kind_health_initial,
	kind_on_unhealthy, kind_when_none, kind_percent;
/* Kinds of options; the word after kind_text is never an option */
extern const struct kind kind_text, kind_netns, kind_when,
	kind_columns, kind_sort;

/* Words that several commands, or a file, have; the last has no name */
extern const struct word service_words[], backend_words[], laddr_words[],
	device_words[], filter_words[], laddr_del_words[];
/* Arguments that several commands have */
extern const struct word args_new_service[], args_service[], args_maybe_service[],
	args_new_backend[], args_backend[], args_maybe_backend[], args_file[];
/* Keys of a file alone */
extern const struct word config_words[], policy_words[], health_check_words[];

/* Is it an argument, whose name is a placeholder? */
bool word_is_argument(const struct word *word);
/* May it stand on the command line, or in a file? */
bool word_is_spoken(const struct word *word);
bool word_is_key(const struct word *word);
/* The one of that name on the command line, or NULL. */
const struct word *word_find(const struct word *list, const char *name);

/* Can any text be the value, also one that looks like an option? */
bool kind_is_text(const struct kind *kind);
/* How a value is written, "dnat|fullnat|dsr". Returns @buf. */
const char *kind_form(const struct kind *kind, char *buf, size_t size);

/* Take all words that are left, each with its value. Returns enum lbadm_exit, with a
 * message on errors.
 */
int parse_words(struct words *words, const struct word *list, void *req);
/* The same of words that begin with "--", up to the first other one. */
int parse_flags(struct words *words, const struct word *list, void *req);

/* Keys of a file, for json_check_keys(); @keys has room for all. */
#define KEYS_MAX 64
void vocabulary_keys(const struct word *list, struct json_key keys[KEYS_MAX]);

#endif /* LBADM_VOCABULARY_H */
