// SPDX-License-Identifier: GPL-2.0
/*
 * Attaching and detaching. The kernel lists the attached programs; a pin is believed
 * only when the device has the program of its link.
 *
 * Attached is by a link, never by rtnetlink, which counts as a change of the device:
 * every cached route of the namespace would be looked up again.
 */
#include "xdp/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lbadm.h"
#include "xdp/nic.h"
#include "xdp/pin.h"
#include "xdp/program.h"

/* libbpf's message for the kernel's extended ack */
static char kernel_text[256];

/* Errors are told by lbadm, so libbpf is to be quiet. */
static int note(enum libbpf_print_level level, const char *format, va_list args)
{
	static const char before[] = "Kernel error message: ";
	char line[320], *text;

	(void)level;
	vsnprintf(line, sizeof(line), format, args);
	text = strstr(line, before);
	if (text)
		snprintf(kernel_text, sizeof(kernel_text), "%.*s",
			 (int)strcspn(text + strlen(before), "\n"),
			 text + strlen(before));
	return 0;
}

int xdp_no_permission(void)
{
	return fail(LBADM_UNAVAILABLE,
		    "permission denied: XDP needs CAP_SYS_ADMIN of the host; root of a user namespace does not have it");
}

/* The number of the program of a device, 0 for none; or a negative errno. */
static int64_t program_of(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int err;

	libbpf_set_print(note);
	err = bpf_xdp_query(ifindex, 0, &query);
	if (err)
		return err == -ENODEV ? 0 : err;
	if (query.drv_prog_id)
		return query.drv_prog_id;
	if (query.hw_prog_id)
		return query.hw_prog_id;
	return query.skb_prog_id ? query.skb_prog_id : query.prog_id;
}

/* --- which link */

struct search {
	unsigned int ifindex;
	uint32_t program;
	int (*found)(const struct pin *pin);	/* called for it, or NULL */
	bool there;
	int status;		/* of @found */
};

static bool is_it(const struct pin *pin, void *data)
{
	struct search *search = data;

	if (pin->ifindex != search->ifindex || pin->program != search->program)
		return false;
	search->there = true;
	if (search->found)
		search->status = search->found(pin);
	return true;
}

int xdp_look(const char *name, struct xdp_state *state)
{
	struct search search = { .ifindex = if_nametoindex(name) };
	int64_t program = search.ifindex ? program_of(search.ifindex) : 0;
	int err;

	memset(state, 0, sizeof(*state));
	if (program < 0)
		return fail(LBADM_REFUSED, "cannot get the XDP program of %s: %s",
			    name, strerror(-program));
	search.program = program;
	state->program = program;
	/* Also without a program, for the pins of devices that are gone. */
	err = pin_walk(is_it, &search);
	if (program)
		state->owner = err ? XDP_UNKNOWN :
			       search.there ? XDP_NFLB : XDP_OTHER;
	return LBADM_OK;
}

struct each {
	void (*cb)(const char *name, void *data);
	void *data;
};

/* Other namespaces have devices of the same index, but not the same program. */
static bool is_here(const struct pin *pin, void *data)
{
	const struct each *each = data;
	char name[IF_NAMESIZE];

	if (program_of(pin->ifindex) == pin->program &&
	    if_indextoname(pin->ifindex, name))
		each->cb(name, each->data);
	return false;
}

void xdp_each(void (*cb)(const char *name, void *data), void *data)
{
	struct each each = { .cb = cb, .data = data };

	pin_walk(is_here, &each);
}

/* --- attaching */

static int occupied(const char *name, const struct xdp_state *state)
{
	if (state->owner == XDP_UNKNOWN)
		return xdp_no_permission();
	if (state->owner == XDP_NFLB)
		return fail(LBADM_REFUSED, "XDP is attached to %s already",
			    name);
	return fail(LBADM_REFUSED,
		    "%s has an XDP program already (number %u), and a device takes one; that program can call nflb_xdp() itself: see \"A program of your own\" in docs/xdp.md",
		    name, state->program);
}

/*
 * Frames of other machines on a host of Xen come without a checksum, and nothing in a frame
 * tells. A device of veth or tap does the same, but those the module knows.
 */
static bool may_leave_sums(const char *name)
{
	char driver[32];

	return !strcmp(nic_driver(name, driver, sizeof(driver)), "vif");
}

static int check(const char *name)
{
	struct xdp_state state;
	int status = xdp_look(name, &state);

	if (status)
		return status;
	if (state.owner != XDP_NOBODY)
		return occupied(name, &state);
	if (may_leave_sums(name))
		return fail(LBADM_REFUSED,
			    "%s is a device of Xen (driver vif): frames may come without a checksum, and XDP cannot detect that; use \"device add %s\" without xdp",
			    name, name);
	if (nic_has_vlan(name) && nic_strips_vlan(name))
		return fail(LBADM_REFUSED,
			    "%s has VLANs, and takes their tags off the frames, so XDP cannot distinguish them; turn that off: ethtool -K %s rxvlan off",
			    name, name);
	return LBADM_OK;
}

/*
 * A link that is refused comes without a reason, rtnetlink has one. So ask it for the
 * same, which changes nothing while it is refused.
 */
static const char *why_not(int ifindex, int program, int error)
{
	__u32 flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST;

	*kernel_text = '\0';
	if (!bpf_xdp_attach(ifindex, program, flags, NULL))
		bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
	return *kernel_text ? kernel_text : strerror(error);
}

static int refused(const char *name, int ifindex, int program, int error)
{
	struct xdp_state state;
	const char *why;
	char driver[32];

	if (error == EPERM || error == EACCES)
		return xdp_no_permission();
	/* Somebody may have been faster. */
	if (!xdp_look(name, &state) && state.owner != XDP_NOBODY)
		return occupied(name, &state);
	why = why_not(ifindex, program, error);
	if (error == EOPNOTSUPP &&
	    (!*kernel_text || strstr(kernel_text, "native mode")))
		return fail(LBADM_REFUSED,
			    "the driver of %s (%s) has no XDP; use \"device add %s\" without xdp",
			    name, nic_driver(name, driver, sizeof(driver)),
			    name);
	return fail(LBADM_REFUSED,
		    "kernel: XDP cannot be attached to %s (driver %s): %s",
		    name, nic_driver(name, driver, sizeof(driver)), why);
}

int xdp_attach(const char *name)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int status, ifindex = if_nametoindex(name), program, link;

	if (!ifindex)
		return fail(LBADM_REFUSED, "there is no device %s", name);
	libbpf_set_print(note);
	status = check(name);
	if (!status)
		status = program_load(&program);
	if (status)
		return status;
	link = bpf_link_create(program, ifindex, BPF_XDP, &opts);
	status = link < 0 ? refused(name, ifindex, program, errno) :
		 pin_make(link);
	/* Without a pin the link, and with it the attachment, ends here. */
	if (link >= 0)
		close(link);
	close(program);
	return status;
}

/* --- detaching */

static int end(const struct pin *pin)
{
	if (bpf_link_detach(pin->fd))
		return fail(LBADM_REFUSED, "kernel: XDP cannot be detached: %s",
			    strerror(errno));
	if (unlink(pin->path) && errno != ENOENT)
		fail(LBADM_OK, "warning: cannot remove %s: %s", pin->path,
		     strerror(errno));
	return LBADM_OK;
}

int xdp_detach(const char *name)
{
	struct search search = {
		.ifindex = if_nametoindex(name),
		.found = end,
	};
	struct xdp_state state;
	int status = xdp_look(name, &state);

	if (status)
		return status;
	if (state.owner == XDP_UNKNOWN)
		return xdp_no_permission();
	if (state.owner == XDP_OTHER)
		return fail(LBADM_REFUSED,
			    "the XDP program of %s (number %u) is not lbadm's",
			    name, state.program);
	search.program = state.program;
	if (pin_walk(is_it, &search))
		return xdp_no_permission();
	/* Nothing, or another lbadm was faster. */
	if (!search.there)
		return fail(LBADM_REFUSED, "XDP is not attached to %s", name);
	return search.status;
}
