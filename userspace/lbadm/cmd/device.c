// SPDX-License-Identifier: GPL-2.0
/*
 * lbadm device
 */
#include "cmd/device.h"

#include <string.h>

#include "cmd/show.h"
#include "lbadm.h"
#include "model/vocabulary.h"
#include "nl/change.h"
#include "nl/msg.h"
#include "nl/sock.h"
#include "out/out.h"
#include "xdp/xdp.h"

/* --- attached devices */

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
	if (state.owner == XDP_NFLB)
		json_object_del(device, "xdp-wanted");
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

struct device_state {
	bool hook;	/* the ingress hook is attached */
	bool absent;	/* it waits for the device */
	bool wish;	/* XDP is wanted, says the module */
};

static int look(const char *name, struct device_state *state)
{
	const json_t *device;
	json_t *devices;
	int status;

	status = read_list(NFLB_CMD_DEVICE_GET, msg_get_device, &devices);
	if (status)
		return status;
	device = find_device(devices, name);
	state->absent = is_absent(device);
	state->hook = device && !state->absent;
	state->wish = json_object_get(device, "xdp-wanted");
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

/* @xdp: XDP is wanted, which the module remembers if it waits for the device */
static int hook_change(const char *name, uint8_t cmd, bool wait, bool xdp)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	int status = sock_open();

	if (status)
		return status;
	nlh = sock_request(buf, cmd, 0);
	mnl_attr_put_strz(nlh, NFLB_A_DEVICE, name);
	wait = wait && change_can_wait();
	if (wait)
		mnl_attr_put(nlh, NFLB_A_DEVICE_ABSENT, 0, NULL);
	if (wait && xdp)
		mnl_attr_put_u8(nlh, NFLB_A_DEVICE_XDP, xdp);
	return change_talk(nlh);
}

/* Remember, or forget, that XDP is wanted on a device that is there or awaited. */
static int wish_set(const char *name, bool xdp)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = sock_request(buf, NFLB_CMD_DEVICE_ADD, 0);

	mnl_attr_put_strz(nlh, NFLB_A_DEVICE, name);
	mnl_attr_put(nlh, NFLB_A_DEVICE_ABSENT, 0, NULL);
	mnl_attr_put_u8(nlh, NFLB_A_DEVICE_XDP, xdp);
	return change_talk(nlh);
}

static bool wants_xdp(const struct device_request *device)
{
	return device->xdp || device->late;
}

static int wish_step(const struct device_request *before,
		     const struct device_request *after)
{
	if (!before || !after || !after->wait || !change_can_wait() ||
	    wants_xdp(before) == wants_xdp(after))
		return LBADM_OK;
	return wish_set(after->name, wants_xdp(after));
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
		return hook_change(after->name, NFLB_CMD_DEVICE_ADD, after->wait,
				   wants_xdp(after));
	if (!after)
		return hook_change(before->name, NFLB_CMD_DEVICE_DEL, false,
				   false);
	return LBADM_OK;
}

static int xdp_begin(const struct device_request *before,
		     const struct device_request *after)
{
	struct device_state state = { 0 };
	int status = LBADM_OK;

	if (after->wait)
		status = look(after->name, &state);
	if (!status && !state.absent)
		status = xdp_add(after->name, !before);
	if (status && !before)
		hook_change(after->name, NFLB_CMD_DEVICE_DEL, false, false);
	return status;
}

static int xdp_end(const struct device_request *before,
		   const struct device_request *after)
{
	struct device_state state = { 0 };
	int status = LBADM_OK;

	if (before->wait)
		status = look(before->name, &state);
	if (!status && !state.absent)
		status = xdp_detach(before->name);
	if (status)
		return status;
	status = hook_step(before, after);
	if (status && !state.absent)
		xdp_attach(before->name);
	return status;
}

static int hook_and_xdp(const struct device_request *before,
			const struct device_request *after)
{
	bool had = before && before->xdp, wanted = after && after->xdp;
	int status;

	if (had && !wanted)
		return xdp_end(before, after);
	status = hook_step(before, after);
	return status || had || !wanted ? status : xdp_begin(before, after);
}

int device_change(const struct device_request *before,
		  const struct device_request *after)
{
	int status = wish_step(before, after);

	if (status)
		return status;
	status = hook_and_xdp(before, after);
	if (status)
		wish_step(after, before);
	return status;
}

/* With the device's name in the kernel's message */
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
	struct device_request req = { 0 }, before;
	struct device_state state = { 0 };
	int status;

	status = parse_device_request(words, &req);
	if (!status && req.xdp)
		status = look(req.name, &state);
	if (status)
		return status;
	before = (struct device_request){ .name = req.name };
	return change_named(state.hook ? &before : NULL, &req);
}

/* XDP alone, and the wish for it, which is all there is of a device that is late */
static int del_xdp(const struct device_request *req)
{
	const struct device_request after = { .name = req->name };
	struct device_state state = { 0 };
	struct xdp_state xdp;
	int status;

	status = look(req->name, &state);
	if (!status && !state.wish)
		return change_named(req, &after);
	status = status ? status : xdp_look(req->name, &xdp);
	status = status ? status : wish_set(req->name, false);
	if (status || xdp.owner == XDP_NOBODY || xdp.owner == XDP_OTHER)
		return status;
	status = change_named(req, &after);
	if (status)
		wish_set(req->name, true);
	return status;
}

static int device_del(struct words *words)
{
	struct device_state module = { .hook = true };
	struct device_request req = { 0 }, after;
	struct xdp_state state;
	int status;

	status = parse_device_request(words, &req);
	if (!status)
		status = sock_open();
	if (status)
		return status;
	if (req.xdp)
		return del_xdp(&req);
	status = xdp_look(req.name, &state);
	if (!status && state.owner == XDP_UNKNOWN)
		status = xdp_no_permission();
	if (!status && state.owner == XDP_NFLB)
		status = look(req.name, &module);
	if (status)
		return status;
	req.xdp = state.owner == XDP_NFLB;
	after = (struct device_request){ .name = req.name };
	return change_named(&req, module.hook ? NULL : &after);
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
