// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm device
 */
#include <string.h>

#include "cmd/show.h"
#include "model/request.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"

static int change(struct words *words, uint8_t cmd)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	const char *name;
	int status;

	status = parse_device(words, &name);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	nlh = sock_request(buf, cmd, 0);
	mnl_attr_put_strz(nlh, NFLB_A_DEVICE, name);
	return sock_talk(nlh, NULL, NULL);
}

static int device_add(struct words *words)
{
	return change(words, NFLB_CMD_DEVICE_ADD);
}

static int device_del(struct words *words)
{
	return change(words, NFLB_CMD_DEVICE_DEL);
}

/* Only the device that is named, which has to be there. */
static int keep_device(json_t *devices, const char *name)
{
	json_t *device;
	size_t i;

	json_array_foreach(devices, i, device) {
		if (strcmp(json_string_value(json_object_get(device, "device")),
			   name))
			continue;
		json_incref(device);
		json_array_clear(devices);
		json_array_append_new(devices, device);
		return LBADM_OK;
	}
	return fail(LBADM_REFUSED, "the fast path is not attached to %s", name);
}

/* All devices, or the one that is named. */
static int device_show(struct words *words)
{
	const char *name = NULL;
	json_t *devices;
	int status = LBADM_OK;

	if (words_peek(words))
		status = parse_device(words, &name);
	if (!status)
		status = read_list(NFLB_CMD_DEVICE_GET, msg_get_device,
				   &devices);
	if (status)
		return status;
	if (name)
		status = keep_device(devices, name);
	if (!status && lbadm_options.json)
		out_json(devices);
	else if (!status)
		out_devices(devices);
	json_decref(devices);
	return status;
}

static const struct lbadm_command commands[] = {
	{ "add", device_add, "DEV" },
	{ "del", device_del, "DEV" },
	{ "show", device_show, "[DEV]" },
	{ 0 },
};

const struct lbadm_object lbadm_device = {
	"device", "network devices that the fast path is attached to", commands,
};
