// SPDX-License-Identifier: GPL-2.0
/*
 * One step from a configuration to another, and its reverse.
 */
#include "cmd/config_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/config_policy.h"
#include "cmd/device.h"
#include "cmd/settings.h"
#include "model/subject.h"
#include "nl/change.h"
#include "nl/msg.h"
#include "nl/sock.h"

static int service_put(const struct config_service *service, bool force)
{
	struct nlmsghdr *nlh;
	int status;
	void *buf;

	/* Padding of attributes is zero. */
	buf = calloc(1, msg_list_size(service->backend_count));
	if (!buf)
		return fail(LBADM_REFUSED, "out of memory");
	nlh = sock_request(buf, NFLB_CMD_SERVICE_REPLACE, 0);
	msg_put_service(nlh, &service->request);
	msg_put_exact(nlh, service->backends, service->backend_count, force);
	status = change_talk(nlh);
	free(buf);
	return status;
}

static int service_del(const struct config_service *service)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = sock_request(buf, NFLB_CMD_SERVICE_DEL, 0);

	msg_put_service_id(nlh, &service->request.id);
	return change_talk(nlh);
}

static int laddr_change(const struct laddr_request *laddr, uint8_t cmd)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = sock_request(buf, cmd, 0);
	struct laddr_request id = *laddr;

	if (cmd == NFLB_CMD_LADDR_DEL) {
		id.excluded_count = 0;
		/* Without ports, every range of the address would go. */
		id.ports = config_laddr_ports(laddr);
	}
	msg_put_laddr(nlh, &id);
	return change_talk(nlh);
}

void step_where(const struct step *step, const char *before)
{
	const struct config_service *service = step->service_after ?
		step->service_after : step->service_before;
	const struct laddr_request *laddr = step->laddr_after ?
		step->laddr_after : step->laddr_before;
	char text[SUBJECT_MAX];

	if (service)
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%sservice %s: ", before,
			 subject_service(text, &service->request.id));
	else if (laddr)
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%slocal address %s: ",
			 before, addr_format(text, &laddr->first));
	else if (step->policies_after)
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%spolicies: ", before);
	else if (step->setting_after)
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%ssetting %s: ", before,
			 setting_table[step->setting].key);
	else
		snprintf(lbadm_where, LBADM_WHERE_MAX, "%sdevice %s: ", before,
			 step->device_after ? step->device_after->name :
					      step->device_before->name);
}

int step_run(const struct step *step)
{
	if (step->service_after)
		return service_put(step->service_after, step->force);
	if (step->service_before)
		return service_del(step->service_before);
	if (step->laddr_after)
		return laddr_change(step->laddr_after, NFLB_CMD_LADDR_ADD);
	if (step->laddr_before)
		return laddr_change(step->laddr_before, NFLB_CMD_LADDR_DEL);
	if (step->policies_after)
		return policies_step(step->policies_before,
				     step->policies_after);
	if (step->setting_after)
		return setting_write(step->setting, step->setting_after);
	return device_change(step->device_before, step->device_after);
}

/* States that were set by hand again, one by one */
static int by_hand_again(const struct config_service *service)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct backend_request req = { 0 };
	struct nlmsghdr *nlh;
	int status = LBADM_OK;
	size_t i;

	for (i = 0; i < service->backend_count && !status; i++) {
		if (!service->backends[i].by_hand.set)
			continue;
		req.address = service->backends[i].address;
		req.port = service->backends[i].port;
		req.state = service->backends[i].by_hand;
		req.deadline = service->backends[i].hand_deadline;
		nlh = sock_request(buf, NFLB_CMD_BACKEND_SET, 0);
		msg_put_service_id(nlh, &service->request.id);
		msg_put_backend(nlh, &req);
		status = change_talk(nlh);
	}
	return status;
}

int step_undo(const struct step *step)
{
	int status;
	const struct step reverse = {
		.service_before = step->service_after,
		.service_after = step->service_before,
		.laddr_before = step->laddr_after,
		.laddr_after = step->laddr_before,
		.device_before = step->device_after,
		.device_after = step->device_before,
		.policies_before = step->policies_after,
		.policies_after = step->policies_before,
		.setting_before = step->setting_after,
		.setting_after = step->setting_before,
		.setting = step->setting,
	};

	status = step_run(&reverse);
	if (!status && step->service_before)
		status = by_hand_again(step->service_before);
	return status;
}

int service_restore(const struct config_service *service)
{
	int status = service_put(service, true);

	return status ? status : by_hand_again(service);
}
