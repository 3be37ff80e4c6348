// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm version
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lbadm.h"
#include "model/request.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

/* What the kernel itself says of a module that does not */
#define SYS_VERSION "/sys/module/nflb/version"

static int version_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t *version = msg_get_version(nlh);

	json_object_update(data, version);
	json_decref(version);
	return MNL_CB_OK;
}

/* The version of a module that is older than its answer to this question */
static void read_sys_version(json_t *all)
{
	FILE *file = fopen(SYS_VERSION, "r");
	char line[64];

	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		json_object_set_new(all, "module", json_string(line));
	}
	fclose(file);
}

static int ask_module(json_t *all)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	bool unknown = false;
	int status = sock_open();

	if (status)
		return status;
	status = sock_try(sock_request(buf, NFLB_CMD_CONFIG_GET, 0), version_cb,
			  all, EOPNOTSUPP, &unknown);
	if (status && !unknown)
		return status;
	if (!json_object_get(all, "module"))
		read_sys_version(all);
	return LBADM_OK;
}

/* Which of both knows more? 0 when they know the same. */
static int compare(const json_t *all)
{
	json_int_t module = json_integer_value(json_object_get(all,
							       "module-protocol"));

	return (module > NFLB_UAPI_VERSION) - (module < NFLB_UAPI_VERSION);
}

static void print_one(const json_t *all, const char *who, const char *key,
		      const char *protocol_key)
{
	const json_t *version = json_object_get(all, key);
	const json_t *protocol = json_object_get(all, protocol_key);

	printf("%s %s", who, version ? json_string_value(version) : "unknown");
	if (protocol)
		printf(" protocol %" JSON_INTEGER_FORMAT,
		       json_integer_value(protocol));
	putchar('\n');
}

static int verdict(int difference)
{
	if (difference < 0)
		return fail(LBADM_DIFFERS, "the loaded module is older than lbadm: it rejects settings that it does not know");
	if (difference > 0)
		return fail(LBADM_DIFFERS, "the loaded module is newer than lbadm: lbadm does not show or set all that it knows");
	return LBADM_OK;
}

static int version(struct words *words)
{
	json_t *all = json_pack("{s:s, s:i}", "tool", LBADM_VERSION,
				"tool-protocol", (int)NFLB_UAPI_VERSION);
	static const char *const fits[] = {
		"module-older", "same", "module-newer",
	};
	int status = words_end(words), difference;

	if (!status && !lbadm_options.json)
		print_one(all, "lbadm", "tool", "tool-protocol");
	status = status ? status : ask_module(all);
	difference = compare(all);
	if (!status && !lbadm_options.json)
		print_one(all, "module", "module", "module-protocol");
	if (!status || sock_no_module())
		json_object_set_new(all, "fit", json_string(
			status ? "not-loaded" : fits[difference + 1]));
	if (lbadm_options.json && json_object_get(all, "fit"))
		out_json(all);
	json_decref(all);
	return status ? status : verdict(difference);
}

/* An object without commands: nothing follows. */
static const struct lbadm_command commands[] = {
	{ "", version, "print the versions of lbadm and of the loaded module",
	  NULL, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_version = {
	"version", "versions of lbadm and the module, and whether they fit", commands,
};
