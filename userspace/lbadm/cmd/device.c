// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm device
 */
#include <string.h>

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

static int device_cb(const struct nlmsghdr *nlh, void *data)
{
	json_t *device = msg_get_device(nlh);

	if (!device)
		return MNL_CB_ERROR;
	json_array_append_new(data, device);
	return MNL_CB_OK;
}

static void reset(void *data)
{
	json_array_clear(data);
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
	char buf[MNL_SOCKET_BUFFER_SIZE];
	const char *name = NULL;
	json_t *devices;
	int status = 0;

	if (words_peek(words))
		status = parse_device(words, &name);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	devices = json_array();
	status = sock_dump(sock_request(buf, NFLB_CMD_DEVICE_GET, 0), device_cb,
			   reset, devices);
	if (!status && name)
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
