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

static const char *const encaps[] = {
	[NFLB_ENCAP_NONE] = "none",
	[NFLB_ENCAP_IPIP] = "ipip",
	[NFLB_ENCAP_GRE] = "gre",
	[NFLB_ENCAP_GUE] = "gue",
};

static const char *const backend_states[] = {
	[NFLB_BACKEND_UP] = "up",
	[NFLB_BACKEND_DRAIN] = "drain",
	[NFLB_BACKEND_DOWN] = "down",
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

static const char *const verdicts[] = {
	[NFLB_EXPLAIN_PASS] = "pass",
	[NFLB_EXPLAIN_FORWARD] = "forward",
	[NFLB_EXPLAIN_LOCAL] = "local",
	[NFLB_EXPLAIN_DROP] = "drop",
};

#define NAMES(what, array) { what, array, sizeof(array) / sizeof((array)[0]) }

const struct names mode_names = NAMES("mode", modes);
const struct names encap_names = NAMES("encap", encaps);
const struct names backend_state_names = NAMES("state", backend_states);
const struct names conn_state_names = NAMES("state", conn_states);
const struct names health_names = NAMES("health", healths);
const struct names health_initial_names = NAMES("initial", health_initials);
const struct names on_unhealthy_names = NAMES("on-unhealthy", on_unhealthies);
const struct names when_none_names = NAMES("when-none-healthy", when_nones);
const struct names scheduler_names = NAMES("scheduler", schedulers);
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
