// SPDX-License-Identifier: GPL-2.0
/*
 * The options of a line of ipvsadm(8).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "model/ipvs.h"

/* How to handle an option */
enum action {
	COMMAND,	/* it is the command: @value */
	NO_COMMAND,	/* it is one that configures nothing */
	NOT_POSSIBLE,	/* it is one that nflb has no equivalent of: @hint */
	SERVICE,	/* its value is the service: @value is the protocol */
	VALUE,		/* its value goes to @offset */
	PERSIST,	/* it may have a value */
	TIMEOUTS,	/* it has three */
	FORWARD,	/* @value */
	FLAG,		/* sets the bool at @offset */
	NOTHING,	/* the default, or about printing */
};

struct option {
	const char *letter;	/* or NULL */
	const char *name;
	enum action action;
	int value;
	size_t offset;
	const char *hint;
};

#define AT(member) offsetof(struct ipvs_line, member)
#define SYNC "nflb does not synchronise connections: remove the line"

static const struct option option_table[] = {
	{ "-A", "--add-service", COMMAND, IPVS_ADD_SERVICE, 0, NULL },
	{ "-E", "--edit-service", COMMAND, IPVS_EDIT_SERVICE, 0, NULL },
	{ "-a", "--add-server", COMMAND, IPVS_ADD_SERVER, 0, NULL },
	{ "-e", "--edit-server", COMMAND, IPVS_EDIT_SERVER, 0, NULL },
	{ "-C", "--clear", COMMAND, IPVS_CLEAR, 0, NULL },
	{ NULL, "--set", TIMEOUTS, IPVS_TIMEOUTS, 0, NULL },
	{ "-D", "--delete-service", NO_COMMAND, 0, 0, NULL },
	{ "-d", "--delete-server", NO_COMMAND, 0, 0, NULL },
	{ "-R", "--restore", NO_COMMAND, 0, 0, NULL },
	{ "-S", "--save", NO_COMMAND, 0, 0, NULL },
	{ "-L", "--list", NO_COMMAND, 0, 0, NULL },
	{ "-l", "--list", NO_COMMAND, 0, 0, NULL },
	{ "-Z", "--zero", NO_COMMAND, 0, 0, NULL },
	{ "-h", "--help", NO_COMMAND, 0, 0, NULL },
	{ "-v", "--version", NO_COMMAND, 0, 0, NULL },
	{ NULL, "--start-daemon", NOT_POSSIBLE, 0, 0, SYNC },
	{ NULL, "--stop-daemon", NOT_POSSIBLE, 0, 0, SYNC },
	{ "-t", "--tcp-service", SERVICE, IPVS_TCP, 0, NULL },
	{ "-u", "--udp-service", SERVICE, IPVS_UDP, 0, NULL },
	{ NULL, "--sctp-service", SERVICE, IPVS_SCTP, 0, NULL },
	{ "-f", "--fwmark-service", SERVICE, IPVS_MARK, 0, NULL },
	{ "-6", "--ipv6", FLAG, 0, AT(ipv6), NULL },
	{ "-s", "--scheduler", VALUE, 0, AT(scheduler), NULL },
	{ "-b", "--sched-flags", VALUE, 0, AT(flags), NULL },
	{ "-p", "--persistent", PERSIST, 0, 0, NULL },
	{ "-M", "--netmask", VALUE, 0, AT(mask), NULL },
	{ NULL, "--pe", VALUE, 0, AT(pe), NULL },
	{ "-o", "--ops", FLAG, 0, AT(one_packet), NULL },
	{ "-r", "--real-server", VALUE, 0, AT(server), NULL },
	{ "-g", "--gatewaying", FORWARD, 'g', 0, NULL },
	{ "-i", "--ipip", FORWARD, 'i', 0, NULL },
	{ "-m", "--masquerading", FORWARD, 'm', 0, NULL },
	{ NULL, "--tun-type", VALUE, 0, AT(tun_type), NULL },
	{ NULL, "--tun-port", VALUE, 0, AT(tun_port), NULL },
	{ NULL, "--tun-nocsum", NOTHING, 0, 0, NULL },
	{ NULL, "--tun-csum", FLAG, 0, AT(tun_csum), NULL },
	{ NULL, "--tun-remcsum", FLAG, 0, AT(tun_remcsum), NULL },
	{ "-w", "--weight", VALUE, 0, AT(weight), NULL },
	{ "-x", "--u-threshold", VALUE, 0, AT(upper), NULL },
	{ "-y", "--l-threshold", VALUE, 0, AT(lower), NULL },
	{ "-n", "--numeric", NOTHING, 0, 0, NULL },
	{ NULL, "--exact", NOTHING, 0, 0, NULL },
	{ NULL, "--sort", NOTHING, 0, 0, NULL },
	{ NULL, "--nosort", NOTHING, 0, 0, NULL },
};

void ipvs_warn(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fail(LBADM_OK, "warning: %s", text);
}

static bool has_value(const struct option *o)
{
	return o->action == SERVICE || o->action == VALUE ||
	       o->action == PERSIST;
}

/*
 * The option that @word is, and its attached value: "-tVALUE", "--name=VALUE", or
 * NULL.
 */
static const struct option *find(const char *word, const char **attached)
{
	const struct option *o, *end = option_table + sizeof(option_table) /
						      sizeof(option_table[0]);
	size_t len = strcspn(word, "=");

	*attached = NULL;
	for (o = option_table; o < end; o++) {
		if (strlen(o->name) == len && !strncmp(o->name, word, len)) {
			if (word[len])
				*attached = word + len + 1;
			return o;
		}
		if (!o->letter || strncmp(o->letter, word, 2))
			continue;
		if (word[2] && !has_value(o))
			continue;
		if (word[2])
			*attached = word + 2;
		return o;
	}
	return NULL;
}

static int command(struct ipvs_line *line, int value)
{
	if (line->command)
		return usage_error("one command a line is expected");
	line->command = value;
	return LBADM_OK;
}

static int service(struct ipvs_line *line, int protocol, const char *value)
{
	if (line->service)
		return usage_error("one service a line is expected");
	line->protocol = protocol;
	line->service = value;
	return LBADM_OK;
}

static int timeouts(struct ipvs_line *line, const struct option *o,
		    struct words *words)
{
	int i;

	for (i = 0; i < 3; i++) {
		line->timeouts[i] = words_next(words);
		if (!line->timeouts[i])
			return usage_error("%s: three numbers are expected",
					   o->name);
	}
	return command(line, o->value);
}

/* An option that has a value, or may have one. */
static int with_value(struct ipvs_line *line, const struct option *o,
		      const char *word, const char *value, struct words *words)
{
	const char *next = words_peek(words);

	if (!value && (o->action != PERSIST || (next && *next != '-')))
		value = words_next(words);
	if (!value && o->action != PERSIST)
		return usage_error("%s: its value is missing", word);
	if (o->action == SERVICE)
		return service(line, o->value, value);
	if (o->action == PERSIST) {
		line->persistent = true;
		line->persist = value;
	} else {
		*(const char **)((char *)line + o->offset) = value;
	}
	return LBADM_OK;
}

static int take(struct ipvs_line *line, const char *word, struct words *words)
{
	const char *attached;
	const struct option *o = find(word, &attached);

	if (!o)
		return usage_error("\"%s\" is not a known option of ipvsadm",
				   word);
	if (has_value(o))
		return with_value(line, o, word, attached, words);
	switch (o->action) {
	case COMMAND:
		return command(line, o->value);
	case NO_COMMAND:
		return usage_error("%s configures nothing that could be converted: remove the line",
				   word);
	case NOT_POSSIBLE:
		return usage_error("%s: %s", word, o->hint);
	case TIMEOUTS:
		return timeouts(line, o, words);
	case FORWARD:
		line->forward = o->value;
		return LBADM_OK;
	case FLAG:
		*(bool *)((char *)line + o->offset) = true;
		return LBADM_OK;
	default:
		return LBADM_OK;
	}
}

static int complete(const struct ipvs_line *line)
{
	switch (line->command) {
	case IPVS_NONE:
		return usage_error("a line of `ipvsadm-save -n` begins with -A or -a");
	case IPVS_CLEAR:
	case IPVS_TIMEOUTS:
		return LBADM_OK;
	}
	if (!line->service)
		return usage_error("the service is missing: -t, -u or -f");
	if (line->command != IPVS_ADD_SERVER &&
	    line->command != IPVS_EDIT_SERVER)
		return LBADM_OK;
	return line->server ? LBADM_OK :
			      usage_error("the real server is missing: -r");
}

int ipvs_line_parse(struct words *words, struct ipvs_line *line)
{
	const char *word;
	int status = LBADM_OK;

	memset(line, 0, sizeof(*line));
	line->forward = 'g';
	words_accept(words, "ipvsadm");
	while (!status && (word = words_next(words)))
		status = take(line, word, words);
	return status ? status : complete(line);
}
