// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm device
 */
#include "cmd/device.h"

#include <string.h>

#include "cmd/show.h"
#include "model/vocabulary.h"
#include "nl/change.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"
#include "xdp/xdp.h"

/* --- what is attached */

static json_t *find_device(const json_t *devices, const char *name)
{
	json_t *device;
	size_t i;

	json_array_foreach(devices, i, device)
		if (!strcmp(json_string_value(json_object_get(device,
							      "device")), name))
			return device;
	return NULL;
}

static int add_xdp(json_t *device)
{
	const char *name = json_string_value(json_object_get(device, "device"));
	struct xdp_state state;
	int status = xdp_look(name, &state);

	if (status || state.owner == XDP_NOBODY)
		return status;
	if (state.owner != XDP_UNKNOWN)
		json_object_set_new(device, "xdp",
				    json_boolean(state.owner == XDP_NFLB));
	if (state.owner != XDP_NFLB)
		json_object_set_new(device, "xdp-program",
				    json_integer(state.program));
	return LBADM_OK;
}

/* A device that came from another namespace brought XDP, but not the hook. */
static void add_without_ingress(const char *name, void *devices)
{
	if (!find_device(devices, name))
		json_array_append_new(devices,
				      json_pack("{s:s,s:b,s:b}", "device", name,
						"xdp", 1, "ingress", 0));
}

int read_devices(json_t **devices)
{
	json_t *device;
	int status;
	size_t i;

	*devices = NULL;
	status = read_list(NFLB_CMD_DEVICE_GET, msg_get_device, devices);
	if (status)
		return status;
	json_array_foreach(*devices, i, device)
		status = status ? status : add_xdp(device);
	if (!status) {
		xdp_each(add_without_ingress, *devices);
		return LBADM_OK;
	}
	json_decref(*devices);
	*devices = NULL;
	return status;
}

static bool is_absent(const json_t *device)
{
	return json_is_true(json_object_get(device, "absent"));
}

/* Is the ingress hook attached, or waits for the device? */
static int look(const char *name, bool *hook, bool *absent)
{
	const json_t *device;
	json_t *devices;
	int status;

	status = read_list(NFLB_CMD_DEVICE_GET, msg_get_device, &devices);
	if (status)
		return status;
	device = find_device(devices, name);
	*absent = is_absent(device);
	*hook = device && !*absent;
	json_decref(devices);
	return LBADM_OK;
}

int warn_of_absent(const struct device_request *wanted, size_t count)
{
	const json_t *device;
	json_t *devices;
	int status;
	size_t i;

	if (!count)
		return LBADM_OK;
	status = read_list(NFLB_CMD_DEVICE_GET, msg_get_device, &devices);
	if (status)
		return status;
	for (i = 0; i < count; i++) {
		device = find_device(devices, wanted[i].name);
		if (is_absent(device))
			fail(LBADM_OK, "warning: device %s is missing: the fast path is attached when it appears%s",
			     wanted[i].name, wanted[i].xdp ?
			     ", XDP by the next \"config apply\"" : "");
	}
	json_decref(devices);
	return LBADM_OK;
}

/* --- changes */

static int hook_change(const char *name, uint8_t cmd, bool wait)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	int status = sock_open();

	if (status)
		return status;
	nlh = sock_request(buf, cmd, 0);
	mnl_attr_put_strz(nlh, NFLB_A_DEVICE, name);
	if (wait && change_can_wait())
		mnl_attr_put(nlh, NFLB_A_DEVICE_ABSENT, 0, NULL);
	return change_talk(nlh);
}

/* A device whose hook is new may have brought XDP from another namespace. */
static int xdp_add(const char *name, bool hook_is_new)
{
	struct xdp_state state;

	if (hook_is_new && !xdp_look(name, &state) && state.owner == XDP_NFLB)
		return LBADM_OK;
	return xdp_attach(name);
}

static int hook_step(const struct device_request *before,
		     const struct device_request *after)
{
	if (!before)
		return hook_change(after->name, NFLB_CMD_DEVICE_ADD, after->wait);
	if (!after)
		return hook_change(before->name, NFLB_CMD_DEVICE_DEL, false);
	return LBADM_OK;
}

static int xdp_begin(const struct device_request *before,
		     const struct device_request *after)
{
	bool hook, absent = false;
	int status = LBADM_OK;

	if (after->wait)
		status = look(after->name, &hook, &absent);
	if (!status && !absent)
		status = xdp_add(after->name, !before);
	if (status && !before)
		hook_change(after->name, NFLB_CMD_DEVICE_DEL, false);
	return status;
}

static int xdp_end(const struct device_request *before,
		   const struct device_request *after)
{
	bool hook, absent = false;
	int status = LBADM_OK;

	if (before->wait)
		status = look(before->name, &hook, &absent);
	if (!status && !absent)
		status = xdp_detach(before->name);
	if (status)
		return status;
	status = hook_step(before, after);
	if (status && !absent)
		xdp_attach(before->name);
	return status;
}

int device_change(const struct device_request *before,
		  const struct device_request *after)
{
	bool had = before && before->xdp, wanted = after && after->xdp;
	int status;

	if (had && !wanted)
		return xdp_end(before, after);
	status = hook_step(before, after);
	return status || had || !wanted ? status : xdp_begin(before, after);
}

/* With the device's name in what the kernel says */
static int change_named(const struct device_request *before,
			const struct device_request *after)
{
	int status;

	sock_subject("device %s", (after ? after : before)->name);
	status = device_change(before, after);
	sock_subject("%s", "");
	return status;
}

static int device_add(struct words *words)
{
	struct device_request req, before;
	bool hook = false, absent;
	int status;

	status = parse_device_request(words, &req);
	if (!status && req.xdp)
		status = look(req.name, &hook, &absent);
	if (status)
		return status;
	before = (struct device_request){ .name = req.name };
	return change_named(hook ? &before : NULL, &req);
}

static int device_del(struct words *words)
{
	struct device_request req, after;
	struct xdp_state state;
	bool hook = true, absent;
	int status;

	status = parse_device_request(words, &req);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	if (req.xdp) {
		after = (struct device_request){ .name = req.name };
		return change_named(&req, &after);
	}
	status = xdp_look(req.name, &state);
	if (!status && state.owner == XDP_UNKNOWN)
		status = xdp_no_permission();
	if (!status && state.owner == XDP_NFLB)
		status = look(req.name, &hook, &absent);
	if (status)
		return status;
	req.xdp = state.owner == XDP_NFLB;
	after = (struct device_request){ .name = req.name };
	return change_named(&req, hook ? NULL : &after);
}

/* --- showing */

/* Only the device that is named, which has to be there. */
static int keep_device(json_t *devices, const char *name)
{
	json_t *device = find_device(devices, name);

	if (!device)
		return fail(LBADM_REFUSED,
			    "the fast path is not attached to %s", name);
	json_incref(device);
	json_array_clear(devices);
	json_array_append_new(devices, device);
	return LBADM_OK;
}

/* All devices, or the one that is named. */
static int device_show(struct words *words)
{
	const char *name = NULL;
	json_t *devices = NULL;
	int status = LBADM_OK;

	if (words_peek(words))
		status = parse_device(words, &name);
	if (!status)
		status = read_devices(&devices);
	if (status)
		return status;
	if (name)
		status = keep_device(devices, name);
	if (!status && lbadm_options.json)
		out_json(devices);
	else if (!status)
		status = out_devices(devices);
	json_decref(devices);
	return status;
}

static const struct word args_netdev[] = {
	{ .name = "DEV", .kind = &kind_netdev },
	{ 0 },
};

static const struct word args_device[] = {
	{ .name = "DEV", .kind = &kind_device },
	{ 0 },
};

static const struct word args_maybe_device[] = {
	{ .name = "DEV", .kind = &kind_device, .flags = WORD_OPTIONAL },
	{ 0 },
};

static const struct word del_words[] = {
	{ .name = "xdp", .help = "XDP alone" },
	{ 0 },
};

static const struct lbadm_command commands[] = {
	{ "add", device_add, "attach the fast path to a network device",
	  args_netdev, device_words },
	{ "del", device_del, "detach it", args_device, del_words },
	{ "show", device_show, "show one device, or all that have it",
	  args_maybe_device, NULL },
	{ 0 },
};

const struct lbadm_object lbadm_device = {
	"device", "network devices with the fast path", commands,
};
