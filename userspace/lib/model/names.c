// SPDX-License-Identifier: GPL-2.0
/*
 * Words for numbers of the protocol.
 */
#include "model/names.h"

#include <linux/nflb.h>
#include <stdio.h>
#include <string.h>

static const char *const modes[] = {
	[NFLB_MODE_DNAT] = "dnat",
	[NFLB_MODE_FULLNAT] = "fullnat",
	[NFLB_MODE_DSR] = "dsr",
};

static const char *const modes_about[] = {
	[NFLB_MODE_DNAT] = "rewrite the destination; replies return through the balancer",
	[NFLB_MODE_FULLNAT] = "rewrite both ends: the source becomes a local address",
	[NFLB_MODE_DSR] = "leave addresses alone; the backend replies to the client itself",
};

static const char *const encaps[] = {
	[NFLB_ENCAP_NONE] = "none",
	[NFLB_ENCAP_IPIP] = "ipip",
	[NFLB_ENCAP_GRE] = "gre",
	[NFLB_ENCAP_GUE] = "gue",
};

static const char *const encaps_about[] = {
	[NFLB_ENCAP_NONE] = "no tunnel: the backend is on a link of the balancer",
	[NFLB_ENCAP_IPIP] = "IP in IP, of either family",
	[NFLB_ENCAP_GRE] = "GRE",
	[NFLB_ENCAP_GUE] = "UDP (GUE), to port 6080 or the one given: gue:PORT",
};

static const char *const backend_states[] = {
	[NFLB_BACKEND_UP] = "up",
	[NFLB_BACKEND_DRAIN] = "drain",
	[NFLB_BACKEND_DOWN] = "down",
};

static const char *const backend_states_about[] = {
	[NFLB_BACKEND_UP] = "gets new connections; clears a state that was set by hand",
	[NFLB_BACKEND_DRAIN] = "keeps its connections and gets no new ones",
	[NFLB_BACKEND_DOWN] = "gets no new connections and loses those it has",
};

static const char *const conn_states[] = {
	[NFLB_CONN_NONE] = "none",
	[NFLB_CONN_SYN_SENT] = "syn-sent",
	[NFLB_CONN_SYN_RECV] = "syn-recv",
	[NFLB_CONN_ESTABLISHED] = "established",
	[NFLB_CONN_FIN_WAIT] = "fin-wait",
	[NFLB_CONN_CLOSE_WAIT] = "close-wait",
	[NFLB_CONN_LAST_ACK] = "last-ack",
	[NFLB_CONN_TIME_WAIT] = "time-wait",
	[NFLB_CONN_CLOSE] = "close",
	[NFLB_CONN_UDP] = "udp",
	[NFLB_CONN_ENDED] = "ended",
};

static const char *const healths[] = {
	[NFLB_HEALTH_UNKNOWN] = "unknown",
	[NFLB_HEALTH_CHECKING] = "checking",
	[NFLB_HEALTH_HEALTHY] = "healthy",
	[NFLB_HEALTH_UNHEALTHY] = "unhealthy",
	[NFLB_HEALTH_EJECTED] = "ejected",
};

static const char *const health_initials[] = {
	[NFLB_HEALTH_INITIAL_UP] = "up",
	[NFLB_HEALTH_INITIAL_DOWN] = "down",
};

static const char *const on_unhealthies[] = {
	[NFLB_ON_UNHEALTHY_KEEP] = "keep",
	[NFLB_ON_UNHEALTHY_RESET] = "reset",
};

static const char *const when_nones[] = {
	[NFLB_WHEN_NONE_ALL] = "all",
	[NFLB_WHEN_NONE_REFUSE] = "refuse",
};

/* Not numbers of the protocol, but all that the module has. */
static const char *const schedulers[] = {
	"rr", "wrr", "random", "lc", "wlc", "sed", "nq", "p2c", "fo", "ovf",
	"hash", "source", "maglev", "maglev-source",
};

static const char *const schedulers_about[] = {
	"take turns, whatever the weights",
	"take turns in proportion to the weights",
	"pick at random, by weight",
	"fewest connections",
	"fewest connections for the weight",
	"fewest connections for the weight, counting the new one",
	"an idle backend first, otherwise as sed",
	"the better of two random picks, by connections and weight",
	"the heaviest backend that is up and has room",
	"the heaviest until it has as many connections as weight, then the next",
	"hash of addresses, ports and protocol, by weight",
	"hash of the client's address, by weight",
	"consistent hash of addresses, ports and protocol, by weight",
	"consistent hash of the client's address, by weight",
};

static const char *const watch_sorts[] = {
	"connections", "packets", "bytes", "active",
};

static const char *const protocols[] = { "tcp", "udp" };

/* Verdicts on a backend's health that can be set by hand */
static const char *const verdict_words[] = { "up", "down", "clear" };

static const char *const verdict_words_about[] = {
	"healthy", "unhealthy", "unknown, as if nobody checked it",
};

/* When to colour */
static const char *const whens[] = { "auto", "always", "never" };

static const char *const policy_lists[] = { "allow", "deny" };

static const char *const policy_lists_about[] = {
	"drop connections of all clients that no allow names",
	"drop connections of these clients, whatever allow names",
};

static const char *const verdicts[] = {
	[NFLB_EXPLAIN_PASS] = "pass",
	[NFLB_EXPLAIN_FORWARD] = "forward",
	[NFLB_EXPLAIN_LOCAL] = "local",
	[NFLB_EXPLAIN_DROP] = "drop",
};

#define NAMES(what, array) \
	{ what, array, sizeof(array) / sizeof((array)[0]), NULL }
#define NAMES_ABOUT(what, array) \
	{ what, array, sizeof(array) / sizeof((array)[0]), array##_about }

_Static_assert(sizeof(schedulers) == sizeof(schedulers_about),
	       "a line on each scheduler");

const struct names mode_names = NAMES_ABOUT("mode", modes);
const struct names encap_names = NAMES_ABOUT("encap", encaps);
const struct names backend_state_names = NAMES_ABOUT("state", backend_states);
const struct names conn_state_names = NAMES("state", conn_states);
const struct names health_names = NAMES("health", healths);
const struct names health_initial_names = NAMES("initial", health_initials);
const struct names on_unhealthy_names = NAMES("on-unhealthy", on_unhealthies);
const struct names when_none_names = NAMES("when-none-healthy", when_nones);
const struct names scheduler_names = NAMES_ABOUT("scheduler", schedulers);
const struct names protocol_names = NAMES("protocol", protocols);
const struct names verdict_word_names = NAMES_ABOUT("verdict", verdict_words);
const struct names watch_sort_names = NAMES("sort", watch_sorts);
const struct names when_names = NAMES("color", whens);
const struct names policy_list_names = NAMES_ABOUT("list", policy_lists);
const struct names verdict_names = NAMES("verdict", verdicts);

int names_find(const struct names *names, const char *word)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		if (!strcmp(names->names[i], word))
			return i;
	return -1;
}

const char *names_get(const struct names *names, unsigned int number)
{
	return number < names->count ? names->names[number] : NULL;
}

const char *names_list(const struct names *names, char *buf, size_t size)
{
	size_t i, used = 0;

	buf[0] = '\0';
	for (i = 0; i < names->count && used < size; i++)
		used += snprintf(buf + used, size - used, "%s%s",
				 i == 0 ? "" : i + 1 == names->count ? " or " :
				 ", ", names->names[i]);
	return buf;
}

const char *names_suggest(const struct names *names, const char *word,
			  char buf[SUGGEST_TEXT_MAX])
{
	struct suggestion s;
	size_t i;

	suggest_begin(&s, word);
	for (i = 0; i < names->count; i++)
		suggest_try(&s, names->names[i]);
	return suggest_text(&s, buf);
}
