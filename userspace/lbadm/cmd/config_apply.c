// SPDX-License-Identifier: GPL-2.0
/*
 * From the configuration that the kernel has to another: the steps between them,
 * each of which the kernel takes whole or not at all, and each with its reverse.
 */
#include "cmd/config_apply.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/device.h"
#include "cmd/show.h"
#include "nl/msg.h"
#include "nl/sock.h"

/* From @before to @after, of which one may be absent; of one kind. */
struct step {
	const struct config_service *service_before, *service_after;
	const struct laddr_request *laddr_before, *laddr_after;
	const struct device_request *device_before, *device_after;
};

struct plan {
	struct step *steps;
	size_t count;
};

static struct step *plan_add(struct plan *plan)
{
	struct step *steps = realloc(plan->steps, (plan->count + 1) *
				     sizeof(*plan->steps));

	if (!steps)
		abort();
	plan->steps = steps;
	memset(&steps[plan->count], 0, sizeof(*steps));
	return &steps[plan->count++];
}

/* --- one step */

static int service_put(const struct config_service *service)
{
	struct nlmsghdr *nlh;
	int status;
	void *buf;

	/* What pads attributes is zero. */
	buf = calloc(1, msg_list_size(service->backend_count));
	if (!buf)
		return fail(LBADM_REFUSED, "out of memory");
	nlh = sock_request(buf, NFLB_CMD_SERVICE_REPLACE, 0);
	msg_put_service(nlh, &service->request);
	msg_put_exact(nlh, service->backends, service->backend_count);
	status = sock_talk(nlh, NULL, NULL);
	free(buf);
	return status;
}

static int service_del(const struct config_service *service)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = sock_request(buf, NFLB_CMD_SERVICE_DEL, 0);

	msg_put_service_id(nlh, &service->request.id);
	return sock_talk(nlh, NULL, NULL);
}

static uint16_t first_port(const struct laddr_request *laddr)
{
	return laddr->ports.first ? laddr->ports.first : NFLB_LADDR_PORT_FIRST;
}

static uint16_t last_port(const struct laddr_request *laddr)
{
	return laddr->ports.last ? laddr->ports.last : NFLB_LADDR_PORT_LAST;
}

static int laddr_change(const struct laddr_request *laddr, uint8_t cmd)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = sock_request(buf, cmd, 0);
	struct laddr_request id = *laddr;

	if (cmd == NFLB_CMD_LADDR_DEL) {
		id.excluded_count = 0;
		/* Without ports, every range of the address would go. */
		id.ports.first = first_port(laddr);
		id.ports.last = last_port(laddr);
	}
	msg_put_laddr(nlh, &id);
	return sock_talk(nlh, NULL, NULL);
}

static const char *service_text(char *buf, size_t size,
				const struct service_id *id)
{
	char address[ADDR_TEXT_MAX], ports[16] = "*";

	if (id->port_last)
		snprintf(ports, sizeof(ports), "%u-%u", id->port, id->port_last);
	else if (id->port)
		snprintf(ports, sizeof(ports), "%u", id->port);
	addr_format(address, &id->address);
	snprintf(buf, size, id->address.len == 16 ? "%s [%s]:%s" : "%s %s:%s",
		 id->protocol == 6 ? "tcp" : "udp", address, ports);
	return buf;
}

/* What an error is about, before it. */
static void say_where(const struct step *step, const char *before)
{
	const struct config_service *service = step->service_after ?
		step->service_after : step->service_before;
	const struct laddr_request *laddr = step->laddr_after ?
		step->laddr_after : step->laddr_before;
	char text[ADDR_TEXT_MAX + 32];

	if (service)
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%sservice %s: ", before,
			 service_text(text, sizeof(text), &service->request.id));
	else if (laddr)
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%slocal address %s: ",
			 before, addr_format(text, &laddr->first));
	else
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%sdevice %s: ", before,
			 step->device_after ? step->device_after->name :
					      step->device_before->name);
}

static int step_run(const struct step *step)
{
	if (step->service_after)
		return service_put(step->service_after);
	if (step->service_before)
		return service_del(step->service_before);
	if (step->laddr_after)
		return laddr_change(step->laddr_after, NFLB_CMD_LADDR_ADD);
	if (step->laddr_before)
		return laddr_change(step->laddr_before, NFLB_CMD_LADDR_DEL);
	return device_change(step->device_before, step->device_after);
}

static int step_undo(const struct step *step)
{
	const struct step reverse = {
		.service_before = step->service_after,
		.service_after = step->service_before,
		.laddr_before = step->laddr_after,
		.laddr_after = step->laddr_before,
		.device_before = step->device_after,
		.device_after = step->device_before,
	};

	return step_run(&reverse);
}

/* --- the plan */

/* Addresses of one family, in network order. */
static bool addr_after(const struct addr *a, const struct addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) > 0;
}

static bool overlap(const struct laddr_request *a, const struct laddr_request *b)
{
	return a->first.len == b->first.len &&
	       !addr_after(&a->first, &b->last) &&
	       !addr_after(&b->first, &a->last) &&
	       first_port(a) <= last_port(b) && first_port(b) <= last_port(a);
}

/* Is it in the way of one that is to come? */
static bool in_the_way(const struct laddr_request *laddr,
		       const struct config *have, const struct config *wanted)
{
	size_t i;

	for (i = 0; i < wanted->laddr_count; i++)
		if (!config_has_laddr(have, &wanted->laddrs[i]) &&
		    overlap(laddr, &wanted->laddrs[i]))
			return true;
	return false;
}

/* Those that are not wanted: that are in the way first, the others at the end. */
static void plan_laddrs_del(struct plan *plan, const struct config *have,
			    const struct config *wanted, bool first)
{
	size_t i;

	for (i = 0; i < have->laddr_count; i++)
		if (!config_has_laddr(wanted, &have->laddrs[i]) &&
		    in_the_way(&have->laddrs[i], have, wanted) == first)
			plan_add(plan)->laddr_before = &have->laddrs[i];
}

static void plan_laddrs_add(struct plan *plan, const struct config *have,
			    const struct config *wanted)
{
	size_t i;

	for (i = 0; i < wanted->laddr_count; i++)
		if (!config_has_laddr(have, &wanted->laddrs[i]))
			plan_add(plan)->laddr_after = &wanted->laddrs[i];
}

static void plan_services_put(struct plan *plan, const struct config *have,
			      const struct config *wanted)
{
	const struct config_service *before, *after;
	struct step *step;
	size_t i;

	for (i = 0; i < wanted->service_count; i++) {
		after = &wanted->services[i];
		before = config_find_service(have, &after->request.id);
		if (before && config_same_service(before, after))
			continue;
		step = plan_add(plan);
		step->service_before = before;
		step->service_after = after;
	}
}

static void plan_services_del(struct plan *plan, const struct config *have,
			      const struct config *wanted)
{
	size_t i;

	for (i = 0; i < have->service_count; i++)
		if (!config_find_service(wanted, &have->services[i].request.id))
			plan_add(plan)->service_before = &have->services[i];
}

/* Devices, or XDP on them, that are to come, or to go. */
static void plan_devices(struct plan *plan, const struct config *have,
			 const struct config *wanted, bool add)
{
	const struct config *from = add ? wanted : have;
	const struct config *to = add ? have : wanted;
	const struct device_request *one, *other;
	struct step *step;
	size_t i;

	for (i = 0; i < from->device_count; i++) {
		one = &from->devices[i];
		other = config_find_device(to, one->name);
		if (other && other->xdp >= one->xdp)
			continue;
		step = plan_add(plan);
		step->device_before = add ? other : one;
		step->device_after = add ? one : other;
	}
}

/*
 * What comes before what goes: new local addresses are there before a service
 * needs them; and what cannot be brought back whole, the connections of a
 * service, goes when there is hardly anything left that can fail.
 */
static void plan_make(struct plan *plan, const struct config *have,
		      const struct config *wanted)
{
	plan_laddrs_del(plan, have, wanted, true);
	plan_laddrs_add(plan, have, wanted);
	plan_devices(plan, have, wanted, true);
	plan_services_put(plan, have, wanted);
	plan_devices(plan, have, wanted, false);
	plan_laddrs_del(plan, have, wanted, false);
	plan_services_del(plan, have, wanted);
}

/* Undo the first @count steps, the last one first. */
static int plan_undo(const struct plan *plan, size_t count, const char *before)
{
	int status = LBADM_OK;

	while (count--) {
		say_where(&plan->steps[count], before);
		if (step_undo(&plan->steps[count]))
			status = LBADM_REFUSED;
	}
	return status;
}

static int plan_run(const struct plan *plan, const char *before)
{
	int status = LBADM_OK;
	size_t i;

	for (i = 0; i < plan->count && !status; i++) {
		say_where(&plan->steps[i], before);
		status = step_run(&plan->steps[i]);
	}
	if (!status)
		return LBADM_OK;
	if (plan_undo(plan, i - 1, before))
		fail(status, "this could not be undone: the configuration is neither the old one nor the new one");
	return status;
}

int apply(const struct config *wanted)
{
	char before[LBADM_WHERE_MAX];
	struct plan plan = { 0 };
	struct config have;
	sigset_t all, old;
	json_t *json;
	int status;

	status = config_from_kernel(&json);
	if (status)
		return status;
	status = config_from_json(json, &have);
	if (status)
		return status;
	plan_make(&plan, &have, wanted);
	snprintf(before, sizeof(before), "%s", lbadm_where);
	/* Who interrupts it wants it to end, but not between two steps. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	status = plan_run(&plan, before);
	sigprocmask(SIG_SETMASK, &old, NULL);
	snprintf(lbadm_where, LBADM_WHERE_MAX, "%s", before);
	if (!status)
		status = warn_of_absent(wanted->devices, wanted->device_count);
	free(plan.steps);
	config_free(&have);
	return status;
}
